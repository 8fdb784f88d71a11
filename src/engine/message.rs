//! What can be asked of the engine and what it reports: plain data.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};

use crate::diff::Hunk;
use crate::model::{
    AppId, Approved, Ask, CommitInfo, FieldChange, Fleet, Health, Key, Operation, OperationId, Plan, Problem, Sync,
};

/// An order to the engine.
#[derive(Debug)]
pub enum Request {
    /// Look again at applications; all if none is named. `hard` also fetches the repository and renders anew.
    Refresh {
        /// Which ones.
        apps: Vec<AppId>,
        /// Whether caches are left aside.
        hard: bool,
    },
    /// Work out what would change; answered by [`Event::Planned`].
    Plan {
        /// Comes back with the answer.
        ticket: u64,
        /// What is wanted.
        ask: Ask,
    },
    /// Do what was confirmed.
    Run(Approved),
    /// Stop an operation at its next safe point.
    Cancel(OperationId),
    /// Look into one application; answered by [`Event::Inspected`].
    Inspect {
        /// Comes back with the answer.
        ticket: u64,
        /// Which one.
        app: AppId,
        /// What about it.
        what: Inspect,
    },
    /// End. Running operations stop at their next safe point first.
    Shutdown,
}

/// What can be seen of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inspect {
    /// Its objects and what belongs to them.
    Tree,
    /// What differs, object by object.
    Diff,
    /// What Git says.
    Manifests,
    /// The values its chart is rendered with.
    Values,
    /// What happened to its objects.
    Events,
    /// The last lines of a container.
    Logs {
        /// The pod.
        pod: Key,
        /// The container; empty means the first.
        container: String,
    },
    /// The commits that touched it.
    History,
}

/// A fact that the engine reports.
#[derive(Clone, Debug)]
pub enum Event {
    /// A plan is ready, or cannot be made.
    Planned {
        /// The request's ticket.
        ticket: u64,
        /// The plan.
        result: Result<Arc<Plan>, Problem>,
    },
    /// What was asked about an application.
    Inspected {
        /// The request's ticket.
        ticket: u64,
        /// The answer.
        result: Result<Arc<Detail>, Problem>,
    },
    /// An operation began.
    Started(OperationId),
    /// A confirmed plan was refused; nothing was changed.
    Refused(Problem),
    /// An operation ended.
    Finished(Arc<Operation>),
    /// Something to tell.
    Notice(Problem),
}

/// What was asked about an application.
#[derive(Clone, Debug)]
pub enum Detail {
    /// Objects, parents before their children.
    Tree(Vec<TreeRow>),
    /// Objects that are compared; those that differ first.
    Diff(Vec<ObjectDiff>),
    /// Objects with their YAML; secrets masked.
    Manifests(Vec<(Key, String)>),
    /// YAML.
    Values(String),
    /// Newest last.
    Events(Vec<EventRow>),
    /// Lines, oldest first.
    Logs(Vec<String>),
    /// Newest first.
    History(Vec<CommitInfo>),
}

/// One row of the resource tree.
#[derive(Clone, Debug)]
pub struct TreeRow {
    /// How deep it stands; 0 is a managed object.
    pub depth: usize,
    /// The object.
    pub key: Key,
    /// Comparison, if it is compared.
    pub sync: Option<Sync>,
    /// Health, if its kind has one.
    pub health: Option<Health>,
    /// A few words: what differs, how many are ready.
    pub message: String,
    /// Containers of a pod.
    pub containers: Vec<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// One object's difference.
#[derive(Clone, Debug)]
pub struct ObjectDiff {
    /// The object.
    pub key: Key,
    /// Fields that differ, with who wrote the live value.
    pub fields: Vec<FieldChange>,
    /// The live object as YAML, secrets masked; empty if it is missing.
    pub live: String,
    /// What it would be, as YAML, secrets masked; empty if it would be deleted.
    pub git: String,
    /// The same as hunks of lines.
    pub hunks: Vec<Hunk>,
    /// Fields that differ and that `ignoreDifferences` leaves out.
    pub ignored: Vec<FieldChange>,
    /// The file that wrote the side of Git: a manifest, or a chart's template; empty if that is not known.
    pub origin: String,
    /// When each manager wrote last, of those that have written in one way only.
    pub written: Vec<(String, Timestamp)>,
}

impl ObjectDiff {
    /// Says whether anything differs.
    pub fn differs(&self) -> bool {
        !self.fields.is_empty() || self.live.is_empty() || self.git.is_empty()
    }

    /// Returns when a manager wrote last, if that is known for certain.
    pub fn written_by(&self, manager: &str) -> Option<Timestamp> {
        self.written.iter().find(|(name, _)| name == manager).map(|(_, at)| *at)
    }

    /// Returns the difference as unified text.
    pub fn unified(&self) -> String {
        crate::diff::unified(&self.live, &self.git)
    }
}

/// One Kubernetes event.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// When it was last seen.
    pub at: Option<Timestamp>,
    /// `Normal` or `Warning`.
    pub kind: String,
    /// A word.
    pub reason: String,
    /// What it is about.
    pub object: Key,
    /// A sentence.
    pub message: String,
    /// How often.
    pub count: i64,
}

/// The engine's front door. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) requests: mpsc::UnboundedSender<Request>,
    pub(super) fleet: watch::Receiver<Arc<Fleet>>,
    pub(super) events: broadcast::Sender<Event>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    /// Returns the newest snapshot.
    pub fn fleet(&self) -> Arc<Fleet> {
        self.fleet.borrow().clone()
    }

    /// Returns a receiver that always holds the newest snapshot.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Fleet>> {
        self.fleet.clone()
    }

    /// Returns a receiver of the facts from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Sends a request. One that comes after the engine has ended is dropped.
    pub fn send(&self, request: Request) {
        drop(self.requests.send(request));
    }
}
