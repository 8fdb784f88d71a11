//! The mouse: the wheel scrolls, a click selects, a click on what is selected opens it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{act, lists, look};
use crate::tui::action::Action;
use crate::tui::state::{Effect, Layer, Screen, State};
use crate::tui::view::{self, Hit};

/// Rows that one notch of the wheel moves.
const NOTCH: isize = 3;

/// Takes a mouse event in.
pub(super) fn mouse(state: &mut State, event: MouseEvent, effects: &mut Vec<Effect>) {
    match event.kind {
        MouseEventKind::ScrollDown => lists::go(state, lists::Move::Rows(NOTCH)),
        MouseEventKind::ScrollUp => lists::go(state, lists::Move::Rows(-NOTCH)),
        MouseEventKind::Down(MouseButton::Left) => click(state, event.column, event.row, effects),
        _ => {}
    }
}

fn click(state: &mut State, column: u16, row: u16, effects: &mut Vec<Effect>) {
    if !matches!(state.layers.last(), None | Some(Layer::App(_))) {
        return;
    }
    match view::hit(state, column, row) {
        None => {}
        Some(Hit::Count(filter)) => act::show_filtered(state, filter),
        Some(Hit::Screen(screen)) => act::show(state, screen),
        Some(Hit::Tab(tab)) => {
            if let Some(view) = super::open_view(state) {
                view.tab = tab;
            }
            look(state, effects);
        }
        Some(Hit::Row(row, column)) => {
            state.touched = true;
            let columns = state.cursors.column.at;
            let before = (selected(state), columns);
            match state.screen {
                Screen::Fleet => state.cursors.fleet.at = row,
                Screen::Apps => state.cursors.apps.at = row,
                Screen::Pipeline => state.cursors.pipeline.at = row,
                Screen::Clusters => state.cursors.clusters.at = row,
                Screen::Activity => state.cursors.activity.at = row,
            }
            if let Some(column) = column {
                state.cursors.column.at = column;
            }
            if before == (selected(state), state.cursors.column.at) {
                act::act(state, Action::Open, effects);
            }
        }
    }
}

fn selected(state: &State) -> usize {
    match state.screen {
        Screen::Fleet => state.cursors.fleet.at,
        Screen::Apps => state.cursors.apps.at,
        Screen::Pipeline => state.cursors.pipeline.at,
        Screen::Clusters => state.cursors.clusters.at,
        Screen::Activity => state.cursors.activity.at,
    }
}
