//! From sources to manifests: first what has to be read, then the reading and rendering itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::cache::ChartCache;
use super::plan::{ChartWork, DirectoryWork, Inline, Work, plan};
use super::supply::files;
use super::unstable::Unstable;
use super::{Archives, Tree, manifest};
use crate::helm::{self, Capabilities, Chart, Options, Profile, ValueInput};
use crate::model::{Application, CommitId, Condition, ConditionKind, IgnoreDifference, Key, Object};

/// Most bytes that the manifests of a plain folder may have together; Argo CD's default.
const LARGEST_FOLDER: usize = 10_000_000;

/// How far ahead the clock of a second render is: no part of a date stays the same.
const ANOTHER_TIME: Duration = Duration::from_secs(((400 * 24 + 13) * 60 + 17) * 60 + 19);

/// What an Application is rendered from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The Application.
    pub app: &'a Application,
    /// Parallel to its sources.
    pub sources: &'a [SourceInput],
    /// The destination's cluster.
    pub capabilities: &'a Arc<Capabilities>,
    /// Which helm.
    pub profile: Profile,
    /// Charts that were read before.
    pub charts: &'a ChartCache,
    /// Charts from repositories.
    pub archives: &'a dyn Archives,
    /// The namespace whose Applications carry no prefix in their id.
    pub control_plane: &'a str,
}

/// One source's files.
#[derive(Clone)]
pub struct SourceInput {
    /// The repository's root at the commit, or a packed chart; `None` if it could not be had.
    pub tree: Option<Arc<dyn Tree>>,
    /// The commit.
    pub commit: Option<CommitId>,
    /// The version of a packed chart; empty for Git.
    pub version: String,
    /// Why there is no tree; empty if there is one.
    pub problem: String,
}

impl SourceInput {
    /// Returns what its revision is called: the commit, or the chart's version.
    pub(super) fn revision(&self) -> &str {
        self.commit.as_ref().map_or(self.version.as_str(), CommitId::as_str)
    }
}

/// What an Application renders to.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// The objects, hooks too, in the order of the sources.
    pub objects: Vec<Object>,
    /// Warnings; none of them keeps it from being synced.
    pub conditions: Vec<Condition>,
    /// Fields that are different in every render: they say nothing about a cluster.
    pub unstable: Vec<IgnoreDifference>,
    /// The same as [`fingerprint`] gives.
    pub fingerprint: String,
}

/// Returns a text that stays the same as long as rendering would give the same.
pub fn fingerprint(input: &Input<'_>) -> String {
    let works: Vec<_> = (0..input.app.sources.len()).map(|index| plan(input, index)).collect();
    digest(input, &works)
}

fn digest(input: &Input<'_>, works: &[Result<Work, String>]) -> String {
    let mut sha = Sha256::new();
    sha.update(format!("{:?} {:?} {:?}", input.profile, input.capabilities, works));
    sha.update(format!("{:?} {:?} {:?}", input.app.name, input.app.destination, input.control_plane));
    sha.finalize().iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Renders every source.
///
/// # Errors
/// Why not, one condition per source that failed.
pub fn render(input: &Input<'_>) -> Result<Manifests, Vec<Condition>> {
    let works: Vec<_> = (0..input.app.sources.len()).map(|index| plan(input, index)).collect();
    let mut manifests = Manifests { fingerprint: digest(input, &works), ..Manifests::default() };
    let (mut failed, count) = (Vec::new(), works.len());
    for (index, work) in works.into_iter().enumerate() {
        let done = match work {
            Ok(Work::Nothing) => Ok(()),
            Ok(Work::Chart(work)) => render_chart(input, index, &work, &mut manifests),
            Ok(Work::Directory(work)) => directory(input, index, &work, &mut manifests.objects),
            Err(problem) => Err(problem),
        };
        if let Err(problem) = done {
            let message = format!("failed to generate manifest for source {} of {count}: {problem}", index + 1);
            failed.push(Condition::new(ConditionKind::ComparisonError, message));
        }
    }
    if !failed.is_empty() {
        return Err(failed);
    }
    drop_repeated(&mut manifests, &input.app.destination.namespace);
    Ok(manifests)
}

pub(super) fn tree<'a>(input: &Input<'a>, index: usize) -> Result<&'a dyn Tree, String> {
    match input.sources.get(index) {
        Some(SourceInput { tree: Some(tree), .. }) => Ok(&**tree),
        Some(source) if !source.problem.is_empty() => Err(source.problem.clone()),
        _ => Err(format!("{}: the repository could not be read", input.app.sources[index].repo_url)),
    }
}

fn blob(tree: &dyn Tree, id: &str) -> Result<Arc<[u8]>, String> {
    tree.blob(id).map_err(|error| error.to_string())
}

/// A chart and what it is rendered with.
#[derive(Clone, Debug)]
pub struct ChartRender {
    /// The chart.
    pub chart: Arc<Chart>,
    /// Its release, cluster and values.
    pub options: Options,
    /// The same as a command line, for errors.
    pub command: String,
}

/// Returns how a source is rendered as a chart; `None` if it is no chart.
///
/// # Errors
/// What of it cannot be had.
pub fn chart(input: &Input<'_>, index: usize) -> Result<Option<ChartRender>, String> {
    match plan(input, index)? {
        Work::Chart(work) => prepare(input, index, &work).map(Some),
        Work::Nothing | Work::Directory(_) => Ok(None),
    }
}

fn prepare(input: &Input<'_>, index: usize, work: &ChartWork) -> Result<ChartRender, String> {
    let root = tree(input, index)?;
    let load = || -> Result<Chart, String> {
        let mut supplied = Vec::new();
        for one in &work.supplied {
            supplied.extend(one.files(root)?);
        }
        helm::load_with(files(root, &work.path)?, supplied).map_err(|error| error.to_string())
    };
    let shown = if work.path.is_empty() { input.app.sources[index].chart_name() } else { &work.path };
    let mut command = format!("helm template {shown} --name-template {} --namespace {}", work.release, work.namespace);
    let id = work.supplied.iter().fold(work.id.clone(), |id, one| format!("{id} + {}", one.key()));
    let chart = if work.links.is_empty() { input.charts.chart(&id, load) } else { load().map(Arc::new) };
    let chart = chart.map_err(|error| format!("{command}: {error}"))?;
    let mut options = Options::new(input.profile, &work.release, &work.namespace);
    for value in &work.values {
        options.values.push(match value {
            Inline::File { source, path, id } => {
                command += &format!(" --values {path}");
                ValueInput::File { name: path.clone(), data: blob(tree(input, *source)?, id)? }
            }
            Inline::Text(text) => {
                command += " --values <inline>";
                ValueInput::File { name: "<inline>".to_owned(), data: text.as_bytes().into() }
            }
            Inline::Set(text) => ValueInput::Set(text.clone()),
            Inline::SetString(text) => ValueInput::SetString(text.clone()),
            Inline::SetFile { name, source, id } => {
                ValueInput::SetFile { path: name.clone(), data: blob(tree(input, *source)?, id)? }
            }
        });
    }
    options.capabilities = Arc::clone(&work.capabilities);
    options.include_crds = true;
    options.skip_crds = work.skip_crds;
    options.skip_tests = work.skip_tests;
    options.skip_schema_validation = work.skip_schema_validation;
    Ok(ChartRender { chart, options, command })
}

fn render_chart(input: &Input<'_>, index: usize, work: &ChartWork, out: &mut Manifests) -> Result<(), String> {
    let ChartRender { chart, options, command } = prepare(input, index, work)?;
    let read = |options: &Options| -> Result<_, String> {
        let rendered = helm::render(&chart, options).map_err(|error| error.to_string())?;
        let mut objects = Vec::new();
        manifest::read(rendered.text.as_bytes(), &mut objects)?;
        Ok((objects, rendered.nondeterministic))
    };
    let (mut objects, calls) = read(&options).map_err(|error| format!("{command}: {error}"))?;
    if !calls.is_empty() {
        // Random functions may be called for nothing: what counts is what another render, at another time, makes of it.
        let later = Options { clock_ahead: ANOTHER_TIME, ..options.clone() };
        let (what, rules) = match read(&later) {
            Ok((others, _)) => {
                let unstable = Unstable::between(&objects, &others);
                (unstable.text(), unstable.rules)
            }
            Err(error) => (format!("it renders only sometimes ({error})"), Vec::new()),
        };
        if !what.is_empty() {
            let calls = calls.join(", ");
            let message = format!(
                "the chart in {} renders differently every time, which is not compared: {what}; it calls {calls}",
                if work.path.is_empty() { input.app.sources[index].chart_name() } else { &work.path }
            );
            out.conditions.push(Condition::new(ConditionKind::NotDeterministicWarning, message));
            out.unstable.extend(rules);
        }
    }
    out.objects.append(&mut objects);
    Ok(())
}

/// Returns which file wrote each object, as far as that is known: the manifest in a folder, the template in a chart. Paths of a chart's own
/// templates are those of the repository; others begin with the chart's name.
///
/// # Errors
/// Why a source cannot be read or rendered.
pub fn origins(input: &Input<'_>) -> Result<Vec<(Key, String)>, String> {
    let mut origins = Vec::new();
    let mut add = |path: &str, objects: Vec<Object>| {
        origins.extend(objects.iter().map(|object| (object.key(), path.to_owned())));
    };
    for index in 0..input.app.sources.len() {
        match plan(input, index)? {
            Work::Nothing => {}
            Work::Directory(work) => {
                let root = tree(input, index)?;
                for (name, id) in &work.files {
                    let name = within(&work.path, name);
                    let mut objects = Vec::new();
                    manifest::read_file(&name, &blob(root, id)?, &mut objects)?;
                    add(&name, objects);
                }
            }
            Work::Chart(work) => {
                let ChartRender { chart, mut options, .. } = prepare(input, index, &work)?;
                options.form = helm::Form::Parts;
                let rendered = helm::render(&chart, &options).map_err(|error| error.to_string())?;
                for (path, text) in &rendered.parts {
                    let mut objects = Vec::new();
                    manifest::read(text.as_bytes(), &mut objects)?;
                    let own =
                        path.split_once('/').filter(|(_, rest)| !work.path.is_empty() && !rest.starts_with("charts/"));
                    add(&own.map_or_else(|| path.clone(), |(_, rest)| within(&work.path, rest)), objects);
                }
            }
        }
    }
    Ok(origins)
}

fn within(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn directory(input: &Input<'_>, index: usize, work: &DirectoryWork, out: &mut Vec<Object>) -> Result<(), String> {
    let root = tree(input, index)?;
    let mut left = LARGEST_FOLDER;
    for (name, id) in &work.files {
        let name = within(&work.path, name);
        let bytes = blob(root, id)?;
        left = left
            .checked_sub(bytes.len())
            .ok_or_else(|| format!("{}: its manifests are larger than {LARGEST_FOLDER} bytes together", work.path))?;
        manifest::read_file(&name, &bytes, out)?;
    }
    Ok(())
}

fn drop_repeated(manifests: &mut Manifests, namespace: &str) {
    let mut counts: HashMap<Key, usize> = HashMap::new();
    let key = |object: &Object| {
        let mut key = object.key();
        if key.namespace.is_empty() {
            key.namespace = namespace.into();
        }
        key
    };
    manifests.objects.iter().filter(|object| !object.name().is_empty()).for_each(|object| {
        *counts.entry(key(object)).or_default() += 1;
    });
    counts.retain(|_, count| *count > 1);
    if counts.is_empty() {
        return;
    }
    let mut left = counts.clone();
    manifests.objects.retain(|object| match left.get_mut(&key(object)) {
        Some(left) => {
            *left -= 1;
            *left == 0
        }
        None => true,
    });
    let mut messages: Vec<String> = counts
        .iter()
        .map(|(key, count)| {
            format!(
                "{}/{}/{}/{} appears {count} times; the last one counts",
                key.group, key.kind, key.namespace, key.name
            )
        })
        .collect();
    messages.sort();
    manifests
        .conditions
        .extend(messages.into_iter().map(|message| Condition::new(ConditionKind::RepeatedResourceWarning, message)));
}
