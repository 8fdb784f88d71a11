//! What the engine reports.

use std::sync::Arc;

use super::look;
use crate::engine::{Event, Request};
use crate::model::{Operation, Phase};
use crate::tui::confirm::{Confirm, Stage};
use crate::tui::state::{Effect, Layer, State};

/// Takes a fact in.
pub(super) fn event(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Planned { ticket, result } => {
            if let Some(preview) = &mut state.preview {
                preview.answer(ticket, &result);
            }
            let waits = |confirm: &&mut Confirm| matches!(confirm.stage, Stage::Planning(asked) if asked == ticket);
            if let Some(confirm) = confirms(state).find(waits) {
                confirm.stage = match result {
                    Ok(plan) => Stage::Shown(plan),
                    Err(problem) => Stage::Failed(problem),
                };
            }
        }
        Event::Inspected { ticket, result } => {
            for layer in &mut state.layers {
                if let Layer::App(view) = layer {
                    view.answer(ticket, result.clone());
                }
            }
            // Logs wait for their pods, and what changed while the answer was on its way is asked for again.
            look(state, effects);
        }
        Event::Started(id) => {
            for confirm in confirms(state) {
                if let Stage::Sent(plan) = &confirm.stage {
                    confirm.stage = Stage::Started(plan.clone(), id);
                    confirm.top = 0;
                }
            }
        }
        Event::Refused(problem) => {
            let ticket = state.next_ticket();
            let sent = confirms(state).find(|confirm| matches!(confirm.stage, Stage::Sent(_)));
            if let Some(confirm) = sent {
                // Nothing was changed: what was confirmed is not what would be done now.
                confirm.stage = Stage::Planning(ticket);
                confirm.typed.clear();
                confirm.note = Some(problem.to_string());
                let ask = confirm.ask.clone();
                effects.push(Effect::Send(Box::new(Request::Plan { ticket, ask })));
            }
            state.say(true, problem.to_string());
        }
        Event::Finished(operation) => state.mention(operation.phase != Phase::Succeeded, outcome(&operation)),
        Event::Notice(problem) => state.say(true, problem.to_string()),
    }
}

/// Asks again for everything whose answer may be lost.
pub(super) fn missed(state: &mut State, effects: &mut Vec<Effect>) {
    if let Some(preview) = &mut state.preview {
        preview.missed();
    }
    let (fleet, mut ticket) = (state.fleet.clone(), state.ticket);
    for layer in &mut state.layers {
        match layer {
            Layer::App(view) => view.missed(),
            Layer::Confirm(confirm) => {
                if let Stage::Sent(plan) = &confirm.stage {
                    let came_of_it = |operation: &&Arc<Operation>| {
                        operation.plan == plan.id && confirm.after.is_none_or(|newest| newest < operation.id)
                    };
                    if let Some(operation) = fleet.operations.iter().find(came_of_it) {
                        confirm.stage = Stage::Started(plan.clone(), operation.id);
                        continue;
                    }
                    // Nobody can say whether it was refused: what is still to be done is shown and asked about anew.
                    confirm.typed.clear();
                    confirm.note = Some("whether it began is not known: this is what is to be done now".to_owned());
                }
                if matches!(confirm.stage, Stage::Planning(_) | Stage::Sent(_)) {
                    ticket += 1;
                    confirm.stage = Stage::Planning(ticket);
                    let ask = confirm.ask.clone();
                    effects.push(Effect::Send(Box::new(Request::Plan { ticket, ask })));
                }
            }
            _ => {}
        }
    }
    state.ticket = ticket;
    look(state, effects);
}

fn confirms(state: &mut State) -> impl Iterator<Item = &mut Confirm> {
    state.layers.iter_mut().filter_map(|layer| match layer {
        Layer::Confirm(confirm) => Some(&mut **confirm),
        _ => None,
    })
}

fn outcome(operation: &Operation) -> String {
    if operation.message.is_empty() {
        format!("{}: {}", operation.title, operation.phase.as_str())
    } else {
        format!("{}: {}", operation.title, operation.message)
    }
}
