//! What a promotion would change, worked out while the selection rests on an environment.

use std::sync::Arc;

use super::state::{Screen, State};
use crate::model::{Ask, CommitId, Environment, EnvironmentName, Plan, Problem};

/// Which promotion: from where to where, and at which commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    from: EnvironmentName,
    to: EnvironmentName,
    commits: (Option<CommitId>, Option<CommitId>),
}

/// How much is known of it.
#[derive(Clone, Debug)]
pub enum Stage {
    /// The selection has only just come here.
    Resting,
    /// The plan will carry this ticket.
    Asked(u64),
    /// The plan.
    Ready(Arc<Plan>),
    /// No plan can be made.
    Failed(Problem),
}

/// What the promotion out of the selected environment would change.
#[derive(Clone, Debug)]
pub struct Preview {
    subject: Subject,
    /// How much is known.
    pub stage: Stage,
}

impl Preview {
    /// Says whether it is about a promotion as it would be now.
    pub fn is_of(&self, state: &State, to: &Environment) -> bool {
        subject(state, to).as_ref() == Some(&self.subject)
    }

    /// Returns the plan, if it is there.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        match &self.stage {
            Stage::Ready(plan) => Some(plan),
            _ => None,
        }
    }

    /// Takes an answer in, if it is the one that is waited for.
    pub fn answer(&mut self, ticket: u64, result: &Result<Arc<Plan>, Problem>) {
        if matches!(self.stage, Stage::Asked(asked) if asked == ticket) {
            self.stage = match result {
                Ok(plan) => Stage::Ready(plan.clone()),
                Err(problem) => Stage::Failed(problem.clone()),
            };
        }
    }

    /// Notes that an answer may be lost, so that it is asked for again.
    pub fn missed(&mut self) {
        if matches!(self.stage, Stage::Asked(_)) {
            self.stage = Stage::Resting;
        }
    }
}

fn subject(state: &State, to: &Environment) -> Option<Subject> {
    let from = state.fleet.environment(to.from.as_ref()?)?;
    Some(Subject { from: from.name.clone(), to: to.name.clone(), commits: (from.commit.clone(), to.commit.clone()) })
}

/// Looks whether the selection rests where something waits; returns what has to be asked then, with its ticket.
pub fn rest(state: &mut State) -> Option<(u64, Ask)> {
    if state.screen != Screen::Pipeline || !state.layers.is_empty() || state.fleet.loading.is_some() {
        return None;
    }
    let selected = state.fleet.environments.get(state.cursors.pipeline.at)?;
    let waits = |to: &&Arc<Environment>| to.from.as_ref() == Some(&selected.name) && to.behind > 0;
    let subject = subject(state, state.fleet.environments.iter().find(waits)?)?;
    match &state.preview {
        Some(preview) if preview.subject == subject => match preview.stage {
            Stage::Resting => {}
            _ => return None,
        },
        _ => {
            state.preview = Some(Preview { subject, stage: Stage::Resting });
            return None;
        }
    }
    let ticket = state.next_ticket();
    let ask = Ask::Promote { from: subject.from.clone(), to: subject.to.clone(), prune: false };
    state.preview = Some(Preview { subject, stage: Stage::Asked(ticket) });
    Some((ticket, ask))
}
