//! The words people read: sync, health, conditions.

use serde::{Deserialize, Serialize};

/// Whether a cluster holds what Git says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sync {
    /// Applying would change nothing besides bookkeeping.
    Synced,
    /// Applying would change something.
    OutOfSync,
    /// It could not be compared.
    #[default]
    Unknown,
}

impl Sync {
    /// Returns the word, as Argo CD writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::OutOfSync => "OutOfSync",
            Self::Unknown => "Unknown",
        }
    }
}

/// How well an object does, best first: `max` gives the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HealthStatus {
    /// Does its work.
    Healthy,
    /// Paused on purpose.
    Suspended,
    /// On its way.
    Progressing,
    /// Not in the cluster.
    Missing,
    /// Failed, or cannot get better by itself.
    Degraded,
    /// Cannot be told.
    #[default]
    Unknown,
}

impl HealthStatus {
    /// Returns the word, as Argo CD writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

/// A health and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The state.
    pub status: HealthStatus,
    /// One sentence, empty if there is nothing to say.
    pub message: String,
}

impl Health {
    /// Makes a health with a message.
    pub fn new(status: HealthStatus, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

/// What kind of condition an application carries: Argo CD's names, then our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionKind {
    /// The Application itself is wrong, or an API server would refuse it.
    InvalidSpecError,
    /// It does not render or cannot be compared.
    ComparisonError,
    /// The last sync failed.
    SyncError,
    /// Deleting failed.
    DeletionError,
    /// Something else failed.
    UnknownError,
    /// It asks for something that is not supported yet.
    NotSupportedError,
    /// No kubeconfig context matches its destination.
    NoContext,
    /// Its cluster does not answer.
    Unreachable,
    /// Another application claims one of its objects.
    SharedResourceWarning,
    /// It names one object twice.
    RepeatedResourceWarning,
    /// It names an object of an excluded kind.
    ExcludedResourceWarning,
    /// Its namespace has objects that nobody claims.
    OrphanedResourceWarning,
    /// It renders differently every time.
    NotDeterministicWarning,
    /// Its chart is not as fresh as it was asked for.
    ChartWarning,
}

impl ConditionKind {
    /// Returns the word, as Argo CD writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidSpecError => "InvalidSpecError",
            Self::ComparisonError => "ComparisonError",
            Self::SyncError => "SyncError",
            Self::DeletionError => "DeletionError",
            Self::UnknownError => "UnknownError",
            Self::NotSupportedError => "NotSupportedError",
            Self::NoContext => "NoContext",
            Self::Unreachable => "Unreachable",
            Self::SharedResourceWarning => "SharedResourceWarning",
            Self::RepeatedResourceWarning => "RepeatedResourceWarning",
            Self::ExcludedResourceWarning => "ExcludedResourceWarning",
            Self::OrphanedResourceWarning => "OrphanedResourceWarning",
            Self::NotDeterministicWarning => "NotDeterministicWarning",
            Self::ChartWarning => "ChartWarning",
        }
    }

    /// Says whether an application with this condition must not be synced.
    pub fn blocks_sync(self) -> bool {
        matches!(
            self,
            Self::InvalidSpecError
                | Self::ComparisonError
                | Self::NotSupportedError
                | Self::NoContext
                | Self::Unreachable
        )
    }
}

/// Something to know about an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which kind.
    pub kind: ConditionKind,
    /// One or more lines: what, where, what next. Never holds a secret's value.
    pub message: String,
}

impl Condition {
    /// Makes a condition.
    pub fn new(kind: ConditionKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
