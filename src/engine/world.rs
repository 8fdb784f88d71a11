//! The one task that owns the world: it takes in what happens, keeps every figure, and publishes snapshots.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cluster::{self, Connection, Discovery, Kubeconfig, WatchEvent};
use crate::config::Policy;
use crate::git::{self, Repository};
use crate::helm::{Capabilities, Profile};
use crate::model::{
    self, App, AppId, AppProgress, Application, AuditEntry, ChartRequest, ClusterName, Environment, Fleet, Gk, Key,
    Mode, Operation, OperationId, Problem, Progress, RepositoryInfo,
};
use crate::registry::{ArgoCredentials, Look, Registry};
use crate::store::Journal;

use super::assess::{self, Live, Scene, Verdicts};
use super::catalog::{Catalog, Entry, Foreign, Overrides, Renderer};
use super::confirm::{self, Answer, Doubt};
use super::desired::{Desired, desired, tracked_by};
use super::environment::environments;
use super::message::{Event, Handle, Request};
use super::observe::{Access, Observation, observe};
use super::place::Places;
use super::plan::{Basis, View};
use super::snapshot;

/// Shortest time between two snapshots.
const PACE: Duration = Duration::from_millis(30);
/// How often the repository's references are looked at.
const GIT_POLL: Duration = Duration::from_secs(1);
/// How often a remote is fetched.
const FETCH: Duration = Duration::from_secs(120);
/// Actions of earlier runs that are shown.
const RECENT: usize = 500;
/// Dry runs at once per cluster.
const DOUBTS: usize = 8;

/// What the engine works with.
pub struct Setup {
    /// The open repository.
    pub repository: Repository,
    /// Contexts of clusters.
    pub kubeconfig: Option<Arc<Kubeconfig>>,
    /// What went wrong before it began, such as why there are no contexts.
    pub problems: Vec<Problem>,
    /// How destinations are matched.
    pub places: Places,
    /// Connections that are there already, by cluster name.
    pub open: BTreeMap<ClusterName, Connection>,
    /// The repository's policy.
    pub policy: Option<Policy>,
    /// What may be changed.
    pub mode: Mode,
    /// Helm's version to be like.
    pub profile: Profile,
    /// For applications whose cluster does not answer.
    pub capabilities: Capabilities,
    /// Where other repositories are cloned to.
    pub cache: PathBuf,
    /// Where packed charts come from; without one they are not asked for.
    pub registry: Option<Arc<Registry>>,
    /// Where actions are written down.
    pub journal: Option<Arc<Journal>>,
    /// Who acts.
    pub actor: String,
    /// Whether a remote is fetched.
    pub fetch: bool,
}

impl Setup {
    /// Returns a setup that only reads one repository: no clusters, no journal, nothing fetched.
    pub fn new(repository: Repository) -> Self {
        Self {
            repository,
            kubeconfig: None,
            problems: Vec::new(),
            places: Places::default(),
            open: BTreeMap::new(),
            policy: None,
            mode: Mode::Observe,
            profile: Profile::default(),
            capabilities: Capabilities::default(),
            cache: PathBuf::new(),
            registry: None,
            journal: None,
            actor: String::new(),
            fetch: false,
        }
    }
}

/// What an operation's task tells the world.
pub(super) enum Step {
    /// References moved, or something was written: look again.
    Look,
    /// How it ended.
    Ended(Box<(Operation, Option<AuditEntry>)>),
}

/// What comes in besides requests.
enum Inner {
    Catalog(Box<(Catalog, Vec<Arc<Environment>>, String)>),
    Cloned(String, Foreign),
    Pulled(ChartRequest, bool),
    Credentials(ArgoCredentials),
    Fetched(Result<(), git::Error>),
    Got(ClusterName, Key, Option<Box<model::Object>>),
    Answer(ClusterName, Option<Box<Answer>>, AppId, Key),
    Operation(OperationId, Step),
}

/// Returns the namespace in which Argo CD would keep an Application.
fn control_plane(app: &Application) -> &str {
    if app.namespace.is_empty() { "argocd" } else { &app.namespace }
}

/// One application as the world keeps it.
pub(super) struct Record {
    pub entry: Arc<Entry>,
    pub cluster: ClusterName,
    pub desired: Arc<[Desired]>,
    pub warnings: Vec<model::Condition>,
    pub verdicts: Verdicts,
    pub asked: BTreeSet<Key>,
    pub refusals: HashMap<Key, String>,
    pub status: Option<Arc<App>>,
    pub is_dirty: bool,
}

/// One cluster as the world keeps it.
#[derive(Default)]
pub(super) struct ClusterState {
    pub server: String,
    pub context: Option<String>,
    pub link: model::Connection,
    pub api: Option<Connection>,
    pub discovery: Option<Arc<Discovery>>,
    pub capabilities: Option<Arc<Capabilities>>,
    pub live: Arc<Live>,
    pub tracked: HashMap<AppId, BTreeSet<Key>>,
    pub named: HashMap<Key, Vec<AppId>>,
    pub listed: BTreeSet<Gk>,
    pub pending: BTreeSet<Key>,
    pub failing: BTreeMap<Gk, String>,
    pub wanted: Option<watch::Sender<BTreeSet<Gk>>>,
    pub stop: Option<CancellationToken>,
    pub last_contact: Option<Timestamp>,
    pub last_error: Option<String>,
    pub retry_at: Option<Timestamp>,
    pub asking: usize,
}

/// The world.
pub(super) struct World {
    pub setup: Setup,
    pub renderer: Arc<Renderer>,
    pub default_capabilities: Arc<Capabilities>,
    pub catalog: Arc<Catalog>,
    pub environments: Vec<Arc<Environment>>,
    pub records: BTreeMap<AppId, Record>,
    pub clusters: BTreeMap<ClusterName, ClusterState>,
    pub operations: Vec<Operation>,
    pub tokens: HashMap<OperationId, CancellationToken>,
    pub audit: Arc<[AuditEntry]>,
    pub fetched: Option<Timestamp>,
    pub fetch_error: Option<Problem>,
    pub generation: u64,
    pub has_catalog: bool,
    refs: String,
    is_reading: bool,
    is_stale: bool,
    is_fetching: bool,
    cloning: BTreeSet<String>,
    pulling: BTreeSet<ChartRequest>,
    asked_for_credentials: BTreeSet<ClusterName>,
    doubts: HashMap<ClusterName, Vec<Doubt>>,
    publish_at: Option<Instant>,
    fleet: watch::Sender<Arc<Fleet>>,
    events: broadcast::Sender<Event>,
    observations: mpsc::Sender<(ClusterName, Observation)>,
    inner: mpsc::UnboundedSender<Inner>,
    progress: mpsc::UnboundedSender<(OperationId, AppProgress)>,
    stop: CancellationToken,
}

/// Starts the engine on the current runtime.
pub fn start(setup: Setup) -> Handle {
    let (requests, orders) = mpsc::unbounded_channel();
    let (fleet, snapshots) = watch::channel(Arc::new(Fleet::default()));
    let (events, _) = broadcast::channel(1024);
    let (observations, seen) = mpsc::channel(4096);
    let (inner, results) = mpsc::unbounded_channel();
    let (progress, steps) = mpsc::unbounded_channel();
    let renderer = Arc::new(Renderer::new(setup.repository.clone(), setup.profile, setup.registry.clone()));
    let default_capabilities = Arc::new(setup.capabilities.clone());
    let audit = setup.journal.as_ref().and_then(|journal| journal.last(RECENT).ok()).unwrap_or_default().entries.into();
    let world = World {
        renderer,
        default_capabilities,
        catalog: Arc::default(),
        environments: Vec::new(),
        records: BTreeMap::new(),
        clusters: BTreeMap::new(),
        operations: Vec::new(),
        tokens: HashMap::new(),
        audit,
        fetched: None,
        fetch_error: None,
        generation: 0,
        has_catalog: false,
        refs: String::new(),
        is_reading: false,
        is_stale: false,
        is_fetching: false,
        cloning: BTreeSet::new(),
        pulling: BTreeSet::new(),
        asked_for_credentials: BTreeSet::new(),
        doubts: HashMap::new(),
        publish_at: None,
        fleet,
        events: events.clone(),
        observations,
        inner,
        progress,
        stop: CancellationToken::new(),
        setup,
    };
    tokio::spawn(world.run(orders, seen, results, steps));
    Handle { requests, fleet: snapshots, events }
}

impl World {
    async fn run(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Request>,
        mut seen: mpsc::Receiver<(ClusterName, Observation)>,
        mut results: mpsc::UnboundedReceiver<Inner>,
        mut steps: mpsc::UnboundedReceiver<(OperationId, AppProgress)>,
    ) {
        self.read();
        let mut git = tokio::time::interval(GIT_POLL);
        let mut fetch = tokio::time::interval(FETCH);
        loop {
            let due = self.publish_at;
            tokio::select! {
                biased;
                () = async { tokio::time::sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {
                    self.publish();
                }
                order = orders.recv() => match order {
                    Some(Request::Shutdown) | None => break,
                    Some(order) => self.order(order),
                },
                Some(result) = results.recv() => self.result(result),
                Some((operation, progress)) = steps.recv() => self.advance(operation, progress),
                Some((cluster, observation)) = seen.recv() => {
                    self.observed(&cluster, observation);
                    while let Ok((cluster, observation)) = seen.try_recv() {
                        self.observed(&cluster, observation);
                    }
                }
                _ = git.tick() => self.look_at_git(),
                _ = fetch.tick() => {
                    self.fetch();
                    self.pull_again(Look::Needed);
                }
            }
        }
        for token in self.tokens.values() {
            token.cancel();
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.tokens.is_empty() {
            tokio::select! {
                Some(result) = results.recv() => self.result(result),
                Some((operation, progress)) = steps.recv() => self.advance(operation, progress),
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        self.stop.cancel();
    }

    /// Asks for a snapshot soon.
    pub(super) fn changed(&mut self) {
        if self.publish_at.is_none() {
            self.publish_at = Some(Instant::now() + PACE);
        }
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody may be listening; facts are for those who do.
        drop(self.events.send(event));
    }

    fn order(&mut self, order: Request) {
        match order {
            Request::Refresh { apps, hard } => {
                if hard {
                    self.renderer.forget();
                    self.fetch();
                    self.pull_again(Look::Anew);
                    self.read();
                }
                for (id, record) in &mut self.records {
                    if apps.is_empty() || apps.contains(id) {
                        record.is_dirty = true;
                        record.asked.clear();
                        record.verdicts.clear();
                    }
                }
                self.changed();
            }
            Request::Plan { ticket, ask } => {
                let (basis, events) = (self.basis(), self.events.clone());
                tokio::spawn(async move {
                    let result = basis.plan(&ask).await.map(|planned| Arc::new(planned.plan));
                    drop(events.send(Event::Planned { ticket, result }));
                });
            }
            Request::Inspect { ticket, app, what } => {
                let (basis, events) = (self.basis(), self.events.clone());
                tokio::spawn(async move {
                    let result = basis.inspect(&app, &what).await.map(Arc::new);
                    drop(events.send(Event::Inspected { ticket, result }));
                });
            }
            Request::Run(approved) => self.operate(approved),
            Request::Cancel(id) => {
                if let Some(token) = self.tokens.get(&id) {
                    token.cancel();
                    if let Some(operation) = self.operations.iter_mut().find(|operation| operation.id == id) {
                        operation.phase = model::Phase::Stopping;
                        operation.message = "stopping after the object in hand".to_owned();
                    }
                    self.changed();
                }
            }
            Request::Shutdown => {}
        }
    }

    fn operate(&mut self, approved: model::Approved) {
        let id = OperationId(self.operations.len() as u64 + 1);
        let plan = approved.plan();
        let busy = self.operations.iter().find(|operation| {
            !operation.phase.is_over()
                && operation.apps.iter().any(|app| plan.apps.iter().any(|planned| planned.app == app.app))
        });
        if let Some(busy) = busy {
            let problem = Problem::new(format!("{:?} is still running on the same applications", busy.title))
                .hint("wait for it, or stop it first");
            return self.tell(Event::Refused(problem));
        }
        let token = self.stop.child_token();
        let operation = super::operation::begin(id, plan, &self.setup.actor);
        self.operations.push(operation.clone());
        self.tokens.insert(id, token.clone());
        self.tell(Event::Started(id));
        let work = super::operation::Work {
            basis: self.basis(),
            approved,
            operation,
            journal: self.setup.journal.clone(),
            fleet: self.fleet.subscribe(),
            progress: self.progress.clone(),
            stop: token,
        };
        let inner = self.inner.clone();
        tokio::spawn(async move {
            let tell = |step| drop(inner.send(Inner::Operation(id, step)));
            let (operation, entry) = work.run(&tell).await;
            tell(Step::Ended(Box::new((operation, entry))));
        });
        self.changed();
    }

    fn advance(&mut self, id: OperationId, progress: AppProgress) {
        let Some(operation) = self.operations.iter_mut().find(|operation| operation.id == id) else { return };
        match operation.apps.iter_mut().find(|app| app.app == progress.app) {
            Some(place) => *place = progress,
            None => operation.apps.push(progress),
        }
        let done = operation.apps.iter().filter(|app| app.phase.is_some_and(model::Phase::is_over)).count();
        if operation.phase == model::Phase::Running {
            operation.message = format!("{done} of {} applications are done", operation.apps.len());
        }
        self.changed();
    }

    fn result(&mut self, result: Inner) {
        match result {
            Inner::Catalog(read) => {
                let (catalog, environments, refs) = *read;
                self.is_reading = false;
                self.refs = refs;
                self.take_catalog(catalog, environments);
                if std::mem::take(&mut self.is_stale) {
                    self.read();
                }
            }
            Inner::Cloned(url, foreign) => {
                self.cloning.remove(&url);
                self.renderer.learn(&url, foreign);
                self.read();
            }
            Inner::Pulled(request, is_news) => {
                self.pulling.remove(&request);
                if is_news {
                    self.read();
                }
                self.ask_for_credentials();
            }
            Inner::Credentials(found) => {
                self.renderer.learn_credentials(found);
                self.pull_again(Look::Needed);
            }
            Inner::Fetched(result) => {
                self.is_fetching = false;
                self.fetched = Some(Timestamp::now());
                self.fetch_error =
                    result.err().map(|error| Problem::new(model::text::line(&error.to_string())).hint(error.hint()));
                self.look_at_git();
            }
            Inner::Got(cluster, key, object) => {
                if let Some(state) = self.clusters.get_mut(&cluster) {
                    state.pending.remove(&key);
                }
                if let Some(object) = object {
                    self.event(&cluster, &key.gk(), WatchEvent::Applied(*object), Timestamp::now());
                }
                self.soil(&cluster);
            }
            Inner::Answer(cluster, answer, app, key) => {
                if let Some(state) = self.clusters.get_mut(&cluster) {
                    state.asking = state.asking.saturating_sub(1);
                }
                if let Some(record) = self.records.get_mut(&app) {
                    record.asked.remove(&key);
                    if let Some(answer) = answer {
                        match answer.refusal {
                            Some(refusal) => record.refusals.insert(key, refusal),
                            None => record.refusals.remove(&key),
                        };
                        record.verdicts.insert(answer.key, answer.verdict);
                    }
                    record.is_dirty = true;
                }
                self.ask(&cluster);
            }
            Inner::Operation(_, Step::Look) => self.read(),
            Inner::Operation(id, Step::Ended(ended)) => {
                let (operation, entry) = *ended;
                self.tokens.remove(&id);
                if let Some(place) = self.operations.iter_mut().find(|known| known.id == id) {
                    *place = operation.clone();
                }
                if let Some(entry) = entry {
                    let mut audit = vec![entry];
                    audit.extend(self.audit.iter().cloned());
                    self.audit = audit.into();
                }
                for record in self.records.values_mut() {
                    record.is_dirty = true;
                }
                self.publish();
                self.tell(Event::Finished(Arc::new(operation)));
            }
        }
        self.changed();
    }

    /// Reads the repository on a worker thread.
    fn read(&mut self) {
        if self.is_reading {
            self.is_stale = true;
            return;
        }
        self.is_reading = true;
        let renderer = Arc::clone(&self.renderer);
        let places = self.setup.places.clone();
        let policy = self.setup.policy.clone();
        let offers: HashMap<ClusterName, Arc<Capabilities>> = self
            .clusters
            .iter()
            .filter_map(|(name, state)| Some((name.clone(), state.capabilities.clone()?)))
            .collect();
        let default = Arc::clone(&self.default_capabilities);
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || {
            let refs = renderer.repository.refs_fingerprint();
            let capabilities = |app: &model::Application| {
                let (cluster, _) = places.locate(app);
                offers.get(&cluster).map_or_else(|| Arc::clone(&default), Arc::clone)
            };
            let catalog = renderer.catalog(&Overrides::new(), &capabilities);
            let chain = environments(&renderer.repository, &catalog, policy.as_ref());
            drop(inner.send(Inner::Catalog(Box::new((catalog, chain, refs)))));
        });
    }

    fn look_at_git(&mut self) {
        if !self.is_reading && self.has_catalog && self.setup.repository.refs_fingerprint() != self.refs {
            self.read();
        }
    }

    fn fetch(&mut self) {
        if self.is_fetching || !self.setup.fetch || self.setup.repository.remote().is_none() {
            return;
        }
        self.is_fetching = true;
        let (repository, inner) = (self.setup.repository.clone(), self.inner.clone());
        tokio::spawn(async move {
            drop(inner.send(Inner::Fetched(repository.fetch().await)));
        });
    }

    /// Asks again for charts that a newer version may fit, and for those that could not be had.
    fn pull_again(&mut self, look: Look) {
        let needed = Arc::clone(&self.catalog);
        for request in self.renderer.open_charts().into_iter().filter(|request| needed.charts.contains(request)) {
            self.pull(request, look);
        }
    }

    fn pull(&mut self, request: ChartRequest, look: Look) {
        if !self.pulling.insert(request.clone()) {
            return;
        }
        let (renderer, inner) = (Arc::clone(&self.renderer), self.inner.clone());
        tokio::spawn(async move {
            let is_news = renderer.pull(&request, look).await;
            drop(inner.send(Inner::Pulled(request, is_news)));
        });
    }

    /// Asks every cluster once, and only if a chart could not be had, for the credentials that Argo CD keeps there.
    fn ask_for_credentials(&mut self) {
        if !self.renderer.lacks_charts() {
            return;
        }
        let namespaces: BTreeSet<String> =
            self.catalog.entries.values().map(|entry| control_plane(&entry.application).to_owned()).collect();
        for (name, state) in &self.clusters {
            let (Some(api), Some(discovery)) = (state.api.clone(), state.discovery.clone()) else { continue };
            if self.asked_for_credentials.insert(name.clone()) {
                let (namespaces, inner) = (namespaces.clone(), self.inner.clone());
                tokio::spawn(async move {
                    let found = super::credential::of_argo(&api, &discovery, namespaces).await;
                    if !found.is_empty() {
                        drop(inner.send(Inner::Credentials(found)));
                    }
                });
            }
        }
    }

    fn take_catalog(&mut self, catalog: Catalog, environments: Vec<Arc<Environment>>) {
        self.has_catalog = true;
        self.environments = environments;
        for url in &catalog.missing {
            if self.cloning.insert(url.clone()) {
                let (url, cache, inner) = (url.clone(), self.setup.cache.clone(), self.inner.clone());
                tokio::spawn(async move {
                    let foreign = match git::clone_bare(&url, &cache).await {
                        Ok(repository) => Foreign::Ready(repository),
                        Err(error) => Foreign::Failed(error.to_string()),
                    };
                    drop(inner.send(Inner::Cloned(url, foreign)));
                });
            }
        }
        for request in &catalog.missing_charts {
            // What came while the catalog was read is no longer missing.
            if !self.renderer.knows_chart(request) {
                self.pull(request.clone(), Look::Needed);
            }
        }
        let mut old = std::mem::take(&mut self.records);
        let mut kinds: BTreeMap<ClusterName, BTreeSet<Gk>> = BTreeMap::new();
        for (id, entry) in &catalog.entries {
            let (cluster, context) = self.setup.places.locate(&entry.application);
            self.cluster(&cluster, context, &entry.application.destination.server);
            let discovery = self.clusters.get(&cluster).and_then(|state| state.discovery.clone());
            let (wanted, warnings) = desired(&entry.application, id, &entry.manifests, discovery.as_deref());
            kinds.entry(cluster.clone()).or_default().extend(wanted.iter().map(|one| one.key.gk()));
            let before = old.remove(id);
            let mut record = Record {
                entry: Arc::clone(entry),
                cluster,
                desired: wanted.into(),
                warnings,
                verdicts: Verdicts::new(),
                asked: BTreeSet::new(),
                refusals: HashMap::new(),
                status: None,
                is_dirty: true,
            };
            if let Some(before) = before {
                if before.entry.application.ignore_differences == entry.application.ignore_differences {
                    record.verdicts = before.verdicts;
                    record.refusals = before.refusals;
                }
                record.status = before.status;
            }
            self.records.insert(id.clone(), record);
        }
        for (cluster, wanted) in kinds {
            let sender = self.clusters.get(&cluster).and_then(|state| state.wanted.as_ref());
            if let Some(sender) = sender {
                sender.send_if_modified(|known| {
                    let is_new = *known != wanted;
                    *known = wanted;
                    is_new
                });
            }
        }
        self.keep_what_matters();
        self.catalog = Arc::new(catalog);
        self.changed();
    }

    /// Makes sure that a cluster is known, and watched if a context matches it.
    fn cluster(&mut self, name: &ClusterName, context: Option<String>, server: &str) {
        if self.clusters.contains_key(name) {
            return;
        }
        let mut state = ClusterState { server: server.to_owned(), context: context.clone(), ..ClusterState::default() };
        let access = match (self.setup.open.get(name), &self.setup.kubeconfig, context) {
            (Some(api), _, _) => Some(Access::Open(api.clone())),
            (None, Some(kubeconfig), Some(context)) => {
                let known = kubeconfig.contexts().into_iter().find(|known| known.name == context);
                if let Some(known) = known {
                    state.server = known.server;
                }
                Some(Access::Context(Arc::clone(kubeconfig), context))
            }
            _ => None,
        };
        if let Some(access) = access {
            let (wanted, kinds) = watch::channel(BTreeSet::new());
            let stop = self.stop.child_token();
            state.link = model::Connection::Connecting;
            state.wanted = Some(wanted);
            state.stop = Some(stop.clone());
            tokio::spawn(observe(name.clone(), access, kinds, self.observations.clone(), stop));
        }
        self.clusters.insert(name.clone(), state);
    }

    fn observed(&mut self, name: &ClusterName, observation: Observation) {
        let now = Timestamp::now();
        let Some(state) = self.clusters.get_mut(name) else { return };
        match observation {
            Observation::Connected(api, discovery) => {
                let capabilities = Arc::new(Capabilities {
                    kube_version: discovery.kube_version(),
                    api_versions: discovery.api_versions(),
                });
                let is_new = state.capabilities.as_ref() != Some(&capabilities);
                state.api = Some(api);
                state.discovery = Some(discovery);
                state.capabilities = Some(capabilities);
                state.link = model::Connection::Live;
                state.last_contact = Some(now);
                state.retry_at = None;
                if is_new {
                    self.read();
                }
                self.soil(name);
                self.ask_for_credentials();
            }
            Observation::Lost(error, pause) => {
                state.last_error = Some(model::text::line(&error.to_string()).into_owned());
                state.retry_at = Some(now + pause);
                lose(state, &error, now);
                self.soil(name);
            }
            Observation::Kind(gk, event) => self.event(name, &gk, event, now),
        }
        self.changed();
    }

    fn event(&mut self, name: &ClusterName, gk: &Gk, event: WatchEvent, now: Timestamp) {
        let Some(state) = self.clusters.get_mut(name) else { return };
        let mut touched: BTreeSet<AppId> = BTreeSet::new();
        match event {
            WatchEvent::Failed { error, pause } => {
                state.last_error = Some(model::text::line(&error.to_string()).into_owned());
                if matches!(error.kind(), cluster::ErrorKind::Forbidden | cluster::ErrorKind::NotFound) {
                    state.failing.insert(gk.clone(), format!("{gk}: {error}"));
                    state.link = model::Connection::Degraded(format!("{gk} cannot be watched: {error}"));
                } else if error.is_passing() || error.kind() == cluster::ErrorKind::Unauthorized {
                    state.retry_at = Some(now + pause);
                    if matches!(error.kind(), cluster::ErrorKind::Unreachable | cluster::ErrorKind::Unauthorized) {
                        lose(state, &error, now);
                        return self.soil(name);
                    }
                }
                return;
            }
            WatchEvent::Alive => {}
            WatchEvent::Restarted(objects) => {
                let gone: Vec<Key> = state.live.keys().filter(|key| key.gk() == *gk).cloned().collect();
                let live = Arc::make_mut(&mut state.live);
                for key in gone {
                    if let Some(old) = live.remove(&key) {
                        forget(&mut state.tracked, &key, &old, &mut touched);
                    }
                }
                for object in objects {
                    let key = object.key();
                    let owner = tracked_by(&object);
                    if owner.is_some() || state.named.contains_key(&key) {
                        remember(&mut state.tracked, &key, owner, &mut touched);
                        live.insert(key, Arc::new(object));
                    }
                }
                state.listed.insert(gk.clone());
                let of_kind = state.named.iter().filter(|(key, _)| key.kind == gk.kind && key.group == gk.group);
                touched.extend(of_kind.flat_map(|(_, apps)| apps.iter().cloned()));
            }
            WatchEvent::Applied(object) => {
                let key = object.key();
                let owner = tracked_by(&object);
                let named = state.named.get(&key);
                if owner.is_some() || named.is_some() || state.live.contains_key(&key) {
                    touched.extend(named.into_iter().flatten().cloned());
                    let live = Arc::make_mut(&mut state.live);
                    if let Some(old) = live.get(&key) {
                        forget(&mut state.tracked, &key, old, &mut touched);
                    }
                    remember(&mut state.tracked, &key, owner, &mut touched);
                    live.insert(key, Arc::new(object));
                }
            }
            WatchEvent::Deleted(object) => {
                let key = object.key();
                if let Some(old) = Arc::make_mut(&mut state.live).remove(&key) {
                    touched.extend(state.named.get(&key).into_iter().flatten().cloned());
                    forget(&mut state.tracked, &key, &old, &mut touched);
                }
            }
        }
        state.last_contact = Some(now);
        state.failing.remove(gk);
        let was_lost = matches!(state.link, model::Connection::Lost { .. });
        if state.api.is_some() {
            state.retry_at = None;
            state.link = match state.failing.values().next() {
                Some(reason) => model::Connection::Degraded(reason.clone()),
                None => model::Connection::Live,
            };
        }
        for id in &touched {
            if let Some(record) = self.records.get_mut(id) {
                record.is_dirty = true;
            }
        }
        if was_lost {
            self.soil(name);
        }
    }

    /// All applications of a cluster have to be looked at again.
    fn soil(&mut self, name: &ClusterName) {
        for record in self.records.values_mut().filter(|record| &record.cluster == name) {
            record.is_dirty = true;
        }
    }

    /// After a new catalog, objects that nobody names any more and nobody tracks are forgotten, and those that are newly named are asked for.
    fn keep_what_matters(&mut self) {
        let before: HashMap<ClusterName, HashMap<Key, Vec<AppId>>> =
            self.clusters.iter_mut().map(|(name, state)| (name.clone(), std::mem::take(&mut state.named))).collect();
        for (id, record) in &self.records {
            let Some(state) = self.clusters.get_mut(&record.cluster) else { continue };
            for one in record.desired.iter() {
                state.named.entry(one.key.clone()).or_default().push(id.clone());
            }
        }
        for state in self.clusters.values_mut() {
            let named = &state.named;
            let is_needed = |key: &Key, live: &model::Object| named.contains_key(key) || tracked_by(live).is_some();
            if !state.live.iter().all(|(key, live)| is_needed(key, live)) {
                Arc::make_mut(&mut state.live).retain(|key, live| is_needed(key, live));
            }
        }
        for (name, state) in &mut self.clusters {
            let (Some(api), Some(discovery)) = (&state.api, &state.discovery) else { continue };
            for key in state.named.keys() {
                let was_named = before.get(name).is_some_and(|named| named.contains_key(key));
                let Some(resource) = discovery.find_gk(&key.gk()).cloned() else { continue };
                if was_named || state.live.contains_key(key) || !state.listed.contains(&key.gk()) {
                    continue;
                }
                state.pending.insert(key.clone());
                let (api, inner, name, key) = (api.clone(), self.inner.clone(), name.clone(), key.clone());
                tokio::spawn(async move {
                    let found = api.get(&resource, &key.namespace, &key.name).await.ok().flatten();
                    drop(inner.send(Inner::Got(name, key, found.map(Box::new))));
                });
            }
        }
    }

    /// Looks at every application that something happened to, and publishes a snapshot.
    fn publish(&mut self) {
        self.publish_at = None;
        self.assess();
        self.generation += 1;
        let fleet = Arc::new(snapshot::fleet(self));
        self.fleet.send_replace(fleet);
    }

    fn assess(&mut self) {
        // Children first, so that what generates them shows their new state.
        let mut order: Vec<AppId> = self.records.keys().cloned().collect();
        order.sort_by_key(|id| std::cmp::Reverse(self.depth(id)));
        let mut changed_parents: BTreeSet<AppId> = BTreeSet::new();
        for id in order {
            let Some(mut record) = self.records.remove(&id) else { continue };
            if record.is_dirty || changed_parents.contains(&id) {
                record.is_dirty = false;
                let status = self.judge(&id, &mut record);
                let is_same = record.status.as_ref().is_some_and(|old| snapshot::is_same(old, &status));
                if !is_same {
                    changed_parents.extend(record.entry.parent.clone());
                    record.status = Some(Arc::new(status));
                }
            }
            self.records.insert(id, record);
        }
        let names: Vec<ClusterName> = self.doubts.keys().cloned().collect();
        for name in names {
            self.ask(&name);
        }
    }

    fn depth(&self, id: &AppId) -> usize {
        let mut depth = 0;
        let mut next = self.records.get(id).and_then(|record| record.entry.parent.as_ref());
        while let Some(parent) = next {
            depth += 1;
            next = self.records.get(parent).and_then(|record| record.entry.parent.as_ref()).filter(|_| depth < 16);
        }
        depth
    }

    fn judge(&mut self, id: &AppId, record: &mut Record) -> App {
        let empty = Live::new();
        let nothing = BTreeSet::new();
        let state = self.clusters.get(&record.cluster);
        let live = state.map_or(&empty, |state| &*state.live);
        let tracked = state.and_then(|state| state.tracked.get(id)).unwrap_or(&nothing);
        let wanted: BTreeSet<&Key> = record.desired.iter().map(|one| &one.key).collect();
        let extra: Vec<Key> = tracked.iter().filter(|key| !wanted.contains(key)).cloned().collect();
        let is_known = |key: &Key| {
            let gk = key.gk();
            state.is_some_and(|state| {
                let is_listed = state.listed.contains(&gk) && !state.pending.contains(key);
                is_listed || state.discovery.as_ref().is_some_and(|discovery| discovery.find_gk(&gk).is_none())
            })
        };
        let unreadable = |key: &Key| state.and_then(|state| state.failing.get(&key.gk()).cloned());
        let child = |key: &Key| {
            let app =
                self.records.values().find(|record| *record.entry.application.name == *key.name)?.status.clone()?;
            Some((app.sync, app.health.clone()))
        };
        let scene = Scene {
            app: &record.entry.application,
            desired: &record.desired,
            live,
            extra: &extra,
            is_known: &is_known,
            unreadable: &unreadable,
            child: &child,
        };
        let assessment = assess::assess(&scene, &mut record.verdicts);
        for key in &assessment.doubts {
            let desired = record.desired.iter().find(|one| &one.key == key);
            if let (Some(desired), Some(live)) = (desired, live.get(key))
                && record.asked.insert(key.clone())
            {
                let doubt = Doubt { app: id.clone(), desired: desired.clone(), live: Arc::clone(live) };
                self.doubts.entry(record.cluster.clone()).or_default().push(doubt);
            }
        }
        snapshot::app(id, record, state, &self.environments, assessment, &self.operations)
    }

    /// Puts waiting questions to a cluster, a few at a time.
    fn ask(&mut self, name: &ClusterName) {
        let Some(state) = self.clusters.get_mut(name) else { return };
        let (Some(api), Some(discovery)) = (&state.api, &state.discovery) else {
            self.doubts.remove(name);
            return;
        };
        let Some(waiting) = self.doubts.get_mut(name) else { return };
        while state.asking < DOUBTS
            && let Some(doubt) = waiting.pop()
        {
            let Some(record) = self.records.get(&doubt.app) else { continue };
            state.asking += 1;
            let (api, discovery, inner) = (api.clone(), Arc::clone(discovery), self.inner.clone());
            let (entry, name) = (Arc::clone(&record.entry), name.clone());
            tokio::spawn(async move {
                let answer = confirm::confirm(&api, &discovery, &entry.application, &doubt).await;
                let (app, key) = (doubt.app, doubt.desired.key);
                drop(inner.send(Inner::Answer(name, answer.map(Box::new), app, key)));
            });
        }
        if waiting.is_empty() {
            self.doubts.remove(name);
        }
    }

    /// Says how far the first look has come; `None` once everything was seen once.
    pub(super) fn loading(&self) -> Option<Progress> {
        if !self.has_catalog {
            return Some(Progress { what: "reading the repository".to_owned(), done: 0, total: 0 });
        }
        let fetching = self.catalog.missing_charts.iter().filter(|request| self.pulling.contains(request)).count();
        if fetching > 0 {
            let total = self.catalog.missing_charts.len();
            return Some(Progress { what: "fetching charts".to_owned(), done: total - fetching, total });
        }
        let mut total = 0;
        let mut done = 0;
        for (name, state) in &self.clusters {
            if state.api.is_none() || matches!(state.link, model::Connection::Lost { .. }) {
                continue;
            }
            let kinds: BTreeSet<Gk> = self
                .records
                .values()
                .filter(|record| &record.cluster == name)
                .flat_map(|record| record.desired.iter().map(|one| one.key.gk()))
                .filter(|gk| state.discovery.as_ref().is_some_and(|discovery| discovery.find_gk(gk).is_some()))
                .collect();
            total += kinds.len() + state.asking + state.pending.len();
            done += kinds.iter().filter(|gk| state.listed.contains(gk) || state.failing.contains_key(gk)).count();
        }
        let waits = self.is_reading || !self.doubts.is_empty() || done < total;
        waits.then(|| Progress { what: "reading clusters".to_owned(), done, total })
    }

    pub(super) fn repository_info(&self) -> RepositoryInfo {
        let repository = &self.setup.repository;
        RepositoryInfo {
            name: repository.name(),
            path: repository.path().display().to_string(),
            remote: repository.remote().map(|(_, url)| git::without_credentials(&url)).unwrap_or_default(),
            known_as: self.renderer.own_url().map(|url| git::without_credentials(&url)),
            default_branch: repository.default_branch(),
            head: self.catalog.head.clone(),
            fetched: self.fetched,
            error: self.fetch_error.clone(),
        }
    }

    pub(super) fn basis(&self) -> Basis {
        let clusters = self
            .clusters
            .iter()
            .filter(|(_, state)| !matches!(state.link, model::Connection::Lost { .. }))
            .filter_map(|(name, state)| {
                let view = View {
                    api: state.api.clone()?,
                    discovery: state.discovery.clone()?,
                    live: Arc::clone(&state.live),
                    capabilities: state.capabilities.clone()?,
                };
                Some((name.clone(), view))
            })
            .collect();
        Basis {
            fleet: self.fleet.borrow().clone(),
            catalog: Arc::clone(&self.catalog),
            clusters,
            verdicts: self.records.iter().map(|(id, record)| (id.clone(), record.verdicts.clone())).collect(),
            renderer: Arc::clone(&self.renderer),
            capabilities: Arc::clone(&self.default_capabilities),
        }
    }
}

fn lose(state: &mut ClusterState, error: &cluster::Error, now: Timestamp) {
    if !matches!(state.link, model::Connection::Lost { .. }) {
        state.link = model::Connection::Lost { reason: model::text::line(&error.to_string()).into_owned(), since: now };
    }
}

fn remember(
    tracked: &mut HashMap<AppId, BTreeSet<Key>>,
    key: &Key,
    owner: Option<AppId>,
    touched: &mut BTreeSet<AppId>,
) {
    if let Some(owner) = owner {
        tracked.entry(owner.clone()).or_default().insert(key.clone());
        touched.insert(owner);
    }
}

fn forget(
    tracked: &mut HashMap<AppId, BTreeSet<Key>>,
    key: &Key,
    object: &model::Object,
    touched: &mut BTreeSet<AppId>,
) {
    if let Some(owner) = tracked_by(object) {
        if let Some(keys) = tracked.get_mut(&owner) {
            keys.remove(key);
        }
        touched.insert(owner);
    }
}
