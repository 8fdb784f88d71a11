//! Environments: the stages of the promotion chain.

use jiff::Timestamp;

use super::{ClusterName, CommitId, CommitInfo, EnvironmentName};

/// A Git reference that an environment follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// `HEAD`: the default branch.
    Head,
    /// A branch's short name.
    Branch(String),
    /// A tag's short name.
    Tag(String),
    /// Anything else: a commit or a constraint, which cannot be moved.
    Fixed(String),
}

impl Reference {
    /// Returns the text that stands in `targetRevision`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Head => "HEAD",
            Self::Branch(name) | Self::Tag(name) | Self::Fixed(name) => name,
        }
    }
}

/// What has to hold before an environment may change. Comes from the repository's `.quarterdeck.yaml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GatePolicy {
    /// How long the environment before has to be healthy, in seconds.
    pub soak_seconds: u64,
    /// Whether the environment before has to be Healthy and Synced.
    pub require_healthy: bool,
    /// Whether its name has to be typed.
    pub protected: bool,
    /// Whether it may not be changed at all.
    pub read_only: bool,
    /// Reason while it is frozen.
    pub frozen: Option<String>,
    /// Most objects one plan may delete; `None` means no limit.
    pub max_deletions: Option<usize>,
}

/// An environment that was rolled back and stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The release or the commit that it is held at.
    pub at: String,
    /// The newest release, if that is known to be ahead.
    pub newer: Option<String>,
    /// Who rolled it back and when, if the journal says so.
    pub by: Option<(String, Timestamp)>,
}

/// A stage of the promotion chain: a reference and the clusters that follow it.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// The reference that it follows.
    pub reference: Reference,
    /// The commit that the reference names now, if it can be resolved.
    pub commit: Option<CommitId>,
    /// Release tag that names the same commit, if there is one.
    pub release: Option<String>,
    /// Clusters in it, in order.
    pub clusters: Vec<ClusterName>,
    /// The environment it is promoted from, if any.
    pub from: Option<EnvironmentName>,
    /// Commits of `from` that are not here.
    pub behind: usize,
    /// The newest of them, newest first.
    pub waiting: Vec<CommitInfo>,
    /// Release tags that it can go back to, newest first, with their commits.
    pub releases: Vec<(String, CommitInfo)>,
    /// The newest release tag, if that is ahead of where it stands although releases are cut when this environment takes them over.
    pub newer: Option<String>,
    /// Whether the default comes from inference and not from a policy file.
    pub inferred: bool,
    /// What has to hold before it may change.
    pub policy: GatePolicy,
}
