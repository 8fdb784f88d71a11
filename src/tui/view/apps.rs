//! Apps: every application in a table, worst first, with the reason in words.

use ratatui::layout::Rect;

use super::detail::in_full;
use super::pen::{Pen, Text, nth_row, split_top};
use crate::model::App;
use crate::tui::age;
use crate::tui::sign;
use crate::tui::state::State;
use crate::tui::theme::Ink;

/// Lines above the first application.
pub const HEAD: usize = 1;

/// Widths of the columns; 0 leaves one out.
#[derive(Clone, Copy, Debug)]
struct Widths {
    name: usize,
    sync: usize,
    health: usize,
    revision: usize,
    wave: usize,
    age: usize,
}

/// Returns how many applications fit into a body.
pub fn rows(body: usize) -> usize {
    body.saturating_sub(HEAD + below(body))
}

/// Lines below the table that say of the selected application what its row has no room for.
fn below(body: usize) -> usize {
    if body >= 14 { 3 } else { 0 }
}

/// What there is room for: wave and age go first, then the revision shrinks; name and reason stay.
fn widths(state: &State, width: usize) -> Widths {
    let name = (state.lists.name_width + 2).clamp(12, (width * 3 / 10).max(12));
    match width {
        0..=69 => Widths { name, sync: 13, health: 2, revision: 0, wave: 0, age: 0 },
        70..=99 => Widths { name, sync: 13, health: 14, revision: 0, wave: 0, age: 0 },
        100..=129 => Widths { name, sync: 18, health: 14, revision: 17, wave: 0, age: 6 },
        _ => Widths { name, sync: 18, health: 14, revision: 24, wave: 6, age: 6 },
    }
}

/// Draws the screen.
pub fn draw(pen: &mut Pen, area: Rect, state: &State) {
    let all = &state.lists.apps;
    let (head, list) = split_top(area, HEAD);
    let (list, detail) = split_top(list, rows(usize::from(area.height)));
    let height = usize::from(list.height);
    let mut cursor = state.cursors.apps;
    cursor.follow(all.len(), height);
    let visible = &all[cursor.top.min(all.len())..(cursor.top + height).min(all.len())];
    let widths = widths(state, usize::from(area.width));
    heads(pen, head, &widths);
    if all.is_empty() {
        let mut text = pen.text();
        let words = match (&state.fleet.loading, state.fleet.apps.is_empty()) {
            (Some(loading), true) => loading.what.clone(),
            (None, true) => format!("No Application was found in {}", state.fleet.repository.path),
            (_, false) => "Nothing passes the filter; Esc drops it".to_owned(),
        };
        text.space(2).add(Ink::Dim, &words);
        pen.line(list, 1, &text);
    }
    for (row, &at) in visible.iter().enumerate() {
        let (Some(line), Some(app)) = (nth_row(list, row), state.fleet.apps.get(at)) else { break };
        if cursor.top + row == cursor.at {
            pen.tint(line, Ink::Selected);
        }
        let text = application(pen, state, app, &widths);
        pen.line(line, 0, &text);
    }
    if let Some(app) = all.get(cursor.at).and_then(|&at| state.fleet.apps.get(at)) {
        in_full(pen, detail, &app.why);
    }
}

fn heads(pen: &mut Pen, area: Rect, widths: &Widths) {
    let mut text = pen.text();
    text.space(2).column(Ink::Heading, "NAME", widths.name).column(Ink::Heading, "SYNC", widths.sync);
    text.column(Ink::Heading, if widths.health > 6 { "HEALTH" } else { "" }, widths.health);
    if widths.revision > 0 {
        text.column(Ink::Heading, "REVISION", widths.revision);
    }
    if widths.wave > 0 {
        text.right(Ink::Heading, "WAVE", widths.wave - 2).space(2);
    }
    if widths.age > 0 {
        text.right(Ink::Heading, "AGE", widths.age - 2).space(2);
    }
    text.add(Ink::Heading, "WHY");
    pen.line(area, 0, &text);
}

fn application(pen: &Pen, state: &State, app: &App, widths: &Widths) -> Text {
    let badge = sign::badge(&state.fleet, app, state.now);
    let mut text = pen.text();
    let marked = state.marks.contains(&app.id);
    text.column(Ink::Accent, if marked { "●" } else { "" }, 2);
    text.column(if marked { Ink::Accent } else { Ink::Text }, &app.name, widths.name - 1).space(1);
    for ((sign, word), width) in [(&badge.sync, widths.sync), (&badge.health, widths.health)] {
        text.sign(*sign).space(1);
        // Where a condition's type has no room, the word that all of them end in goes first.
        let word = if word.chars().count() + 3 > width { word.trim_end_matches("Error") } else { word };
        if width > 3 {
            text.column(sign.ink(), word, width - 3).space(1);
        }
    }
    if widths.revision > 0 {
        text.column(Ink::Dim, &revision(app), widths.revision - 1).space(1);
    }
    if widths.wave > 0 {
        text.right(Ink::Dim, &app.wave.to_string(), widths.wave - 2).space(2);
    }
    if widths.age > 0 {
        text.right(Ink::Dim, &age::short(state.now, app.since), widths.age - 2).space(2);
    }
    text.add(Ink::Text, &app.why);
    if badge.stale { text.all(Ink::Dim) } else { text }
}

/// Returns what is wanted and what that is: `stable 51c0a7e`.
pub fn revision(app: &App) -> String {
    let target = if app.target_revision.is_empty() { "HEAD" } else { &app.target_revision };
    if let Some(version) = &app.chart {
        return if target == version { version.clone() } else { format!("{target} {version}") };
    }
    match &app.commit {
        Some(commit) if target != commit.id.as_str() => format!("{target} {}", commit.id.short()),
        Some(commit) => commit.id.short().to_owned(),
        None => target.to_owned(),
    }
}
