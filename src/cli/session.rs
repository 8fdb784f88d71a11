//! One command's talk with the engine: wait until it knows, ask for a plan, run it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::engine::{Detail, Event, Handle, Inspect, Request};
use crate::model::{AppId, Approved, Ask, Connection, Fleet, Operation, Plan, Problem};

/// Longest wait for clusters that are still being connected.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command's end of the engine.
pub struct Session {
    handle: Handle,
    events: broadcast::Receiver<Event>,
    tickets: u64,
    patience: Option<Duration>,
    gave_up: bool,
}

impl Session {
    /// Listens to the engine.
    pub fn new(handle: Handle) -> Self {
        Self { events: handle.events(), handle, tickets: 0, patience: None, gave_up: false }
    }

    /// Sets how long an operation may take; one that takes longer is stopped at its next safe point.
    pub fn hurry(&mut self, patience: Option<Duration>) {
        self.patience = patience;
    }

    /// Says whether an operation was stopped because it took too long.
    pub fn has_given_up(&self) -> bool {
        self.gave_up
    }

    /// Waits until everything was read and compared once, or a cluster has not answered for too long.
    pub async fn settled(&self) -> Arc<Fleet> {
        let mut snapshots = self.handle.subscribe();
        let settle = async {
            loop {
                let fleet = snapshots.borrow_and_update().clone();
                if is_settled(&fleet) || snapshots.changed().await.is_err() {
                    return fleet;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, settle).await {
            Ok(fleet) => fleet,
            Err(_) => self.handle.fleet(),
        }
    }

    /// Waits until Git was read, without waiting for clusters.
    pub async fn read(&self) -> Arc<Fleet> {
        let mut snapshots = self.handle.subscribe();
        loop {
            let fleet = snapshots.borrow_and_update().clone();
            if (fleet.generation > 0 && fleet.loading.is_none()) || snapshots.changed().await.is_err() {
                return fleet;
            }
        }
    }

    /// Returns what a reader of the answer should know besides: what went wrong, and what was not read.
    pub fn cautions(&self) -> Vec<String> {
        let fleet = self.handle.fleet();
        let mut cautions: Vec<String> = fleet.problems.iter().map(Problem::to_string).collect();
        let silent: Vec<&str> = fleet
            .clusters
            .iter()
            .filter(|cluster| cluster.connection == Connection::Connecting)
            .map(|cluster| cluster.name.as_str())
            .collect();
        if !silent.is_empty() {
            cautions.push(format!("not everything was read: {} has not answered yet", silent.join(", ")));
        }
        if fleet.apps.is_empty() && fleet.loading.is_none() && fleet.generation > 0 {
            cautions.push("the repository has no Applications; name another one with --repo".to_owned());
        }
        cautions
    }

    /// Asks for a plan.
    ///
    /// # Errors
    /// When it cannot be made, with the reason.
    pub async fn plan(&mut self, ask: Ask) -> Result<Arc<Plan>, Problem> {
        let ticket = self.ticket();
        self.answer(
            || Request::Plan { ticket, ask: ask.clone() },
            |event| match event {
                Event::Planned { ticket: answered, result } if answered == ticket => Some(result),
                _ => None,
            },
        )
        .await
    }

    /// Looks into an application.
    ///
    /// # Errors
    /// When the engine cannot see it.
    pub async fn inspect(&mut self, app: &AppId, what: Inspect) -> Result<Arc<Detail>, Problem> {
        let ticket = self.ticket();
        self.answer(
            || Request::Inspect { ticket, app: app.clone(), what: what.clone() },
            |event| match event {
                Event::Inspected { ticket: answered, result } if answered == ticket => Some(result),
                _ => None,
            },
        )
        .await
    }

    /// Runs an approved plan to its end. Ctrl-C asks it to stop at the next safe point.
    ///
    /// # Errors
    /// When the engine refuses it or ends.
    pub async fn run(&mut self, approved: Approved) -> Result<Arc<Operation>, Problem> {
        let plan = approved.plan().id.clone();
        let mut snapshots = self.handle.subscribe();
        self.handle.send(Request::Run(approved));
        let start = tokio::time::Instant::now();
        let deadline = self.patience.map(|patience| start + patience);
        loop {
            // The snapshot tells of its end too, should the event be lost.
            let known = snapshots.borrow_and_update().operations.iter().find(|known| known.plan == plan).cloned();
            if let Some(operation) = known.as_ref().filter(|operation| operation.phase.is_over()) {
                return Ok(operation.clone());
            }
            let running = known.map(|operation| operation.id);
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(Event::Finished(operation)) if operation.plan == plan => return Ok(operation),
                    Ok(Event::Refused(problem)) if running.is_none() => return Err(problem),
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(ended()),
                },
                changed = snapshots.changed() => changed.map_err(|_| ended())?,
                () = tokio::time::sleep_until(deadline.unwrap_or(start)),
                    if deadline.is_some() && !self.gave_up && running.is_some() =>
                {
                    self.gave_up = true;
                    if let Some(id) = running {
                        self.handle.send(Request::Cancel(id));
                    }
                }
                _ = tokio::signal::ctrl_c() => {
                    if let Some(id) = running {
                        self.handle.send(Request::Cancel(id));
                    }
                }
            }
        }
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Sends a request until its answer comes: an answer may be lost among too many others.
    async fn answer<T>(
        &mut self,
        request: impl Fn() -> Request,
        take: impl Fn(Event) -> Option<Result<T, Problem>>,
    ) -> Result<T, Problem> {
        self.handle.send(request());
        loop {
            match self.events.recv().await {
                Ok(event) => {
                    if let Some(result) = take(event) {
                        return result;
                    }
                }
                Err(RecvError::Lagged(_)) => self.handle.send(request()),
                Err(RecvError::Closed) => return Err(ended()),
            }
        }
    }
}

fn ended() -> Problem {
    Problem::new("the engine has ended")
}

fn is_settled(fleet: &Fleet) -> bool {
    fleet.loading.is_none()
        && fleet.generation > 0
        && !fleet.clusters.iter().any(|cluster| cluster.connection == Connection::Connecting)
}
