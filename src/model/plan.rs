//! Plans: what would change. What is confirmed is exactly what is shown.

use super::{AppId, ClusterName, CommitId, CommitInfo, EnvironmentName, Key, PlanId};

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Bring applications to what Git says.
    Sync(SyncAsk),
    /// Move the next environment to what this one has.
    Promote {
        /// From where.
        from: EnvironmentName,
        /// To where.
        to: EnvironmentName,
        /// Whether objects that Git no longer has are deleted.
        prune: bool,
    },
    /// Move an environment's reference back to an earlier tag.
    Rollback {
        /// Which environment.
        environment: EnvironmentName,
        /// Tag or commit to go back to.
        to: String,
        /// Whether objects that Git no longer has are deleted.
        prune: bool,
    },
}

/// How to sync.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncAsk {
    /// Which applications.
    pub apps: Vec<AppId>,
    /// Deletes what Git no longer has.
    pub prune: bool,
    /// Asks the servers and changes nothing.
    pub dry_run: bool,
    /// Deletes and creates again what cannot be changed in place.
    pub force: bool,
    /// Replaces instead of applying.
    pub replace: bool,
    /// Only these objects; empty means all.
    pub resources: Vec<ResourceSelector>,
    /// Another revision than the Application's.
    pub revision: Option<String>,
}

/// `GROUP:KIND:NAME` or `GROUP:KIND:NAMESPACE/NAME`; `*` matches all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceSelector {
    /// API group, empty for core.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace; `None` matches all.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl ResourceSelector {
    /// Says whether it selects that object.
    pub fn matches(&self, key: &Key) -> bool {
        let is = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        is(&self.group, &key.group)
            && is(&self.kind, &key.kind)
            && is(&self.name, &key.name)
            && self.namespace.as_deref().is_none_or(|namespace| is(namespace, &key.namespace))
    }
}

impl std::str::FromStr for ResourceSelector {
    type Err = super::Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let (Some(group), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(super::Problem::new(format!("resource {text:?} is not GROUP:KIND:NAME"))
                .hint("for example apps:Deployment:api, or :Service:payments/api for the core group"));
        };
        let (namespace, name) = match name.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, name),
        };
        Ok(Self { group: group.to_owned(), kind: kind.to_owned(), namespace, name: name.to_owned() })
    }
}

/// Sync, promotion or rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanKind {
    /// Cluster follows Git.
    Sync,
    /// An environment takes over the one before it.
    Promote,
    /// An environment goes back.
    Rollback,
}

impl PlanKind {
    /// Returns the word: `sync`, `promote`, `rollback`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
        }
    }
}

/// What would be done, in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Fingerprint of everything below that matters.
    pub id: PlanId,
    /// Which kind.
    pub kind: PlanKind,
    /// What was asked for; the plan is made again from it before it runs.
    pub ask: Ask,
    /// One line: `Roll back prod-01, prod-02 to v1.8.1`.
    pub title: String,
    /// Git references that move.
    pub moves: Vec<RefMove>,
    /// Commits that are taken in or taken back, newest first.
    pub commits: Vec<CommitInfo>,
    /// Per application, in the order in which they will be worked on.
    pub apps: Vec<AppPlan>,
    /// What has to hold first.
    pub gates: Vec<Gate>,
    /// What to know before confirming.
    pub warnings: Vec<String>,
    /// Name that has to be typed, if an environment is protected.
    pub protected: Option<String>,
}

impl Plan {
    /// Counts `(changed, created, deleted)` objects.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Action) -> bool| {
            self.apps.iter().flat_map(|app| &app.changes).filter(|change| wanted(&change.action)).count()
        };
        (
            count(|action| matches!(action, Action::Update | Action::Replace)),
            count(|action| matches!(action, Action::Create)),
            count(|action| matches!(action, Action::Prune)),
        )
    }

    /// Says whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.counts() == (0, 0, 0)
    }

    /// Returns the gates that are closed.
    pub fn closed(&self) -> impl Iterator<Item = &Gate> {
        self.gates.iter().filter(|gate| !gate.open)
    }

    /// Accepts the plan that the person was shown; any other, or one with a closed gate, is given back.
    ///
    /// # Errors
    /// Returns the plan itself.
    pub fn approve(self, shown: &PlanId) -> Result<Approved, Box<Self>> {
        if &self.id == shown && self.closed().next().is_none() { Ok(Approved(self)) } else { Err(Box::new(self)) }
    }
}

/// A plan that somebody saw and confirmed.
#[must_use = "an approved plan does nothing until it is submitted"]
#[derive(Clone, Debug)]
pub struct Approved(Plan);

impl Approved {
    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// A Git reference that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefMove {
    /// Full name, such as `refs/tags/stable`.
    pub reference: String,
    /// Where it is; `None` if it is made.
    pub from: Option<CommitId>,
    /// Where it goes; `None` while a merge has not been made.
    pub to: Option<CommitId>,
    /// What people call the old place, such as `v1.8.2`; empty if nothing.
    pub from_name: String,
    /// What people call the new place.
    pub to_name: String,
}

/// What one application goes through.
#[derive(Clone, Debug, PartialEq)]
pub struct AppPlan {
    /// Which one.
    pub app: AppId,
    /// Where.
    pub cluster: ClusterName,
    /// The commit that is rendered.
    pub commit: Option<CommitId>,
    /// What changes, in the order in which it is written.
    pub changes: Vec<Change>,
    /// Objects that are already right.
    pub unchanged: usize,
    /// Why it is left alone, if it is.
    pub skipped: Option<String>,
}

/// What happens to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Does not exist yet.
    Create,
    /// Applied over the live object.
    Update,
    /// Replaced, or deleted and created again.
    Replace,
    /// Deleted.
    Prune,
    /// Should be deleted and is left: prune was not asked for, or is forbidden.
    Keep,
    /// A hook that runs.
    Hook,
}

/// What a change can destroy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Deletes a CustomResourceDefinition and every object of it.
    CustomResourceDefinition,
    /// Deletes a Namespace and everything in it.
    Namespace,
    /// Deletes a PersistentVolumeClaim and maybe its data.
    PersistentVolumeClaim,
}

/// One object's change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which object.
    pub key: Key,
    /// What happens.
    pub action: Action,
    /// Sync wave.
    pub wave: i64,
    /// What differs; secrets' values are masked.
    pub fields: Vec<FieldChange>,
    /// What it can destroy.
    pub danger: Option<Danger>,
}

/// One field's change, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Path such as `spec.template.spec.containers[api].image`.
    pub path: String,
    /// What is live, as short YAML; `None` if absent. Masked for secrets.
    pub live: Option<String>,
    /// What Git says; `None` if absent. Masked for secrets.
    pub git: Option<String>,
    /// Field manager that wrote the live value; empty if unknown.
    pub manager: String,
}

/// Something that has to hold before a plan may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its name, such as `soak`.
    pub name: String,
    /// Whether it is open.
    pub open: bool,
    /// Why, and when it opens if it is closed.
    pub reason: String,
}
