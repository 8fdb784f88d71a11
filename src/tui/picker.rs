//! A list to choose from, narrowed while typing: releases, environments, actions.

use super::action::{ACTIONS, Action};
use super::keymap::Keymap;
use super::state::{Cursor, State};
use crate::model::{Environment, EnvironmentName};

/// What choosing an item means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Do an action.
    Act(Action),
    /// Choose a release of this environment.
    Releases(EnvironmentName),
    /// Plan to go back to a release.
    Rollback(EnvironmentName, String),
    /// Plan a promotion.
    Promote(EnvironmentName, EnvironmentName),
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is called.
    pub label: String,
    /// What else to know.
    pub note: String,
    /// What it means.
    pub choice: Choice,
}

/// A list to choose from.
#[derive(Clone, Debug)]
pub struct Picker {
    /// What is chosen.
    pub title: String,
    /// What was typed.
    pub text: String,
    /// Everything.
    pub items: Vec<Item>,
    /// The cursor among what is shown.
    pub cursor: Cursor,
}

impl Picker {
    fn new(title: impl Into<String>, items: Vec<Item>) -> Self {
        Self { title: title.into(), text: String::new(), items, cursor: Cursor::default() }
    }

    /// Returns what matches the text.
    pub fn shown(&self) -> impl Iterator<Item = &Item> {
        let words: Vec<String> = self.text.split_whitespace().map(str::to_lowercase).collect();
        self.items.iter().filter(move |item| {
            let (label, note) = (item.label.to_lowercase(), item.note.to_lowercase());
            words.iter().all(|word| label.contains(word.as_str()) || note.contains(word.as_str()))
        })
    }

    /// Returns what is selected.
    pub fn selected(&self) -> Option<&Item> {
        self.shown().nth(self.cursor.at)
    }

    /// Lists the actions.
    pub fn palette(keymap: &Keymap) -> Self {
        let items = ACTIONS
            .iter()
            .filter(|row| row.scope != super::action::Scope::Confirm && row.action != Action::Command)
            .map(|row| Item {
                label: row.name.to_owned(),
                note: format!("{}  {}", row.help, keymap.keys(row.action).join(" ")),
                choice: Choice::Act(row.action),
            })
            .collect();
        Self::new("Command", items)
    }

    /// Lists what an environment can go back to; an error says why there is nothing.
    pub fn releases(state: &State, environment: &Environment) -> Result<Self, String> {
        let here = environment.commit.as_ref();
        let items: Vec<_> = environment
            .releases
            .iter()
            .map(|(tag, commit)| {
                let age = super::age::short(state.now, commit.at);
                let now = if Some(&commit.id) == here { "  now here" } else { "" };
                Item {
                    label: tag.clone(),
                    note: format!("{}  {} ago  {}  {}{now}", commit.id.short(), age, commit.author, commit.subject),
                    choice: Choice::Rollback(environment.name.clone(), tag.clone()),
                }
            })
            .collect();
        if items.is_empty() {
            return Err(format!(
                "{} has no release tag to go back to; revert a commit of {} and promote it",
                environment.name,
                environment.reference.as_str()
            ));
        }
        let mut picker = Self::new(format!("Roll {} back to", environment.name), items);
        picker.cursor.at = environment.releases.iter().position(|(_, commit)| Some(&commit.id) != here).unwrap_or(0);
        Ok(picker)
    }

    /// Lists the environments whose releases can be chosen.
    pub fn environments(state: &State) -> Self {
        let items = state
            .fleet
            .environments
            .iter()
            .map(|environment| Item {
                label: environment.name.to_string(),
                note: format!("{} releases", environment.releases.len()),
                choice: Choice::Releases(environment.name.clone()),
            })
            .collect();
        Self::new("Roll back", items)
    }

    /// Lists the promotions out of an environment, or all of them.
    pub fn promotions(state: &State, from: Option<&EnvironmentName>) -> Self {
        let items = state
            .fleet
            .environments
            .iter()
            .filter_map(|to| {
                let source = to.from.as_ref()?;
                (from.is_none() || from == Some(source)).then(|| Item {
                    label: format!("{source} → {}", to.name),
                    note: format!("{} commits", to.behind),
                    choice: Choice::Promote(source.clone(), to.name.clone()),
                })
            })
            .collect();
        Self::new("Promote", items)
    }
}
