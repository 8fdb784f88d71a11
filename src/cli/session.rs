//! One command's talk with the engine: wait until it knows, ask for a plan, run it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::engine::{Detail, Event, Handle, Inspect, Request};
use crate::model::{AppId, Approved, Ask, Connection, Fleet, Operation, OperationId, Plan, Problem};

/// Longest wait for clusters that are still being connected.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command's end of the engine.
pub struct Session {
    handle: Handle,
    events: broadcast::Receiver<Event>,
    tickets: u64,
}

impl Session {
    /// Listens to the engine.
    pub fn new(handle: Handle) -> Self {
        Self { events: handle.events(), handle, tickets: 0 }
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
        self.tickets += 1;
        let ticket = self.tickets;
        self.handle.send(Request::Plan { ticket, ask });
        loop {
            match self.next().await? {
                Event::Planned { ticket: answered, result } if answered == ticket => return result,
                _ => {}
            }
        }
    }

    /// Looks into an application.
    ///
    /// # Errors
    /// When the engine cannot see it.
    pub async fn inspect(&mut self, app: &AppId, what: Inspect) -> Result<Arc<Detail>, Problem> {
        self.tickets += 1;
        let ticket = self.tickets;
        self.handle.send(Request::Inspect { ticket, app: app.clone(), what });
        loop {
            match self.next().await? {
                Event::Inspected { ticket: answered, result } if answered == ticket => return result,
                _ => {}
            }
        }
    }

    /// Runs an approved plan to its end. Ctrl-C asks it to stop at the next safe point.
    ///
    /// # Errors
    /// When the engine refuses it or ends.
    pub async fn run(&mut self, approved: Approved) -> Result<Arc<Operation>, Problem> {
        self.handle.send(Request::Run(approved));
        let mut running: Option<OperationId> = None;
        loop {
            let event = tokio::select! {
                event = self.next() => event?,
                _ = tokio::signal::ctrl_c() => {
                    if let Some(id) = running {
                        self.handle.send(Request::Cancel(id));
                    }
                    continue;
                }
            };
            match event {
                Event::Started(id) => running = Some(id),
                Event::Finished(operation) if running.is_none_or(|id| id == operation.id) => return Ok(operation),
                Event::Refused(problem) if running.is_none() => return Err(problem),
                _ => {}
            }
        }
    }

    async fn next(&mut self) -> Result<Event, Problem> {
        loop {
            match self.events.recv().await {
                Ok(event) => return Ok(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return Err(Problem::new("the engine has ended")),
            }
        }
    }
}

fn is_settled(fleet: &Fleet) -> bool {
    fleet.loading.is_none()
        && fleet.generation > 0
        && !fleet.clusters.iter().any(|cluster| cluster.connection == Connection::Connecting)
}
