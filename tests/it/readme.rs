//! The README says what is so.

use std::path::Path;

use quarterdeck::config::{Policy, Settings};
use quarterdeck::tui::{Keymap, key_table};

const README: &str = include_str!("../../README.md");

/// Returns the text between two lines.
fn between<'t>(begin: &str, end: &str) -> &'t str {
    let (_, rest) = README.split_once(begin).unwrap_or_else(|| panic!("the README has no {begin:?}"));
    rest.split_once(end).unwrap_or_else(|| panic!("the README has no {end:?} after {begin:?}")).0
}

#[test]
fn its_keys_are_those_of_the_action_table() {
    let written = between("<!-- keys: written by `quarterdeck keys`, checked by a test -->\n", "<!-- /keys -->");
    assert!(written == key_table(), "run `quarterdeck keys` and put what it prints into the README:\n{}", key_table());
}

#[test]
fn its_settings_and_its_policy_can_be_used() {
    let settings = Settings::parse(between("```toml\n", "```"), Path::new("README.md")).unwrap();
    assert_eq!(Keymap::new(&settings.keys).1, Vec::<String>::new());
    let policy = Policy::parse(between("```yaml\n", "```"), Path::new("README.md")).unwrap();
    assert_eq!(policy.environments.len(), 3);
}

#[test]
fn its_pictures_are_there() {
    for (_, rest) in README.match_indices("](assets/").map(|(at, _)| README[at..].split_at(2)) {
        let path = rest.split_once(')').unwrap().0;
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).is_file(), "{path}");
    }
}
