//! The one task that owns the world: it takes in what happens, keeps every figure, and publishes snapshots.

mod application;
mod cluster;
mod repository;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::assess::{Live, Verdicts};
use super::catalog::{Catalog, Entry, Foreign, Renderer};
use super::confirm::{Answer, Doubt};
use super::desired::Desired;
use super::message::{Event, Handle, Request};
use super::observe::Observation;
use super::place::Places;
use super::plan::{Basis, View};
use crate::cluster::{Connection, Discovery, Kubeconfig, WatchEvent};
use crate::config::Policy;
use crate::git::{self, Repository};
use crate::helm::{Capabilities, Profile};
use crate::model::{
    self, App, AppId, AppProgress, AuditEntry, ChartRequest, ClusterName, Environment, Fleet, Gk, Key, Mode, Operation,
    OperationId, Problem,
};
use crate::registry::{ArgoCredentials, Look, Registry};
use crate::store::Journal;

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
/// How long a server that cannot answer a dry run is left alone with it, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

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
pub(in crate::engine) enum Step {
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
    AskAgain(AppId, Key),
    Operation(OperationId, Step),
}

/// One application as the world keeps it.
pub(in crate::engine) struct Record {
    pub entry: Arc<Entry>,
    pub cluster: ClusterName,
    pub desired: Arc<[Desired]>,
    pub warnings: Vec<model::Condition>,
    pub verdicts: Verdicts,
    pub asked: BTreeSet<Key>,
    /// Questions that the server could not answer, and how long it was left alone with each the last time.
    pub unanswered: HashMap<Key, Duration>,
    pub refusals: HashMap<Key, String>,
    pub status: Option<Arc<App>>,
    pub is_dirty: bool,
}

/// One cluster as the world keeps it.
#[derive(Default)]
pub(in crate::engine) struct ClusterState {
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
pub(in crate::engine) struct World {
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
    pub(in crate::engine) fn changed(&mut self) {
        if self.publish_at.is_none() {
            self.publish_at = Some(Instant::now() + PACE);
        }
    }

    pub(in crate::engine) fn tell(&self, event: Event) {
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
                        record.unanswered.clear();
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
        let operation = crate::engine::operation::begin(id, plan, &self.setup.actor);
        self.operations.push(operation.clone());
        self.tokens.insert(id, token.clone());
        self.tell(Event::Started(id));
        let work = crate::engine::operation::Work {
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
                match (answer, self.records.get_mut(&app)) {
                    (Some(answer), Some(record)) => {
                        record.asked.remove(&key);
                        record.unanswered.remove(&key);
                        match answer.refusal {
                            Some(refusal) => record.refusals.insert(key, refusal),
                            None => record.refusals.remove(&key),
                        };
                        record.verdicts.insert(answer.key, answer.verdict);
                        record.is_dirty = true;
                    }
                    (None, Some(record)) => {
                        let pause = record.unanswered.get(&key).map_or(FIRST_PAUSE, |pause| *pause * 2);
                        let pause = pause.min(LONGEST_PAUSE);
                        record.unanswered.insert(key.clone(), pause);
                        self.ask_later(app, key, pause);
                    }
                    (_, None) => {}
                }
                self.ask(&cluster);
            }
            Inner::AskAgain(app, key) => {
                if let Some(record) = self.records.get_mut(&app) {
                    record.asked.remove(&key);
                    record.is_dirty = true;
                }
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

    pub(in crate::engine) fn basis(&self) -> Basis {
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
