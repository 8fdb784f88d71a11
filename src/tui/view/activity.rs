//! Activity: what runs, what was done in this run, and the journal of earlier days; newest first.

use ratatui::layout::Rect;

use super::frame::bar;
use super::pen::{Pen, Text, nth_row};
use crate::model::{AuditEntry, Operation, Outcome};
use crate::tui::age;
use crate::tui::sign::Sign;
use crate::tui::state::State;
use crate::tui::theme::Ink;

/// One row of the screen.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// Of this run.
    Operation(&'a Operation),
    /// Of the journal.
    Entry(&'a AuditEntry),
}

/// Returns a row: operations of this run first, then the journal.
pub fn row(state: &State, at: usize) -> Option<Row<'_>> {
    match state.fleet.operations.get(at) {
        Some(operation) => Some(Row::Operation(operation)),
        None => state.fleet.audit.get(at - state.fleet.operations.len()).map(Row::Entry),
    }
}

/// Returns how many rows there are.
pub fn len(state: &State) -> usize {
    state.fleet.operations.len() + state.fleet.audit.len()
}

/// Draws the screen.
pub fn draw(pen: &mut Pen, area: Rect, state: &State) {
    let all = len(state);
    if all == 0 {
        let mut text = pen.text();
        text.space(2).add(Ink::Dim, "Nothing was done yet. Everything that is confirmed is kept here.");
        pen.line(area, 1, &text);
        return;
    }
    let height = usize::from(area.height);
    let mut cursor = state.cursors.activity;
    cursor.follow(all, height);
    for at in cursor.top..(cursor.top + height).min(all) {
        let (Some(line), Some(row)) = (nth_row(area, at - cursor.top), row(state, at)) else { break };
        if at == cursor.at {
            pen.tint(line, Ink::Selected);
        }
        let text = match row {
            Row::Operation(operation) => operation_row(pen, state, operation, usize::from(area.width)),
            Row::Entry(entry) => entry_row(pen, state, entry, usize::from(area.width)),
        };
        pen.line(line, 0, &text);
    }
}

/// Widths of who and what.
fn widths(width: usize) -> (usize, usize) {
    ((width / 12).clamp(6, 16), (width * 2 / 5).clamp(12, 60))
}

fn operation_row(pen: &Pen, state: &State, operation: &Operation, width: usize) -> Text {
    let mut text = pen.text();
    let (who, what) = widths(width);
    let sign = Sign::phase(operation.phase);
    text.space(1).sign(sign).space(1).column(Ink::Dim, &age::day(operation.started, &state.zone), 14);
    text.column(Ink::Text, &operation.actor, who - 1).space(1);
    text.column(Ink::Strong, &operation.title, what - 1).space(1);
    if operation.phase.is_over() {
        let end = operation.finished.unwrap_or(state.now).as_second() - operation.started.as_second();
        text.column(Ink::Dim, &age::duration(end), 5);
        text.add(sign.ink(), operation.phase.as_str()).space(1);
    } else {
        let total: usize = operation.apps.iter().map(|app| app.total).sum();
        let done: usize = operation.apps.iter().map(|app| app.results.len().min(app.total)).sum();
        text.append(bar(state, done, total, 10)).space(2);
    }
    text.add(Ink::Dim, &operation.message);
    text
}

fn entry_row(pen: &Pen, state: &State, entry: &AuditEntry, width: usize) -> Text {
    let mut text = pen.text();
    let (who, what) = widths(width);
    let (sign, word) = outcome(entry.outcome);
    text.space(1).sign(sign).space(1).column(Ink::Dim, &age::day(entry.at, &state.zone), 14);
    text.column(Ink::Text, &entry.actor, who - 1).space(1);
    text.column(Ink::Text, &entry.title, what - 1).space(1);
    text.column(Ink::Dim, &seconds(entry.seconds), 5);
    if entry.outcome != Outcome::Succeeded {
        text.add(sign.ink(), word).space(1);
    }
    text.add(Ink::Dim, &entry.message);
    text
}

/// Returns how an outcome is said.
pub fn outcome(outcome: Outcome) -> (Sign, &'static str) {
    match outcome {
        Outcome::Succeeded => (Sign::Synced, "Succeeded"),
        Outcome::Failed => (Sign::Broken, "Failed"),
        Outcome::Cancelled => (Sign::Suspended, "Cancelled"),
        Outcome::Interrupted => (Sign::Held, "Interrupted"),
    }
}

/// Returns a journal duration: tenths only where they matter.
pub fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{:.1}s", seconds.max(0.0)) } else { age::duration(seconds as i64) }
}
