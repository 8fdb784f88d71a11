//! What differs, object by object: live → what Git says, who wrote the live value, and the lines around it.

use ratatui::layout::Rect;

use super::frame::{plural, tail};
use super::pen::{Pen, Text};
use crate::diff::{Hunk, Line, LineKind};
use crate::engine::ObjectDiff;
use crate::model::FieldChange;
use crate::tui::action::Action;
use crate::tui::age;
use crate::tui::sign::Sign;
use crate::tui::state::{Shape, State};
use crate::tui::theme::Ink;

/// One row of the differences. Rows only point into them: they are formatted when they are on screen.
#[derive(Clone, Copy, Debug)]
enum Row<'a> {
    Blank,
    Object(&'a ObjectDiff),
    /// A field, and which of its three lines.
    Field(&'a ObjectDiff, &'a FieldChange, usize),
    /// What is left out: how many fields, and whether they follow.
    Ignored(usize, bool),
    Hunk(&'a Hunk),
    Line(&'a Line),
    /// A line of both sides.
    Sides(Option<&'a Line>, Option<&'a Line>),
}

fn rows(diffs: &[ObjectDiff], shape: Shape) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let is_shown = |diff: &&ObjectDiff| diff.differs() || (shape.shows_ignored && !diff.ignored.is_empty());
    for diff in diffs.iter().filter(is_shown) {
        if !rows.is_empty() {
            rows.push(Row::Blank);
        }
        rows.push(Row::Object(diff));
        let lines = |field| (0..3).map(move |part| Row::Field(diff, field, part));
        rows.extend(diff.fields.iter().flat_map(lines));
        if !diff.ignored.is_empty() {
            rows.push(Row::Ignored(diff.ignored.len(), shape.shows_ignored));
        }
        if shape.shows_ignored {
            rows.extend(diff.ignored.iter().flat_map(lines));
        }
        for hunk in &diff.hunks {
            rows.push(Row::Hunk(hunk));
            if shape.is_split {
                rows.extend(sides(&hunk.lines));
            } else {
                rows.extend(hunk.lines.iter().map(Row::Line));
            }
        }
    }
    rows
}

/// Puts what goes and what comes instead of it into one row each.
fn sides(lines: &[Line]) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut rest = lines;
    while let Some(first) = rest.first() {
        if first.kind == LineKind::Same {
            rows.push(Row::Sides(Some(first), Some(first)));
            rest = &rest[1..];
            continue;
        }
        let run = |lines: &[Line], kind| lines.iter().take_while(|line| line.kind == kind).count();
        let removed = run(rest, LineKind::Removed);
        let added = run(&rest[removed..], LineKind::Added);
        for at in 0..removed.max(added) {
            let live = (at < removed).then(|| &rest[at]);
            let git = (at < added).then(|| &rest[removed + at]);
            rows.push(Row::Sides(live, git));
        }
        rest = &rest[removed + added..];
    }
    rows
}

/// Returns how many rows the differences take.
pub fn len(diffs: &[ObjectDiff], shape: Shape) -> usize {
    rows(diffs, shape).len()
}

/// Returns the rows where an object or a hunk begins: where the keys for the next change go.
pub fn stops(diffs: &[ObjectDiff], shape: Shape) -> Vec<usize> {
    let is_stop = |row: &Row| matches!(row, Row::Object(_) | Row::Hunk(_));
    rows(diffs, shape).iter().enumerate().filter(|(_, row)| is_stop(row)).map(|(at, _)| at).collect()
}

/// Returns the words of every row, to look for something in them.
pub fn texts(diffs: &[ObjectDiff], shape: Shape) -> Vec<String> {
    let text = |row: &Row| match row {
        Row::Blank | Row::Ignored(..) | Row::Hunk(_) => String::new(),
        Row::Object(diff) => diff.key.to_string(),
        Row::Field(_, change, 0) => change.path.clone(),
        Row::Field(_, change, 1) => format!("{} {}", change.live.as_deref().unwrap_or_default(), change.manager),
        Row::Field(diff, change, _) => format!("{} {}", change.git.as_deref().unwrap_or_default(), diff.origin),
        Row::Line(line) => line.text(),
        Row::Sides(live, git) => [live, git].into_iter().flatten().map(|line| line.text() + " ").collect(),
    };
    rows(diffs, shape).iter().map(text).collect()
}

/// Draws the differences from a row on.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, diffs: &[ObjectDiff], top: usize) {
    let rows = rows(diffs, state.shape);
    if rows.is_empty() {
        let mut text = pen.text();
        let count = diffs.len();
        let words = format!("Nothing differs: {count} {} compared", plural(count, "object", "objects"));
        text.space(1).sign(Sign::Synced).space(1).add(Ink::Text, &words);
        pen.line(area, 1, &text);
        let ignored: usize = diffs.iter().map(|diff| diff.ignored.len()).sum();
        if ignored > 0 {
            pen.line(area, 2, &left_out(pen, state, ignored, false));
        }
        return;
    }
    let (height, width) = (usize::from(area.height), usize::from(area.width));
    let top = top.min(rows.len().saturating_sub(height));
    for (at, row) in rows.iter().skip(top).take(height).enumerate() {
        let text = match row {
            Row::Blank => pen.text(),
            Row::Object(diff) => object(pen, diff),
            Row::Field(diff, change, part) => {
                let lines = field(pen, state, diff, change, width);
                lines.into_iter().nth(*part).unwrap_or_else(|| pen.text())
            }
            Row::Ignored(count, follow) => left_out(pen, state, *count, *follow),
            Row::Hunk(hunk) => head(pen, hunk, width, state.shape.is_split),
            Row::Line(one) => line(pen, one, width),
            Row::Sides(live, git) => both(pen, *live, *git, width),
        };
        pen.line(area, at, &text);
    }
}

fn object(pen: &Pen, diff: &ObjectDiff) -> Text {
    let mut text = pen.text();
    text.space(1).sign(if diff.differs() { Sign::OutOfSync } else { Sign::Synced }).space(1);
    text.add(Ink::Strong, &diff.key.to_string()).space(2);
    let count = diff.fields.len();
    match (diff.live.is_empty(), diff.git.is_empty()) {
        (true, _) => {
            text.add(Ink::Good, "is not in the cluster; a sync creates it");
            if !diff.origin.is_empty() {
                text.space(2).add(Ink::Dim, &diff.origin);
            }
        }
        (_, true) => {
            text.add(Ink::Bad, "is no longer in Git; a sync with prune deletes it");
        }
        _ => {
            text.add(Ink::Dim, &format!("{count} {}, live → Git", plural(count, "field differs", "fields differ")));
        }
    }
    text
}

/// Returns a field's three lines: its path, what is live and who wrote it when, what Git says and in which file.
pub fn field(pen: &Pen, state: &State, diff: &ObjectDiff, change: &FieldChange, width: usize) -> [Text; 3] {
    let mut path = pen.text();
    path.space(3).add(Ink::Text, &change.path);
    let by = match diff.written_by(&change.manager) {
        _ if change.manager.is_empty() => "live".to_owned(),
        Some(at) => format!("live, set by {} {} ago", change.manager, age::short(state.now, at)),
        None => format!("live, set by {}", change.manager),
    };
    let file = if diff.origin.is_empty() { "Git".to_owned() } else { format!("Git, {}", diff.origin) };
    [
        path,
        side(pen, (Ink::Bad, "- "), (Ink::Removed, change.live.as_deref()), &by, width),
        side(pen, (Ink::Good, "+ "), (Ink::Added, change.git.as_deref()), &file, width),
    ]
}

/// A value with a note beside it; of a path the end tells most.
fn side(pen: &Pen, sign: (Ink, &str), (ink, value): (Ink, Option<&str>), note: &str, width: usize) -> Text {
    let mut text = pen.text();
    text.space(5).add(sign.0, sign.1);
    text.add(if value.is_some() { ink } else { Ink::Dim }, value.unwrap_or("absent"));
    text.to(24).space(2);
    let room = width.saturating_sub(text.width());
    match note.strip_prefix("Git, ") {
        Some(path) if note.chars().count() > room && room > 16 => {
            text.add(Ink::Dim, &format!("Git, …{}", tail(path, room - 6)))
        }
        _ => text.fit(Ink::Dim, note, room),
    };
    text
}

/// Returns the line about what is left out.
pub fn left_out(pen: &Pen, state: &State, count: usize, follow: bool) -> Text {
    let mut text = pen.text();
    let words = plural(count, "field that ignoreDifferences leaves out", "fields that ignoreDifferences leaves out");
    let (begin, does) = if follow { ("ignored", "hides") } else { ("not shown", "shows") };
    text.space(3).add(Ink::Dim, &format!("{begin}: {count} {words}")).space(3);
    text.add(Ink::Strong, state.keymap.key(Action::Ignored)).add(Ink::Dim, &format!(" {does} them"));
    text
}

fn head(pen: &Pen, hunk: &Hunk, width: usize, is_split: bool) -> Text {
    let mut text = pen.text();
    text.space(3).add(Ink::Info, &format!("live line {} ", hunk.live_line));
    if is_split {
        let middle = 3 + half(width);
        text.add(Ink::Border, &"─".repeat(middle.saturating_sub(text.width() + 1))).space(1);
        text.add(Ink::Border, "│").add(Ink::Info, " Git ");
        text.add(Ink::Border, &"─".repeat(width.saturating_sub(text.width() + 1)));
    } else {
        text.add(Ink::Border, &"─".repeat(width.saturating_sub(text.width() + 1).min(60)));
    }
    text
}

fn line(pen: &Pen, line: &Line, width: usize) -> Text {
    let mut text = pen.text();
    text.space(3).append(marked(pen, line, width.saturating_sub(3)));
    text
}

/// The width of one side.
fn half(width: usize) -> usize {
    width.saturating_sub(6) / 2
}

fn both(pen: &Pen, live: Option<&Line>, git: Option<&Line>, width: usize) -> Text {
    let half = half(width);
    let mut text = pen.text();
    text.space(3);
    for (place, line) in [live, git].into_iter().enumerate() {
        if place == 1 {
            text.to(3 + half).add(Ink::Border, "│").space(1);
        }
        if let Some(line) = line {
            text.append(marked(pen, line, half - usize::from(half > 0)));
        }
    }
    text
}

/// A line with its sign, what differs within it marked; cut to a width, and what differs filled up to it.
fn marked(pen: &Pen, line: &Line, width: usize) -> Text {
    let mut text = pen.text();
    let (sign, plain, marked) = match line.kind {
        LineKind::Same => (" ", Ink::Dim, Ink::Dim),
        LineKind::Removed => ("-", Ink::Removed, Ink::RemovedWord),
        LineKind::Added => ("+", Ink::Added, Ink::AddedWord),
    };
    text.add(plain, sign).add(plain, " ");
    for (mark, words) in &line.pieces {
        let left = width.saturating_sub(text.width());
        text.fit(if *mark { marked } else { plain }, words, left);
    }
    if line.kind != LineKind::Same {
        let left = width.saturating_sub(text.width());
        text.add(plain, &" ".repeat(left));
    }
    text
}
