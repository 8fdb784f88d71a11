//! The one confirmation: the plan, in full, and nothing else that could be confirmed.

use ratatui::layout::Rect;

use super::detail::position;
use super::frame::tail;
use super::pen::{Pen, Text, centred, split_top, wrap};
use super::plan;
use crate::model::{self, Change, Plan, PlanKind};
use crate::tui::action::Action;
use crate::tui::confirm::{Confirm, Stage};
use crate::tui::state::State;
use crate::tui::theme::Ink;

/// Rows below the plan: a blank one and the keys.
const FOOT: usize = 2;

/// Draws the confirmation.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, confirm: &Confirm) {
    let (width, most) = size(area);
    let inner = width.saturating_sub(2);
    let Some(plan) = confirm.plan() else {
        return draw_without_plan(pen, area, state, confirm, width);
    };
    let rows = plan::rows(plan, confirm.details, inner.saturating_sub(2));
    let note = note_lines(confirm, inner);
    let frame = centred(area, width, (rows.len() + note.len() + FOOT + 2).min(most));
    let inside = pen.boxed(frame, &plan.title);
    let (head, inside) = split_top(inside, note.len());
    for (at, words) in note.iter().enumerate() {
        let mut text = pen.text();
        text.space(1).add(Ink::Accent, words);
        pen.line(head, at, &text);
    }
    let (list, foot) = split_top(inside, usize::from(inside.height).saturating_sub(FOOT));
    let height = usize::from(list.height);
    let top = confirm.top.min(rows.len().saturating_sub(height));
    for (at, row) in rows.iter().skip(top).take(height).enumerate() {
        let text = plan::line(pen, plan, row, inner);
        pen.line(list, at, &text);
    }
    position(pen, frame, top, height, rows.len());
    prompt(pen, foot, state, confirm, plan);
}

/// What is said about the plan itself: that it was made again, for one.
fn note_lines(confirm: &Confirm, inner: usize) -> Vec<String> {
    let mut lines = confirm.note.as_ref().map(|note| wrap(note, inner.saturating_sub(2))).unwrap_or_default();
    lines.truncate(3);
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

fn size(area: Rect) -> (usize, usize) {
    let width = usize::from(area.width);
    (width.saturating_sub(if width > 90 { 8 } else { 2 }).min(116), usize::from(area.height).saturating_sub(2))
}

/// Returns how many rows the plan takes and how many of them are on screen: what can be scrolled.
pub fn extent(state: &State, confirm: &Confirm) -> (usize, usize) {
    let (width, most) = size(Rect::new(0, 0, state.size.0, state.size.1));
    let len = confirm.plan().map_or(0, |plan| plan::rows(plan, confirm.details, width.saturating_sub(4)).len());
    let note = note_lines(confirm, width.saturating_sub(2)).len();
    (len, len.min(most.saturating_sub(FOOT + 2 + note)))
}

fn draw_without_plan(pen: &mut Pen, area: Rect, state: &State, confirm: &Confirm, width: usize) {
    let (ink, words) = match confirm.problem() {
        Some(problem) => (Ink::Bad, problem.to_string()),
        None => (Ink::Text, "working out what would change…".to_owned()),
    };
    let lines = wrap(&words, width.saturating_sub(6));
    let frame = centred(area, width, lines.len() + 6);
    let inside = pen.boxed(frame, &confirm.title());
    for (at, words) in lines.iter().enumerate() {
        let mut text = pen.text();
        text.space(2).add(ink, words);
        pen.line(inside, at + 1, &text);
    }
    let mut keys = pen.text();
    key(&mut keys, state.keymap.key(Action::Back), "cancel");
    keys.space(2);
    pen.line_right(inside, usize::from(inside.height).saturating_sub(1), &keys);
}

fn key(text: &mut Text, key: &str, words: &str) {
    text.add(Ink::Strong, key).space(1).add(Ink::Dim, words);
}

/// The last line: what has to be typed or pressed, or why nothing can be confirmed.
fn prompt(pen: &mut Pen, area: Rect, state: &State, confirm: &Confirm, plan: &Plan) {
    let row = usize::from(area.height).saturating_sub(1);
    let keymap = &state.keymap;
    let mut keys = pen.text();
    let is_gone = |change: &Change| matches!(change.action, model::Action::Prune | model::Action::Keep);
    // While a name is typed, what is typed comes first.
    let has_room = !confirm.is_typing() || (confirm.typed.is_empty() && area.width >= 100);
    if matches!(confirm.stage, Stage::Shown(_)) && has_room {
        let (prune, details) = match confirm.is_typing() {
            true => ("ctrl-p", "ctrl-d"),
            false => (keymap.key(Action::Prune), keymap.key(Action::Details)),
        };
        if plan.apps.iter().flat_map(|app| &app.changes).any(is_gone) {
            key(&mut keys, prune, if confirm.prunes() { "do not prune" } else { "prune" });
            keys.space(3);
        }
        key(&mut keys, details, if confirm.details { "fewer details" } else { "details" });
        keys.space(3);
    }
    key(&mut keys, keymap.key(Action::Back), if matches!(confirm.stage, Stage::Sent(_)) { "close" } else { "cancel" });
    keys.space(2);
    let room = pen.line_right(area, row, &keys);
    let mut text = pen.text();
    text.space(1);
    if matches!(confirm.stage, Stage::Sent(_)) {
        text.add(Ink::Info, "confirmed; it begins…");
    } else if plan.is_empty() {
        text.add(Ink::Good, "Nothing would change.");
    } else if let Some(gate) = plan.closed().next() {
        text.add(Ink::Bad, "Not now: ").add(Ink::Text, &gate.reason);
    } else if let Some(name) = &plan.protected {
        text.add(Ink::Text, "Protected. Type ").add(Ink::Accent, name).add(Ink::Text, " to confirm: ");
        let typed = model::text::line(&confirm.typed);
        let is_right = name.starts_with(&*typed);
        text.add(if is_right { Ink::Strong } else { Ink::Bad }, &tail(&typed, 24)).add(Ink::Accent, "█");
        if confirm.ready().is_some() {
            text.space(2);
            key(&mut text, keymap.key(Action::Open), verb(plan.kind));
        }
    } else {
        key(&mut text, keymap.key(Action::Confirm), verb(plan.kind));
    }
    let area = Rect { width: super::pen::narrow(room), ..area };
    pen.line(area, row, &text);
}

fn verb(kind: PlanKind) -> &'static str {
    match kind {
        PlanKind::Sync => "sync",
        PlanKind::Promote => "promote",
        PlanKind::Rollback => "roll back",
    }
}
