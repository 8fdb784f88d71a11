//! Moving in lists, texts and boxes.

use crate::engine::Detail;
use crate::tui::app_view::AppView;
use crate::tui::state::{Cursor, Layer, Screen, State};
use crate::tui::view::{self, Extent};

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
    let Extent { len, height } = view::extent(state);
    let scrolls = len.saturating_sub(height) + 1;
    match state.layers.last_mut() {
        Some(Layer::Help(top) | Layer::Operation(_, top)) => *top = step.from(*top, scrolls, height),
        Some(Layer::Confirm(confirm)) => confirm.top = step.from(confirm.top, scrolls, height),
        Some(Layer::Picker(picker)) => picker.cursor.at = step.from(picker.cursor.at, len, height),
        Some(Layer::App(app)) => {
            let selects = selects(app);
            let cursor = &mut app.pane_mut().cursor;
            if selects {
                cursor.at = step.from(cursor.at, len, height);
            } else {
                cursor.top = step.from(cursor.top, scrolls, height);
                cursor.at = cursor.top;
            }
        }
        Some(Layer::Entry(_)) => {}
        None => {
            state.touched = true;
            let cursor = list(state);
            cursor.at = step.from(cursor.at, len, height);
        }
    }
}

/// Says whether a row is selected in the open tab; otherwise it is a text that scrolls.
fn selects(app: &AppView) -> bool {
    matches!(app.pane().content.detail(), Some(Detail::Tree(_) | Detail::Events(_) | Detail::History(_)))
}

/// Returns the cursor of the screen.
fn list(state: &mut State) -> &mut Cursor {
    match state.screen {
        Screen::Fleet => &mut state.cursors.fleet,
        Screen::Apps => &mut state.cursors.apps,
        Screen::Pipeline => &mut state.cursors.pipeline,
        Screen::Clusters => &mut state.cursors.clusters,
        Screen::Activity => &mut state.cursors.activity,
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
    let columns = view::columns(state);
    let clusters = state.fleet.clusters.len();
    state.cursors.column.follow(clusters, columns);
    let Extent { len, height } = view::extent(state);
    match state.layers.last_mut() {
        None => list(state).follow(len, height),
        Some(Layer::Picker(picker)) => picker.cursor.follow(len, height),
        Some(Layer::App(app)) => {
            let selects = selects(app);
            let cursor = &mut app.pane_mut().cursor;
            if selects {
                cursor.follow(len, height);
            } else {
                cursor.top = cursor.top.min(len.saturating_sub(height));
            }
        }
        Some(_) => {}
    }
}
