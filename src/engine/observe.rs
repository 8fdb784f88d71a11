//! Watching one cluster: its connection, its kinds and what happens to its objects, reported to the world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Connection, Discovery, Error, Kubeconfig, WatchEvent};
use crate::model::{ClusterName, Gk};

/// How a cluster is reached.
#[derive(Clone, Debug)]
pub enum Access {
    /// A context of a kubeconfig.
    Context(Arc<Kubeconfig>, String),
    /// A connection that is there already.
    Open(Connection),
}

/// What is seen of a cluster.
#[derive(Debug)]
pub enum Observation {
    /// It answers, and has these kinds.
    Connected(Connection, Arc<Discovery>),
    /// It does not answer; it is tried again after the pause.
    Lost(Error, Duration),
    /// News of one kind.
    Kind(Gk, WatchEvent),
}

/// Kinds that are always watched: where objects lie that Git no longer names.
const SWEPT: [(&str, &str); 19] = [
    ("", "ConfigMap"),
    ("", "Namespace"),
    ("", "PersistentVolumeClaim"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
];

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often a cluster is asked again which kinds it has.
const REDISCOVER: Duration = Duration::from_secs(60);
/// The same while a kind is wanted that it does not have.
const REDISCOVER_MISSING: Duration = Duration::from_secs(3);

/// Watches a cluster until `stop` is cancelled. `wanted` names the kinds that applications of the cluster have.
pub async fn observe(
    name: ClusterName,
    access: Access,
    mut wanted: watch::Receiver<BTreeSet<Gk>>,
    out: mpsc::Sender<(ClusterName, Observation)>,
    stop: CancellationToken,
) {
    let work = async {
        let (api, mut discovery) = connect(&name, &access, &out).await?;
        let mut watches: BTreeMap<Gk, CancellationToken> = BTreeMap::new();
        loop {
            let mut kinds = wanted.borrow_and_update().clone();
            kinds.extend(SWEPT.iter().map(|(group, kind)| Gk { group: (*group).into(), kind: (*kind).into() }));
            let mut is_missing = false;
            for gk in kinds {
                if watches.contains_key(&gk) {
                    continue;
                }
                match discovery.find_gk(&gk) {
                    Some(resource) if resource.is_watchable() => {
                        let token = stop.child_token();
                        watches.insert(gk.clone(), token.clone());
                        tokio::spawn(forward(name.clone(), gk, api.clone(), resource.clone(), out.clone(), token));
                    }
                    Some(_) => {}
                    None => is_missing |= wanted.borrow().contains(&gk),
                }
            }
            let pause = if is_missing { REDISCOVER_MISSING } else { REDISCOVER };
            tokio::select! {
                changed = wanted.changed() => changed.ok()?,
                () = tokio::time::sleep(pause) => {
                    if let Ok(found) = api.discover().await {
                        let is_new = found.api_versions() != discovery.api_versions();
                        discovery = Arc::new(found);
                        if is_new {
                            let news = Observation::Connected(api.clone(), Arc::clone(&discovery));
                            out.send((name.clone(), news)).await.ok()?;
                        }
                    }
                }
            }
        }
    };
    let work = async {
        let _: Option<()> = work.await;
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// Connects and asks for the kinds until that works.
async fn connect(
    name: &ClusterName,
    access: &Access,
    out: &mpsc::Sender<(ClusterName, Observation)>,
) -> Option<(Connection, Arc<Discovery>)> {
    let mut pause = FIRST_PAUSE;
    loop {
        let tried = async {
            let api = match access {
                Access::Context(kubeconfig, context) => Connection::connect(kubeconfig, context).await?,
                Access::Open(api) => api.clone(),
            };
            let discovery = api.discover().await?;
            Ok((api, Arc::new(discovery)))
        };
        match tried.await {
            Ok((api, discovery)) => {
                let news = Observation::Connected(api.clone(), Arc::clone(&discovery));
                out.send((name.clone(), news)).await.ok()?;
                return Some((api, discovery));
            }
            Err(error) => {
                out.send((name.clone(), Observation::Lost(error, pause))).await.ok()?;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Runs one kind's watch and adds the cluster's and the kind's name to what it reports.
async fn forward(
    name: ClusterName,
    gk: Gk,
    api: Connection,
    resource: crate::cluster::ResourceType,
    out: mpsc::Sender<(ClusterName, Observation)>,
    stop: CancellationToken,
) {
    let (sender, mut events) = mpsc::channel(64);
    let watching = tokio::spawn(api.watch(resource, sender, stop));
    while let Some(event) = events.recv().await {
        if out.send((name.clone(), Observation::Kind(gk.clone(), event))).await.is_err() {
            break;
        }
    }
    watching.abort();
}
