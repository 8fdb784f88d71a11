//! The journal's entries: who did what, and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything was done.
    Succeeded,
    /// Something failed.
    Failed,
    /// It was stopped on request.
    Cancelled,
    /// The program ended before the action did.
    Interrupted,
}

/// One action, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Unique and sortable: time and a random part.
    pub id: String,
    /// When it began.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// `sync`, `promote`, `rollback`.
    pub action: String,
    /// The plan's title.
    pub title: String,
    /// Applications that were touched.
    pub apps: Vec<String>,
    /// References that moved: `refs/tags/stable abc123 -> def456`.
    pub moves: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence: what was done, what was not, what to do next.
    pub message: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}
