//! The demo: a repository in the form of an app of apps, four simulated clusters, and what happens to them.

mod files;
mod history;
mod repository;
mod story;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Cluster, Options as ClusterOptions, Served, serve};

/// How the demo is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// When it starts; now if absent. The commits are dated from here.
    pub start: Option<Timestamp>,
    /// Seed of everything random.
    pub seed: u64,
    /// Whether the clusters are served on loopback, so that kubectl reaches them.
    pub serve: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { start: None, seed: 1, serve: true }
    }
}

/// The demo could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be written.
    #[error("{path} cannot be written")]
    File {
        /// Which one.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// libgit2 failed.
    #[error("the demo's repository {what}")]
    Repository {
        /// What it cannot do.
        what: String,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// The history contradicts itself.
    #[error("the demo's history: {subject:?} finds nothing to change in {file}")]
    Edit {
        /// Which file.
        file: String,
        /// Which commit.
        subject: &'static str,
    },
    /// The clusters cannot be served.
    #[error(transparent)]
    Serve(#[from] super::serve::Error),
    /// A cluster refuses what it starts with.
    #[error("cluster {cluster} refuses what it starts with: {reason}")]
    Seed {
        /// Which cluster.
        cluster: String,
        /// Its message.
        reason: String,
    },
}

/// A running demo; its clusters stop being served when it is dropped.
pub struct Demo {
    /// The bare repository.
    pub repository: PathBuf,
    /// The kubeconfig with one context per cluster; absent if the clusters are not served.
    pub kubeconfig: Option<PathBuf>,
    /// dev-01, stag-01, prod-01 and ops-01.
    pub clusters: Vec<Cluster>,
    served: Option<Served>,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").field("repository", &self.repository).field("kubeconfig", &self.kubeconfig).finish()
    }
}

impl Demo {
    /// Returns a cluster by its name.
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name() == name)
    }

    /// Returns the kubeconfig's text, if the clusters are served.
    pub fn kubeconfig_text(&self) -> Option<&str> {
        self.served.as_ref().map(|served| served.kubeconfig.as_str())
    }

    /// Lets the story happen until `stop` is cancelled or it is over; the caller runs it beside everything else.
    pub fn story(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
        story::run(self.clusters.clone(), stop)
    }
}

/// When the story's events come, counted from its start.
pub const DRIFT: Duration = Duration::from_secs(8);
/// When a cluster drops off.
pub const UNREACHABLE: Duration = Duration::from_secs(40);
/// When that cluster comes back.
pub const BACK: Duration = Duration::from_secs(70);

/// Writes the repository and the kubeconfig into a folder and starts the clusters. They are empty but for what a new cluster has:
/// what the repository says comes into them by syncs.
///
/// # Errors
/// When the folder cannot be written or no loopback port can be had.
pub async fn start(folder: &Path, options: Options) -> Result<Demo, Error> {
    let now = options.start.unwrap_or_else(Timestamp::now);
    std::fs::create_dir_all(folder).map_err(|source| file(folder, source))?;
    let folder = folder.canonicalize().map_err(|source| file(folder, source))?;
    let repository = {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || repository::write(&folder, now))
    };
    let clusters: Vec<Cluster> = files::CLUSTERS
        .iter()
        .zip(options.seed..)
        .map(|((name, ..), seed)| {
            Cluster::new(*name, ClusterOptions { start: Some(now), seed, ..ClusterOptions::default() })
        })
        .collect();
    for cluster in clusters.iter().filter(|cluster| cluster.name() == "ops-01") {
        let refused = |reason| Error::Seed { cluster: cluster.name().to_owned(), reason };
        cluster.seed("argocd", &application_kind()).map_err(refused)?;
    }
    let served = if options.serve { Some(serve(&clusters).await?) } else { None };
    let mut kubeconfig = None;
    if let Some(served) = &served {
        let path = folder.join("kubeconfig.yaml");
        std::fs::write(&path, &served.kubeconfig).map_err(|source| file(&path, source))?;
        private(&path).map_err(|source| file(&path, source))?;
        kubeconfig = Some(path);
    }
    let repository = match repository.await {
        Ok(written) => written?,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    Ok(Demo { repository, kubeconfig, clusters, served })
}

fn file(path: &Path, source: std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), source }
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The kind Application, which the control-plane cluster has because Argo CD was once installed there.
fn application_kind() -> serde_json::Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "applications.argoproj.io"},
        "spec": {
            "group": "argoproj.io", "scope": "Namespaced",
            "names": {"kind": "Application", "listKind": "ApplicationList", "plural": "applications", "singular": "application",
                "shortNames": ["app", "apps"]},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "required": ["metadata", "spec"], "properties": {
                    "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    "operation": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    })
}
