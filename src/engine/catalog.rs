//! From a repository to its applications: roots are found at the default branch, everything else by rendering, at any depth.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::git::{self, Repository};
use crate::helm::{Capabilities, Profile};
use crate::model::{
    AppId, Application, ChartArchive, ChartRequest, CommitId, CommitInfo, Condition, ConditionKind, IgnoreDifference,
    Key, Object, Problem, Reference, Source, Tool, text,
};
use crate::registry::{ArgoCredentials, Look, Registry};
use crate::source::{self, Archives, ChartCache, EntryKind, Input, SourceInput, Tree};
use crate::yaml;

use super::desired::is_application;

/// Deepest chain of Applications that generate Applications.
const MAX_DEPTH: usize = 8;
/// Charts that are kept.
const CHARTS: usize = 512;
/// Commits whose folders are kept.
const TREES: usize = 64;
/// Fewer applications than this for each thread are not worth one.
const WORTH_A_WORKER: usize = 4;
/// Largest file that is looked at for Applications, in bytes.
const MAX_MANIFEST: u64 = 1 << 20;

/// An application as Git describes it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Instance name.
    pub id: AppId,
    /// What it asks for; of one that is refused, what could be read.
    pub application: Application,
    /// What generates it; `None` for a root.
    pub parent: Option<AppId>,
    /// The commit that was rendered.
    pub commit: Option<CommitInfo>,
    /// The version of the first source, if that is a packed chart.
    pub chart: Option<String>,
    /// What the first source's revision names.
    pub reference: Option<Reference>,
    /// What it renders to, in order.
    pub manifests: Arc<[Object]>,
    /// Why it does not render, or what to know about it.
    pub conditions: Vec<Condition>,
    /// Equal fingerprints mean equal manifests.
    pub fingerprint: String,
}

impl Entry {
    /// Says whether it must not be synced for what Git says about it.
    pub fn is_blocked(&self) -> bool {
        self.conditions.iter().any(|condition| condition.kind.blocks_sync())
    }
}

/// All applications of a repository at one moment.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By id.
    pub entries: BTreeMap<AppId, Arc<Entry>>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Commit of the default branch.
    pub head: Option<CommitId>,
    /// Other repositories that are needed and not cloned yet.
    pub missing: Vec<String>,
    /// Charts that are needed and were not had yet.
    pub missing_charts: BTreeSet<ChartRequest>,
    /// All charts that are needed.
    pub charts: BTreeSet<ChartRequest>,
}

/// Where references would stand: full name without `refs/heads/` or `refs/tags/` → commit.
pub type Overrides = HashMap<Reference, CommitId>;

/// How a repository that is not the open one stands.
#[derive(Clone, Debug)]
pub enum Foreign {
    /// Cloned into the cache.
    Ready(Repository),
    /// Could not be.
    Failed(String),
}

/// How a packed chart stands.
#[derive(Clone, Debug)]
enum Pulled {
    /// It is here, with what to know about it.
    Ready(ChartArchive, Vec<String>),
    /// It could not be had.
    Failed(String),
}

/// The charts that were had, and a list of those that were not.
struct Shelf<'a> {
    pulled: &'a Mutex<HashMap<ChartRequest, Pulled>>,
    asked: Mutex<BTreeSet<ChartRequest>>,
    missing: Mutex<BTreeSet<ChartRequest>>,
    warnings: Mutex<Vec<String>>,
}

impl<'a> Shelf<'a> {
    fn new(pulled: &'a Mutex<HashMap<ChartRequest, Pulled>>) -> Self {
        Self { pulled, asked: Mutex::default(), missing: Mutex::default(), warnings: Mutex::default() }
    }
}

impl Archives for Shelf<'_> {
    fn archive(&self, request: &ChartRequest) -> Result<ChartArchive, String> {
        locked(&self.asked).insert(request.clone());
        match locked(self.pulled).get(request) {
            Some(Pulled::Ready(archive, warnings)) => {
                locked(&self.warnings).extend(warnings.iter().map(|warning| format!("{request}: {warning}")));
                Ok(archive.clone())
            }
            Some(Pulled::Failed(reason)) => Err(format!("{request}: {reason}")),
            None => {
                locked(&self.missing).insert(request.clone());
                Err(format!("{request} is being fetched"))
            }
        }
    }
}

/// Answers for a destination.
pub type CapabilitiesOf<'a> = dyn Fn(&Application) -> Arc<Capabilities> + Sync + 'a;

type Rendered = Result<source::Manifests, Vec<Condition>>;

/// Renders applications, remembering what does not change. Blocking: it belongs on a worker thread.
pub struct Renderer {
    /// The open repository.
    pub repository: Repository,
    /// Helm's version to be like.
    pub profile: Profile,
    registry: Option<Arc<Registry>>,
    charts: ChartCache,
    foreign: Mutex<HashMap<String, Foreign>>,
    pulled: Mutex<HashMap<ChartRequest, Pulled>>,
    /// The URL by which the Applications know the open repository, if it is none of its remotes.
    own_url: Mutex<Option<String>>,
    roots: Mutex<HashMap<String, Arc<[Object]>>>,
    trees: Mutex<HashMap<(PathBuf, CommitId), Arc<dyn Tree>>>,
    rendered: Mutex<HashMap<String, Arc<Rendered>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Renderer {
    /// Makes a renderer with empty caches.
    pub fn new(repository: Repository, profile: Profile, registry: Option<Arc<Registry>>) -> Self {
        Self {
            repository,
            profile,
            registry,
            charts: ChartCache::new(CHARTS),
            foreign: Mutex::default(),
            pulled: Mutex::default(),
            own_url: Mutex::default(),
            roots: Mutex::default(),
            trees: Mutex::default(),
            rendered: Mutex::default(),
        }
    }

    /// Takes in what became of a clone.
    pub fn learn(&self, url: &str, foreign: Foreign) {
        locked(&self.foreign).insert(git::normalise_url(url), foreign);
    }

    /// Has a chart pulled; says whether that brought news.
    pub async fn pull(&self, request: &ChartRequest, look: Look) -> bool {
        let pulled = match &self.registry {
            Some(registry) => match registry.pull(request, look).await {
                Ok(found) => Pulled::Ready(found.archive, found.warnings),
                Err(error) if error.hint().is_empty() => Pulled::Failed(error.to_string()),
                Err(error) => Pulled::Failed(format!("{error}; {}", error.hint())),
            },
            None => Pulled::Failed("chart repositories are not asked here".to_owned()),
        };
        self.learn_chart(request.clone(), pulled)
    }

    /// Takes in what became of a pull; says whether that is news. What was had once is not lost to a failure.
    fn learn_chart(&self, request: ChartRequest, new: Pulled) -> bool {
        let mut pulled = locked(&self.pulled);
        let known = pulled.get(&request);
        let is_news = match (known, &new) {
            (Some(Pulled::Ready(..)), Pulled::Failed(_)) => return false,
            (Some(Pulled::Ready(old, before)), Pulled::Ready(new, now)) => old.digest != new.digest || before != now,
            (Some(Pulled::Failed(before)), Pulled::Failed(now)) => before != now,
            _ => true,
        };
        pulled.insert(request, new);
        is_news
    }

    /// Says whether a chart could not be had.
    pub fn lacks_charts(&self) -> bool {
        self.registry.is_some() && locked(&self.pulled).values().any(|pulled| matches!(pulled, Pulled::Failed(_)))
    }

    /// Takes in credentials for charts that a cluster keeps.
    pub fn learn_credentials(&self, argo: ArgoCredentials) {
        if let Some(registry) = &self.registry {
            registry.learn(argo);
        }
    }

    /// Says whether a chart was had, or could not be.
    pub fn knows_chart(&self, request: &ChartRequest) -> bool {
        locked(&self.pulled).contains_key(request)
    }

    /// Returns the charts to ask for again: those that could not be had, and those that a newer version may fit.
    pub fn open_charts(&self) -> Vec<ChartRequest> {
        let is_open =
            |(request, pulled): &(&ChartRequest, &Pulled)| matches!(pulled, Pulled::Failed(_)) || !request.is_exact();
        locked(&self.pulled).iter().filter(is_open).map(|(request, _)| request.clone()).collect()
    }

    /// Reads the whole catalog. `capabilities` answers for a destination.
    pub fn catalog(&self, overrides: &Overrides, capabilities: &CapabilitiesOf<'_>) -> Catalog {
        let mut catalog = Catalog::default();
        let branch = self.repository.default_branch();
        let head = match self.repository.resolve("HEAD", "") {
            Ok(resolved) => overrides.get(&Reference::Branch(branch)).cloned().unwrap_or(resolved.commit),
            Err(error) => {
                catalog.problems.push(Problem::new(error.to_string()).hint(error.hint()));
                return catalog;
            }
        };
        catalog.head = Some(head.clone());
        let mut found = Vec::new();
        match self.repository.tree(&head) {
            Ok(tree) => {
                self.find_roots(&*tree, "", &mut found, &mut catalog.problems);
                *locked(&self.own_url) = self.own_url_by(&found, &*tree);
            }
            Err(error) => catalog.problems.push(Problem::new(error.to_string()).hint(error.hint())),
        }
        let mut generated: Vec<Arc<Entry>> = Vec::new();
        for object in &found {
            let entry = self.entry(object, None, overrides, capabilities, &mut catalog);
            self.descend(entry, 0, overrides, capabilities, &mut catalog, &mut generated);
        }
        // What another Application generates is no root, even if its manifest also lies in the repository.
        for child in generated {
            catalog.entries.insert(child.id.clone(), child);
        }
        if catalog.entries.is_empty() && catalog.problems.is_empty() {
            catalog.problems.push(
                Problem::new(format!("{} has no Argo CD Applications at its default branch", self.repository.name()))
                    .hint(
                        "quarterdeck shows what manifests of kind Application describe; is this the right repository?",
                    ),
            );
        }
        catalog.missing.sort();
        catalog.missing.dedup();
        catalog
    }

    /// Returns the URL that the roots give this repository, where none of its remotes has it: a mirror, a bundle, a fork.
    /// It is the one URL that all of them name, with paths that all lie here.
    fn own_url_by(&self, roots: &[Object], tree: &dyn Tree) -> Option<String> {
        let roots: Vec<Application> = roots.iter().map(source::outline).collect();
        let mut sources =
            roots.iter().flat_map(|root| &root.sources).filter(|source| source.chart.is_empty()).peekable();
        let url = sources.peek()?.repo_url.clone();
        let is_here = |source: &Source| {
            let path = source.path.trim_matches('/');
            let entry = tree.entry(path).ok().flatten();
            git::normalise_url(&source.repo_url) == git::normalise_url(&url)
                && entry.is_some_and(|entry| entry.kind == EntryKind::Tree)
        };
        (!self.repository.matches_url(&url) && sources.all(is_here)).then_some(url)
    }

    /// Returns the URL by which the Applications know the open repository, if it is none of its remotes.
    pub fn own_url(&self) -> Option<String> {
        locked(&self.own_url).clone()
    }

    fn is_own(&self, url: &str) -> bool {
        let known = self.own_url();
        known.is_some_and(|known| git::normalise_url(&known) == git::normalise_url(url))
            || self.repository.matches_url(url)
    }

    fn descend(
        &self,
        entry: Arc<Entry>,
        depth: usize,
        overrides: &Overrides,
        capabilities: &CapabilitiesOf<'_>,
        catalog: &mut Catalog,
        generated: &mut Vec<Arc<Entry>>,
    ) {
        if catalog.entries.contains_key(&entry.id) {
            if depth == 0 {
                return;
            }
            if generated.iter().any(|known| known.id == entry.id) {
                let what = format!("Application {} is generated more than once", entry.id);
                catalog.problems.push(Problem::new(what).hint("only the first one is shown; rename the other"));
                return;
            }
        }
        if depth > 0 {
            generated.push(Arc::clone(&entry));
        }
        catalog.entries.insert(entry.id.clone(), Arc::clone(&entry));
        let children: Vec<&Object> =
            entry.manifests.iter().filter(|object| is_application(&object.gvk().gk())).collect();
        if depth < MAX_DEPTH {
            self.render_ahead(&children, overrides, capabilities);
        }
        for object in children {
            if depth >= MAX_DEPTH {
                let what = format!("Applications below {} are nested more than {MAX_DEPTH} deep", entry.id);
                catalog.problems.push(Problem::new(what).hint("is there a cycle?"));
                return;
            }
            let child = self.entry(object, Some(&entry), overrides, capabilities, catalog);
            self.descend(child, depth + 1, overrides, capabilities, catalog, generated);
        }
    }

    /// Renders applications on all cores, so that they are known when they are asked for.
    fn render_ahead(&self, children: &[&Object], overrides: &Overrides, capabilities: &CapabilitiesOf<'_>) {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(children.len() / WORTH_A_WORKER);
        if workers < 2 {
            return;
        }
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(object) = children.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Ok(app) = source::application(object) {
                    self.render(&app, overrides, &capabilities(&app), &mut Catalog::default());
                }
            }
        };
        std::thread::scope(|scope| {
            // Where there is no thread to be had, each is rendered in its turn.
            let thread = || std::thread::Builder::new().name("render".into());
            let threads: Vec<_> = (0..workers).map_while(|_| thread().spawn_scoped(scope, work).ok()).collect();
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
    }

    /// Finds the manifests of kind Application in a folder and all below it.
    fn find_roots(&self, tree: &dyn Tree, path: &str, found: &mut Vec<Object>, problems: &mut Vec<Problem>) {
        let children = match tree.children(path) {
            Ok(children) => children,
            Err(error) => return problems.push(Problem::new(error.to_string())),
        };
        for (name, entry) in children {
            let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            match entry.kind {
                EntryKind::Tree => self.find_roots(tree, &below, found, problems),
                EntryKind::Blob if is_manifest(&name) && entry.size <= MAX_MANIFEST => {
                    let known = locked(&self.roots).get(&entry.id).cloned();
                    let objects = match known {
                        Some(objects) => objects,
                        None => match tree.blob(&entry.id) {
                            Ok(bytes) => {
                                let objects = applications(&bytes, &below, problems);
                                locked(&self.roots).insert(entry.id.clone(), Arc::clone(&objects));
                                objects
                            }
                            Err(error) => return problems.push(Problem::new(error.to_string())),
                        },
                    };
                    found.extend(objects.iter().cloned());
                }
                _ => {}
            }
        }
    }

    /// Reads and renders one Application.
    fn entry(
        &self,
        object: &Object,
        parent: Option<&Entry>,
        overrides: &Overrides,
        capabilities: &CapabilitiesOf<'_>,
        catalog: &mut Catalog,
    ) -> Arc<Entry> {
        let parent = parent.map(|parent| parent.id.clone());
        let application = match source::application(object) {
            Ok(application) => application,
            Err(conditions) => {
                let application = source::outline(object);
                return Arc::new(Entry {
                    id: application.id(&control_plane(object)),
                    application,
                    parent,
                    commit: None,
                    chart: None,
                    reference: None,
                    manifests: Arc::new([]),
                    conditions,
                    fingerprint: String::new(),
                });
            }
        };
        let id = application.id(&control_plane(object));
        let rendered = self.render(&application, overrides, &capabilities(&application), catalog);
        Arc::new(Entry {
            id,
            application: without_unstable(application, rendered.unstable),
            parent,
            commit: rendered.commit,
            chart: rendered.chart,
            reference: rendered.reference,
            manifests: rendered.manifests,
            conditions: rendered.conditions,
            fingerprint: rendered.fingerprint,
        })
    }

    /// Renders one application at its revisions, or at those that `overrides` names.
    fn render(
        &self,
        app: &Application,
        overrides: &Overrides,
        capabilities: &Arc<Capabilities>,
        catalog: &mut Catalog,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let shelf = Shelf::new(&self.pulled);
        let Some(sources) = self.sources(app, overrides, &shelf, &mut outcome, catalog) else { return outcome };
        let input = self.input(app, &sources, capabilities, &shelf);
        let fingerprint = source::fingerprint(&input);
        let known = locked(&self.rendered).get(&fingerprint).cloned();
        let rendered = known.unwrap_or_else(|| {
            let rendered = Arc::new(source::render(&input));
            locked(&self.rendered).insert(fingerprint.clone(), Arc::clone(&rendered));
            rendered
        });
        outcome.fingerprint = fingerprint;
        match &*rendered {
            Ok(manifests) => {
                outcome.manifests = manifests.objects.clone().into();
                outcome.conditions = manifests.conditions.clone();
                outcome.unstable = manifests.unstable.clone();
            }
            Err(conditions) => outcome.conditions = conditions.clone(),
        }
        let warnings = std::mem::take(&mut *locked(&shelf.warnings)).into_iter().collect::<BTreeSet<_>>();
        outcome.conditions.extend(
            warnings.into_iter().map(|warning| Condition::new(ConditionKind::ChartWarning, text::block(&warning))),
        );
        catalog.missing_charts.append(&mut locked(&shelf.missing));
        catalog.charts.append(&mut locked(&shelf.asked));
        outcome
    }

    fn input<'a>(
        &'a self,
        app: &'a Application,
        sources: &'a [SourceInput],
        capabilities: &'a Arc<Capabilities>,
        shelf: &'a Shelf<'a>,
    ) -> Input<'a> {
        Input {
            app,
            sources,
            capabilities,
            profile: self.profile,
            charts: &self.charts,
            archives: shelf,
            control_plane: &app.namespace,
        }
    }

    /// Returns which file wrote each object of an application, as far as that is known.
    pub fn origins(&self, entry: &Entry, capabilities: &Arc<Capabilities>) -> Vec<(Key, String)> {
        let shelf = Shelf::new(&self.pulled);
        let (mut outcome, mut aside) = (Outcome::default(), Catalog::default());
        let app = &entry.application;
        let sources = self.sources(app, &Overrides::new(), &shelf, &mut outcome, &mut aside).unwrap_or_default();
        // Where an object comes from is said beside it; if that cannot be found out, the difference is still worth seeing.
        source::origins(&self.input(app, &sources, capabilities, &shelf)).unwrap_or_default()
    }

    /// Resolves the sources of an application; nothing if one of them cannot be, which is then noted.
    fn sources(
        &self,
        app: &Application,
        overrides: &Overrides,
        shelf: &Shelf<'_>,
        outcome: &mut Outcome,
        catalog: &mut Catalog,
    ) -> Option<Vec<SourceInput>> {
        let mut sources = Vec::new();
        for (place, wanted) in app.sources.iter().enumerate() {
            if let Some(request) = wanted.chart_request() {
                let source = self.packed(&request, shelf);
                if place == 0 && source.tree.is_some() {
                    outcome.chart = Some(source.version.clone());
                }
                sources.push(source);
                continue;
            }
            let resolved = self.repository_of(&wanted.repo_url, &mut catalog.missing).and_then(|repository| {
                let resolved = repository
                    .resolve(&wanted.target_revision, &wanted.tag_prefix)
                    .map_err(|error| error.to_string())?;
                let commit = match overrides.get(&resolved.reference) {
                    Some(commit) if repository.path() == self.repository.path() => commit.clone(),
                    _ => resolved.commit,
                };
                let tree = self.tree(&repository, &commit).map_err(|error| error.to_string())?;
                let info = repository.commit(&commit).map_err(|error| error.to_string())?;
                Ok((tree, info, resolved.reference))
            });
            match resolved {
                Ok((tree, info, reference)) => {
                    sources.push(SourceInput {
                        tree: Some(tree),
                        commit: Some(info.id.clone()),
                        version: String::new(),
                        problem: String::new(),
                    });
                    if place == 0 {
                        outcome.reference = Some(reference);
                        outcome.commit = Some(info);
                    }
                }
                Err(reason) => {
                    let message = format!(
                        "Failed to load target state: revision {:?} of {}: {reason}",
                        if wanted.target_revision.is_empty() { "HEAD" } else { &wanted.target_revision },
                        git::without_credentials(&wanted.repo_url)
                    );
                    outcome.conditions.push(Condition::new(ConditionKind::ComparisonError, text::block(&message)));
                    return None;
                }
            }
        }
        Some(sources)
    }

    /// Returns the folder at a commit, with what was already read of it.
    fn tree(&self, repository: &Repository, commit: &CommitId) -> Result<Arc<dyn Tree>, git::Error> {
        let key = (repository.path().to_owned(), commit.clone());
        if let Some(tree) = locked(&self.trees).get(&key) {
            return Ok(Arc::clone(tree));
        }
        let tree = repository.tree(commit)?;
        let mut trees = locked(&self.trees);
        if trees.len() >= TREES {
            trees.clear();
        }
        trees.insert(key, Arc::clone(&tree));
        Ok(tree)
    }

    /// Returns a packed chart as a source.
    fn packed(&self, request: &ChartRequest, shelf: &Shelf<'_>) -> SourceInput {
        let none = |problem: String| SourceInput { tree: None, commit: None, version: String::new(), problem };
        match shelf.archive(request) {
            Ok(archive) => match self.charts.packed(&archive) {
                Ok(tree) => SourceInput { tree: Some(tree), version: archive.version, ..none(String::new()) },
                Err(reason) => none(format!("{request}: {reason}")),
            },
            Err(problem) => none(problem),
        }
    }

    fn repository_of(&self, url: &str, missing: &mut Vec<String>) -> Result<Repository, String> {
        if self.is_own(url) {
            return Ok(self.repository.clone());
        }
        match locked(&self.foreign).get(&git::normalise_url(url)) {
            Some(Foreign::Ready(repository)) => Ok(repository.clone()),
            Some(Foreign::Failed(reason)) => Err(reason.clone()),
            None => {
                missing.push(url.to_owned());
                Err("this repository is being cloned".to_owned())
            }
        }
    }

    /// Renders an application with changed sources, apart from the catalog; returns the charts too that it needs and that were not had yet.
    pub fn again(
        &self,
        entry: &Entry,
        application: Application,
        capabilities: &Arc<Capabilities>,
    ) -> (Entry, BTreeSet<ChartRequest>) {
        let mut aside = Catalog::default();
        let rendered = self.render(&application, &Overrides::new(), capabilities, &mut aside);
        let found = Entry {
            id: entry.id.clone(),
            application: without_unstable(application, rendered.unstable),
            parent: entry.parent.clone(),
            commit: rendered.commit,
            chart: rendered.chart,
            reference: rendered.reference,
            manifests: rendered.manifests,
            conditions: rendered.conditions,
            fingerprint: rendered.fingerprint,
        };
        (found, aside.missing_charts)
    }

    /// Returns the value files of an application's first source and its inline values, one after the other, as YAML.
    ///
    /// # Errors
    /// When its commit cannot be read.
    pub fn values(&self, entry: &Entry) -> Result<String, Problem> {
        let app = &entry.application;
        let Some((source, tree)) = app.sources.first().zip(self.first_tree(entry)?) else {
            return Err(Problem::new(format!("{} has no commit or chart that could be resolved", entry.id)));
        };
        let mut out = String::new();
        let mut add = |title: &str, content: &str| {
            if !content.trim().is_empty() {
                out.push_str(&format!("# {title}\n{}\n", text::block(content.trim_end())));
            }
        };
        let Tool::Helm(helm) = &source.tool else {
            return Err(Problem::new(format!("{} is not rendered by helm with values of its own", entry.id)));
        };
        for file in &helm.value_files {
            let path = match file.strip_prefix('/') {
                Some(path) => path.to_owned(),
                None => format!("{}/{file}", source.path).trim_start_matches('/').to_owned(),
            };
            let blob = tree.entry(&path).ok().flatten().and_then(|found| tree.blob(&found.id).ok());
            match blob {
                Some(bytes) => add(&path, &String::from_utf8_lossy(&bytes)),
                None => add(&path, "# cannot be read"),
            }
        }
        add("spec.source.helm.values", &helm.values);
        if let Some(object) = &helm.values_object {
            add("spec.source.helm.valuesObject", &yaml::to_string(object));
        }
        for parameter in &helm.parameters {
            add("parameter", &format!("{}: {}", parameter.name, parameter.value));
        }
        Ok(out)
    }

    /// Returns the files that an application's first source was rendered from.
    fn first_tree(&self, entry: &Entry) -> Result<Option<Arc<dyn Tree>>, Problem> {
        let Some(source) = entry.application.sources.first() else { return Ok(None) };
        if let Some(request) = source.chart_request() {
            let shelf = Shelf::new(&self.pulled);
            return Ok(self.packed(&request, &shelf).tree);
        }
        let Some(commit) = &entry.commit else { return Ok(None) };
        let repository = self.repository_of(&source.repo_url, &mut Vec::new()).map_err(Problem::new)?;
        let tree = repository.tree(&commit.id).map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
        Ok(Some(tree))
    }

    /// Forgets what was rendered from charts and files; what Git objects hold does not change, so this only costs time.
    pub fn forget(&self) {
        locked(&self.rendered).clear();
        locked(&self.foreign).retain(|_, foreign| matches!(foreign, Foreign::Ready(_)));
    }
}

#[derive(Default)]
struct Outcome {
    commit: Option<CommitInfo>,
    chart: Option<String>,
    reference: Option<Reference>,
    manifests: Arc<[Object]>,
    conditions: Vec<Condition>,
    /// What a chart renders differently every time; it is compared with nothing.
    unstable: Vec<IgnoreDifference>,
    fingerprint: String,
}

/// Leaves what is never the same twice out of every comparison.
fn without_unstable(mut application: Application, unstable: Vec<IgnoreDifference>) -> Application {
    application.ignore_differences.extend(unstable);
    application
}

/// Applications of all namespaces are one world here; only what the manifest itself names as its namespace is not a prefix.
fn control_plane(object: &Object) -> String {
    object.namespace().to_owned()
}

fn is_manifest(name: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

/// Returns the Applications in a file. Templates of charts hold some too, but are no YAML; they are rendered by others.
fn applications(bytes: &[u8], path: &str, problems: &mut Vec<Problem>) -> Arc<[Object]> {
    let is_likely = bytes.windows(11).any(|window| window == b"argoproj.io") && contains(bytes, b"Application");
    if !is_likely || contains(bytes, b"{{") {
        return Arc::new([]);
    }
    let mut found = Vec::new();
    for document in yaml::documents(bytes) {
        match document.value {
            Ok(value) => found.extend(Object::new(value).filter(|object| is_application(&object.gvk().gk()))),
            Err(error) => problems.push(
                Problem::new(format!("{path}: the document at line {}: {error}", document.line))
                    .hint("it looks like an Application; fix the YAML and commit"),
            ),
        }
    }
    found.into()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
