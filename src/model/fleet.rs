//! The snapshot that the engine publishes and the front ends read.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AppId, AuditEntry, ClusterName, CommitId, Condition, Environment, EnvironmentName, Health, Held, Key, Operation,
    OperationId, PlanKind, Problem, Reference, Sync,
};

/// Everything known at one moment. Cheap to clone; readers never wait for the engine.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// Grows with each snapshot.
    pub generation: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// The repository.
    pub repository: RepositoryInfo,
    /// What may be changed.
    pub mode: Mode,
    /// Clusters in promotion order.
    pub clusters: Vec<Arc<Cluster>>,
    /// Environments in promotion order.
    pub environments: Vec<Arc<Environment>>,
    /// Applications by name.
    pub apps: Vec<Arc<App>>,
    /// Operations of this run, newest first.
    pub operations: Vec<Arc<Operation>>,
    /// The journal of earlier actions, newest first.
    pub audit: Arc<[AuditEntry]>,
    /// What is still being read; `None` once everything was seen once.
    pub loading: Option<Progress>,
    /// What went wrong apart from single applications and clusters.
    pub problems: Vec<Problem>,
}

impl Fleet {
    /// Finds an application.
    pub fn app(&self, id: &AppId) -> Option<&Arc<App>> {
        self.apps.binary_search_by(|app| app.id.cmp(id)).ok().map(|at| &self.apps[at])
    }

    /// Finds a cluster.
    pub fn cluster(&self, name: &ClusterName) -> Option<&Arc<Cluster>> {
        self.clusters.iter().find(|cluster| &cluster.name == name)
    }

    /// Finds an environment.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Arc<Environment>> {
        self.environments.iter().find(|environment| &environment.name == name)
    }

    /// Says whether an environment was rolled back and stays there. What moved its reference last decides; without a word of that in the
    /// journal, a newer release does.
    pub fn held(&self, environment: &Environment) -> Option<Held> {
        let commit = environment.commit.as_ref()?;
        let at = environment.release.clone().unwrap_or_else(|| commit.short().to_owned());
        let held = |by| Some(Held { at, newer: environment.newer.clone(), by });
        let Reference::Tag(tag) = &environment.reference else { return None };
        let prefix = format!("refs/tags/{tag} ");
        let moved = |entry: &&AuditEntry| entry.moves.iter().any(|moved| moved.starts_with(&prefix));
        let is_here = |entry: &AuditEntry| {
            entry
                .moves
                .iter()
                .any(|moved| moved.starts_with(&prefix) && moved.ends_with(&format!("> {}", commit.short())))
        };
        match self.audit.iter().find(moved).filter(|entry| is_here(entry)) {
            Some(entry) if entry.action == PlanKind::Rollback.as_str() => held(Some((entry.actor.clone(), entry.at))),
            Some(_) => None,
            None => environment.newer.is_some().then(|| held(None)).flatten(),
        }
    }

    /// Finds an operation.
    pub fn operation(&self, id: OperationId) -> Option<&Arc<Operation>> {
        self.operations.iter().find(|operation| operation.id == id)
    }
}

/// What may be changed, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing changes unless somebody asks and confirms.
    #[default]
    Observe,
    /// Nothing changes at all.
    ReadOnly,
}

/// How far a stage has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is going on, such as `reading charts`.
    pub what: String,
    /// Done so far.
    pub done: usize,
    /// Of how many; 0 if that is not known.
    pub total: usize,
}

/// The repository that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryInfo {
    /// Short name for the header.
    pub name: String,
    /// Folder.
    pub path: String,
    /// URL of the remote without credentials; empty if there is none.
    pub remote: String,
    /// URL by which the Applications know it, if it is none of its remotes: they all name it, with paths that are here.
    pub known_as: Option<String>,
    /// Default branch.
    pub default_branch: String,
    /// Commit of the default branch.
    pub head: Option<CommitId>,
    /// When it was last fetched, if it has a remote.
    pub fetched: Option<Timestamp>,
    /// Why fetching fails, if it does.
    pub error: Option<Problem>,
}

/// How a cluster's connection stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// No context matches.
    #[default]
    NoContext,
    /// Being connected for the first time.
    Connecting,
    /// Watched, up to date.
    Live,
    /// Answers, but not to everything: what does not work.
    Degraded(String),
    /// Does not answer: why, and since when.
    Lost {
        /// Why, in words.
        reason: String,
        /// Since when.
        since: Timestamp,
    },
}

impl Connection {
    /// Returns the word that screens and JSON use: `no-context`, `connecting`, `live`, `degraded`, `lost`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NoContext => "no-context",
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Degraded(_) => "degraded",
            Self::Lost { .. } => "lost",
        }
    }
}

/// A cluster that applications go to.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Shown name.
    pub name: ClusterName,
    /// API server URL as the destination or the kubeconfig gives it.
    pub server: String,
    /// kubeconfig context, if one matches.
    pub context: Option<String>,
    /// Environment, if it is in one.
    pub environment: Option<EnvironmentName>,
    /// How the connection stands.
    pub connection: Connection,
    /// Server version such as `v1.33.2`; empty until known.
    pub version: String,
    /// When it last answered.
    pub last_contact: Option<Timestamp>,
    /// Number of watched kinds.
    pub kinds: usize,
    /// Number of managed objects seen.
    pub objects: usize,
    /// Median and 99th percentile latency in milliseconds, once known.
    pub latency: Option<(u32, u32)>,
    /// Failed requests so far.
    pub errors: u64,
    /// The last failure in words.
    pub last_error: Option<String>,
    /// Not tried again before.
    pub retry_at: Option<Timestamp>,
}

impl Default for ClusterName {
    fn default() -> Self {
        Self::new("")
    }
}

/// An application as it stands.
#[derive(Clone, Debug)]
pub struct App {
    /// Instance name.
    pub id: AppId,
    /// `metadata.name`.
    pub name: String,
    /// Name without its cluster's prefix or suffix: the row on the Fleet screen.
    pub component: String,
    /// The folder or label that groups it; empty if none.
    pub group: String,
    /// Cluster that it goes to.
    pub cluster: ClusterName,
    /// Environment, if its cluster is in one.
    pub environment: Option<EnvironmentName>,
    /// Application that generates it; `None` for a root.
    pub parent: Option<AppId>,
    /// Argo CD project.
    pub project: String,
    /// Labels of the Application.
    pub labels: Vec<(String, String)>,
    /// Destination namespace.
    pub namespace: String,
    /// `targetRevision` of the first source.
    pub target_revision: String,
    /// `repoURL` of the first source.
    pub repo_url: String,
    /// `path` or chart of the first source.
    pub path: String,
    /// The commit that was rendered, if it could be resolved.
    pub commit: Option<CommitInfo>,
    /// The version that was rendered, if the first source is a packed chart.
    pub chart: Option<String>,
    /// Comparison.
    pub sync: Sync,
    /// Health.
    pub health: Health,
    /// Wave among its siblings.
    pub wave: i64,
    /// One sentence that explains the worst thing; empty if all is well.
    pub why: String,
    /// Errors and warnings.
    pub conditions: Vec<Condition>,
    /// Its objects: desired ones in sync order, then those to prune.
    pub objects: Arc<[ObjectStatus]>,
    /// Since when the shown state holds.
    pub since: Timestamp,
    /// When its cluster last answered; figures older than that are dim.
    pub seen: Option<Timestamp>,
    /// The operation that works on it now.
    pub operation: Option<OperationId>,
    /// Whether automated sync is asked for in Git.
    pub automated: bool,
}

impl App {
    /// Returns the first condition that keeps it from being synced.
    pub fn blocked(&self) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind.blocks_sync())
    }

    /// Says whether it generates nothing but Applications: these are read from Git, so that no cluster has to be asked.
    pub fn is_virtual(&self) -> bool {
        let is_application = |key: &Key| &*key.group == "argoproj.io" && &*key.kind == "Application";
        !self.objects.is_empty() && self.objects.iter().all(|object| is_application(&object.key))
    }

    /// Counts the objects that are out of sync.
    pub fn out_of_sync(&self) -> usize {
        self.objects.iter().filter(|object| object.sync == Some(Sync::OutOfSync)).count()
    }
}

/// A commit in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// Full id.
    pub id: CommitId,
    /// First line of the message.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

/// One object of an application.
#[derive(Clone, Debug)]
pub struct ObjectStatus {
    /// Identity.
    pub key: Key,
    /// API version that Git uses, else the live one.
    pub version: String,
    /// Comparison; `None` for hooks and other objects without one.
    pub sync: Option<Sync>,
    /// Health; `None` for kinds without one.
    pub health: Option<Health>,
    /// What differs, or what else there is to say, in a few words.
    pub message: String,
    /// Sync wave.
    pub wave: i64,
    /// Whether it is a hook.
    pub hook: bool,
    /// Whether it is live and no longer in Git.
    pub prune: bool,
    /// Whether it is in the cluster.
    pub live: bool,
}
