//! Moving in lists, texts and boxes.

use crate::tui::state::{Cursor, Layer, Screen, State};
use crate::tui::view;

/// How far a key moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Rows, down if positive.
    Rows(isize),
    /// Pages.
    Pages(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl Move {
    /// Returns where a place goes in a list of that length.
    fn from(self, at: usize, len: usize, page: usize) -> usize {
        let last = len.saturating_sub(1);
        let page = isize::try_from(page.saturating_sub(1).max(1)).unwrap_or(1);
        match self {
            Self::Rows(by) => at.saturating_add_signed(by).min(last),
            Self::Pages(by) => at.saturating_add_signed(by.saturating_mul(page)).min(last),
            Self::First => 0,
            Self::Last => last,
        }
    }
}

/// Moves in whatever is on top.
pub(super) fn go(state: &mut State, step: Move) {
    let page = view::page(state);
    match state.layers.last_mut() {
        Some(Layer::Help(top) | Layer::Operation(_, top)) => *top = step.from(*top, 1000, page),
        Some(Layer::Picker(picker)) => {
            let len = picker.shown().count();
            picker.cursor.at = step.from(picker.cursor.at, len, page);
        }
        Some(Layer::Confirm(_)) => in_plan(state, step),
        Some(Layer::App(app)) => {
            let (len, selects) = view::rows(app);
            let cursor = &mut app.pane_mut().cursor;
            if selects {
                cursor.at = step.from(cursor.at, len, page);
            } else {
                cursor.top = step.from(cursor.top, len.saturating_sub(page) + 1, page);
                cursor.at = cursor.top;
            }
        }
        Some(Layer::Entry(_)) => {}
        None => {
            state.touched = true;
            let (cursor, len) = list(state);
            cursor.at = step.from(cursor.at, len, page);
        }
    }
}

fn in_plan(state: &mut State, step: Move) {
    let Some(Layer::Confirm(confirm)) = state.layers.last() else { return };
    let (len, height) = match confirm.operation() {
        Some(_) => (1000, view::page(state)),
        None => view::plan_extent(state, confirm),
    };
    if let Some(Layer::Confirm(confirm)) = state.layers.last_mut() {
        confirm.top = step.from(confirm.top, len.saturating_sub(height) + 1, height);
    }
}

/// Returns the cursor of the screen and how many rows it has.
fn list(state: &mut State) -> (&mut Cursor, usize) {
    let (_, actions) = view::activity(state);
    match state.screen {
        Screen::Fleet => (&mut state.cursors.fleet, state.lists.matrix.rows.len()),
        Screen::Apps => (&mut state.cursors.apps, state.lists.apps.len()),
        Screen::Pipeline => (&mut state.cursors.pipeline, state.fleet.environments.len()),
        Screen::Clusters => (&mut state.cursors.clusters, state.fleet.clusters.len()),
        Screen::Activity => (&mut state.cursors.activity, actions),
    }
}

/// Moves by columns on the Fleet screen, by environments on the Pipeline; says whether there was anything to move.
pub(super) fn sideways(state: &mut State, by: isize) -> bool {
    let clusters = state.fleet.clusters.len();
    match (state.layers.last(), state.screen) {
        (None, Screen::Fleet) => {
            state.touched = true;
            state.cursors.column.step(by, clusters);
        }
        (None, Screen::Pipeline) => state.cursors.pipeline.step(by, state.fleet.environments.len()),
        _ => return false,
    }
    true
}

/// Keeps every cursor inside its list, and what is selected on screen.
pub(super) fn settle(state: &mut State) {
    let page = view::page(state);
    let columns = view::columns(state);
    let clusters = state.fleet.clusters.len();
    state.cursors.column.follow(clusters, columns);
    let (cursor, len) = list(state);
    cursor.follow(len, page);
    if let Some(Layer::App(app)) = state.layers.last_mut() {
        let (len, selects) = view::rows(app);
        let cursor = &mut app.pane_mut().cursor;
        if selects {
            cursor.follow(len, page);
        } else {
            cursor.top = cursor.top.min(len.saturating_sub(page));
        }
    }
}
