//! An application's objects as a tree, with what differs in the selected one beside it.

use ratatui::layout::Rect;

use super::pen::{Pen, Text, nth_row, split_left, wrap};
use crate::engine::{ObjectDiff, TreeRow};
use crate::model::Key;
use crate::tui::age;
use crate::tui::sign::Sign;
use crate::tui::state::{Cursor, State};
use crate::tui::theme::Ink;

/// From this width on there is a pane beside the tree.
const SPLIT: usize = 110;

/// Draws the tree; the differences are drawn beside it once they are known.
pub fn draw(pen: &mut Pen, area: Rect, state: &State, rows: &[TreeRow], diffs: Option<&[ObjectDiff]>, cursor: Cursor) {
    let width = usize::from(area.width);
    let (list, pane) =
        if width >= SPLIT { split_left(area, width * 11 / 20) } else { (area, Rect { width: 0, ..area }) };
    let height = usize::from(list.height);
    let mut cursor = cursor;
    cursor.follow(rows.len(), height);
    let kind = rows.iter().map(|row| row.depth * 2 + row.key.kind.len()).max().unwrap_or(0).clamp(10, 30);
    let names = rows.iter().map(|row| name_of(&row.key, row.depth).chars().count()).max().unwrap_or(0) + 1;
    for (at, row) in rows.iter().enumerate().skip(cursor.top).take(height) {
        let Some(line) = nth_row(list, at - cursor.top) else { break };
        if at == cursor.at {
            pen.tint(line, Ink::Selected);
        }
        let text = object(pen, state, row, (kind, names), usize::from(list.width));
        pen.line(line, 0, &text);
    }
    if let Some(row) = rows.get(cursor.at).filter(|_| pane.width > 0) {
        let diff = diffs.and_then(|diffs| diffs.iter().find(|diff| diff.key == row.key));
        beside(pen, pane, state, row, diff);
    }
}

fn object(pen: &Pen, state: &State, row: &TreeRow, (kind, names): (usize, usize), width: usize) -> Text {
    let mut text = pen.text();
    text.space(1);
    match row.sync {
        Some(sync) => text.sign(Sign::sync(sync)),
        None => text.space(1),
    };
    text.space(1);
    match &row.health {
        Some(health) => text.sign(Sign::health(health.status)),
        None => text.space(1),
    };
    text.space(1 + row.depth * 2);
    let ink = if row.depth == 0 { Ink::Text } else { Ink::Dim };
    text.column(ink, &row.key.kind, kind.saturating_sub(row.depth * 2)).space(1);
    let age = row.created.map(|created| age::short(state.now, created)).unwrap_or_default();
    let room = width.saturating_sub(text.width() + 6);
    let message = message(row);
    let name = if message.is_empty() { room } else { names.max(8).min(room * 3 / 5) };
    text.column(if row.depth == 0 { Ink::Strong } else { Ink::Text }, &name_of(&row.key, row.depth), name).space(1);
    text.column(Ink::Dim, message, room.saturating_sub(name + 1));
    text.right(Ink::Dim, &age, width.saturating_sub(text.width() + 1));
    text
}

fn message(row: &TreeRow) -> &str {
    match &row.health {
        Some(health) if row.message.is_empty() => &health.message,
        _ => &row.message,
    }
}

/// A managed object carries its namespace; what belongs to it is in the same one.
fn name_of(key: &Key, depth: usize) -> String {
    if depth == 0 && !key.namespace.is_empty() {
        format!("{}/{}", key.namespace, key.name)
    } else {
        key.name.to_string()
    }
}

fn beside(pen: &mut Pen, area: Rect, state: &State, row: &TreeRow, diff: Option<&ObjectDiff>) {
    let mut edge = pen.text();
    edge.add(Ink::Border, "┃");
    for at in 0..usize::from(area.height) {
        pen.line(area, at, &edge);
    }
    let (_, pane) = split_left(area, 2);
    let width = usize::from(pane.width);
    let mut lines = Vec::new();
    let mut say = |ink: Ink, words: &str| {
        for words in wrap(words, width) {
            let mut text = pen.text();
            text.add(ink, &words);
            lines.push(text);
        }
    };
    say(Ink::Strong, &row.key.to_string());
    if let Some(health) = &row.health {
        let words = if health.message.is_empty() {
            health.status.as_str().to_owned()
        } else {
            format!("{}: {}", health.status.as_str(), health.message)
        };
        say(Sign::health(health.status).ink(), &words);
    }
    if !row.containers.is_empty() {
        say(Ink::Dim, &format!("containers: {}", row.containers.join(", ")));
    }
    if let Some(created) = row.created {
        say(Ink::Dim, &format!("made {} ago", age::short(state.now, created)));
    }
    match diff {
        Some(diff) => {
            lines.push(pen.text());
            for field in &diff.fields {
                lines.extend(super::diff::field(pen, state, diff, field, width));
            }
            if !diff.ignored.is_empty() {
                lines.push(super::diff::left_out(pen, state, diff.ignored.len(), state.shape.shows_ignored));
            }
            if state.shape.shows_ignored {
                lines.extend(diff.ignored.iter().flat_map(|field| super::diff::field(pen, state, diff, field, width)));
            }
        }
        None if !row.message.is_empty() => {
            lines.push(pen.text());
            for words in wrap(&row.message, width) {
                let mut text = pen.text();
                text.add(Ink::Text, &words);
                lines.push(text);
            }
        }
        None => {}
    }
    for (at, text) in lines.iter().enumerate() {
        pen.line(pane, at, text);
    }
}
