//! What becomes of the state when something comes in: pure, so that every key can be tested.

mod act;
mod engine;
mod keys;
mod lists;
mod mouse;

use std::sync::Arc;

use super::app_view::{AppView, Content, Tab};
use super::confirm::Confirm;
use super::state::{Effect, Layer, Message, State};
use crate::engine::Request;
use crate::model::{Ask, Phase};

/// How long news stay on screen, in seconds.
const TOAST_SECONDS: i64 = 4;

/// Takes one message in and returns what has to be done outside.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    match message {
        Message::Key(event) => keys::key(state, event, &mut effects),
        Message::Mouse(event) => mouse::mouse(state, event, &mut effects),
        Message::Paste(text) => keys::paste(state, &text),
        Message::Resize(columns, rows) => state.size = (columns, rows),
        Message::Fleet(fleet) => {
            let before = state.open_app().and_then(|view| state.fleet.app(&view.app)).cloned();
            state.take(fleet);
            let after = state.open_app().and_then(|view| state.fleet.app(&view.app));
            let has_changed = match (&before, after) {
                (Some(before), Some(after)) => !Arc::ptr_eq(before, after),
                _ => false,
            };
            if has_changed {
                look_again(state, &mut effects);
            }
        }
        Message::Engine(event) => engine::event(state, event, &mut effects),
        Message::Tick(now) => {
            state.now = now;
            state.toasts.retain(|toast| {
                let seconds = if toast.bad { 2 * TOAST_SECONDS } else { TOAST_SECONDS };
                now.duration_since(toast.at).as_secs() < seconds
            });
        }
    }
    lists::settle(state);
    effects
}

/// Asks for what the open tab shows, unless it is there or on its way.
fn look(state: &mut State, effects: &mut Vec<Effect>) {
    ask(state, effects, |content| matches!(content, Content::Unasked));
}

/// Asks anew for what the open tab shows; what is there stays on screen until the answer comes.
fn look_again(state: &mut State, effects: &mut Vec<Effect>) {
    ask(state, effects, |content| !matches!(content, Content::Asked(..)));
}

fn ask(state: &mut State, effects: &mut Vec<Effect>, wanted: fn(&Content) -> bool) {
    let ticket = state.ticket + 1;
    let Some(view) = open_view(state) else { return };
    // Without its pods there is nothing to ask the logs of.
    let tab = if view.tab == Tab::Logs && view.question(Tab::Logs).is_none() { Tab::Resources } else { view.tab };
    let Some(what) = view.question(tab) else { return };
    let app = view.app.clone();
    let content = &mut view.panes[tab.index()].content;
    if !wanted(content) {
        return;
    }
    let before = match std::mem::take(content) {
        Content::Ready(detail) | Content::Asked(_, Some(detail)) => Some(detail),
        _ => None,
    };
    *content = Content::Asked(ticket, before);
    state.ticket = ticket;
    effects.push(Effect::Send(Box::new(Request::Inspect { ticket, app, what })));
}

/// Returns the application that is open, to change.
fn open_view(state: &mut State) -> Option<&mut AppView> {
    state.layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::App(view) => Some(&mut **view),
        _ => None,
    })
}

/// Asks for a plan and opens the confirmation for it.
fn plan(state: &mut State, ask: Ask, effects: &mut Vec<Effect>) {
    let ticket = state.next_ticket();
    state.layers.push(Layer::Confirm(Box::new(Confirm::new(ask.clone(), ticket))));
    effects.push(Effect::Send(Box::new(Request::Plan { ticket, ask })));
}

/// Says whether something is being done.
fn is_working(state: &State) -> bool {
    state.fleet.operations.iter().any(|operation| matches!(operation.phase, Phase::Running | Phase::Stopping))
}
