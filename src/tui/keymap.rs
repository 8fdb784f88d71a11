//! Keys: how they are written, and which action they mean where.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{ACTIONS, Action, Scope};

/// One key with its modifiers. A letter's case says whether shift was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Hash)]
pub struct Press {
    /// The key.
    pub code: KeyCode,
    /// Whether control was held.
    pub ctrl: bool,
    /// Whether alt was held.
    pub alt: bool,
}

impl From<KeyEvent> for Press {
    fn from(event: KeyEvent) -> Self {
        let shift = event.modifiers.contains(KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::Char(c) if shift && c.is_ascii_lowercase() => KeyCode::Char(c.to_ascii_uppercase()),
            KeyCode::Tab if shift => KeyCode::BackTab,
            code => code,
        };
        Self {
            code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
            alt: event.modifiers.contains(KeyModifiers::ALT),
        }
    }
}

const NAMED: [(&str, KeyCode); 16] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
];

/// Reads `g g`, `ctrl-f`, `alt-x`, `enter`, `f5`; `None` if a part is no key.
pub fn parse(text: &str) -> Option<Vec<Press>> {
    let presses: Option<Vec<_>> = text.split_whitespace().map(parse_one).collect();
    presses.filter(|presses| !presses.is_empty())
}

fn parse_one(text: &str) -> Option<Press> {
    let (mut ctrl, mut alt, mut rest) = (false, false, text);
    loop {
        if let Some(after) = rest.strip_prefix("ctrl-") {
            (ctrl, rest) = (true, after);
        } else if let Some(after) = rest.strip_prefix("alt-") {
            (alt, rest) = (true, after);
        } else {
            break;
        }
    }
    let code = if let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == rest) {
        *code
    } else if let Some(number) = rest.strip_prefix('f').and_then(|number| number.parse().ok()) {
        KeyCode::F(number)
    } else {
        let mut chars = rest.chars();
        let only = chars.next()?;
        if chars.next().is_some() {
            return None;
        }
        KeyCode::Char(only)
    };
    Some(Press { code, ctrl, alt })
}

/// Returns keys as people read them: `Enter`, `ctrl-f`, `g g`.
pub fn chord_text(keys: &str) -> String {
    let one = |key: &str| match key {
        "enter" => "Enter".to_owned(),
        "esc" => "Esc".to_owned(),
        "tab" => "Tab".to_owned(),
        "shift-tab" => "Shift-Tab".to_owned(),
        "space" => "Space".to_owned(),
        "up" => "↑".to_owned(),
        "down" => "↓".to_owned(),
        "left" => "←".to_owned(),
        "right" => "→".to_owned(),
        "home" => "Home".to_owned(),
        "end" => "End".to_owned(),
        "pageup" => "PgUp".to_owned(),
        "pagedown" => "PgDn".to_owned(),
        other => other.to_owned(),
    };
    keys.split_whitespace().map(one).collect::<Vec<_>>().join(" ")
}

/// What a sequence of keys means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// An action.
    Action(Action),
    /// The beginning of a longer sequence.
    Prefix,
    /// Nothing.
    Nothing,
}

/// Which keys mean what.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: Vec<(Scope, Vec<Press>, Action)>,
    written: BTreeMap<Action, Vec<String>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&BTreeMap::new()).0
    }
}

impl Keymap {
    /// Makes a keymap from the table and a person's own keys by action name; says what could not be used.
    pub fn new(own: &BTreeMap<String, Vec<String>>) -> (Self, Vec<String>) {
        let mut problems: Vec<String> = own
            .keys()
            .filter(|name| Action::named(name).is_none())
            .map(|name| format!("no action is called {name:?}"))
            .collect();
        let mut map = Self { bindings: Vec::new(), written: BTreeMap::new() };
        for row in ACTIONS {
            let keys = match own.get(row.name) {
                Some(keys) => keys.clone(),
                None => row.keys.iter().map(|key| (*key).to_owned()).collect(),
            };
            for key in keys {
                match parse(&key) {
                    Some(presses) => {
                        map.bindings.push((row.scope, presses, row.action));
                        map.written.entry(row.action).or_default().push(chord_text(&key));
                    }
                    None => problems.push(format!("{}: {key:?} is no key", row.name)),
                }
            }
        }
        (map, problems)
    }

    /// Finds what the keys mean; the first scope that knows them wins.
    pub fn find(&self, scopes: &[Scope], pressed: &[Press]) -> Found {
        for scope in scopes {
            let in_scope = || self.bindings.iter().filter(|(at, ..)| at == scope);
            if let Some((_, _, action)) = in_scope().find(|(_, keys, _)| keys == pressed) {
                return Found::Action(*action);
            }
            if in_scope().any(|(_, keys, _)| keys.len() > pressed.len() && keys.starts_with(pressed)) {
                return Found::Prefix;
            }
        }
        Found::Nothing
    }

    /// Says whether any action's keys have this one among them.
    pub fn uses(&self, press: Press) -> bool {
        self.bindings.iter().any(|(_, keys, _)| keys.contains(&press))
    }

    /// Returns the keys of an action as people read them.
    pub fn keys(&self, action: Action) -> &[String] {
        self.written.get(&action).map_or(&[], Vec::as_slice)
    }

    /// Returns the first key of an action, empty if it has none.
    pub fn key(&self, action: Action) -> &str {
        self.keys(action).first().map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Found, Keymap, parse};
    use crate::tui::action::{ACTIONS, Action, Scope};

    #[test]
    fn every_default_key_can_be_read_and_means_one_thing() {
        let (map, problems) = Keymap::new(&BTreeMap::new());
        assert!(problems.is_empty(), "{problems:?}");
        for row in ACTIONS {
            for key in row.keys {
                let found = map.find(&[row.scope], &parse(key).unwrap());
                assert_eq!(found, Found::Action(row.action), "{key} in {:?}", row.scope);
            }
        }
    }

    #[test]
    fn own_keys_replace_the_default_ones() {
        let own = BTreeMap::from([("top".to_owned(), vec!["g g".to_owned()]), ("nope".to_owned(), vec![])]);
        let (map, problems) = Keymap::new(&own);
        let keys = parse("g g").unwrap();
        assert_eq!(map.find(&[Scope::Global], &keys[..1]), Found::Prefix);
        assert_eq!(map.find(&[Scope::Global], &keys), Found::Action(Action::Top));
        assert_eq!(problems, ["no action is called \"nope\""]);
    }
}
