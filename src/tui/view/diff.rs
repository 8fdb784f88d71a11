//! What differs, object by object: live → what Git says, who wrote the live value, and the lines around it.

use ratatui::layout::Rect;

use super::frame::plural;
use super::pen::{Pen, Text};
use crate::diff::{Hunk, Line, LineKind};
use crate::engine::ObjectDiff;
use crate::model::FieldChange;
use crate::tui::sign::Sign;
use crate::tui::theme::Ink;

/// One row of the differences. Rows only point into them: they are formatted when they are on screen.
#[derive(Clone, Copy, Debug)]
enum Row<'a> {
    Blank,
    Object(&'a ObjectDiff),
    /// A field, and which of its three lines.
    Field(&'a FieldChange, usize),
    Ignored(usize),
    Hunk(&'a Hunk),
    Line(&'a Line),
}

fn rows(diffs: &[ObjectDiff]) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for diff in diffs.iter().filter(|diff| diff.differs()) {
        if !rows.is_empty() {
            rows.push(Row::Blank);
        }
        rows.push(Row::Object(diff));
        for field in &diff.fields {
            rows.extend((0..3).map(|part| Row::Field(field, part)));
        }
        if diff.ignored > 0 {
            rows.push(Row::Ignored(diff.ignored));
        }
        for hunk in &diff.hunks {
            rows.push(Row::Hunk(hunk));
            rows.extend(hunk.lines.iter().map(Row::Line));
        }
    }
    rows
}

/// Returns how many rows the differences take.
pub fn len(diffs: &[ObjectDiff]) -> usize {
    rows(diffs).len()
}

/// Returns the rows where an object or a hunk begins: where the keys for the next change go.
pub fn stops(diffs: &[ObjectDiff]) -> Vec<usize> {
    let is_stop = |row: &Row| matches!(row, Row::Object(_) | Row::Hunk(_));
    rows(diffs).iter().enumerate().filter(|(_, row)| is_stop(row)).map(|(at, _)| at).collect()
}

/// Draws the differences from a row on.
pub fn draw(pen: &mut Pen, area: Rect, diffs: &[ObjectDiff], top: usize) {
    let rows = rows(diffs);
    if rows.is_empty() {
        let mut text = pen.text();
        let count = diffs.len();
        let words = format!("Nothing differs: {count} {} compared", plural(count, "object", "objects"));
        text.space(1).sign(Sign::Synced).space(1).add(Ink::Text, &words);
        return pen.line(area, 1, &text);
    }
    let height = usize::from(area.height);
    let top = top.min(rows.len().saturating_sub(height));
    for (at, row) in rows.iter().skip(top).take(height).enumerate() {
        let text = match row {
            Row::Blank => pen.text(),
            Row::Object(diff) => object(pen, diff),
            Row::Field(change, part) => field(pen, change).into_iter().nth(*part).unwrap_or_else(|| pen.text()),
            Row::Ignored(count) => ignored(pen, *count),
            Row::Hunk(hunk) => head(pen, hunk, usize::from(area.width)),
            Row::Line(one) => line(pen, one, usize::from(area.width)),
        };
        pen.line(area, at, &text);
    }
}

fn object(pen: &Pen, diff: &ObjectDiff) -> Text {
    let mut text = pen.text();
    text.space(1).sign(Sign::OutOfSync).space(1).add(Ink::Strong, &diff.key.to_string()).space(2);
    let count = diff.fields.len();
    match (diff.live.is_empty(), diff.git.is_empty()) {
        (true, _) => text.add(Ink::Good, "is not in the cluster; a sync creates it"),
        (_, true) => text.add(Ink::Bad, "is no longer in Git; a sync with prune deletes it"),
        _ => text.add(Ink::Dim, &format!("{count} {}, live → Git", plural(count, "field differs", "fields differ"))),
    };
    text
}

/// Returns a field's three lines: its path, what is live and who wrote it, what Git says.
pub fn field(pen: &Pen, change: &FieldChange) -> [Text; 3] {
    let (mut path, mut live, mut git) = (pen.text(), pen.text(), pen.text());
    path.space(3).add(Ink::Text, &change.path);
    live.space(5)
        .add(Ink::Bad, "- ")
        .add(if change.live.is_some() { Ink::Removed } else { Ink::Dim }, change.live.as_deref().unwrap_or("absent"));
    if !change.manager.is_empty() {
        live.to(24).space(2).add(Ink::Dim, &format!("live, set by {}", change.manager));
    }
    git.space(5)
        .add(Ink::Good, "+ ")
        .add(if change.git.is_some() { Ink::Added } else { Ink::Dim }, change.git.as_deref().unwrap_or("absent"));
    if !change.manager.is_empty() {
        git.to(24).space(2).add(Ink::Dim, "Git");
    }
    [path, live, git]
}

/// Returns the line about what is left out.
pub fn ignored(pen: &Pen, count: usize) -> Text {
    let mut text = pen.text();
    let words = plural(count, "field that ignoreDifferences leaves out", "fields that ignoreDifferences leaves out");
    text.space(3).add(Ink::Dim, &format!("not shown: {count} {words}"));
    text
}

fn head(pen: &Pen, hunk: &Hunk, width: usize) -> Text {
    let mut text = pen.text();
    text.space(3).add(Ink::Info, &format!("live line {} ", hunk.live_line));
    text.add(Ink::Border, &"─".repeat(width.saturating_sub(text.width() + 1).min(60)));
    text
}

fn line(pen: &Pen, line: &Line, width: usize) -> Text {
    let mut text = pen.text();
    let (sign, plain, marked) = match line.kind {
        LineKind::Same => (" ", Ink::Dim, Ink::Dim),
        LineKind::Removed => ("-", Ink::Removed, Ink::RemovedWord),
        LineKind::Added => ("+", Ink::Added, Ink::AddedWord),
    };
    text.space(3).add(plain, sign).add(plain, " ");
    for (mark, words) in &line.pieces {
        text.add(if *mark { marked } else { plain }, words);
    }
    if line.kind != LineKind::Same {
        let left = width.saturating_sub(text.width());
        text.add(plain, &" ".repeat(left));
    }
    text
}
