//! Charts read from trees, kept by content, and handed to the renderer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The cluster that charts are rendered for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// The Kubernetes version, such as `v1.35.0`.
    pub kube_version: String,
    /// `group/version` and `group/version/Kind`, sorted.
    pub api_versions: Vec<String>,
}

/// Which helm's output is reproduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Helm 3.19.
    V3_19,
    /// Helm 4.2.
    V4_2,
    /// Helm 4.3.
    #[default]
    V4_3,
}

/// A chart's files: path in the chart and bytes.
pub type Files = Arc<Vec<(String, Arc<[u8]>)>>;

/// One value argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A file of values.
    File(String, Arc<[u8]>),
    /// `a.b=c`.
    Set(String),
    /// `a.b=c`, where c stays a string.
    SetString(String),
    /// A path in the values and the content that goes there.
    SetFile(String, Arc<[u8]>),
}

/// What a chart is rendered with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which helm.
    pub profile: Profile,
    /// Which cluster.
    pub capabilities: Arc<Capabilities>,
    /// Release name.
    pub release: String,
    /// Release namespace.
    pub namespace: String,
    /// Value arguments in order.
    pub values: Vec<Value>,
    /// Whether `crds/` is left out.
    pub skip_crds: bool,
    /// Whether test hooks are left out.
    pub skip_tests: bool,
    /// Whether `values.schema.json` is not looked at.
    pub skip_schema_validation: bool,
}

/// What a chart became.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The manifests as one text.
    pub text: String,
    /// What the renderer said on the side.
    pub warnings: Vec<String>,
    /// Functions called that give something else every time.
    pub nondeterministic: Vec<String>,
}

/// Renders a chart's files. The wiring gives the one that is built in.
pub type Renderer = fn(&Files, &Options) -> Result<Output, String>;

/// Charts by the content id of their folder. Shared by every render; bounded.
#[derive(Debug)]
pub struct ChartCache {
    renderer: Renderer,
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    turn: u64,
    charts: HashMap<String, (u64, Files)>,
    links: HashMap<String, bool>,
}

impl ChartCache {
    /// Makes an empty cache for that many charts.
    pub fn new(capacity: usize, renderer: Renderer) -> Self {
        Self { renderer, capacity: capacity.max(1), kept: Mutex::default() }
    }

    /// Renders through the built-in renderer.
    pub(super) fn render(&self, files: &Files, options: &Options) -> Result<Output, String> {
        (self.renderer)(files, options)
    }

    /// Returns the chart with that content id, reading it if it is not kept.
    pub(super) fn chart(&self, id: &str, load: impl FnOnce() -> Result<Files, String>) -> Result<Files, String> {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.turn += 1;
            let turn = kept.turn;
            if let Some((used, files)) = kept.charts.get_mut(id) {
                *used = turn;
                return Ok(files.clone());
            }
        }
        let files = load()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.charts.len() >= self.capacity {
            let oldest = kept.charts.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| id.clone());
            oldest.and_then(|oldest| kept.charts.remove(&oldest));
        }
        let turn = kept.turn;
        kept.charts.insert(id.to_owned(), (turn, files.clone()));
        Ok(files)
    }

    /// Says whether the folder with that id holds symlinks, looking once.
    pub(super) fn links(&self, id: &str, look: impl FnOnce() -> Result<bool, String>) -> Result<bool, String> {
        if let Some(known) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).links.get(id) {
            return Ok(*known);
        }
        let found = look()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.links.len() >= 100_000 {
            kept.links.clear();
        }
        kept.links.insert(id.to_owned(), found);
        Ok(found)
    }
}
