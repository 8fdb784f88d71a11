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

/// Returns how many rows the list under the cursor shows: what a page is, and what a cursor has to stay within.
pub fn page(state: &State) -> usize {
    let area = Rect::new(0, 0, state.size.0, state.size.1);
    let body = usize::from(frame::parts(state, area).body.height);
    let rows = match (state.open_app(), state.screen) {
        (Some(_), _) | (None, Screen::Activity) => body,
        (None, Screen::Fleet) => fleet::rows(body),
        (None, Screen::Apps) => apps::rows(body),
        (None, Screen::Pipeline) => body / pipeline::HEIGHT,
        (None, Screen::Clusters) => clusters::rows(body),
    };
    rows.max(1)
}

/// Returns how many clusters the Fleet screen shows side by side.
pub fn columns(state: &State) -> usize {
    fleet::columns(state, usize::from(state.size.0)).count
}
