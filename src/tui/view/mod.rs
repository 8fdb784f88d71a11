//! What is drawn: a pure function of the state. Only what is on screen is formatted.

mod activity;
mod application;
mod apps;
mod clusters;
mod confirm;
mod detail;
mod diff;
mod fleet;
mod frame;
mod help;
mod page;
mod pen;
mod picker;
mod pipeline;
mod plan;
mod story;
mod tree;

use ratatui::Frame;
use ratatui::layout::Rect;

use self::pen::Pen;
use super::app_view::Tab;
use super::state::{Layer, Screen, State};

/// Draws everything.
pub fn draw(frame: &mut Frame, state: &State) {
    let area = frame.area();
    let mut pen = Pen::new(frame.buffer_mut(), &state.look);
    pen.clear(area);
    if area.width < frame::SMALLEST.0 || area.height < frame::SMALLEST.1 {
        frame::too_small(&mut pen, area);
        return;
    }
    let parts = frame::parts(state, area);
    if let Some(app) = state.open_app() {
        application::draw(&mut pen, &parts, state, app);
    } else {
        frame::tabs(&mut pen, parts.tabs, state);
        screen(&mut pen, parts.body, state);
    }
    frame::draw(&mut pen, &parts, state);
    if state.layers.iter().any(|layer| !matches!(layer, Layer::App(_))) {
        pen.fade(behind(&parts));
    }
    for layer in &state.layers {
        match layer {
            Layer::App(_) => {}
            Layer::Confirm(confirm) => match confirm.operation() {
                Some(id) => story::operation(&mut pen, area, state, id, confirm.top),
                None => confirm::draw(&mut pen, area, state, confirm),
            },
            Layer::Picker(picker) => picker::draw(&mut pen, area, picker),
            Layer::Help(top) => help::draw(&mut pen, area, state, *top),
            Layer::Operation(id, top) => story::operation(&mut pen, area, state, *id, *top),
            Layer::Entry(id) => story::entry(&mut pen, area, state, id),
        }
    }
    frame::toasts(&mut pen, area, state);
}

/// Everything between the first line and the foot: what lies under a box steps back.
fn behind(parts: &frame::Parts) -> Rect {
    parts.tabs.union(parts.filter).union(parts.body)
}

fn screen(pen: &mut Pen, area: Rect, state: &State) {
    match state.screen {
        Screen::Fleet => fleet::draw(pen, area, state),
        Screen::Apps => apps::draw(pen, area, state),
        Screen::Pipeline => pipeline::draw(pen, area, state),
        Screen::Clusters => clusters::draw(pen, area, state),
        Screen::Activity => activity::draw(pen, area, state),
    }
}

/// What can be scrolled: of the topmost layer, else of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Rows that there are.
    pub len: usize,
    /// Rows that are on screen at once.
    pub height: usize,
}

/// Returns how long what is on top is, and how much of it is on screen: what a page is, and where scrolling ends.
pub fn extent(state: &State) -> Extent {
    let area = Rect::new(0, 0, state.size.0, state.size.1);
    let (len, height) = match state.layers.last() {
        Some(Layer::App(view)) => application::extent(state, &frame::parts(state, area), view),
        Some(Layer::Confirm(confirm)) => match confirm.operation() {
            Some(id) => story::operation_extent(state, area, id),
            None => confirm::extent(state, confirm),
        },
        Some(Layer::Picker(picker)) => picker::extent(area, picker),
        Some(Layer::Help(_)) => help::extent(state, area),
        Some(Layer::Operation(id, _)) => story::operation_extent(state, area, *id),
        Some(Layer::Entry(_)) => (0, 0),
        None => screen_extent(state, area),
    };
    Extent { len, height: height.max(1) }
}

fn screen_extent(state: &State, area: Rect) -> (usize, usize) {
    let body = usize::from(frame::parts(state, area).body.height);
    match state.screen {
        Screen::Fleet => (state.lists.matrix.rows.len(), fleet::rows(state, body)),
        Screen::Apps => (state.lists.apps.len(), apps::rows(body)),
        Screen::Pipeline => (state.fleet.environments.len(), pipeline::rows(state, area, body)),
        Screen::Clusters => (state.fleet.clusters.len(), clusters::rows(body)),
        Screen::Activity => (activity::rows(state).len(), activity::height(body)),
    }
}

/// Returns the rows of the open tab where an object or a change begins: where the keys for the next change go.
pub fn stops(state: &State) -> Vec<usize> {
    state.open_app().map(|view| application::stops(state, view)).unwrap_or_default()
}

/// Returns how many clusters the Fleet screen shows side by side.
pub fn columns(state: &State) -> usize {
    fleet::columns(state, usize::from(state.size.0)).count
}

/// Returns the story of the selected row of the Activity screen, if there is one.
pub fn selected_story(state: &State) -> Option<Layer> {
    Some(match activity::rows(state).get(state.cursors.activity.at)? {
        activity::Row::Operation(operation) => Layer::Operation(operation.id, 0),
        activity::Row::Entry(entry) => Layer::Entry(entry.id.clone()),
        activity::Row::News(_) => return None,
    })
}

/// Returns the row of the Activity screen that has a story.
pub fn place_of_story(state: &State, story: &Layer) -> Option<usize> {
    activity::rows(state).iter().position(|row| match (row, story) {
        (activity::Row::Operation(operation), Layer::Operation(id, _)) => operation.id == *id,
        (activity::Row::Entry(entry), Layer::Entry(id)) => entry.id == *id,
        _ => false,
    })
}

/// What is at a place on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The name of a screen.
    Screen(Screen),
    /// A tab of the open application.
    Tab(Tab),
    /// A count of the first line, by the filter that shows what it counts.
    Count(&'static str),
    /// A row of the list, and on the Fleet screen the column of a cluster.
    Row(usize, Option<usize>),
}

/// Finds out what is at a column and a row of the terminal.
pub fn hit(state: &State, column: u16, row: u16) -> Option<Hit> {
    let parts = frame::parts(state, Rect::new(0, 0, state.size.0, state.size.1));
    let (x, y) = (usize::from(column), usize::from(row));
    let inside = |area: Rect| area.contains(ratatui::layout::Position { x: column, y: row });
    if inside(parts.header) {
        return frame::filter_at(state, usize::from(state.size.0), x).map(Hit::Count);
    }
    if inside(parts.tabs) {
        if state.open_app().is_some() {
            return (row == parts.tabs.y + 1)
                .then(|| named(x, 2, Tab::ALL.map(|tab| (tab, tab.name()))))?
                .map(Hit::Tab);
        }
        // A number and a blank stand before each name.
        let names = Screen::ALL.map(|screen| (screen, screen.name()));
        return (row == parts.tabs.y).then(|| named(x, 3, names))?.map(Hit::Screen);
    }
    if !inside(parts.body) || state.open_app().is_some() {
        return None;
    }
    let line = y - usize::from(parts.body.y);
    let page = extent(state).height;
    let at = |cursor: super::state::Cursor, len: usize, head: usize| {
        let mut cursor = cursor;
        cursor.follow(len, page);
        let row = cursor.top + line.checked_sub(head)?;
        (row < len && line - head < page).then_some(row)
    };
    let cursors = &state.cursors;
    let found = match state.screen {
        Screen::Fleet => {
            let columns = fleet::columns(state, usize::from(state.size.0));
            let column = x.checked_sub(columns.names).map(|x| columns.first + x / columns.width.max(1));
            let row = at(cursors.fleet, state.lists.matrix.rows.len(), fleet::HEAD);
            return row.map(|row| Hit::Row(row, column.filter(|at| *at < state.fleet.clusters.len())));
        }
        Screen::Apps => at(cursors.apps, state.lists.apps.len(), apps::HEAD),
        Screen::Clusters => at(cursors.clusters, state.fleet.clusters.len(), clusters::HEAD),
        Screen::Activity => at(cursors.activity, activity::rows(state).len(), 0),
        Screen::Pipeline => None,
    };
    found.map(|row| Hit::Row(row, None))
}

/// Finds the name at a column, where each name has this many columns of its own besides its letters.
fn named<T: Copy, const N: usize>(x: usize, beside: usize, names: [(T, &str); N]) -> Option<T> {
    let mut end = 0;
    names.into_iter().find_map(|(what, name)| {
        end += name.chars().count() + beside;
        (x < end).then_some(what)
    })
}
