//! Operations: what is being done or was done in this run.

use jiff::Timestamp;

use super::{AppId, ClusterName, Key, OperationId, PlanId, PlanKind};

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// At work.
    Running,
    /// Asked to stop; the object in hand is being finished.
    Stopping,
    /// Everything that was asked for is done.
    Succeeded,
    /// Something was refused by a cluster or did not become healthy.
    Failed,
    /// It could not run.
    Error,
    /// Stopped on request.
    Cancelled,
}

impl Phase {
    /// Says whether nothing more will happen.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Running | Self::Stopping)
    }

    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// One thing that somebody asked for and confirmed.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Number within this run.
    pub id: OperationId,
    /// The plan that was confirmed.
    pub plan: PlanId,
    /// Sync, promotion, rollback.
    pub kind: PlanKind,
    /// The plan's title.
    pub title: String,
    /// Who.
    pub actor: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// How it stands.
    pub phase: Phase,
    /// One sentence about now or about the end.
    pub message: String,
    /// Per application, in the order in which they are worked on.
    pub apps: Vec<AppProgress>,
}

/// How far one application has come.
#[derive(Clone, Debug)]
pub struct AppProgress {
    /// Which one.
    pub app: AppId,
    /// Where.
    pub cluster: ClusterName,
    /// How it stands; `None` while it waits.
    pub phase: Option<Phase>,
    /// What it waits for or how it ended.
    pub message: String,
    /// Number of objects to write.
    pub total: usize,
    /// What was done, in order.
    pub results: Vec<ObjectResult>,
}

/// What became of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultStatus {
    /// Written, or already right.
    Synced,
    /// Refused.
    SyncFailed,
    /// Deleted.
    Pruned,
    /// Left, although Git no longer has it.
    PruneSkipped,
}

impl ResultStatus {
    /// Returns the word, as Argo CD writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::SyncFailed => "SyncFailed",
            Self::Pruned => "Pruned",
            Self::PruneSkipped => "PruneSkipped",
        }
    }
}

/// One object's result.
#[derive(Clone, Debug)]
pub struct ObjectResult {
    /// Which one.
    pub key: Key,
    /// What became of it.
    pub status: ResultStatus,
    /// In words: `deployment.apps/web configured`.
    pub message: String,
}
