//! One simulated cluster: the handle that tests and the demo hold.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::clock::Clock;
use super::fault::Fault;
use super::resource::TypeId;
use super::status::Status;
use super::store::{ObjectKey, Random, Store};
use super::{controllers, handler, write};
use crate::model::{Key, Object};

/// How a cluster is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Wall time at the start; now if absent.
    pub start: Option<Timestamp>,
    /// Seed of everything random.
    pub seed: u64,
    /// Version that `/version` tells, without the leading `v`.
    pub version: String,
    /// Number of nodes.
    pub nodes: usize,
    /// Whether the controllers run.
    pub controllers: bool,
    /// How many events the history keeps.
    pub history: usize,
    /// Namespaces that exist from the start besides the usual ones.
    pub namespaces: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            start: None,
            seed: 1,
            version: "1.35.0".to_owned(),
            nodes: 3,
            controllers: true,
            history: 10_000,
            namespaces: vec!["argocd".to_owned()],
        }
    }
}

/// One write request, as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteRecord {
    /// `create`, `update`, `patch`, `apply`, `delete` or `deletecollection`.
    pub verb: &'static str,
    /// The object; the name is empty for a collection or a generated name.
    pub key: Key,
    /// `status`, `scale`, …; empty for the object itself.
    pub subresource: String,
    /// Whether it asked for a dry run.
    pub dry_run: bool,
    /// The field manager.
    pub manager: String,
    /// The HTTP status of the answer.
    pub status: u16,
}

/// A simulated cluster. Cheap to clone; its controllers end with the last clone.
#[derive(Clone)]
pub struct Cluster {
    pub(super) inner: Arc<Inner>,
}

/// What wakes watches and controllers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Signal {
    /// Latest revision.
    pub revision: u64,
    /// Counts the times that open watches were told to end.
    pub dropped: u64,
    /// Counts changes of the fault.
    pub faults: u64,
}

pub(super) struct Inner {
    pub name: String,
    pub options: Options,
    store: Mutex<Store>,
    pub signal: watch::Sender<Signal>,
    pub faults: Mutex<Faults>,
    pub writes: Mutex<Vec<WriteRecord>>,
}

pub(super) struct Faults {
    pub fault: Fault,
    pub random: Random,
    /// The revision shown while the fault is `Stale`.
    pub stale_at: u64,
}

/// The body of every answer.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// The connection broke: the cluster is dead.
#[derive(Debug, thiserror::Error)]
#[error("connection refused: the simulated cluster is down")]
pub struct Error;

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Cluster {
    /// Starts a cluster. Its controllers run if this is called inside a Tokio runtime.
    pub fn new(name: impl Into<String>, options: Options) -> Self {
        let start = options.start.unwrap_or_else(Timestamp::now);
        let mut store = Store::new(Clock::new(start), options.seed, options.history);
        seed(&mut store, &options);
        let signal = Signal { revision: store.revision(), ..Signal::default() };
        let faults = Faults { fault: Fault::None, random: Random::new(options.seed ^ 0x5eed), stale_at: 0 };
        let inner = Arc::new(Inner {
            name: name.into(),
            options,
            store: Mutex::new(store),
            signal: watch::Sender::new(signal),
            faults: Mutex::new(faults),
            writes: Mutex::new(Vec::new()),
        });
        if inner.options.controllers {
            controllers::start(&inner);
        }
        Self { inner }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns a client that calls the cluster directly, without a network.
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.service(), "default")
    }

    /// Returns the cluster as an HTTP service.
    pub fn service(&self) -> Service {
        Service { inner: Arc::clone(&self.inner) }
    }

    /// Sets what the cluster does wrong from now on.
    pub fn set_fault(&self, fault: Fault) {
        let mut dropped = 0;
        match fault {
            Fault::Gone410 => {
                self.inner.lock().forget();
                dropped = 0;
            }
            Fault::DropWatches | Fault::Dead => dropped = 1,
            _ => {}
        }
        {
            let revision = self.inner.lock().revision();
            let mut faults = self.inner.faults();
            faults.stale_at = revision;
            faults.fault = match fault {
                Fault::DropWatches | Fault::Gone410 => Fault::None,
                other => other,
            };
        }
        let revision = self.inner.lock().revision();
        self.inner.signal.send_modify(|signal| {
            signal.dropped += dropped;
            signal.faults += 1;
            signal.revision = revision;
        });
    }

    /// Returns what the cluster does wrong now.
    pub fn fault(&self) -> Fault {
        self.inner.faults().fault.clone()
    }

    /// Returns every object, types in a fixed order, each by namespace and name.
    pub fn objects(&self) -> Vec<Object> {
        let objects = self.inner.lock().all();
        objects.into_iter().filter_map(|(_, object)| Object::new((*object).clone())).collect()
    }

    /// Returns one object, `None` if there is none.
    pub fn object(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Object> {
        let store = self.inner.lock();
        let ty = store.registry.find_kind(group, kind)?.id;
        store.find(&ObjectKey::new(ty, namespace, name)).and_then(|object| Object::new((**object).clone()))
    }

    /// Returns every write request so far, in order.
    pub fn writes(&self) -> Vec<WriteRecord> {
        self.inner.writes.lock().expect("no holder of this lock panics").clone()
    }

    /// Forgets the write requests so far.
    pub fn clear_writes(&self) {
        self.inner.writes.lock().expect("no holder of this lock panics").clear();
    }

    /// Returns the latest resourceVersion.
    pub fn revision(&self) -> u64 {
        self.inner.lock().revision()
    }

    /// Applies an object as a field manager without a request, so that nothing is logged; for seeding.
    ///
    /// # Errors
    /// Returns the API server's message.
    pub fn seed(&self, manager: &str, object: &Value) -> Result<(), String> {
        let result = write::seed(&mut self.inner.lock(), manager, object);
        self.inner.changed();
        result.map_err(|status| status.message)
    }

    /// Lets every workload reach its goal at once instead of in its own time; for seeding.
    pub fn settle(&self) {
        controllers::settle(&mut self.inner.lock());
        self.inner.changed();
    }
}

impl Inner {
    /// Locks the store. No lock is ever held across an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().expect("no holder of this lock panics")
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().expect("no holder of this lock panics")
    }

    /// Wakes watches and controllers if something changed.
    pub(super) fn changed(&self) {
        let revision = self.lock().revision();
        self.signal.send_if_modified(|signal| {
            let newer = signal.revision != revision;
            signal.revision = revision;
            newer
        });
    }
}

/// A cluster as a `tower` service.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

impl<B> tower::Service<Request<B>> for Service
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: std::fmt::Display,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.inner);
        Box::pin(handler::handle(inner, request))
    }
}

fn seed(store: &mut Store, options: &Options) {
    let usual = ["default", "kube-node-lease", "kube-public", "kube-system"].map(str::to_owned);
    for name in usual.iter().chain(&options.namespaces) {
        plant(store, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    }
    for number in 1..=options.nodes {
        plant(store, &node(number, &options.version, &store.clock.stamp()));
    }
    plant(
        store,
        &json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "sim.quarterdeck.dev/disk",
            "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate",
        }),
    );
    for (name, value) in [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)] {
        plant(
            store,
            &json!({
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
                "value": value, "preemptionPolicy": "PreemptLowerPriority",
            }),
        );
    }
    plant(
        store,
        &json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default",
                "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
        }),
    );
}

fn plant(store: &mut Store, object: &Value) {
    let planted: Result<(), Status> = write::seed(store, "kube-apiserver", object);
    debug_assert!(planted.is_ok(), "the seed is valid: {planted:?}");
}

fn node(number: usize, version: &str, now: &str) -> Value {
    let name = format!("node-{number}");
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/zone": format!("zone-{}", (b'a' + u8::try_from((number - 1) % 3).unwrap_or(0)) as char),
        }},
        "spec": {"podCIDR": format!("10.244.{number}.0/24")},
        "status": {
            "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi"},
            "allocatable": {"cpu": "7800m", "memory": "30Gi", "pods": "110", "ephemeral-storage": "90Gi"},
            "addresses": [
                {"type": "InternalIP", "address": format!("10.0.0.{}", 10 + number)},
                {"type": "Hostname", "address": name},
            ],
            "conditions": [
                {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory",
                    "message": "kubelet has sufficient memory available", "lastHeartbeatTime": now, "lastTransitionTime": now},
                {"type": "DiskPressure", "status": "False", "reason": "KubeletHasNoDiskPressure",
                    "message": "kubelet has no disk pressure", "lastHeartbeatTime": now, "lastTransitionTime": now},
                {"type": "Ready", "status": "True", "reason": "KubeletReady",
                    "message": "kubelet is posting ready status", "lastHeartbeatTime": now, "lastTransitionTime": now},
            ],
            "nodeInfo": {
                "kubeletVersion": format!("v{version}"), "kubeProxyVersion": format!("v{version}"),
                "osImage": "Simulated Linux", "kernelVersion": "6.12.0", "architecture": "amd64",
                "operatingSystem": "linux", "containerRuntimeVersion": "simulated://1.0", "machineID": "",
                "systemUUID": "", "bootID": "",
            },
        },
    })
}

/// Returns the model's key of an object.
pub(super) fn model_key(store: &Store, ty: TypeId, namespace: &str, name: &str) -> Key {
    let (group, kind) =
        store.registry.by_id(ty).map_or(("", ""), |resource| (resource.group.as_str(), resource.kind.as_str()));
    Key { group: group.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
}
