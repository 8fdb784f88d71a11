//! The one confirmation: every change goes through it, and what is confirmed is exactly what it shows.

use std::sync::Arc;

use crate::model::{Ask, OperationId, Plan, Problem};

/// How far a confirmation is.
#[derive(Clone, Debug)]
pub enum Stage {
    /// The plan is being made; the answer will carry this ticket.
    Planning(u64),
    /// The plan is shown and can be confirmed.
    Shown(Arc<Plan>),
    /// No plan can be made.
    Failed(Problem),
    /// It was confirmed; the operation is about to begin.
    Sent(Arc<Plan>),
    /// It is being done, or was done.
    Started(Arc<Plan>, OperationId),
}

/// The box in which a plan is shown, confirmed and followed.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// What was asked for.
    pub ask: Ask,
    /// How far it is.
    pub stage: Stage,
    /// What was typed of the name that protects it.
    pub typed: String,
    /// The first line on screen.
    pub top: usize,
    /// Whether every field that changes is shown.
    pub details: bool,
    /// The newest operation when it was confirmed: what comes of it is newer.
    pub after: Option<OperationId>,
    /// What to say about the plan itself, such as that the world changed and it was made again.
    pub note: Option<String>,
}

impl Confirm {
    /// Opens it while the plan is being made.
    pub fn new(ask: Ask, ticket: u64) -> Self {
        Self {
            ask,
            stage: Stage::Planning(ticket),
            typed: String::new(),
            top: 0,
            details: false,
            after: None,
            note: None,
        }
    }

    /// Returns the plan, if there is one.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        match &self.stage {
            Stage::Shown(plan) | Stage::Sent(plan) | Stage::Started(plan, _) => Some(plan),
            Stage::Planning(_) | Stage::Failed(_) => None,
        }
    }

    /// Returns why there is no plan, if none can be made.
    pub fn problem(&self) -> Option<&Problem> {
        match &self.stage {
            Stage::Failed(problem) => Some(problem),
            _ => None,
        }
    }

    /// Returns the operation that came of it, if it has begun.
    pub fn operation(&self) -> Option<OperationId> {
        match &self.stage {
            Stage::Started(_, operation) => Some(*operation),
            _ => None,
        }
    }

    /// Returns what it is about before there is a plan.
    pub fn title(&self) -> String {
        match &self.ask {
            Ask::Sync(ask) => match ask.apps.as_slice() {
                [app] => format!("Sync {app}"),
                apps => format!("Sync {} applications", apps.len()),
            },
            Ask::Promote { from, to, .. } => format!("Promote {from} to {to}"),
            Ask::Rollback { environment, to, .. } => format!("Roll back {environment} to {to}"),
        }
    }

    /// Returns the plan if it may run now: it is shown, changes something, no gate is closed, and the name is typed if one
    /// is asked for.
    pub fn ready(&self) -> Option<&Arc<Plan>> {
        let Stage::Shown(plan) = &self.stage else { return None };
        let may = !plan.is_empty() && plan.closed().next().is_none();
        let is_typed = plan.protected.as_ref().is_none_or(|name| *name == self.typed);
        (may && is_typed).then_some(plan)
    }

    /// Says whether letters are typed into it: a plan is shown that asks for a name, and nothing keeps it from running.
    pub fn is_typing(&self) -> bool {
        let Stage::Shown(plan) = &self.stage else { return false };
        plan.protected.is_some() && !plan.is_empty() && plan.closed().next().is_none()
    }

    /// Says whether objects that Git no longer has would be deleted.
    pub fn prunes(&self) -> bool {
        match &self.ask {
            Ask::Sync(ask) => ask.prune,
            Ask::Promote { prune, .. } | Ask::Rollback { prune, .. } => *prune,
        }
    }

    /// Switches whether objects that Git no longer has are deleted; the plan has to be made again.
    pub fn switch_prune(&mut self, ticket: u64) {
        match &mut self.ask {
            Ask::Sync(ask) => ask.prune = !ask.prune,
            Ask::Promote { prune, .. } | Ask::Rollback { prune, .. } => *prune = !*prune,
        }
        self.stage = Stage::Planning(ticket);
        self.typed.clear();
        self.top = 0;
    }
}
