//! The functions that charts can call: sprig's and helm's.

mod abbreviate;
mod argument;
mod cert;
mod decimal;
mod dict;
mod encode;
mod hash;
mod json;
mod json_decode;
mod list;
mod logic;
mod merge;
mod method;
mod number;
mod path;
mod random;
mod reflect;
mod regex;
mod regex_syntax;
mod scope;
mod semver;
mod text;
mod words;
mod yaml;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::template::Function;

/// Finds a function by the name that templates call it by; Go's own built-in ones are not here.
pub(super) fn find(name: &str) -> Option<Function> {
    static BY_NAME: LazyLock<HashMap<&str, Function>> = LazyLock::new(|| {
        TABLES.iter().flat_map(|table| table.iter()).map(|function| (function.name, *function)).collect()
    });
    BY_NAME.get(name).copied()
}

/// One table for each kind of function.
static TABLES: &[&[Function]] = &[
    abbreviate::FUNCTIONS,
    cert::FUNCTIONS,
    dict::FUNCTIONS,
    encode::FUNCTIONS,
    hash::FUNCTIONS,
    json::FUNCTIONS,
    list::FUNCTIONS,
    logic::FUNCTIONS,
    merge::FUNCTIONS,
    number::FUNCTIONS,
    path::FUNCTIONS,
    random::FUNCTIONS,
    reflect::FUNCTIONS,
    regex::FUNCTIONS,
    scope::FUNCTIONS,
    semver::FUNCTIONS,
    text::FUNCTIONS,
    words::FUNCTIONS,
    yaml::FUNCTIONS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::profile::Profile;
    use crate::helm::state::State;
    use crate::template::{Budget, Executor, Map, Templates};

    /// Runs a template with the functions of charts.
    pub(super) fn run(template: &str) -> Result<String, String> {
        run_as(Profile::default(), template)
    }

    /// Runs a template with the functions of charts, as a certain helm does.
    pub(super) fn run_as(profile: Profile, template: &str) -> Result<String, String> {
        let mut templates = Templates::new();
        templates.parse("t", template, &|name| find(name).is_some()).map_err(|error| error.to_string())?;
        let mut state = State::new(profile);
        let budget = Budget { depth: 200, ..Budget::default() };
        let mut executor = Executor::new(&templates, &find, &mut state, budget);
        let out = executor.execute("t", &Map::new().into()).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// Checks what a template prints.
    #[track_caller]
    pub(super) fn check(template: &str, expected: &str) {
        assert_eq!(run(template).as_deref(), Ok(expected), "{template}");
    }

    /// Checks how the error of a template ends.
    #[track_caller]
    pub(super) fn check_error(template: &str, expected: &str) {
        let error = run(template).expect_err("an error");
        assert!(error.ends_with(expected), "{template}\n  expected {expected}\n  got      {error}");
    }

    #[test]
    fn tables_are_sorted_and_say_nothing_twice() {
        for table in TABLES {
            assert!(table.is_sorted_by(|a, b| a.name < b.name), "{:?}", table[0].name);
        }
        let mut names: Vec<&str> = TABLES.iter().flat_map(|table| table.iter()).map(|function| function.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
