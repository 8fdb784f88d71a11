//! Activity: what runs, what was done in this run, and the journal of earlier days; newest first.

use std::cmp::Reverse;
use std::collections::HashSet;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::detail::in_full;
use super::frame::bar;
use super::pen::{Pen, Text, nth_row, split_top};
use crate::model::{AuditEntry, Operation, Outcome, Phase};
use crate::tui::age;
use crate::tui::sign::Sign;
use crate::tui::state::{State, Toast};
use crate::tui::theme::Ink;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// One row of the screen.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// Of this run.
    Operation(&'a Operation),
    /// Of the journal.
    Entry(&'a AuditEntry),
    /// Bad news that were said.
    News(&'a Toast),
}

impl Row<'_> {
    fn at(&self) -> Timestamp {
        match self {
            Self::Operation(operation) => operation.started,
            Self::Entry(entry) => entry.at,
            Self::News(news) => news.at,
        }
    }

    /// What runs comes first, then what was interrupted within a day: it asks for something to be done.
    fn rank(&self, now: Timestamp) -> u8 {
        match self {
            Self::Operation(operation) if !operation.phase.is_over() => 0,
            Self::Entry(entry)
                if entry.outcome == Outcome::Interrupted && now.as_second() - entry.at.as_second() < DAY =>
            {
                1
            }
            _ => 2,
        }
    }
}

/// Returns the rows: what was done in this run and the journal of what was done before, each only once.
pub fn rows(state: &State) -> Vec<Row<'_>> {
    let operations = &state.fleet.operations;
    let of_this_run: HashSet<(Timestamp, &str)> =
        operations.iter().map(|operation| (operation.started, operation.title.as_str())).collect();
    let entries = state.fleet.audit.iter().filter(|entry| !of_this_run.contains(&(entry.at, entry.title.as_str())));
    let mut rows: Vec<Row> =
        operations.iter().map(|operation| Row::Operation(operation)).chain(entries.map(Row::Entry)).collect();
    rows.extend(state.news.iter().map(Row::News));
    rows.sort_by_key(|row| (row.rank(state.now), Reverse(row.at())));
    rows
}

/// Draws the screen.
pub fn draw(pen: &mut Pen, area: Rect, state: &State) {
    let rows = rows(state);
    if rows.is_empty() {
        let mut text = pen.text();
        text.space(2).add(Ink::Dim, "Nothing was done yet. Everything that is confirmed is kept here.");
        pen.line(area, 1, &text);
        return;
    }
    let (area, detail) = split_top(area, height(usize::from(area.height)));
    let height = usize::from(area.height);
    let mut cursor = state.cursors.activity;
    cursor.follow(rows.len(), height);
    for (at, row) in rows.iter().enumerate().skip(cursor.top).take(height) {
        let Some(line) = nth_row(area, at - cursor.top) else { break };
        if at == cursor.at {
            pen.tint(line, Ink::Selected);
        }
        let text = match row {
            Row::Operation(operation) => operation_row(pen, state, operation, usize::from(area.width)),
            Row::Entry(entry) => entry_row(pen, state, entry, usize::from(area.width)),
            Row::News(news) => news_row(pen, state, news),
        };
        pen.line(line, 0, &text);
    }
    let words = match rows.get(cursor.at) {
        Some(Row::Operation(operation)) => &operation.message,
        Some(Row::Entry(entry)) => &entry.message,
        Some(Row::News(news)) => &news.text,
        None => return,
    };
    in_full(pen, detail, words);
}

/// Returns how many rows fit into a body; below them the selected one's outcome is written in full.
pub fn height(body: usize) -> usize {
    if body >= 14 { body - 3 } else { body }
}

fn news_row(pen: &Pen, state: &State, news: &Toast) -> Text {
    let mut text = pen.text();
    text.space(1).add(Ink::Warn, "!").space(1).column(Ink::Dim, &age::day(news.at, &state.zone), 14);
    text.add(Ink::Text, &news.text);
    text
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
        if operation.phase != Phase::Succeeded {
            text.add(sign.ink(), operation.phase.as_str()).space(1);
        }
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
