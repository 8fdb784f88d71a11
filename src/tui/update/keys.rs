//! Keys: text where something is typed, else actions by the keymap.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::{act, is_working};
use crate::tui::action::{Action, Scope};
use crate::tui::app_view::Search;
use crate::tui::keymap::{Found, Press};
use crate::tui::state::{Effect, Layer, Screen, State};

/// Most letters that are taken into a line.
const LONGEST: usize = 200;

/// Takes a key in.
pub(super) fn key(state: &mut State, event: KeyEvent, effects: &mut Vec<Effect>) {
    if event.kind == KeyEventKind::Release {
        return;
    }
    let press = Press::from(event);
    // On a slow line Esc and the next key arrive as one, which is how terminals write alt: it is taken for both of them.
    let is_one_byte = matches!(press.code, KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace);
    if press.alt && is_one_byte && !state.keymap.uses(press) {
        pressed(state, Press { code: KeyCode::Esc, ctrl: false, alt: false }, effects);
        return pressed(state, Press { alt: false, ..press }, effects);
    }
    pressed(state, press, effects);
}

fn pressed(state: &mut State, press: Press, effects: &mut Vec<Effect>) {
    if press.ctrl && press.code == KeyCode::Char('c') {
        return leave(state, effects);
    }
    if typed(state, press, effects) {
        state.pressed.clear();
        return;
    }
    state.pressed.push(press);
    let scopes = scopes(state);
    match state.keymap.find(&scopes, &state.pressed) {
        Found::Prefix => {}
        Found::Nothing => state.pressed.clear(),
        Found::Action(action) => {
            state.pressed.clear();
            if action != Action::Quit {
                state.is_leaving = false;
            }
            act::act(state, action, effects);
        }
    }
}

/// Leaves the program; asks once more while something is being done.
pub(super) fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    if is_working(state) && !state.is_leaving {
        state.is_leaving = true;
        let words = "An operation is running. Again leaves: it stops at its next safe point and is kept as cancelled";
        return state.say(true, words);
    }
    effects.push(Effect::Quit);
}

fn scopes(state: &State) -> Vec<Scope> {
    match state.layers.last() {
        Some(Layer::Confirm(confirm)) if confirm.operation().is_some() => {
            vec![Scope::Activity, Scope::Confirm, Scope::Global]
        }
        Some(Layer::Confirm(_)) => vec![Scope::Confirm, Scope::Global],
        Some(Layer::App(_)) => vec![Scope::App, Scope::Screen, Scope::Global],
        Some(Layer::Operation(..)) => vec![Scope::Activity, Scope::Global],
        Some(Layer::Picker(_) | Layer::Help(_) | Layer::Entry(_)) => vec![Scope::Global],
        None if state.screen == Screen::Activity => vec![Scope::Activity, Scope::Screen, Scope::Global],
        None => vec![Scope::Screen, Scope::Global],
    }
}

/// Takes the key as text if something is being typed; says whether it did.
fn typed(state: &mut State, press: Press, effects: &mut Vec<Effect>) -> bool {
    match state.layers.last_mut() {
        Some(Layer::Picker(picker)) => {
            let before = picker.text.len();
            if edit(&mut picker.text, press) {
                if picker.text.len() != before {
                    picker.cursor = crate::tui::state::Cursor::default();
                }
                return true;
            }
            if press.code == KeyCode::Enter {
                let choice = picker.selected().map(|item| item.choice.clone());
                state.layers.pop();
                if let Some(choice) = choice {
                    act::choose(state, choice, effects);
                }
                return true;
            }
            false
        }
        Some(Layer::Confirm(confirm)) if confirm.is_typing() => {
            match press.code {
                KeyCode::Enter => act::confirm(state, effects),
                // Letters belong to the name here, so that these take control with them.
                KeyCode::Char('p') if press.ctrl => act::act(state, Action::Prune, effects),
                KeyCode::Char('d') if press.ctrl => act::act(state, Action::Details, effects),
                _ => return edit(&mut confirm.typed, press),
            }
            true
        }
        Some(Layer::App(view)) if view.search.editing => {
            match press.code {
                KeyCode::Enter => view.search.editing = false,
                KeyCode::Esc => view.search = Search::default(),
                KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => return false,
                _ => {
                    if edit(&mut view.search.text, press) {
                        act::find(state);
                    }
                }
            }
            true
        }
        None if state.filter.editing => {
            match press.code {
                KeyCode::Enter => state.filter.editing = false,
                KeyCode::Esc => {
                    state.filter.editing = false;
                    state.filter.text = std::mem::take(&mut state.filter.before);
                    filtered(state);
                }
                KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => return false,
                _ => {
                    if edit(&mut state.filter.text, press) {
                        filtered(state);
                    }
                }
            }
            true
        }
        _ => false,
    }
}

/// Changes a line by a key; says whether the key was for it.
fn edit(line: &mut String, press: Press) -> bool {
    match press.code {
        KeyCode::Char('u') if press.ctrl => line.clear(),
        KeyCode::Char('w') if press.ctrl => {
            let end = line.trim_end().rfind(' ').map_or(0, |at| at + 1);
            line.truncate(end);
        }
        KeyCode::Char(c) if !press.ctrl && !press.alt => {
            if line.len() < LONGEST && !c.is_control() {
                line.push(c);
            }
        }
        KeyCode::Backspace => drop(line.pop()),
        _ => return false,
    }
    true
}

/// Takes pasted text into what is being typed, its first line only.
pub(super) fn paste(state: &mut State, text: &str) {
    let line = text.lines().next().unwrap_or_default();
    for c in line.chars() {
        let press = Press { code: KeyCode::Char(c), ctrl: false, alt: false };
        match state.layers.last_mut() {
            Some(Layer::Picker(picker)) => drop(edit(&mut picker.text, press)),
            Some(Layer::Confirm(confirm)) if confirm.is_typing() => drop(edit(&mut confirm.typed, press)),
            Some(Layer::App(view)) if view.search.editing => drop(edit(&mut view.search.text, press)),
            None if state.filter.editing => drop(edit(&mut state.filter.text, press)),
            _ => return,
        }
    }
    match state.layers.last() {
        Some(Layer::App(_)) => act::find(state),
        None if state.filter.editing => filtered(state),
        _ => {}
    }
}

/// Shows what passes the filter now.
pub(super) fn filtered(state: &mut State) {
    state.touched = false;
    state.sort();
    state.cursors.apps = crate::tui::state::Cursor::default();
}
