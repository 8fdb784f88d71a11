//! Hostile charts, templates and YAML, each by its number: all of them end soon, in little memory, with a short error.
//!
//! Numbers that have no test of their own here:
//! - 8, the half about writing: nothing here ever writes into a chart or updates dependencies, so only reading is tested.
//! - 14: archives are unpacked in memory, so modes are never applied and there is nothing to clean up; tested as that.
//! - 18: for the same reason names that some file systems take for one stay two; tested as that.
//! - 40: the size of an object is checked where it would be sent, and tested in `cluster::write`; here only many keys.

mod chart;
mod template;
mod yaml;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use quarterdeck::helm::{self, Capabilities, ChartFile, Options, Profile, Rendered, ValueInput};
use quarterdeck::model::{CommitId, Object};
use quarterdeck::source::{self, ChartCache, Input, Manifests, SourceInput, Tree};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What no attack may take, with much room for a busy machine and a build without optimisation.
const SLOWEST: Duration = Duration::from_secs(60);

/// The most memory of a whole process, in KiB.
const MOST_MEMORY: u64 = 256 << 10;

const CHART: &str = "{apiVersion: v2, name: c, version: 1.0.0}";

fn file(name: &str, data: impl AsRef<[u8]>) -> ChartFile {
    ChartFile { name: name.into(), data: data.as_ref().into() }
}

/// Checks what holds for every error.
fn said(error: impl ToString) -> String {
    let error = error.to_string();
    assert!(!error.is_empty() && error.len() <= 4096, "an error of {} bytes", error.len());
    error
}

/// Runs something and checks that it does not take long.
fn timed<T>(run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    assert!(start.elapsed() < SLOWEST, "took {:?}", start.elapsed());
    result
}

/// Renders a chart with values of the person.
fn render_with(files: Vec<ChartFile>, values: &[ValueInput]) -> Result<Rendered, String> {
    timed(|| {
        let chart = helm::load(files).map_err(said)?;
        let mut options = Options::new(Profile::default(), "rel", "ns");
        options.values = values.to_vec();
        helm::render(&chart, &options).map_err(said)
    })
}

/// Renders one template with some values.
fn render(template: &str, values: &str) -> Result<String, String> {
    let files = vec![file("Chart.yaml", CHART), file("values.yaml", values), file("templates/a.yaml", template)];
    render_with(files, &[]).map(|rendered| rendered.text)
}

/// Checks that a template is refused with an error that says why.
#[track_caller]
fn refuses(template: &str, wanted: &str) {
    let error = render(template, "").expect_err(wanted);
    assert!(error.contains(wanted), "{error}\nsays nothing of {wanted:?}");
}

/// Checks what a template prints.
#[track_caller]
fn prints(template: &str, wanted: &str) {
    let text = render(template, "").unwrap();
    let text = text.strip_prefix("---\n# Source: c/templates/a.yaml\n").unwrap_or(&text);
    assert_eq!(text.trim_end(), wanted);
}

/// Writes files below a folder.
fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// What the program did.
struct Done {
    code: Option<i32>,
    out: String,
    error: String,
    /// The most memory that it had, in KiB.
    memory: u64,
}

/// Runs `quarterdeck template` and watches its time and memory.
fn template(folder: &Path, arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    command.env_clear().env("HOME", folder).env("CANARY", "from-the-environment").current_dir(folder);
    command.arg("template").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut out, mut error) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = |stream: &mut dyn Read| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (start, mut memory) = (Instant::now(), 0);
    std::thread::scope(|scope| {
        let out = scope.spawn(move || read(&mut out));
        let error = scope.spawn(move || read(&mut error));
        let code = loop {
            memory = memory.max(peak(child.id()));
            match child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None if start.elapsed() > SLOWEST => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    panic!("{arguments:?} did not end");
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        Done { code, out: out.join().unwrap(), error: error.join().unwrap(), memory }
    })
}

/// Returns the most memory that a process had so far, in KiB; 0 where the system does not tell.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

impl Done {
    /// Checks that the program refused in good order, and says why.
    #[track_caller]
    fn refused(&self, wanted: &str) {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.error);
        assert!(self.out.is_empty(), "{}", self.out);
        assert!(self.error.contains(wanted), "{}\nsays nothing of {wanted:?}", self.error);
        assert!(self.error.len() < 5000, "an error of {} bytes", self.error.len());
        assert!(!self.error.contains("panicked"), "{}", self.error);
        assert!(self.memory < MOST_MEMORY, "{} KiB", self.memory);
    }
}

/// Packs a tar, as it is.
fn packed(tar: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(tar).unwrap();
    gzip.finish().unwrap()
}

/// Packs files under names of any kind.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, data) in files {
        tar.append(&header(name, tar::EntryType::Regular, data.len() as u64), *data).unwrap();
    }
    packed(&tar.into_inner().unwrap())
}

/// Returns a header with a name that the library would not write.
fn header(name: &str, kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    header
}

/// Renders a source of an Application from a tree.
fn from_tree(tree: Arc<dyn Tree>, source: &Value) -> Result<Manifests, String> {
    let mut source = source.clone();
    source["repoURL"] = json!("r");
    let spec = json!({"project": "p", "source": source, "destination": {"server": "https://a", "namespace": "ns"}});
    let object =
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web"}, "spec": spec});
    let app = source::application(&Object::new(object).unwrap()).unwrap();
    let commit = Some(CommitId::new("0123456789012345678901234567890123456789"));
    let input = Input {
        app: &app,
        sources: &[SourceInput { tree: Some(tree), commit, version: String::new(), problem: String::new() }],
        capabilities: &Arc::new(Capabilities::default_for(Profile::default())),
        profile: Profile::default(),
        charts: &ChartCache::new(4),
        control_plane: "argocd",
        archives: &source::NoArchives,
    };
    timed(|| source::render(&input)).map_err(|conditions| conditions[0].message.clone())
}

/// A real repository; what is in its folder is committed before each render.
struct Repository(TempDir);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        crate::git::git(folder.path(), &["init", "-q"]);
        write(folder.path(), files);
        Self(folder)
    }

    fn render(&self, source: &Value) -> Result<Manifests, String> {
        let commit = crate::git::commit(self.0.path(), "count", &format!("{:?}", Instant::now()));
        let repository = quarterdeck::git::Repository::open(self.0.path()).unwrap();
        from_tree(repository.tree(&commit).unwrap(), source)
    }

    #[track_caller]
    fn refuses(&self, source: &Value, wanted: &str) {
        let error = self.render(source).expect_err(wanted);
        assert!(error.contains(wanted), "{error}\nsays nothing of {wanted:?}");
    }
}
