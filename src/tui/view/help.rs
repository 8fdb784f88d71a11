//! The keys, from the one table of actions.

use ratatui::layout::Rect;

use super::detail::{position, window};
use super::pen::{Pen, Text, centred, wrap};
use crate::tui::action::{ACTIONS, Action, Scope};
use crate::tui::sign::Sign;
use crate::tui::state::{Look, State};
use crate::tui::theme::Ink;

/// Draws the help.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, top: usize) {
    let lines = lines(state, width(area).saturating_sub(4));
    let frame = centred(area, width(area), lines.len().min(most(area)) + 2);
    let inside = pen.boxed(frame, "Keys");
    let top = window(pen, inside, top, &lines);
    position(pen, frame, top, usize::from(inside.height), lines.len());
}

/// Returns how many lines there are, and how many of them are on screen.
pub fn extent(state: &State, area: Rect) -> (usize, usize) {
    (lines(state, width(area).saturating_sub(4)).len(), most(area))
}

fn width(area: Rect) -> usize {
    usize::from(area.width).saturating_sub(4).min(110)
}

fn most(area: Rect) -> usize {
    usize::from(area.height).saturating_sub(4)
}

fn lines(state: &State, width: usize) -> Vec<Text> {
    let new = || Text::new(&state.look);
    let mut lines = Vec::new();
    if let Some(note) = &state.help_note {
        for words in wrap(note, width) {
            let mut text = new();
            text.space(1).add(Ink::Accent, &words);
            lines.push(text);
        }
        lines.push(new());
    }
    for scope in [Scope::Global, Scope::Screen, Scope::App, Scope::Confirm, Scope::Activity] {
        let mut text = new();
        text.space(1).add(Ink::Strong, scope.title());
        lines.push(text);
        for row in ACTIONS.iter().filter(|row| row.scope == scope) {
            let keys = state.keymap.keys(row.action).join("  ");
            for (at, words) in wrap(row.help, width.saturating_sub(19)).iter().enumerate() {
                let mut text = new();
                text.space(3).column(Ink::Accent, if at == 0 { &keys } else { "" }, 16).add(Ink::Text, words);
                lines.push(text);
            }
        }
        lines.push(new());
    }
    let mut text = new();
    text.space(1).add(Ink::Strong, "Signs");
    lines.push(text);
    lines.extend(signs(&state.look, width));
    lines.push(new());
    let mut text = new();
    let key = state.keymap.key(Action::Back);
    text.space(1).add(Ink::Dim, &format!("{key} closes this"));
    lines.push(text);
    lines
}

const SIGNS: [(Sign, &str); 12] = [
    (Sign::Synced, "Synced"),
    (Sign::OutOfSync, "OutOfSync"),
    (Sign::Broken, "does not render"),
    (Sign::Working, "syncing now"),
    (Sign::Healthy, "Healthy"),
    (Sign::Progressing, "Progressing"),
    (Sign::Degraded, "Degraded"),
    (Sign::Missing, "Missing"),
    (Sign::Suspended, "Suspended"),
    (Sign::Unknown, "nobody can tell"),
    (Sign::Waiting, "waits for another"),
    (Sign::Held, "held, frozen"),
];

fn signs(look: &Look, width: usize) -> Vec<Text> {
    let columns = (width / 24).clamp(1, 4);
    let mut lines = Vec::new();
    for row in SIGNS.chunks(columns) {
        let mut text = Text::new(look);
        text.space(3);
        for (sign, word) in row {
            text.sign(*sign).space(1).column(Ink::Text, word, 22);
        }
        lines.push(text);
    }
    lines
}
