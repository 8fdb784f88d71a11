//! Fleet: what runs where, components × clusters.

use ratatui::layout::Rect;

use super::apps::revision as revision_of;
use super::frame::plural;
use super::pen::{Pen, Text, narrow, nth_row, split_left, split_top, wrap};
use crate::model::{App, Cluster, Connection, HealthStatus, ObjectStatus, Sync};
use crate::tui::age;
use crate::tui::rows::{MatrixRow, badness};
use crate::tui::sign::{self, Sign};
use crate::tui::state::{Look, State};
use crate::tui::theme::Ink;

/// Lines of a column's head.
pub const HEAD: usize = 3;
/// The narrowest and the widest column.
const WIDTHS: (usize, usize) = (17, 40);

/// Which columns are on screen.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Width of the names.
    pub names: usize,
    /// The first cluster.
    pub first: usize,
    /// How many.
    pub count: usize,
    /// Width of each.
    pub width: usize,
}

/// Works out which columns fit.
pub fn columns(state: &State, width: usize) -> Columns {
    let names = (state.lists.matrix.name_width + 6).clamp(14, (width / 3).max(14));
    let all = state.fleet.clusters.len();
    let room = width.saturating_sub(names);
    let count = (room / WIDTHS.0).clamp(1, all.max(1));
    let mut cursor = state.cursors.column;
    cursor.follow(all, count);
    Columns { names, first: cursor.top, count, width: (room / count).clamp(1, WIDTHS.1) }
}

/// Returns how many rows of the matrix fit into a body.
pub fn rows(state: &State, body: usize) -> usize {
    body.saturating_sub(HEAD + below(state, body))
}

/// Lines below the matrix that say more about what is selected: many where the matrix leaves them free.
fn below(state: &State, body: usize) -> usize {
    let free = body.saturating_sub(HEAD + state.lists.matrix.rows.len());
    match body {
        _ if free >= 8 => free.min(16),
        12.. => 2,
        _ => 0,
    }
}

/// Draws the screen.
pub fn draw(pen: &mut Pen, area: Rect, state: &State) {
    let matrix = &state.lists.matrix;
    let body = usize::from(area.height);
    if state.fleet.clusters.is_empty() || matrix.rows.is_empty() {
        return empty(pen, area, state);
    }
    let columns = columns(state, usize::from(area.width));
    heads(pen, area, state, &columns);
    let height = rows(state, body);
    let (_, list) = split_top(area, HEAD);
    let (list, detail) = split_top(list, height);
    let mut cursor = state.cursors.fleet;
    cursor.follow(matrix.rows.len(), height);
    for (row, entry) in matrix.rows.iter().enumerate().skip(cursor.top).take(height) {
        let Some(line) = nth_row(list, row - cursor.top) else { break };
        let selected = row == cursor.at;
        match entry {
            MatrixRow::Group { name, count, folded } => group(pen, line, (name, *count, *folded), selected),
            MatrixRow::Component { name, cells } => component(pen, line, state, &columns, (name, cells), selected),
        }
    }
    match detail.height {
        0 => {}
        1..=2 => selected_line(pen, detail, state),
        _ => about(pen, detail, state),
    }
}

fn empty(pen: &mut Pen, area: Rect, state: &State) {
    let words = match (&state.fleet.loading, state.fleet.apps.is_empty()) {
        (Some(loading), true) if loading.total > 0 => format!("{} {}/{}", loading.what, loading.done, loading.total),
        (Some(loading), true) => loading.what.clone(),
        (None, true) => format!("No Application was found in {}", state.fleet.repository.path),
        (_, false) => "Nothing passes the filter; Esc drops it".to_owned(),
    };
    let mut text = pen.text();
    text.space(2).add(Ink::Dim, &words);
    pen.line(area, 1, &text);
}

fn heads(pen: &mut Pen, area: Rect, state: &State, columns: &Columns) {
    let all = state.fleet.clusters.len();
    let before = columns.first;
    let after = all.saturating_sub(columns.first + columns.count);
    let mut hidden = pen.text();
    hidden.space(1);
    if before > 0 {
        hidden.add(Ink::Accent, &format!("‹ {before}")).space(2);
    }
    if after > 0 {
        hidden.add(Ink::Accent, &format!("{after} ›"));
    }
    pen.line(area, 0, &hidden);
    for (place, cluster) in state.fleet.clusters.iter().enumerate().skip(columns.first).take(columns.count) {
        let Some(column) = column_area(area, columns, place) else { break };
        let ink = if place == state.cursors.column.at { Ink::Accent } else { Ink::Strong };
        let width = columns.width - 1;
        let mut name = pen.text();
        name.fit(ink, cluster.name.as_str(), width);
        pen.line(column, 0, &name);
        pen.line(column, 1, &revision(pen.look(), state, cluster, width));
        let mut link = pen.text();
        let (ink, words) = connection(state, cluster);
        link.fit(ink, &words, width);
        pen.line(column, 2, &link);
    }
}

fn column_area(area: Rect, columns: &Columns, place: usize) -> Option<Rect> {
    let (_, right) = split_left(area, columns.names + (place - columns.first) * columns.width);
    (right.width > 1).then(|| Rect { width: right.width.min(narrow(columns.width)), ..right })
}

/// The reference that a cluster's environment follows, what it names now, and what waits.
fn revision(look: &Look, state: &State, cluster: &Cluster, width: usize) -> Text {
    let mut text = Text::new(look);
    let environment = cluster.environment.as_ref().and_then(|name| state.fleet.environment(name));
    let Some(environment) = environment else {
        text.add(Ink::Dim, "no environment");
        return text;
    };
    let waits = if environment.behind > 0 { format!(" +{}", environment.behind) } else { String::new() };
    let commit = environment.commit.as_ref().map_or("unresolved", |commit| commit.short());
    let at = environment.release.as_deref().unwrap_or(commit);
    let is_held = state.fleet.held(environment).is_some();
    let left = width.saturating_sub(waits.len() + if is_held { 2 } else { 0 });
    text.fit(Ink::Dim, &format!("{} {at}", environment.reference.as_str()), left);
    if is_held {
        text.space(1).sign(Sign::Held);
    }
    text.add(Ink::Info, &waits);
    text
}

/// Returns how a connection is said.
pub fn connection(state: &State, cluster: &Cluster) -> (Ink, String) {
    match &cluster.connection {
        Connection::NoContext => (Ink::Dim, "no context".to_owned()),
        Connection::Connecting => (Ink::Info, "connecting".to_owned()),
        Connection::Live => (Ink::Good, "live".to_owned()),
        Connection::Degraded(what) => (Ink::Warn, what.clone()),
        Connection::Lost { since, .. } => (Ink::Bad, format!("lost {}", age::short(state.now, *since))),
    }
}

fn group(pen: &mut Pen, area: Rect, (name, count, folded): (&str, usize, bool), selected: bool) {
    let mut text = pen.text();
    text.space(1).add(Ink::Heading, if folded { "▸" } else { "▾" }).space(1);
    text.add(Ink::Heading, if name.is_empty() { "(no group)" } else { name });
    if folded {
        text.space(2).add(Ink::Dim, &format!("{count} {}", plural(count, "component", "components")));
    }
    if selected {
        pen.tint(area, Ink::Selected);
    }
    pen.line(area, 0, &text);
}

fn component(
    pen: &mut Pen,
    area: Rect,
    state: &State,
    columns: &Columns,
    (name, cells): (&str, &[Option<usize>]),
    selected: bool,
) {
    let mut text = pen.text();
    text.space(3).fit(if selected { Ink::Strong } else { Ink::Text }, name, columns.names - 5);
    pen.line(area, 0, &text);
    for (place, at) in cells.iter().enumerate().skip(columns.first).take(columns.count) {
        let Some(column) = column_area(area, columns, place) else { break };
        if selected && place == state.cursors.column.at {
            pen.tint(Rect { width: column.width - 1, ..column }, Ink::Selected);
        }
        let width = columns.width.saturating_sub(2);
        let app = at.and_then(|at| state.fleet.apps.get(at));
        let text = match app {
            Some(app) => cell(pen, state, app, width),
            None => {
                let mut text = pen.text();
                text.add(Ink::Dim, "·");
                text
            }
        };
        pen.line(column, 0, &text);
    }
}

/// What one cell says: comparison, health, and the one fact that matters.
fn cell(pen: &Pen, state: &State, app: &App, width: usize) -> Text {
    let badge = sign::badge(&state.fleet, app, state.now);
    let mut text = pen.text();
    if state.marks.contains(&app.id) {
        text.add(Ink::Accent, "●").space(1);
    }
    text.sign(badge.sync.0).space(1);
    let (ink, fact) = fact(state, app, &badge);
    if shows_health(&badge) {
        text.sign(badge.health.0).space(1);
        if !fact.is_empty() {
            text.space(1);
        }
    }
    let left = width.saturating_sub(text.width());
    text.fit(ink, &fact, left);
    if badge.stale { text.all(Ink::Dim) } else { text }
}

fn shows_health(badge: &sign::Badge) -> bool {
    !is_in_hand(badge) && !badge.stale && badge.sync.0 != Sign::Broken
}

/// Says whether an operation works on it or will.
fn is_in_hand(badge: &sign::Badge) -> bool {
    matches!(badge.sync.0, Sign::Working | Sign::Waiting)
}

fn fact(state: &State, app: &App, badge: &sign::Badge) -> (Ink, String) {
    if is_in_hand(badge) {
        return (Ink::Info, badge.sync.1.clone());
    }
    if badge.stale {
        let seen = app.seen.map(|seen| age::short(state.now, seen));
        return (Ink::Dim, seen.unwrap_or_else(|| badge.sync.1.clone()));
    }
    if badge.sync.0 == Sign::Broken {
        return (Ink::Bad, app.why.clone());
    }
    let differ = app.out_of_sync();
    if app.sync == Sync::OutOfSync && differ > 0 {
        return (Ink::Warn, format!("{differ} {}", plural(differ, "object", "objects")));
    }
    let ink = match app.health.status {
        HealthStatus::Healthy => Ink::Dim,
        _ => Ink::Text,
    };
    let message = if app.health.message.is_empty() { &app.why } else { &app.health.message };
    (ink, message.clone())
}

/// Everything worth knowing of what is selected, where there is room for it.
fn about(pen: &mut Pen, area: Rect, state: &State) {
    pen.rule(area, 0);
    let width = usize::from(area.width).saturating_sub(4);
    let Some(app) = state.selected_app() else {
        let mut text = pen.text();
        let words = match state.lists.matrix.rows.get(state.cursors.fleet.at) {
            Some(MatrixRow::Group { name, count, .. }) => return about_group(pen, area, state, name, *count),
            Some(MatrixRow::Component { name, .. }) => match state.fleet.clusters.get(state.cursors.column.at) {
                Some(cluster) => format!("{name} is not enabled on {}", cluster.name),
                None => return,
            },
            None => return,
        };
        text.space(1).add(Ink::Dim, &words);
        return pen.line(area, 1, &text);
    };
    let badge = sign::badge(&state.fleet, app, state.now);
    let mut head = pen.text();
    head.space(1).add(Ink::Strong, &app.name).space(3);
    for (sign, word) in [&badge.sync, &badge.health] {
        head.sign(*sign).space(1).add(sign.ink(), word).space(3);
    }
    head.add(Ink::Text, &revision_of(app));
    if let Some(commit) = &app.commit {
        let age = age::short(state.now, commit.at);
        head.add(Ink::Dim, &format!("  \"{}\" {}, {age} ago", commit.subject, commit.author));
    }
    let mut lines = vec![head];
    for words in wrap(&app.why, width).iter().filter(|words| !words.is_empty()).take(3) {
        let mut text = pen.text();
        text.space(1).add(Ink::Text, words);
        lines.push(text);
    }
    let is_well = |object: &&ObjectStatus| {
        object.sync != Some(Sync::OutOfSync)
            && object.health.as_ref().is_none_or(|health| health.status == HealthStatus::Healthy)
    };
    let ill = app.objects.iter().filter(|object| !is_well(object));
    for object in ill.take(usize::from(area.height).saturating_sub(lines.len() + 1)) {
        let mut text = pen.text();
        text.space(1);
        match object.sync {
            Some(sync) => text.sign(Sign::sync(sync)),
            None => text.space(1),
        };
        text.space(1);
        match &object.health {
            Some(health) => text.sign(Sign::health(health.status)),
            None => text.space(1),
        };
        text.space(1).add(Ink::Text, &object.key.to_string()).space(2);
        let message = match &object.health {
            Some(health) if object.message.is_empty() => &health.message,
            _ => &object.message,
        };
        text.add(Ink::Dim, message);
        lines.push(text);
    }
    for (row, text) in lines.iter().enumerate() {
        pen.line(area, row + 1, text);
    }
}

/// What is not well in the selected group.
fn about_group(pen: &mut Pen, area: Rect, state: &State, name: &str, count: usize) {
    let all = state.lists.apps.iter().filter_map(|&at| state.fleet.apps.get(at));
    let ill: Vec<_> = all.filter(|app| app.group == name && badness(app) > 0).collect();
    let mut head = pen.text();
    head.space(1).add(Ink::Strong, if name.is_empty() { "(no group)" } else { name }).space(2);
    head.add(Ink::Dim, &format!("{count} {}, ", plural(count, "component", "components")));
    match ill.len() {
        0 => head.add(Ink::Dim, "all well"),
        number => head.add(Ink::Text, &format!("{number} {} not well", plural(number, "application", "applications"))),
    };
    pen.line(area, 1, &head);
    let most = usize::from(area.height).saturating_sub(2);
    for (row, app) in ill.iter().take(most).enumerate() {
        let badge = sign::badge(&state.fleet, app, state.now);
        let mut text = pen.text();
        text.space(1).sign(badge.sync.0).space(1).sign(badge.health.0).space(1);
        text.column(Ink::Text, &app.name, 32).space(1).add(Ink::Dim, &app.why);
        pen.line(area, row + 2, &text);
    }
}

/// The selected application in one line: what the cell had no room for.
fn selected_line(pen: &mut Pen, area: Rect, state: &State) {
    let Some(app) = state.selected_app() else { return };
    let badge = sign::badge(&state.fleet, app, state.now);
    let mut text = pen.text();
    text.space(1).add(Ink::Strong, &app.name).space(2);
    for (sign, word) in [&badge.sync, &badge.health] {
        text.sign(*sign).space(1).add(sign.ink(), word).space(2);
    }
    text.add(Ink::Text, &app.why);
    pen.line(area, usize::from(area.height) - 1, &text);
}
