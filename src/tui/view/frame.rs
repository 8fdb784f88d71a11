//! The frame around every screen: where one is, what is wrong, what the keys do.

use jiff::Timestamp;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::pen::{self, Pen, Text, nth_row, split_top, wrap};
pub use crate::model::text::plural;
use crate::model::{Connection, Held, Mode, Phase};
use crate::tui::action::{Action, Risk};
use crate::tui::age;
use crate::tui::app_view::Tab;
use crate::tui::sign::Sign;
use crate::tui::state::{Layer, Screen, State};
use crate::tui::theme::Ink;

/// The smallest terminal in which a screen makes sense.
pub const SMALLEST: (u16, u16) = (40, 10);

/// Where the parts of a screen are.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// The first line; empty while zoomed.
    pub header: Rect,
    /// The tabs and their rule.
    pub tabs: Rect,
    /// The filter line, if there is one.
    pub filter: Rect,
    /// The screen.
    pub body: Rect,
    /// The rule, what matters now, and the hints.
    pub foot: Rect,
}

/// Divides the terminal.
pub fn parts(state: &State, area: Rect) -> Parts {
    let none = Rect { height: 0, ..area };
    if state.zoomed {
        return Parts { header: none, tabs: none, filter: none, body: area, foot: none };
    }
    let (header, rest) = split_top(area, 1);
    let (tabs, rest) = split_top(rest, if state.open_app().is_some() { 3 } else { 2 });
    let foot = 2 + usize::from(now_line(state, usize::from(area.width)).is_some());
    let (rest, foot) = split_top(rest, usize::from(rest.height).saturating_sub(foot));
    let (filter, body) = split_top(rest, usize::from(has_filter(state)));
    Parts { header, tabs, filter, body, foot }
}

fn has_filter(state: &State) -> bool {
    state.open_app().is_none()
        && match state.screen {
            Screen::Apps => true,
            Screen::Fleet => state.filter.editing || !state.filter.text.is_empty(),
            _ => false,
        }
}

/// Says that there is no room.
pub fn too_small(pen: &mut Pen, area: Rect) {
    let words =
        format!("This terminal is too small: {}×{} of at least {}×{}", area.width, area.height, SMALLEST.0, SMALLEST.1);
    for (row, words) in wrap(&words, usize::from(area.width)).iter().enumerate() {
        let mut text = pen.text();
        text.add(Ink::Text, words);
        pen.line(area, row, &text);
    }
}

/// Draws everything but the tabs and the screen itself.
pub fn draw(pen: &mut Pen, parts: &Parts, state: &State) {
    if parts.header.height > 0 {
        header(pen, parts.header, state);
    }
    if parts.filter.height > 0 {
        filter(pen, parts.filter, state);
    }
    if parts.foot.height > 0 {
        pen.rule(parts.foot, 0);
        if let Some(text) = now_line(state, usize::from(parts.foot.width)) {
            pen.line(parts.foot, 1, &text);
        }
        hints(pen, parts.foot, usize::from(parts.foot.height) - 1, state);
    }
}

/// What the first line says and where: the repository, the counts from a column on, the mode against the right edge.
struct Header {
    place: Text,
    from: usize,
    counts: Vec<Count>,
    mode: Text,
}

/// One of the counts, with the filter that shows what it counts.
struct Count {
    text: Text,
    filter: Option<&'static str>,
}

fn header(pen: &mut Pen, area: Rect, state: &State) {
    pen.tint(area, Ink::Bar);
    let Header { place: mut text, from, counts, mode } = first_line(state, usize::from(area.width));
    let room = pen.line_right(area, 0, &mode);
    text.to(from);
    for (at, count) in counts.into_iter().enumerate() {
        text.space(if at == 0 { 0 } else { BETWEEN }).append(count.text);
    }
    pen.line(Rect { width: pen::narrow(room), ..area }, 0, &text);
}

/// Columns between two counts.
const BETWEEN: usize = 2;

fn first_line(state: &State, width: usize) -> Header {
    let mut mode = Text::new(&state.look);
    match (state.read_only, &state.fleet.mode) {
        (false, Mode::Observe) => mode.add(Ink::Dim, "observe"),
        _ => mode.add(Ink::Warn, "read-only"),
    };
    if width >= 60 {
        mode.space(2).add(Ink::Dim, &age::clock(state.now, &state.zone));
    }
    mode.space(1);
    let room = width.saturating_sub(mode.width());
    let counts = counts(state, width >= 100);
    let own = counts.iter().map(|count| count.text.width() + BETWEEN).sum::<usize>().saturating_sub(BETWEEN);
    let mut place = Text::new(&state.look);
    place.space(1).add(Ink::Accent, "quarterdeck").space(2);
    place.add(Ink::Strong, &state.fleet.repository.name);
    if place.width() + 2 + own + 3 > room {
        place = Text::new(&state.look);
        place.space(1).fit(Ink::Strong, &state.fleet.repository.name, room.saturating_sub(own + 6));
    }
    let most = if width >= 100 { 48 } else { usize::MAX };
    let from = room.saturating_sub(own + 6).max(place.width() + 2).min(most).max(place.width());
    Header { place, from, counts, mode }
}

/// Returns the filter that belongs to the count at a column of the first line.
pub fn filter_at(state: &State, width: usize, column: usize) -> Option<&'static str> {
    let header = first_line(state, width);
    let mut start = header.from;
    header.counts.iter().find_map(|count| {
        let own = start..start + count.text.width();
        start = own.end + BETWEEN;
        own.contains(&column).then_some(count.filter).flatten()
    })
}

/// What is wrong, worst first; what is zero is not said.
fn counts(state: &State, wide: bool) -> Vec<Count> {
    let counts = state.lists.counts;
    let new = || Text::new(&state.look);
    let mut items = Vec::new();
    let mut add = |text: &mut Text, filter| items.push(Count { text: std::mem::take(text), filter });
    let clusters = state.fleet.clusters.len();
    if wide {
        add(new().add(Ink::Text, &format!("{clusters} {}", plural(clusters, "cluster", "clusters"))), None);
    }
    let apps = state.fleet.apps.len();
    add(new().add(Ink::Text, &format!("{apps} {}", plural(apps, "app", "apps"))), Some(""));
    for (count, sign, filter) in [
        (counts.out_of_sync, Sign::OutOfSync, "status:outofsync"),
        (counts.degraded, Sign::Degraded, "health:degraded"),
        (counts.broken, Sign::Broken, "is:broken"),
        (counts.progressing, Sign::Progressing, "health:progressing"),
    ] {
        if count > 0 {
            add(new().add(sign.ink(), &count.to_string()).space(1).sign(sign), Some(filter));
        }
    }
    if counts.lost > 0 {
        add(new().add(Ink::Bad, &format!("{} lost", counts.lost)), Some("is:lost"));
    }
    items
}

/// Draws the tabs of the screens.
pub fn tabs(pen: &mut Pen, area: Rect, state: &State) {
    let mut text = pen.text();
    for screen in Screen::ALL {
        let ink = if screen == state.screen { Ink::Accent } else { Ink::Dim };
        text.space(1).add(ink, &format!("{} {}", screen.index() + 1, screen.name()));
    }
    pen.line(area, 0, &text);
    let mut keys = pen.text();
    for action in [Action::Filter, Action::Command, Action::Help] {
        keys.add(Ink::Strong, state.keymap.key(action)).space(1).add(Ink::Dim, action.row().hint).space(2);
    }
    if text.width() + keys.width() < usize::from(area.width) {
        pen.line_right(area, 0, &keys);
    }
    pen.rule(area, 1);
}

fn filter(pen: &mut Pen, area: Rect, state: &State) {
    let mut note = pen.text();
    let (shown, all) = (state.lists.apps.len(), state.fleet.apps.len());
    if state.lists.new > 0 {
        let key = state.keymap.key(Action::Sort).to_owned();
        note.add(Ink::Info, &format!("{} new, {key} to sort", state.lists.new)).space(3);
    }
    if shown == all {
        note.add(Ink::Dim, &format!("{all}"));
    } else {
        note.add(Ink::Strong, &shown.to_string()).add(Ink::Dim, &format!(" of {all}"));
    }
    if state.screen == Screen::Apps {
        note.space(3).add(Ink::Dim, state.lists.order.as_str());
    }
    note.space(1);
    let room = pen.line_right(area, 0, &note);
    let mut text = pen.text();
    text.space(1).add(Ink::Accent, state.keymap.key(Action::Filter)).space(1);
    if state.filter.editing || !state.filter.text.is_empty() {
        let left = room.saturating_sub(text.width() + 2);
        let typed = crate::model::text::line(&state.filter.text);
        let ink = if state.filter.editing { Ink::Strong } else { Ink::Accent };
        text.add(ink, &tail(&typed, left));
        if state.filter.editing {
            text.add(Ink::Accent, "█");
        }
    } else {
        let left = room.saturating_sub(text.width() + 2);
        text.fit(Ink::Dim, "words, status:outofsync, health:degraded, cluster:, -l key=value, !not", left);
    }
    pen.line(Rect { width: pen::narrow(room), ..area }, 0, &text);
}

/// Returns the end of what is typed, as much as there is room for.
pub fn tail(typed: &str, width: usize) -> String {
    let mut left = width;
    let mut from = typed.len();
    for (at, c) in typed.char_indices().rev() {
        let own = c.to_string().width();
        if own > left {
            break;
        }
        left -= own;
        from = at;
    }
    typed[from..].to_owned()
}

/// The one most important thing now, if there is one.
fn now_line(state: &State, width: usize) -> Option<Text> {
    let fleet = &state.fleet;
    let mut text = Text::new(&state.look);
    text.space(1);
    if let Some(operation) = fleet.operations.iter().find(|operation| !operation.phase.is_over()) {
        let total: usize = operation.apps.iter().map(|app| app.total).sum();
        let done: usize = operation.apps.iter().map(|app| app.results.len().min(app.total)).sum();
        text.sign(if operation.phase == Phase::Stopping { Sign::Waiting } else { Sign::Working }).space(1);
        text.fit(Ink::Strong, &operation.title, width / 3).space(2).append(bar(state, done, total, 16)).space(2);
        text.add(Ink::Dim, &operation.message);
    } else if let Some(loading) = &fleet.loading {
        text.sign(Sign::Working).space(1).add(Ink::Info, &loading.what);
        if loading.total > 0 {
            text.space(1).append(bar(state, loading.done, loading.total, 16));
        }
    } else if let Some(error) = &fleet.repository.error {
        text.sign(Sign::Broken).space(1).add(Ink::Bad, &error.to_string());
    } else if let Some(environment) = fleet.environments.iter().find(|environment| environment.policy.frozen.is_some())
    {
        let reason = environment.policy.frozen.as_deref().unwrap_or_default();
        text.sign(Sign::Held)
            .space(1)
            .add(Ink::Accent, &format!("{} is frozen: ", environment.name))
            .add(Ink::Text, reason);
    } else if let Some((environment, held)) =
        fleet.environments.iter().find_map(|environment| Some((environment, fleet.held(environment)?)))
    {
        text.sign(Sign::Held).space(1).add(Ink::Accent, environment.name.as_str()).space(1);
        text.add(Ink::Text, &held_words(&held, state.now));
    } else if let Some((cluster, reason, since)) = fleet.clusters.iter().find_map(|cluster| match &cluster.connection {
        Connection::Lost { reason, since } => Some((cluster, reason, since)),
        _ => None,
    }) {
        text.sign(Sign::Unknown).space(1).add(Ink::Bad, &format!("{} lost", cluster.name));
        text.add(Ink::Dim, &format!(" for {}: {reason}", age::short(state.now, *since)));
        if let Some(retry) = cluster.retry_at.filter(|retry| *retry > state.now) {
            text.add(Ink::Dim, &format!("; next try in {}", age::short(retry, state.now)));
        }
    } else if let Some(problem) = fleet.problems.first() {
        text.sign(Sign::Broken).space(1).add(Ink::Warn, &problem.to_string());
    } else {
        return None;
    }
    Some(text)
}

/// Returns how an environment is held, and by whom if that is known.
pub fn held_words(held: &Held, now: Timestamp) -> String {
    let newer = held.newer.as_deref();
    match (&held.by, newer) {
        (Some((who, at)), newer) => {
            let newer = newer.map(|newer| format!("; {newer} is newer")).unwrap_or_default();
            format!("held at {}: rolled back by {who} {} ago{newer}", held.at, age::short(now, *at))
        }
        (None, Some(newer)) => format!("held at {}, although {newer} is released", held.at),
        (None, None) => format!("held at {}", held.at),
    }
}

/// Returns a bar with its figures.
pub fn bar(state: &State, done: usize, total: usize, width: usize) -> Text {
    let mut text = Text::new(&state.look);
    let filled = (width * done).checked_div(total).unwrap_or(0).min(width);
    text.add(Ink::Info, &"█".repeat(filled)).add(Ink::Border, &"░".repeat(width - filled));
    text.space(1).add(Ink::Text, &format!("{done}/{total}"));
    text
}

/// What the keys do while the filter is written.
fn filter_hints(pen: &Pen, searches: bool) -> Text {
    let mut text = pen.text();
    let words = if searches { ["keep looking for it", "look for nothing"] } else { ["keep the filter", "as it was"] };
    for (key, words) in ["Enter", "Esc"].into_iter().zip(words) {
        text.space(if text.is_empty() { 1 } else { 3 });
        text.add(Ink::Strong, key).space(1).add(Ink::Dim, words);
    }
    text
}

fn hints(pen: &mut Pen, area: Rect, row: usize, state: &State) {
    let searches = matches!(state.layers.last(), Some(Layer::App(view)) if view.search.editing);
    if searches || (state.filter.editing && state.layers.is_empty()) {
        let text = filter_hints(pen, searches);
        return pen.line(area, row, &text);
    }
    let mut marks = pen.text();
    let count = state.marks.len();
    if count > 0 {
        marks.add(Ink::Accent, &format!("{count} marked")).space(1);
    }
    let room = pen.line_right(area, row, &marks).saturating_sub(3);
    let mut text = pen.text();
    if !state.pressed.is_empty() {
        text.space(1).add(Ink::Accent, "…");
    }
    for &action in wanted(state) {
        let key = state.keymap.key(action);
        if key.is_empty() {
            continue;
        }
        let hint = action.row().hint;
        if text.width() + 3 + key.width() + 1 + hint.width() > room {
            break;
        }
        let refused = is_refused(state, action);
        text.space(if text.is_empty() { 1 } else { 3 });
        text.add(if refused { Ink::Dim } else { Ink::Strong }, key).space(1).add(Ink::Dim, hint);
    }
    if let Some(area) = nth_row(area, row) {
        pen.line(Rect { width: pen::narrow(room), ..area }, 0, &text);
    }
}

/// The actions that matter for what is selected, the most wanted first.
fn wanted(state: &State) -> &'static [Action] {
    use Action::{
        Activity, Back, BothSides, CancelOperation, Copy, Diff, Down, Filter, Help, History, Ignored, Logs, Mark,
        NextChange, NextPane, Open, PageDown, Promote, Quit, Refresh, Rollback, Sort, Sync, Up, Zoom,
    };
    match (state.layers.last(), state.screen) {
        (Some(Layer::App(view)), _) => match view.tab {
            Tab::Diff => &[Back, NextPane, Sync, NextChange, BothSides, Ignored, Refresh, Copy, Zoom, Help],
            Tab::Manifests => &[Back, NextPane, NextChange, Diff, Copy, Sync, Refresh, Zoom, Help],
            Tab::Resources => &[Back, NextPane, Open, Sync, Diff, Logs, Rollback, Refresh, Copy, Zoom, Help],
            _ => &[Back, NextPane, Sync, Diff, Logs, Rollback, Refresh, Copy, Zoom, Help],
        },
        (Some(Layer::Operation(..) | Layer::Entry(_)), _) => &[Back, Down, Up, PageDown, CancelOperation],
        (Some(Layer::Confirm(confirm)), _) if confirm.operation().is_some() => {
            &[Back, CancelOperation, Down, Up, PageDown]
        }
        (Some(Layer::Confirm(confirm)), _) if confirm.is_typing() => &[Back],
        (Some(Layer::Picker(_)), _) => &[Back, Open],
        (Some(Layer::Confirm(_) | Layer::Help(_)), _) => &[Back, Down, Up, PageDown],
        (None, Screen::Fleet) => {
            &[Open, Sync, Diff, Promote, Rollback, Mark, Refresh, Filter, Logs, History, Zoom, Quit]
        }
        (None, Screen::Apps) => &[Open, Sync, Diff, Promote, Rollback, Mark, Refresh, Sort, Logs, History, Zoom, Quit],
        (None, Screen::Pipeline) => &[Promote, Rollback, Open, Refresh, Activity, Help, Quit],
        (None, Screen::Clusters) => &[Open, Refresh, Promote, Rollback, Help, Quit],
        (None, Screen::Activity) => &[Open, CancelOperation, Refresh, Help, Quit],
    }
}

fn is_refused(state: &State, action: Action) -> bool {
    let changes = action.row().risk == Risk::Mutating;
    let read_only = state.read_only || state.fleet.mode == Mode::ReadOnly;
    let needs_app = matches!(action, Action::Sync | Action::Diff | Action::Logs | Action::History | Action::Mark);
    let running = || state.fleet.operations.iter().any(|operation| !operation.phase.is_over());
    (changes && read_only) || (needs_app && !state.has_chosen()) || (action == Action::CancelOperation && !running())
}

/// Draws what was said lately, at the lower right.
pub fn toasts(pen: &mut Pen, area: Rect, state: &State) {
    let width = (usize::from(area.width) / 2).max(36).min(usize::from(area.width));
    let mut bottom = usize::from(area.height).saturating_sub(2);
    for toast in state.toasts.iter().rev() {
        let mut lines = wrap(&toast.text, width.saturating_sub(5));
        lines.truncate(3);
        let own = lines.iter().map(|line| line.width()).max().unwrap_or(0) + 5;
        if bottom < lines.len() + 3 {
            break;
        }
        for words in lines.iter().rev() {
            bottom -= 1;
            let mut text = pen.text();
            text.space(1).add(if toast.bad { Ink::Bad } else { Ink::Good }, "┃").space(1);
            text.add(Ink::Text, words).to(own);
            if let Some(row) = nth_row(area, bottom) {
                let row = Rect { x: row.x + row.width - pen::narrow(own), width: pen::narrow(own), ..row };
                pen.clear(row);
                pen.tint(row, Ink::Bar);
                pen.line(row, 0, &text);
            }
        }
        bottom -= 1;
    }
}
