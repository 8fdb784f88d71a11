//! Signs: every state has a sign, a word and a colour, and any one of the three is enough.

use jiff::Timestamp;

use super::age;
use super::theme::Ink;
use crate::model::{App, AppProgress, Condition, ConditionKind, Connection, Fleet, HealthStatus, Phase, Sync};

/// A state as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Synced.
    Synced,
    /// OutOfSync.
    OutOfSync,
    /// Does not render or cannot be compared.
    Broken,
    /// Healthy.
    Healthy,
    /// Progressing.
    Progressing,
    /// Degraded.
    Degraded,
    /// Missing.
    Missing,
    /// Suspended.
    Suspended,
    /// Nobody can tell.
    Unknown,
    /// Being worked on.
    Working,
    /// Held back.
    Held,
    /// Waits for something else.
    Waiting,
}

impl Sign {
    /// Returns the sign, one column wide.
    pub fn glyph(self, ascii: bool) -> &'static str {
        let (sign, plain) = match self {
            Self::Synced => ("✓", "="),
            Self::OutOfSync => ("≠", "#"),
            Self::Broken => ("✗", "!"),
            Self::Healthy => ("♥", "+"),
            Self::Progressing => ("◐", "~"),
            Self::Degraded => ("▼", "v"),
            Self::Missing => ("∅", "0"),
            Self::Suspended => ("‖", "\""),
            Self::Unknown => ("?", "?"),
            Self::Working => ("↻", ">"),
            Self::Held => ("⚑", "^"),
            Self::Waiting => ("⧗", "w"),
        };
        if ascii { plain } else { sign }
    }

    /// Returns its meaning for the eye.
    pub fn ink(self) -> Ink {
        match self {
            Self::Synced | Self::Healthy => Ink::Good,
            Self::OutOfSync | Self::Missing => Ink::Warn,
            Self::Broken | Self::Degraded => Ink::Bad,
            Self::Progressing | Self::Working => Ink::Info,
            Self::Held => Ink::Accent,
            Self::Suspended | Self::Unknown | Self::Waiting => Ink::Dim,
        }
    }

    /// Returns the sign of a health.
    pub fn health(status: HealthStatus) -> Self {
        match status {
            HealthStatus::Healthy => Self::Healthy,
            HealthStatus::Suspended => Self::Suspended,
            HealthStatus::Progressing => Self::Progressing,
            HealthStatus::Missing => Self::Missing,
            HealthStatus::Degraded => Self::Degraded,
            HealthStatus::Unknown => Self::Unknown,
        }
    }

    /// Returns the sign of a comparison.
    pub fn sync(sync: Sync) -> Self {
        match sync {
            Sync::Synced => Self::Synced,
            Sync::OutOfSync => Self::OutOfSync,
            Sync::Unknown => Self::Unknown,
        }
    }

    /// Returns the sign of an operation's phase.
    pub fn phase(phase: Phase) -> Self {
        match phase {
            Phase::Running | Phase::Stopping => Self::Working,
            Phase::Succeeded => Self::Synced,
            Phase::Failed | Phase::Error => Self::Broken,
            Phase::Cancelled => Self::Suspended,
        }
    }
}

/// An application's two signs with their words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// Comparison.
    pub sync: (Sign, String),
    /// Health.
    pub health: (Sign, String),
    /// Whether what is shown is older than its cluster's last contact.
    pub stale: bool,
}

/// Returns why an application cannot be compared whatever its cluster says: what Git has is wrong.
pub fn broken(app: &App) -> Option<&Condition> {
    let is_about_git = |kind| !matches!(kind, ConditionKind::NoContext | ConditionKind::Unreachable);
    app.conditions.iter().find(|condition| condition.kind.blocks_sync() && is_about_git(condition.kind))
}

/// Returns how far the running operation has come with an application; nothing once it is done with it.
pub fn progress<'a>(fleet: &'a Fleet, app: &App) -> Option<&'a AppProgress> {
    let operation = app.operation.and_then(|id| fleet.operation(id))?;
    operation.apps.iter().find(|progress| progress.app == app.id && progress.phase.is_none_or(|phase| !phase.is_over()))
}

/// Returns how an application is drawn. What cannot be reached is never drawn as healthy.
pub fn badge(fleet: &Fleet, app: &App, now: Timestamp) -> Badge {
    let lost =
        fleet.cluster(&app.cluster).filter(|_| !app.is_virtual()).and_then(|cluster| match &cluster.connection {
            Connection::Lost { since, .. } => Some(format!("lost {}", age::short(now, *since))),
            Connection::NoContext => Some("no context".to_owned()),
            _ => None,
        });
    let sync = if let Some(progress) = progress(fleet, app) {
        match progress.phase {
            None => (Sign::Waiting, "waits".to_owned()),
            Some(_) => (Sign::Working, format!("{}/{}", progress.results.len(), progress.total)),
        }
    } else if let Some(condition) = broken(app) {
        (Sign::Broken, condition.kind.as_str().to_owned())
    } else if let Some(words) = &lost {
        (Sign::Unknown, words.clone())
    } else if app.sync == Sync::Unknown {
        match app.blocked() {
            Some(condition) => (Sign::Broken, condition.kind.as_str().to_owned()),
            None => (Sign::Unknown, "Unknown".to_owned()),
        }
    } else {
        (Sign::sync(app.sync), app.sync.as_str().to_owned())
    };
    let health = if lost.is_some() {
        (Sign::Unknown, "Unknown".to_owned())
    } else {
        (Sign::health(app.health.status), app.health.status.as_str().to_owned())
    };
    Badge { sync, health, stale: lost.is_some() }
}
