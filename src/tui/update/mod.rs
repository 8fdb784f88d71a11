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
use super::{preview, view};
use crate::engine::Request;
use crate::model::{App, Ask, Fleet, Phase};

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
        Message::Fleet(fleet) => take(state, fleet, &mut effects),
        Message::Engine(event) => engine::event(state, event, &mut effects),
        Message::Missed => engine::missed(state, &mut effects),
        Message::Tick(now) => {
            state.now = now;
            state.toasts.retain(|toast| {
                let seconds = if toast.bad { 2 * TOAST_SECONDS } else { TOAST_SECONDS };
                now.duration_since(toast.at).as_secs() < seconds
            });
            if let Some((ticket, ask)) = preview::rest(state) {
                effects.push(Effect::Send(Box::new(Request::Plan { ticket, ask })));
            }
        }
    }
    lists::settle(state);
    effects
}

/// Takes a snapshot in; what is selected stays selected, and what it shows of a changed application is asked for again.
fn take(state: &mut State, fleet: Arc<Fleet>, effects: &mut Vec<Effect>) {
    let before = state.open_app().and_then(|view| state.fleet.app(&view.app)).cloned();
    let story = view::selected_story(state);
    state.take(fleet);
    // Who was asked about one operation was not asked about the next.
    state.is_leaving &= is_working(state);
    if let Some(place) = story.and_then(|story| view::place_of_story(state, &story)) {
        state.cursors.activity.at = place;
    }
    let after = state.open_app().and_then(|view| state.fleet.app(&view.app));
    if before.zip(after).is_some_and(|(before, after)| has_changed(&before, after)) {
        outdate(state, |tab| tab != Tab::Logs);
        look(state, effects);
    }
}

/// Says whether more of an application changed than when its cluster last answered.
fn has_changed(before: &App, after: &App) -> bool {
    !Arc::ptr_eq(&before.objects, &after.objects)
        || before.sync != after.sync
        || before.health != after.health
        || before.why != after.why
        || before.commit != after.commit
        || before.chart != after.chart
        || before.operation != after.operation
}

/// Notes that what tabs show is from before a change; it stays on screen until the answer comes.
fn outdate(state: &mut State, which: fn(Tab) -> bool) {
    let Some(view) = open_view(state) else { return };
    for (tab, pane) in Tab::ALL.into_iter().zip(&mut view.panes) {
        pane.is_stale |= which(tab) && !matches!(pane.content, Content::Unasked);
    }
}

/// Asks for what the open tab shows, unless it is there and of now, or on its way.
fn look(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.ticket + 1;
    let Some(view) = open_view(state) else { return };
    // Without its pods there is nothing to ask the logs of.
    let tab = if view.tab == Tab::Logs && view.question(Tab::Logs).is_none() { Tab::Resources } else { view.tab };
    let Some(what) = view.question(tab) else { return };
    let app = view.app.clone();
    let pane = &mut view.panes[tab.index()];
    let is_wanted = match &pane.content {
        Content::Unasked => true,
        Content::Asked(..) => false,
        Content::Ready(_) | Content::Failed(_) => pane.is_stale,
    };
    if !is_wanted {
        return;
    }
    pane.is_stale = false;
    let content = &mut pane.content;
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
