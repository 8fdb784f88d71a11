//! The pages of an open application besides the tree and the differences: texts and small tables.

use ratatui::layout::Rect;

use super::detail::{in_full, yaml};
use super::pen::{Pen, Text, nth_row, split_top};
use crate::engine::EventRow;
use crate::model::{CommitInfo, Key};
use crate::tui::age;
use crate::tui::sign::Sign;
use crate::tui::state::{Cursor, State};
use crate::tui::theme::Ink;

/// Returns how many rows manifests take: a heading, the lines and a blank line each.
pub fn manifests_len(manifests: &[(Key, String)]) -> usize {
    manifests.iter().map(|(_, text)| text.lines().count() + 2).sum()
}

/// Returns the rows where an object begins.
pub fn manifests_stops(manifests: &[(Key, String)]) -> Vec<usize> {
    let mut at = 0;
    let starts = manifests.iter().map(|(_, text)| {
        let start = at;
        at += text.lines().count() + 2;
        start
    });
    starts.collect()
}

/// Draws what Git says, from a row on.
pub fn manifests(pen: &mut Pen, area: Rect, manifests: &[(Key, String)], top: usize) {
    let height = usize::from(area.height);
    let top = top.min(manifests_len(manifests).saturating_sub(height));
    let mut at = 0;
    for (key, body) in manifests {
        let own = body.lines().count() + 2;
        if at + own > top && at < top + height {
            let hidden = top.saturating_sub(at);
            let start = at.saturating_sub(top);
            let visible: Vec<Text> = std::iter::once(heading(pen, key))
                .chain(body.lines().map(|line| indented(pen, line)))
                .skip(hidden)
                .take(height - start)
                .collect();
            for (row, text) in visible.iter().enumerate() {
                pen.line(area, start + row, text);
            }
        }
        at += own;
    }
    if manifests.is_empty() {
        nothing(pen, area, "Git asks for no objects here");
    }
}

fn heading(pen: &Pen, key: &Key) -> Text {
    let mut text = pen.text();
    text.space(1).add(Ink::Strong, &key.to_string());
    text
}

fn indented(pen: &Pen, line: &str) -> Text {
    let mut text = pen.text();
    text.space(3).append(yaml(pen, line));
    text
}

/// Draws values, from a line on.
pub fn values(pen: &mut Pen, area: Rect, values: &str, top: usize) {
    let height = usize::from(area.height);
    let top = top.min(values.lines().count().saturating_sub(height));
    for (row, line) in values.lines().skip(top).take(height).enumerate() {
        let mut text = pen.text();
        text.space(1).append(yaml(pen, line));
        pen.line(area, row, &text);
    }
    if values.trim().is_empty() {
        nothing(pen, area, "No values: this is not a chart, or it is rendered with its defaults");
    }
}

/// Draws log lines, from a line on.
pub fn logs(pen: &mut Pen, area: Rect, lines: &[String], top: usize) {
    let height = usize::from(area.height);
    let top = top.min(lines.len().saturating_sub(height));
    for (row, line) in lines.iter().skip(top).take(height).enumerate() {
        let mut text = pen.text();
        text.space(1).add(log_ink(line), line);
        pen.line(area, row, &text);
    }
    if lines.is_empty() {
        nothing(pen, area, "The container has written nothing");
    }
}

/// A line that speaks of an error is meant to be seen.
fn log_ink(line: &str) -> Ink {
    let head: String = line.chars().take(80).collect::<String>().to_lowercase();
    if ["error", "fatal", "panic"].iter().any(|word| head.contains(word)) {
        Ink::Bad
    } else if head.contains("warn") {
        Ink::Warn
    } else {
        Ink::Text
    }
}

/// Returns how many events fit into a body; below them the selected one is written in full.
pub fn events_rows(body: usize) -> usize {
    if body >= 12 { body - 4 } else { body }
}

/// Draws events, the newest last.
pub fn events(pen: &mut Pen, area: Rect, state: &State, events: &[EventRow], cursor: Cursor) {
    if events.is_empty() {
        return nothing(pen, area, "No events: Kubernetes keeps them for about an hour");
    }
    let mut cursor = cursor;
    let (area, detail) = split_top(area, events_rows(usize::from(area.height)));
    let height = usize::from(area.height);
    cursor.follow(events.len(), height);
    if let Some(event) = events.get(cursor.at) {
        let words = format!("{} {}: {}", event.object.kind, event.object.name, event.message);
        in_full(pen, detail, &words);
    }
    let object = (usize::from(area.width) / 4).clamp(16, 40);
    for (at, event) in events.iter().enumerate().skip(cursor.top).take(height) {
        let Some(line) = nth_row(area, at - cursor.top) else { break };
        if at == cursor.at {
            pen.tint(line, Ink::Selected);
        }
        let ink = if event.kind == "Warning" { Ink::Warn } else { Ink::Dim };
        let mut text = pen.text();
        let age = event.at.map_or_else(String::new, |at| age::short(state.now, at));
        text.space(1).right(Ink::Dim, &age, 4).space(2).column(ink, &event.reason, 18).space(1);
        text.column(Ink::Text, &format!("{} {}", event.object.kind, event.object.name), object).space(1);
        if event.count > 1 {
            text.add(Ink::Dim, &format!("×{} ", event.count));
        }
        text.add(if event.kind == "Warning" { Ink::Text } else { Ink::Dim }, &event.message);
        pen.line(line, 0, &text);
    }
}

/// Draws the commits that touched the application, the newest first; the one that is here now is marked.
pub fn history(
    pen: &mut Pen,
    area: Rect,
    state: &State,
    commits: &[CommitInfo],
    here: Option<&CommitInfo>,
    cursor: Cursor,
) {
    if commits.is_empty() {
        return nothing(pen, area, "No commit touches this application's files");
    }
    let mut cursor = cursor;
    let height = usize::from(area.height);
    cursor.follow(commits.len(), height);
    for (at, commit) in commits.iter().enumerate().skip(cursor.top).take(height) {
        let Some(line) = nth_row(area, at - cursor.top) else { break };
        if at == cursor.at {
            pen.tint(line, Ink::Selected);
        }
        let mut text = pen.text();
        text.space(1);
        if here.is_some_and(|here| here.id == commit.id) {
            text.sign(Sign::Synced);
        } else {
            text.space(1);
        }
        text.space(1).add(Ink::Info, commit.id.short()).space(2).right(Ink::Dim, &age::short(state.now, commit.at), 4);
        text.space(2).column(Ink::Dim, &commit.author, 16).space(1).add(Ink::Text, &commit.subject);
        pen.line(line, 0, &text);
    }
}

/// Says why there is nothing to see.
pub fn nothing(pen: &mut Pen, area: Rect, words: &str) {
    let mut text = pen.text();
    text.space(2).add(Ink::Dim, words);
    pen.line(area, 1, &text);
}
