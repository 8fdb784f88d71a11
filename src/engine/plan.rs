//! Plans: what a sync, a promotion or a rollback would change, worked out on one view of the world.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::cluster::{Connection, Discovery};
use crate::gate;
use crate::git::{AUDIT, Error as GitError, RefUpdate, Repository};
use crate::helm::Capabilities;
use crate::model::text::{counted, plural};
use crate::model::{
    Action, App, AppId, AppPlan, Ask, Change, ChartRequest, ClusterName, CommitId, Danger, Environment,
    EnvironmentName, Fleet, Gate, HealthStatus, Key, Mode, Plan, PlanId, PlanKind, Problem, RefMove, Reference, Sync,
    SyncAsk, text, version,
};
use crate::registry::Look;

use super::assess::{Live, Verdicts};
use super::catalog::{Catalog, Entry, Overrides, Renderer};
use super::confirm::{Doubt, confirm};
use super::desired::{Desired, desired, is_application, tracked_by};
use super::sync::Job;
use super::task::{HookKind, Pair, created_namespace, has_object_option, hook_kind, tasks};

/// Commits that a plan lists at most.
const COMMITS: usize = 200;
/// How often a new state may turn out to need more charts: each round reaches one level of Applications further down.
const CHART_ROUNDS: usize = 10;

/// What is known of a cluster when a plan is made.
#[derive(Clone, Debug)]
pub struct View {
    /// How it is reached.
    pub api: Connection,
    /// Which kinds it has.
    pub discovery: Arc<Discovery>,
    /// What is live.
    pub live: Arc<Live>,
    /// For charts.
    pub capabilities: Arc<Capabilities>,
}

/// One moment of the world.
#[derive(Clone)]
pub struct Basis {
    /// As people see it.
    pub fleet: Arc<Fleet>,
    /// As Git says it.
    pub catalog: Arc<Catalog>,
    /// The clusters that answer.
    pub clusters: HashMap<ClusterName, View>,
    /// Verdicts that still hold spare the server a question.
    pub verdicts: HashMap<AppId, Verdicts>,
    /// For other revisions.
    pub renderer: Arc<Renderer>,
    /// For destinations without a cluster.
    pub capabilities: Arc<Capabilities>,
}

/// A plan and what is needed to carry it out.
pub struct Planned {
    /// What the person sees.
    pub plan: Plan,
    /// Applications in the order of the plan; those that are left alone are not among them.
    pub jobs: Vec<Job>,
    /// References that move first.
    pub updates: Vec<RefUpdate>,
}

impl Basis {
    /// Works out what an ask would change. Asks servers, changes nothing.
    ///
    /// # Errors
    /// When it makes no sense or Git refuses; says what to do.
    pub async fn plan(&self, ask: &Ask) -> Result<Planned, Problem> {
        match ask {
            Ask::Sync(wanted) => self.sync(ask, wanted).await,
            Ask::Promote { from, to, prune } => {
                let (from, to) = (self.environment(from)?, self.environment(to)?);
                let moved = self.promotion(&from, &to)?;
                let title = format!("Promote {} to {}", from.name, names(&to));
                self.movement(ask, PlanKind::Promote, title, &from, &to, moved, *prune).await
            }
            Ask::Rollback { environment, to: revision, prune } => {
                let environment = self.environment(environment)?;
                let moved = self.rollback(&environment, revision)?;
                let title = format!("Roll back {} to {revision}", names(&environment));
                self.movement(ask, PlanKind::Rollback, title, &environment, &environment, moved, *prune).await
            }
        }
    }

    fn repository(&self) -> &Repository {
        &self.renderer.repository
    }

    fn environment(&self, name: &EnvironmentName) -> Result<Arc<Environment>, Problem> {
        self.fleet.environment(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.fleet.environments.iter().map(|known| known.name.as_str()).collect();
            Problem::new(format!("there is no environment {name}")).hint(format!("known are {}", known.join(", ")))
        })
    }

    async fn sync(&self, ask: &Ask, wanted: &SyncAsk) -> Result<Planned, Problem> {
        let mut ids: Vec<AppId> = Vec::new();
        for id in &wanted.apps {
            if !self.catalog.entries.contains_key(id) {
                return Err(Problem::new(format!("there is no application {id}")).hint("see `quarterdeck status`"));
            }
            self.with_children(id, &mut ids);
        }
        if ids.is_empty() {
            return Err(Problem::new("no application was named").hint("name one, or select with --all or --cluster"));
        }
        let mut chosen = Vec::new();
        for id in ids {
            let Some(entry) = self.catalog.entries.get(&id) else { continue };
            let entry = match &wanted.revision {
                Some(revision) => Arc::new(self.at_revision(entry, revision, wanted.apps.contains(&id)).await),
                None => Arc::clone(entry),
            };
            chosen.push(entry);
        }
        let title = match chosen.as_slice() {
            [one] => format!("Sync {}", one.id),
            many => format!("Sync {} applications", many.len()),
        };
        self.finish(ask, PlanKind::Sync, title, chosen, wanted, Movement::default(), None).await
    }

    fn with_children(&self, id: &AppId, ids: &mut Vec<AppId>) {
        if ids.contains(id) {
            return;
        }
        ids.push(id.clone());
        for child in self.catalog.entries.values().filter(|entry| entry.parent.as_ref() == Some(id)) {
            self.with_children(&child.id, ids);
        }
    }

    /// Renders an application at another revision: a chart's version, if it has nothing but the chart and was named itself, else a commit.
    async fn at_revision(&self, entry: &Entry, revision: &str, is_named: bool) -> Entry {
        let mut application = entry.application.clone();
        let is_version = is_named && application.sources.len() == 1;
        for source in application.sources.iter_mut().filter(|source| is_version || !source.is_chart()) {
            source.target_revision = revision.to_owned();
        }
        let capabilities = self.capabilities_for(&entry.id);
        let (mut found, missing) = self.renderer.again(entry, application.clone(), &capabilities);
        if !missing.is_empty() {
            self.pull(&missing).await;
            (found, _) = self.renderer.again(entry, application, &capabilities);
        }
        found
    }

    async fn pull(&self, missing: &BTreeSet<ChartRequest>) {
        let pulls = missing.iter().map(|request| self.renderer.pull(request, Look::Needed));
        futures::future::join_all(pulls).await;
    }

    /// Reads the catalog as it would be. What comes into reach may need charts that were not had yet, and these others again.
    async fn rendered_at(&self, overrides: &Overrides) -> Result<Catalog, Problem> {
        for _ in 0..CHART_ROUNDS {
            let (renderer, basis, overrides) = (Arc::clone(&self.renderer), self.clone(), overrides.clone());
            let future = tokio::task::spawn_blocking(move || {
                renderer.catalog(&overrides, &|app| basis.capabilities_for(&app.id(&app.namespace)))
            })
            .await
            .map_err(|error| Problem::new(format!("rendering the new state failed: {error}")))?;
            if future.missing_charts.is_empty() {
                return Ok(future);
            }
            self.pull(&future.missing_charts).await;
        }
        Err(Problem::new("the new state needs ever more charts").hint("is there a cycle of Applications?"))
    }

    pub(super) fn capabilities_for(&self, id: &AppId) -> Arc<Capabilities> {
        let cluster = self.fleet.app(id).and_then(|app| self.clusters.get(&app.cluster));
        cluster.map_or_else(|| Arc::clone(&self.capabilities), |view| Arc::clone(&view.capabilities))
    }

    /// Where references go when an environment takes over another.
    fn promotion(&self, from: &Environment, to: &Environment) -> Result<Movement, Problem> {
        let (Some(source), Some(old)) = (&from.commit, &to.commit) else {
            let missing = if from.commit.is_none() { from } else { to };
            return Err(Problem::new(format!(
                "{} follows {}, which cannot be found",
                missing.name,
                missing.reference.as_str()
            ))
            .hint("fetch, or correct the environment's reference"));
        };
        let name = self.full_name(to)?;
        let commits = self.repository().log(Some(old), source, COMMITS).map_err(git_problem)?;
        if commits.is_empty() {
            return Ok(Movement::default());
        }
        let new = match &to.reference {
            Reference::Tag(_) => source.clone(),
            _ => {
                let message = format!("Promote {} to {}", from.name, to.name);
                self.repository().merge(old, source, &message).map_err(git_problem)?
            }
        };
        let merges = &new != source;
        let mut moved = Movement {
            moves: vec![RefMove {
                reference: name.clone(),
                from: Some(old.clone()),
                to: (!merges).then(|| new.clone()),
                from_name: to.release.clone().unwrap_or_default(),
                to_name: if merges {
                    format!("merge of {}", source.short())
                } else {
                    from.release.clone().unwrap_or_default()
                },
            }],
            updates: vec![RefUpdate { reference: name, expected: Some(old.clone()), new: Some(new.clone()) }],
            overrides: Overrides::from([(to.reference.clone(), new.clone())]),
            commits,
            is_backward: false,
        };
        if matches!(to.reference, Reference::Tag(_)) {
            self.keep_release(old, to, &mut moved)?;
            self.name_release(&new, &mut moved)?;
        }
        Ok(moved)
    }

    fn rollback(&self, environment: &Environment, revision: &str) -> Result<Movement, Problem> {
        let Some(old) = &environment.commit else {
            return Err(Problem::new(format!(
                "{} follows {}, which cannot be found",
                environment.name,
                environment.reference.as_str()
            )));
        };
        let target = self.repository().resolve(revision, "").map_err(git_problem)?.commit;
        let name = self.full_name(environment)?;
        if &target == old {
            return Ok(Movement::default());
        }
        let (ahead, _) = self.repository().ahead_behind(old, &target).map_err(git_problem)?;
        let commits = self.repository().log(Some(&target), old, COMMITS).map_err(git_problem)?;
        if ahead == 0 {
            return Err(Problem::new(format!("{revision} is not behind {}", environment.reference.as_str()))
                .hint("a rollback goes to an earlier commit; promote to go forward"));
        }
        let is_tag = matches!(environment.reference, Reference::Tag(_));
        let new = if is_tag {
            target.clone()
        } else {
            let message = format!("Roll back {} to {revision}", environment.name);
            self.repository().restore(old, &target, &message).map_err(git_problem)?
        };
        let mut moved = Movement {
            moves: vec![RefMove {
                reference: name.clone(),
                from: Some(old.clone()),
                to: is_tag.then(|| new.clone()),
                from_name: environment.release.clone().unwrap_or_default(),
                to_name: if is_tag { revision.to_owned() } else { format!("content of {revision}") },
            }],
            updates: vec![RefUpdate { reference: name, expected: Some(old.clone()), new: Some(new.clone()) }],
            overrides: Overrides::from([(environment.reference.clone(), new)]),
            commits,
            is_backward: true,
        };
        if is_tag {
            self.keep_release(old, environment, &mut moved)?;
        }
        Ok(moved)
    }

    fn full_name(&self, environment: &Environment) -> Result<String, Problem> {
        self.repository().full_name(&environment.reference).ok_or_else(|| {
            Problem::new(format!(
                "{} follows {}, which cannot be moved",
                environment.name,
                environment.reference.as_str()
            ))
            .hint("an environment that follows a branch or a tag can be promoted and rolled back")
        })
    }

    /// Gives the commit that production leaves a release tag if it has none, so that there is a way back.
    fn keep_release(&self, old: &CommitId, environment: &Environment, moved: &mut Movement) -> Result<(), Problem> {
        if environment.release.is_some() {
            return Ok(());
        }
        self.name_release(old, moved)
    }

    /// Adds a new release tag for a commit unless it has one.
    fn name_release(&self, commit: &CommitId, moved: &mut Movement) -> Result<(), Problem> {
        let tags = self.repository().tags().map_err(git_problem)?;
        let versions: Vec<(&str, version::Version)> = tags
            .iter()
            .filter_map(|tag| version::Version::parse(&tag.name).map(|version| (tag.name.as_str(), version)))
            .collect();
        if tags.iter().any(|tag| &tag.commit == commit && versions.iter().any(|(name, _)| *name == tag.name)) {
            return Ok(());
        }
        let planned = moved.updates.iter().filter(|update| update.expected.is_none()).count() as u64;
        let greatest = versions.iter().max_by(|a, b| a.1.cmp(&b.1));
        let name = match greatest {
            Some((name, version)) => {
                let prefix = if name.starts_with('v') { "v" } else { "" };
                format!("{prefix}{}.{}.0", version.major, version.minor + 1 + planned)
            }
            None => format!("v1.{planned}.0"),
        };
        let reference = format!("refs/tags/{name}");
        moved.moves.push(RefMove {
            reference: reference.clone(),
            from: None,
            to: Some(commit.clone()),
            from_name: String::new(),
            to_name: name,
        });
        moved.updates.push(RefUpdate { reference, expected: None, new: Some(commit.clone()) });
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "promotion and rollback are one movement with different words")]
    async fn movement(
        &self,
        ask: &Ask,
        kind: PlanKind,
        title: String,
        from: &Environment,
        to: &Environment,
        moved: Movement,
        prune: bool,
    ) -> Result<Planned, Problem> {
        let judged = Judged { environments: vec![to], from: (kind == PlanKind::Promote).then_some(from) };
        if moved.updates.is_empty() {
            let mut planned =
                self.finish(ask, kind, title, Vec::new(), &SyncAsk::default(), moved, Some(judged)).await?;
            planned.plan.warnings.push(format!("{} already has all of it; nothing would change", to.name));
            return Ok(planned);
        }
        let future = self.rendered_at(&moved.overrides).await?;
        let mut chosen: Vec<Arc<Entry>> = Vec::new();
        let mut warnings = Vec::new();
        for (id, entry) in &future.entries {
            let now = self.catalog.entries.get(id);
            let follows = entry.reference.as_ref() == Some(&to.reference);
            // What is rendered for a cluster that does not answer is not rendered for it as it is: only what it is rendered from counts.
            let answers = self.fleet.app(id).is_some_and(|app| self.clusters.contains_key(&app.cluster));
            let is_changed = now.is_none_or(|now| match answers {
                true => now.fingerprint != entry.fingerprint,
                false => now.commit != entry.commit || now.application != entry.application,
            });
            if follows || is_changed {
                chosen.push(Arc::clone(entry));
            }
            if entry.is_blocked() && now.is_some_and(|now| !now.is_blocked()) {
                warnings.push(format!("{id} would no longer render"));
            }
        }
        for (id, entry) in &self.catalog.entries {
            if !future.entries.contains_key(id) && entry.reference.as_ref() == Some(&to.reference) {
                warnings.push(format!("Application {id} would be gone from Git; its objects are left in the cluster"));
            }
        }
        let how = SyncAsk { prune, ..SyncAsk::default() };
        let mut planned = self.finish(ask, kind, title, chosen, &how, moved, Some(judged)).await?;
        planned.plan.warnings.extend(warnings);
        planned.plan.id = fingerprint(&planned.plan);
        Ok(planned)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a plan")]
    async fn finish(
        &self,
        ask: &Ask,
        kind: PlanKind,
        title: String,
        mut chosen: Vec<Arc<Entry>>,
        how: &SyncAsk,
        moved: Movement,
        judged: Option<Judged<'_>>,
    ) -> Result<Planned, Problem> {
        chosen.sort_by(|a, b| (a.application.wave, &a.id).cmp(&(b.application.wave, &b.id)));
        let mut apps = Vec::new();
        let mut jobs = Vec::new();
        for entry in &chosen {
            let (plan, job) = self.application(entry, how).await;
            apps.extend(plan);
            jobs.extend(job);
        }
        create_namespaces_once(&mut apps);
        let judged = judged.unwrap_or_else(|| Judged {
            environments: self
                .fleet
                .environments
                .iter()
                .filter(|environment| apps.iter().any(|app| environment.clusters.contains(&app.cluster)))
                .map(|environment| &**environment)
                .collect(),
            from: None,
        });
        let gates = self.gates(&judged, &apps, how.dry_run);
        let protected = judged
            .environments
            .iter()
            .find(|environment| environment.policy.protected && !how.dry_run)
            .map(|environment| environment.name.to_string());
        let warnings = warnings(&apps, &moved);
        let mut plan = Plan {
            id: PlanId::new(""),
            kind,
            ask: ask.clone(),
            title,
            moves: moved.moves,
            commits: moved.commits,
            apps,
            gates,
            warnings,
            protected,
        };
        plan.id = fingerprint(&plan);
        Ok(Planned { plan, jobs, updates: moved.updates })
    }

    fn gates(&self, judged: &Judged<'_>, apps: &[AppPlan], dry_run: bool) -> Vec<Gate> {
        let deletions = |environment: Option<&Environment>| {
            apps.iter()
                .filter(|app| environment.is_none_or(|environment| environment.clusters.contains(&app.cluster)))
                .flat_map(|app| &app.changes)
                .filter(|change| change.action == Action::Prune)
                .count()
        };
        let from = judged.from.map(|from| {
            let apps: Vec<_> =
                self.fleet.apps.iter().filter(|app| app.environment.as_ref() == Some(&from.name)).collect();
            let is_well = |app: &Arc<App>| app.sync == Sync::Synced && app.health.status == HealthStatus::Healthy;
            let unhealthy = apps.iter().filter(|app| !is_well(app)).count();
            gate::Source {
                name: from.name.as_str(),
                healthy_since: if unhealthy == 0 { apps.iter().map(|app| app.since).max() } else { None },
                unhealthy,
            }
        });
        let facts = gate::Facts {
            read_only: self.fleet.mode == Mode::ReadOnly,
            dry_run,
            from,
            now: self.fleet.at,
            ..gate::Facts::default()
        };
        if judged.environments.is_empty() {
            return gate::check(&gate::Facts { deletions: deletions(None), ..facts });
        }
        let mut gates: Vec<Gate> = Vec::new();
        for environment in &judged.environments {
            let found = gate::check(&gate::Facts {
                environment: environment.name.as_str(),
                policy: environment.policy.clone(),
                deletions: deletions(Some(environment)),
                ..facts.clone()
            });
            gates.extend(found.into_iter().filter(|gate| !gates.contains(gate)).collect::<Vec<_>>());
        }
        gates
    }

    /// Plans one application: what would be written, in order.
    async fn application(&self, entry: &Entry, how: &SyncAsk) -> (Option<AppPlan>, Option<Job>) {
        let cluster = match self.fleet.app(&entry.id) {
            Some(app) => app.cluster.clone(),
            None => super::place::cluster_of(&entry.application, &self.fleet),
        };
        let mut plan = AppPlan {
            app: entry.id.clone(),
            cluster: cluster.clone(),
            commit: entry.commit.as_ref().map(|commit| commit.id.clone()),
            changes: Vec::new(),
            unchanged: 0,
            skipped: None,
        };
        if let Some(condition) = entry.conditions.iter().find(|condition| condition.kind.blocks_sync()) {
            let reason = text::line(&condition.message);
            plan.skipped = Some(format!("{}: {reason}", condition.kind.as_str()));
            return (Some(plan), None);
        }
        let manifests: Vec<_> =
            entry.manifests.iter().filter(|object| !is_application(&object.gvk().gk())).cloned().collect();
        if manifests.is_empty() && entry.manifests.iter().next().is_some() {
            // It only generates Applications, and those are worked on by themselves.
            return (None, None);
        }
        let Some(view) = self.clusters.get(&cluster) else {
            plan.skipped = Some(format!("cluster {cluster} does not answer, or no context matches it"));
            return (Some(plan), None);
        };
        let (wanted, _) = desired(&entry.application, &entry.id, &manifests, Some(&view.discovery));
        let (pairs, fields) = self.pairs(entry, &wanted, view).await;
        let unchanged: Vec<Key> = pairs
            .iter()
            .filter(|pair| pair.live.is_some() && fields.get(&pair.key).is_some_and(Vec::is_empty))
            .map(|pair| pair.key.clone())
            .collect();
        if let Some(namespace) = created_namespace(&entry.application, &pairs)
            && is_missing(view, &namespace).await
        {
            plan.changes.push(change(namespace.key(), Action::Create, 0, Vec::new()));
        }
        for task in tasks(&entry.application, &pairs, &how.resources) {
            let differs = fields.get(&task.key).cloned().unwrap_or_default();
            let action = match (&task.target, &task.live) {
                (None, Some(live)) if !how.prune || has_object_option(live, "Prune=false") => Action::Keep,
                (None, _) => Action::Prune,
                (Some(_), _) if task.is_hook => Action::Hook,
                (Some(_), None) => Action::Create,
                (Some(_), Some(_)) if how.replace => Action::Replace,
                (Some(_), Some(_)) if unchanged.contains(&task.key) => {
                    plan.unchanged += 1;
                    continue;
                }
                (Some(_), Some(_)) => Action::Update,
            };
            plan.changes.push(change(task.key, action, task.wave, differs));
        }
        let job = Job {
            app: entry.id.clone(),
            application: Arc::new(entry.application.clone()),
            cluster,
            api: view.api.clone(),
            discovery: Arc::clone(&view.discovery),
            pairs,
            unchanged,
            ask: how.clone(),
        };
        (Some(plan), Some(job))
    }

    /// Pairs what Git wants with what is live, and says how they differ. What looks different is confirmed by the server.
    async fn pairs(
        &self,
        entry: &Entry,
        wanted: &[Desired],
        view: &View,
    ) -> (Vec<Pair>, HashMap<Key, Vec<crate::model::FieldChange>>) {
        let mut pairs = Vec::new();
        let mut fields = HashMap::new();
        let verdicts = self.verdicts.get(&entry.id);
        for one in wanted {
            let live = view.live.get(&one.key).cloned();
            pairs.push(Pair {
                key: one.key.clone(),
                target: Some((*one.object).clone()),
                live: live.as_deref().cloned(),
            });
            let Some(live) = live else { continue };
            if hook_kind(&one.object) != HookKind::None {
                continue;
            }
            let known = verdicts
                .and_then(|verdicts| verdicts.get(&one.key))
                .filter(|verdict| verdict.is_certain && verdict.holds_for(one, &live));
            let found = match known {
                Some(verdict) => verdict.fields.clone(),
                None => {
                    let mut state = Verdicts::new();
                    let doubt = Doubt { app: entry.id.clone(), desired: one.clone(), live: Arc::clone(&live) };
                    let local = super::assess::compare_one(&entry.application, one, &live, &mut state);
                    if local.is_empty() {
                        local
                    } else {
                        match confirm(&view.api, &view.discovery, &entry.application, &doubt).await {
                            Some(answer) => answer.verdict.fields,
                            None => local,
                        }
                    }
                }
            };
            fields.insert(one.key.clone(), found);
        }
        let mut extra: Vec<&Arc<crate::model::Object>> = view
            .live
            .iter()
            .filter(|(key, live)| {
                tracked_by(live).as_ref() == Some(&entry.id) && !wanted.iter().any(|one| &one.key == *key)
            })
            .map(|(_, live)| live)
            .collect();
        extra.sort_by_key(|live| live.key());
        pairs.extend(extra.into_iter().map(|live| Pair {
            key: live.key(),
            target: None,
            live: Some((**live).clone()),
        }));
        (pairs, fields)
    }
}

/// Whose rules a plan is judged by.
struct Judged<'a> {
    environments: Vec<&'a Environment>,
    from: Option<&'a Environment>,
}

/// What happens to references.
#[derive(Clone, Debug, Default)]
struct Movement {
    moves: Vec<RefMove>,
    updates: Vec<RefUpdate>,
    overrides: Overrides,
    commits: Vec<crate::model::CommitInfo>,
    is_backward: bool,
}

/// Leaves the creation of a namespace with the first of the applications that want it.
fn create_namespaces_once(apps: &mut [AppPlan]) {
    let mut created = std::collections::HashSet::new();
    for app in apps {
        app.changes.retain(|change| {
            change.action != Action::Create
                || &*change.key.kind != "Namespace"
                || created.insert((app.cluster.clone(), change.key.clone()))
        });
    }
}

/// Asks whether a namespace is not there. Namespaces that Git does not bring are not watched.
async fn is_missing(view: &View, namespace: &crate::model::Object) -> bool {
    if view.live.contains_key(&namespace.key()) {
        return false;
    }
    let Some(resource) = view.discovery.find(&namespace.gvk()) else { return false };
    matches!(view.api.get(resource, "", namespace.name()).await, Ok(None))
}

fn change(key: Key, action: Action, wave: i64, fields: Vec<crate::model::FieldChange>) -> Change {
    let danger = match (&*key.kind, action) {
        ("CustomResourceDefinition", Action::Prune) => Some(Danger::CustomResourceDefinition),
        ("Namespace", Action::Prune) => Some(Danger::Namespace),
        ("PersistentVolumeClaim", Action::Prune) => Some(Danger::PersistentVolumeClaim),
        _ => None,
    };
    Change { key, action, wave, fields, danger }
}

fn warnings(apps: &[AppPlan], moved: &Movement) -> Vec<String> {
    let mut warnings = Vec::new();
    for change in apps.iter().flat_map(|app| &app.changes) {
        if let Some(danger) = change.danger {
            let what = match danger {
                Danger::CustomResourceDefinition => "deletes every object of that kind",
                Danger::Namespace => "deletes everything in it",
                Danger::PersistentVolumeClaim => "may delete its data",
            };
            warnings.push(format!("deleting {} {what}", change.key));
        }
    }
    let kept = apps.iter().flat_map(|app| &app.changes).filter(|change| change.action == Action::Keep).count();
    if kept > 0 {
        let left = plural(kept, "object that Git no longer has is left", "objects that Git no longer has are left");
        warnings.push(format!("{kept} {left}; ask for prune to delete them"));
    }
    let skipped = apps.iter().filter(|app| app.skipped.is_some()).count();
    if skipped > 0 {
        warnings.push(counted(skipped, "application is left alone", "applications are left alone"));
    }
    if moved.is_backward && !moved.commits.is_empty() {
        warnings.push(counted(moved.commits.len(), "commit is taken back", "commits are taken back"));
    }
    warnings
}

fn names(environment: &Environment) -> String {
    let clusters: Vec<&str> = environment.clusters.iter().map(ClusterName::as_str).collect();
    if clusters.is_empty() {
        environment.name.to_string()
    } else {
        format!("{} ({})", environment.name, clusters.join(", "))
    }
}

fn git_problem(error: GitError) -> Problem {
    Problem::new(error.to_string()).hint(error.hint())
}

/// Two plans that would do the same have the same fingerprint.
fn fingerprint(plan: &Plan) -> PlanId {
    let mut gates: BTreeMap<&str, bool> = BTreeMap::new();
    for gate in &plan.gates {
        gates.insert(&gate.name, gate.open);
    }
    let commits: Vec<&CommitId> = plan.commits.iter().map(|commit| &commit.id).collect();
    // A merge commit is made anew each time; what goes into it is in `commits` and `from`.
    let is_merge = plan.moves.iter().any(|moved| moved.to.is_none());
    let apps: Vec<_> = plan
        .apps
        .iter()
        .map(|app| (&app.app, &app.cluster, (!is_merge).then_some(&app.commit), &app.changes, &app.skipped))
        .collect();
    let text = format!("{:?}", (plan.kind, &plan.ask, &plan.moves, commits, apps, gates, &plan.protected));
    let digest = Sha256::digest(text.as_bytes());
    PlanId::new(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Returns the reference that the audit chain moves along with others.
pub fn audit_update(repository: &Repository, entry: &crate::model::AuditEntry) -> Result<RefUpdate, Problem> {
    let head = repository.audit_head();
    let new = repository.audit_commit(head.as_ref(), entry).map_err(git_problem)?;
    Ok(RefUpdate { reference: AUDIT.to_owned(), expected: head, new: Some(new) })
}
