//! Charts against helm, and many applications at once: `cargo bench --bench charts -- [--helm PROGRAM] [--rounds N] FOLDER…`.
//!
//! Every folder is searched for charts. Each is rendered by helm and by quarterdeck in turn, process by process, with its default values; then by
//! one process that has the chart in memory, with values that change. A line says what the medians were. With or without folders,
//! 10,000 Applications over 100 charts of a Git repository made for it are rendered on as many threads as there are cores.

#![expect(clippy::disallowed_methods, reason = "what is measured is a whole program")]

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use quarterdeck::git::Repository;
use quarterdeck::helm::{self, Capabilities, ChartFile, Options, Profile, ValueInput};
use quarterdeck::model::Object;
use quarterdeck::source::{ChartCache, Input, NoArchives, SourceInput, application, render};
use serde_json::json;
use wait4::Wait4 as _;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Where charts look for resources that the cluster has or has not.
const NAMESPACE: &str = "bench";

/// How many Applications the last part renders, and over how many charts.
const APPLICATIONS: usize = 10_000;
const CHARTS: usize = 100;

struct Arguments {
    helm: PathBuf,
    rounds: usize,
    folders: Vec<PathBuf>,
}

fn arguments() -> Result<Arguments> {
    let mut arguments = Arguments { helm: "helm".into(), rounds: 7, folders: Vec::new() };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--bench" | "--test" => {}
            "--helm" => arguments.helm = given.next().ok_or("--helm needs a program")?.into(),
            "--rounds" => arguments.rounds = given.next().ok_or("--rounds needs a number")?.parse()?,
            folder => arguments.folders.push(folder.into()),
        }
    }
    Ok(arguments)
}

/// Returns the folders with a `Chart.yaml`, without those inside of other charts.
fn charts(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if folder.join("Chart.yaml").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let mut inner: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    inner.sort();
    inner.iter().filter(|path| path.is_dir()).try_for_each(|path| charts(path, found))
}

/// What one run of a program took.
#[derive(Clone, Copy)]
struct Run {
    time: Duration,
    /// Peak of its resident memory, in bytes.
    memory: u64,
    is_ok: bool,
}

fn run(program: &Path, chart: &Path) -> Result<Run> {
    let mut command = Command::new(program);
    command.args(["template", "rel"]).arg(chart).args(["-n", NAMESPACE, "--include-crds"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    let started = Instant::now();
    let done = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?.wait4()?;
    Ok(Run { time: started.elapsed(), memory: done.rusage.maxrss, is_ok: done.status.success() })
}

/// Returns the middle one of several times, in milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn files(root: &Path, folder: &Path, found: &mut Vec<ChartFile>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(root, &path, found)?;
        } else {
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            found.push(ChartFile { name, data: fs::read(&path)?.into() });
        }
    }
    Ok(())
}

/// Returns how long a render takes in a process that has the chart, with values that were not seen before.
fn in_process(chart: &Path, rounds: usize) -> Result<f64> {
    let mut found = Vec::new();
    files(chart, chart, &mut found)?;
    let chart = helm::load(found)?;
    let mut options = Options::new(Profile::default(), "rel", NAMESPACE);
    options.include_crds = true;
    helm::render(&chart, &options)?;
    let mut times = Vec::new();
    for turn in 0..rounds * 3 {
        options.release_name = format!("rel-{turn}");
        options.values = vec![ValueInput::Set(format!("global.turn={turn}"))];
        if helm::render(&chart, &options).is_err() {
            // Some schemas let nothing in.
            options.values.clear();
        }
        let started = Instant::now();
        helm::render(&chart, &options)?;
        times.push(started.elapsed());
    }
    Ok(median(times))
}

/// One line of the table.
struct Line {
    chart: PathBuf,
    helm: f64,
    quarterdeck: f64,
    in_process: f64,
    helm_memory: u64,
    memory: u64,
}

/// Measures one chart process by process; nothing if it does not render with its default values.
fn measure(arguments: &Arguments, chart: &Path) -> Result<Option<Line>> {
    let quarterdeck = Path::new(env!("CARGO_BIN_EXE_quarterdeck"));
    let (first, second) = (run(&arguments.helm, chart)?, run(quarterdeck, chart)?);
    if !first.is_ok || !second.is_ok {
        return Ok(None);
    }
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        theirs.push(run(&arguments.helm, chart)?.time);
        ours.push(run(quarterdeck, chart)?.time);
    }
    Ok(Some(Line {
        chart: chart.to_owned(),
        helm: median(theirs),
        quarterdeck: median(ours),
        in_process: 0.0,
        helm_memory: first.memory,
        memory: second.memory,
    }))
}

fn against_helm(arguments: &Arguments, out: &mut impl std::io::Write) -> Result<()> {
    let mut found = Vec::new();
    arguments.folders.iter().try_for_each(|folder| charts(folder, &mut found))?;
    writeln!(out, "| chart | helm ms | quarterdeck ms | ratio | loaded ms | ratio | helm MiB | quarterdeck MiB |")?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
    // All processes come first: what this one holds by then would count as their memory.
    let mut lines = Vec::new();
    for chart in &found {
        lines.extend(measure(arguments, chart)?);
    }
    for line in &mut lines {
        line.in_process = in_process(&line.chart, arguments.rounds)?;
        let name = line.chart.file_name().unwrap_or_default().to_string_lossy();
        let (whole, inner) = (line.helm / line.quarterdeck, line.helm / line.in_process);
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        writeln!(
            out,
            "| {name} | {:.1} | {:.1} | {whole:.1} | {:.2} | {inner:.0} | {:.0} | {:.0} |",
            line.helm,
            line.quarterdeck,
            line.in_process,
            mib(line.helm_memory),
            mib(line.memory)
        )?;
    }
    if lines.is_empty() {
        return Ok(());
    }
    let mean = |ratio: &dyn Fn(&Line) -> f64| {
        (lines.iter().map(|line| ratio(line).ln()).sum::<f64>() / lines.len() as f64).exp()
    };
    let least = |ratio: &dyn Fn(&Line) -> f64| {
        let slowest = lines.iter().min_by(|one, other| ratio(one).total_cmp(&ratio(other)));
        let name = |line: &Line| line.chart.file_name().unwrap_or_default().to_string_lossy().into_owned();
        slowest.map_or_else(String::new, |line| format!("{:.1} ({})", ratio(line), name(line)))
    };
    let whole = |line: &Line| line.helm / line.quarterdeck;
    let inner = |line: &Line| line.helm / line.in_process;
    writeln!(out, "\n{} of {} charts render with their default values in both.", lines.len(), found.len())?;
    writeln!(out, "Process to process: geometric mean {:.1}, least {}.", mean(&whole), least(&whole))?;
    writeln!(out, "With the chart loaded: geometric mean {:.1}, least {}.\n", mean(&inner), least(&inner))?;
    Ok(())
}

/// Writes the templates of a component as teams have them: a workload, its service, its configuration, and what makes it reachable.
fn component(folder: &Path, index: usize) -> Result<()> {
    const HELPERS: &str = include_str!("component/_helpers.tpl");
    const TEMPLATES: [(&str, &str); 4] = [
        ("config.yaml", include_str!("component/config.yaml")),
        ("deployment.yaml", include_str!("component/deployment.yaml")),
        ("ingress.yaml", include_str!("component/ingress.yaml")),
        ("service.yaml", include_str!("component/service.yaml")),
    ];
    let templates = folder.join("templates");
    fs::create_dir_all(&templates)?;
    let metadata = format!("apiVersion: v2\nname: component-{index}\nversion: 1.{index}.0\nappVersion: 2.{index}.1\n");
    fs::write(folder.join("Chart.yaml"), metadata)?;
    fs::write(folder.join("values.yaml"), include_str!("component/values.yaml"))?;
    fs::write(templates.join("_helpers.tpl"), format!("{HELPERS}{{{{- /* {index} */ -}}}}\n"))?;
    TEMPLATES.iter().try_for_each(|(name, text)| fs::write(templates.join(name), text))?;
    Ok(())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let named = ["-c", "user.name=bench", "-c", "user.email=bench@example.net", "-c", "init.defaultBranch=main"];
    let done = Command::new("git").arg("-C").arg(folder).args(named).args(arguments).stdout(Stdio::null()).status()?;
    if done.success() { Ok(()) } else { Err(format!("git {arguments:?} failed").into()) }
}

/// Renders many Applications of a fresh repository, nothing of which is in memory.
fn many(out: &mut impl std::io::Write) -> Result<()> {
    let folder = tempfile::tempdir()?;
    (0..CHARTS).try_for_each(|index| component(&folder.path().join(format!("components/{index}")), index))?;
    git(folder.path(), &["init", "-q"])?;
    git(folder.path(), &["add", "."])?;
    git(folder.path(), &["commit", "-q", "-m", "components"])?;
    let apps = (0..APPLICATIONS)
        .map(|index| {
            let parameters = json!([{"name": "replicas", "value": (index % 7 + 1).to_string()}]);
            let values = json!({"image": {"tag": format!("v{index}")}, "environment": {"SHARD": index.to_string()}});
            let source = json!({
                "repoURL": "r",
                "path": format!("components/{}", index % CHARTS),
                "helm": {"valuesObject": values, "parameters": parameters},
            });
            let spec = json!({"project": "p", "source": source, "destination": {"name": "dev", "namespace": "shop"}});
            let metadata = json!({"name": format!("app-{index}")});
            let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec});
            Ok(application(&Object::new(object).ok_or("no object")?).map_err(|wrong| format!("{wrong:?}"))?)
        })
        .collect::<Result<Vec<_>>>()?;
    let threads = std::thread::available_parallelism()?.get();
    let started = Instant::now();
    let repository = Repository::open(folder.path())?;
    let commit = repository.resolve("main", "")?.commit;
    let tree = Some(repository.tree(&commit)?);
    let sources = [SourceInput { tree, commit: Some(commit), version: String::new(), problem: String::new() }];
    let capabilities = Arc::new(Capabilities::default_for(Profile::default()));
    let (cache, next, objects) = (ChartCache::new(CHARTS), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(app) = apps.get(next.fetch_add(1, Ordering::Relaxed)) {
            let profile = Profile::default();
            let (charts, capabilities) = (&cache, &capabilities);
            let (control_plane, archives) = ("argocd", &NoArchives);
            let input = Input { app, sources: &sources, capabilities, profile, charts, archives, control_plane };
            let count = render(&input).map_or(0, |manifests| manifests.objects.len());
            objects.fetch_add(count, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let (took, objects) = (started.elapsed().as_secs_f64(), objects.into_inner());
    writeln!(
        out,
        "{APPLICATIONS} applications over {CHARTS} charts, cold, {threads} threads: {took:.2} s, {objects} objects."
    )?;
    Ok(())
}

fn main() -> Result<()> {
    let arguments = arguments()?;
    let mut out = std::io::stdout().lock();
    if !arguments.folders.is_empty() {
        against_helm(&arguments, &mut out)?;
    }
    many(&mut out)?;
    out.flush()?;
    Ok(())
}
