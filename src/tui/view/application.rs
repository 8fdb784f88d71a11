//! An open application: how it stands, why, and everything about it in tabs.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::frame::{Parts, plural};
use super::pen::{Pen, Text, nth_row, split_top, wrap};
use super::{diff, page, tree};
use crate::engine::{Detail, ObjectDiff};
use crate::model::App;
use crate::tui::action::Action;
use crate::tui::age;
use crate::tui::app_view::{AppView, Tab};
use crate::tui::sign::{self, Sign};
use crate::tui::state::State;
use crate::tui::theme::Ink;

/// Draws it in place of a screen and of the screens' tabs.
pub fn draw(pen: &mut Pen, parts: &Parts, state: &State, view: &AppView) {
    let app = state.fleet.app(&view.app);
    if parts.tabs.height > 0 {
        match app {
            Some(app) => title(pen, parts.tabs, state, app),
            None => {
                let mut text = pen.text();
                text.space(1).add(Ink::Strong, view.app.as_str()).space(2).add(Ink::Warn, "is no longer in Git");
                pen.line(parts.tabs, 0, &text);
            }
        }
        tabs(pen, parts.tabs, view, app.map(|app| app.out_of_sync()).unwrap_or(0));
        pen.rule(parts.tabs, 2);
    }
    let body = match app {
        Some(app) => conditions(pen, parts.body, state, app),
        None => parts.body,
    };
    let (body, line) = split_top(body, usize::from(body.height).saturating_sub(usize::from(view.search.is_shown())));
    content(pen, body, state, view);
    if line.height > 0 {
        found(pen, body, line, state, view);
    }
}

/// Marks what is looked for and says how often it occurs.
fn found(pen: &mut Pen, body: Rect, line: Rect, state: &State, view: &AppView) {
    let rows = matches(state, view);
    let (len, height) = extent_in(state, usize::from(body.height), view);
    let mut cursor = view.pane().cursor;
    cursor.top = cursor.top.min(len.saturating_sub(height));
    for row in rows.iter().filter(|row| (cursor.top..cursor.top + height).contains(row)) {
        if let Some(row) = nth_row(body, row - cursor.top) {
            pen.tint(row, Ink::Selected);
        }
    }
    let mut text = pen.text();
    text.space(1).add(Ink::Accent, state.keymap.key(Action::Filter)).space(1).add(Ink::Strong, &view.search.text);
    if view.search.editing {
        text.add(Ink::Accent, "█");
    }
    let mut note = pen.text();
    match rows.iter().position(|row| *row == cursor.at) {
        _ if view.search.text.is_empty() => &mut note,
        _ if rows.is_empty() => note.add(Ink::Warn, "nothing found"),
        Some(place) => note.add(Ink::Text, &format!("{} of {}", place + 1, rows.len())),
        None => note.add(Ink::Text, &format!("{} {}", rows.len(), plural(rows.len(), "line", "lines"))),
    };
    if !rows.is_empty() && !view.search.editing {
        note.space(3).add(Ink::Strong, state.keymap.key(Action::NextChange)).add(Ink::Dim, " next");
    }
    note.space(1);
    pen.line(line, 0, &text);
    pen.line_right(line, 0, &note);
}

/// Returns the rows of the open tab that hold what is looked for.
pub fn matches(state: &State, view: &AppView) -> Vec<usize> {
    let wanted = view.search.text.to_lowercase();
    if wanted.is_empty() {
        return Vec::new();
    }
    let Some(Ok(detail)) = view.shown(view.tab) else { return Vec::new() };
    let holds = |text: &str| text.to_lowercase().contains(&wanted);
    let numbered = |texts: &mut dyn Iterator<Item = bool>| -> Vec<usize> {
        texts.enumerate().filter(|(_, holds)| *holds).map(|(row, _)| row).collect()
    };
    match detail {
        Detail::Tree(rows) => numbered(&mut rows.iter().map(|row| holds(&format!("{} {}", row.key, row.message)))),
        Detail::Diff(diffs) => numbered(&mut diff::texts(diffs, state.shape).iter().map(|text| holds(text))),
        Detail::Manifests(all) => numbered(&mut all.iter().flat_map(|(key, body)| {
            let lines = body.lines().map(holds);
            std::iter::once(holds(&key.to_string())).chain(lines).chain([false]).collect::<Vec<_>>()
        })),
        Detail::Values(values) => numbered(&mut values.lines().map(holds)),
        Detail::Events(events) => numbered(
            &mut events.iter().map(|event| holds(&format!("{} {} {}", event.reason, event.object, event.message))),
        ),
        Detail::Logs(lines) => numbered(&mut lines.iter().map(|line| holds(line))),
        Detail::History(commits) => numbered(
            &mut commits
                .iter()
                .map(|commit| holds(&format!("{} {} {}", commit.id.short(), commit.author, commit.subject))),
        ),
    }
}

fn title(pen: &mut Pen, area: Rect, state: &State, app: &App) {
    let badge = sign::badge(&state.fleet, app, state.now);
    let mut text = pen.text();
    text.space(1).add(Ink::Strong, &app.name);
    for (sign, word) in [&badge.sync, &badge.health] {
        text.space(3).sign(*sign).space(1).add(sign.ink(), word);
    }
    text.space(3);
    let release = app
        .environment
        .as_ref()
        .and_then(|name| state.fleet.environment(name))
        .filter(|environment| environment.commit.as_ref() == app.commit.as_ref().map(|commit| &commit.id))
        .and_then(|environment| environment.release.as_deref());
    let target = if app.target_revision.is_empty() { "HEAD" } else { &app.target_revision };
    text.add(Ink::Text, target);
    if let Some(version) = app.chart.as_deref().filter(|version| *version != target) {
        text.space(1).add(Ink::Strong, version);
    } else if let Some(release) = release {
        text.space(1).add(Ink::Strong, release);
    }
    let mut namespace = pen.text();
    if area.width >= 100 {
        namespace.space(3).add(Ink::Dim, "namespace ").add(Ink::Text, &app.namespace);
    }
    if let Some(commit) = &app.commit {
        text.add(Ink::Dim, &format!(" · {}", commit.id.short()));
        let room = usize::from(area.width).saturating_sub(text.width() + namespace.width());
        let who = format!(" {}, {}", commit.author, age::short(state.now, commit.at));
        let left = room.saturating_sub(who.width() + 3);
        if left >= 8 {
            text.add(Ink::Dim, " \"").fit(Ink::Dim, &commit.subject, left).add(Ink::Dim, "\"").add(Ink::Dim, &who);
        } else {
            text.fit(Ink::Dim, &who, room);
        }
    }
    text.append(namespace);
    pen.line(area, 0, &text);
}

fn tabs(pen: &mut Pen, area: Rect, view: &AppView, differ: usize) {
    let mut text = pen.text();
    for tab in Tab::ALL {
        let ink = if tab == view.tab { Ink::Accent } else { Ink::Dim };
        text.space(1).add(ink, tab.name());
        if tab == Tab::Diff && differ > 0 {
            text.space(1).add(Ink::Warn, &differ.to_string());
        }
        text.space(1);
    }
    pen.line(area, 1, &text);
}

/// Draws the conditions above everything else; returns what is left.
fn conditions(pen: &mut Pen, area: Rect, state: &State, app: &App) -> Rect {
    let lines = condition_lines(state, area, app);
    let (top, rest) = split_top(area, lines.len());
    for (at, text) in lines.iter().enumerate() {
        pen.line(top, at, text);
    }
    rest
}

/// Why it does not render or cannot be compared, in full, and a blank line; nothing if there is nothing to say.
fn condition_lines(state: &State, area: Rect, app: &App) -> Vec<Text> {
    let width = usize::from(area.width).saturating_sub(4);
    let mut lines = Vec::new();
    for condition in &app.conditions {
        let blocks = condition.kind.blocks_sync();
        let words = format!("{}: {}", condition.kind.as_str(), condition.message);
        for (at, words) in wrap(&words, width).iter().enumerate() {
            let mut text = Text::new(&state.look);
            text.space(1);
            match (at, blocks) {
                (0, true) => text.sign(Sign::Broken).space(1),
                (0, false) => text.add(Ink::Warn, "! "),
                _ => text.space(2),
            };
            text.add(if blocks { Ink::Bad } else { Ink::Warn }, words);
            lines.push(text);
        }
    }
    if lines.is_empty() {
        return lines;
    }
    let most = usize::from(area.height) / 2;
    if lines.len() > most {
        lines.truncate(most.saturating_sub(1));
        let mut text = Text::new(&state.look);
        text.space(3).add(Ink::Dim, "…");
        lines.push(text);
    }
    lines.push(Text::new(&state.look));
    lines
}

fn content(pen: &mut Pen, area: Rect, state: &State, view: &AppView) {
    let detail = match view.shown(view.tab) {
        None => return page::nothing(pen, area, waiting(view.tab)),
        Some(Err(problem)) => {
            for (at, words) in wrap(&problem.to_string(), usize::from(area.width).saturating_sub(4)).iter().enumerate()
            {
                let mut text = pen.text();
                text.space(2).add(Ink::Bad, words);
                pen.line(area, at + 1, &text);
            }
            return;
        }
        Some(Ok(detail)) => detail,
    };
    let cursor = view.pane().cursor;
    let app = state.fleet.app(&view.app);
    if let Some(condition) = app.and_then(|app| app.blocked()).filter(|_| is_empty(detail)) {
        let words = format!("Not known: {}", condition.kind.as_str());
        return page::nothing(pen, area, &words);
    }
    match detail {
        Detail::Tree(rows) => tree::draw(pen, area, state, rows, known_diffs(view), cursor),
        Detail::Diff(diffs) => diff::draw(pen, area, state, diffs, cursor.top),
        Detail::Manifests(manifests) => page::manifests(pen, area, manifests, cursor.top),
        Detail::Values(values) => page::values(pen, area, values, cursor.top),
        Detail::Events(events) => page::events(pen, area, state, events, cursor),
        Detail::Logs(lines) => page::logs(pen, area, lines, cursor.top),
        Detail::History(commits) => {
            let here = state.fleet.app(&view.app).and_then(|app| app.commit.as_ref());
            page::history(pen, area, state, commits, here, cursor);
        }
    }
}

/// Says whether an answer holds nothing, as it does where nothing could be rendered or compared.
fn is_empty(detail: &Detail) -> bool {
    match detail {
        Detail::Tree(rows) => rows.is_empty(),
        Detail::Diff(diffs) => diffs.is_empty(),
        Detail::Manifests(manifests) => manifests.is_empty(),
        _ => false,
    }
}

fn known_diffs(view: &AppView) -> Option<&[ObjectDiff]> {
    match view.shown(Tab::Diff) {
        Some(Ok(Detail::Diff(diffs))) => Some(diffs),
        _ => None,
    }
}

fn waiting(tab: Tab) -> &'static str {
    match tab {
        Tab::Resources => "reading objects",
        Tab::Diff => "comparing",
        Tab::Manifests => "rendering",
        Tab::Values => "merging values",
        Tab::Events => "asking for events",
        Tab::Logs => "asking for the last lines",
        Tab::History => "reading commits",
    }
}

/// Returns how many rows the open tab has, and how many of them are on screen.
pub fn extent(state: &State, parts: &Parts, view: &AppView) -> (usize, usize) {
    let above = state.fleet.app(&view.app).map_or(0, |app| condition_lines(state, parts.body, app).len());
    let own = usize::from(view.search.is_shown());
    extent_in(state, usize::from(parts.body.height).saturating_sub(above + own), view)
}

/// The same for a tab that has that many lines on screen.
fn extent_in(state: &State, height: usize, view: &AppView) -> (usize, usize) {
    let height = match view.tab {
        Tab::Events => page::events_rows(height),
        _ => height,
    };
    let len = match view.shown(view.tab) {
        Some(Ok(Detail::Tree(rows))) => rows.len(),
        Some(Ok(Detail::Diff(diffs))) => diff::len(diffs, state.shape),
        Some(Ok(Detail::Manifests(manifests))) => page::manifests_len(manifests),
        Some(Ok(Detail::Values(values))) => values.lines().count(),
        Some(Ok(Detail::Events(events))) => events.len(),
        Some(Ok(Detail::Logs(lines))) => lines.len(),
        Some(Ok(Detail::History(commits))) => commits.len(),
        Some(Err(_)) | None => 0,
    };
    (len, height)
}

/// Returns the rows of the open tab where an object or a change begins.
pub fn stops(state: &State, view: &AppView) -> Vec<usize> {
    if !view.search.text.is_empty() {
        return matches(state, view);
    }
    match view.shown(view.tab) {
        Some(Ok(Detail::Diff(diffs))) => diff::stops(diffs, state.shape),
        Some(Ok(Detail::Manifests(manifests))) => page::manifests_stops(manifests),
        Some(Ok(Detail::Tree(rows))) => {
            let differs = |at: &usize| rows[*at].sync == Some(crate::model::Sync::OutOfSync);
            (0..rows.len()).filter(differs).collect()
        }
        _ => Vec::new(),
    }
}
