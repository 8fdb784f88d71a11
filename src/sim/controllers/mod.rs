//! The controllers: one task per cluster, woken by changes and by what it planned for later.

pub mod cronjob;
mod daemonset;
mod deployment;
mod job;
mod network;
mod pod;
mod replicaset;
mod statefulset;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::cluster::Inner;
use super::garbage;
use super::store::{Change, Event, ObjectKey, Store};
use super::write::{self, Target};

/// Starts the controllers of a cluster; without a Tokio runtime there are none.
pub fn start(inner: &Arc<Inner>) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let mut signal = inner.signal.subscribe();
        signal.mark_changed();
        let weak = Arc::downgrade(inner);
        runtime.spawn(run(weak, signal));
    }
}

async fn run(weak: Weak<Inner>, mut signal: tokio::sync::watch::Receiver<super::cluster::Signal>) {
    let mut queue = Queue::default();
    let mut seen = 0;
    loop {
        let due = queue.next_due();
        tokio::select! {
            changed = signal.changed() => if changed.is_err() { return },
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
        let Some(inner) = weak.upgrade() else { return };
        work(&mut inner.lock(), &mut queue, &mut seen, Instant::now());
        inner.changed();
    }
}

/// What to look at, and when.
#[derive(Debug, Default)]
pub struct Queue {
    due: BTreeMap<(Instant, u64), ObjectKey>,
    planned: BTreeMap<ObjectKey, Instant>,
    count: u64,
}

impl Queue {
    fn next_due(&self) -> Option<Instant> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Plans a look at an object; the earlier of two plans counts.
    fn plan(&mut self, key: &ObjectKey, at: Instant) {
        if self.planned.get(key).is_some_and(|known| *known <= at) {
            return;
        }
        self.count += 1;
        self.planned.insert(key.clone(), at);
        self.due.insert((at, self.count), key.clone());
    }

    /// Forgets what is planned for objects of a type.
    fn forget(&mut self, ty: super::resource::TypeId) {
        self.due.retain(|_, key| key.ty != ty);
        self.planned.retain(|key, _| key.ty != ty);
    }

    fn take_due(&mut self, now: Instant) -> Vec<ObjectKey> {
        let later = self.due.split_off(&(now, u64::MAX));
        let ready = std::mem::replace(&mut self.due, later);
        let mut keys = Vec::new();
        for ((at, _), key) in ready {
            // An entry that was overtaken by an earlier plan is stale.
            if self.planned.get(&key) == Some(&at) {
                self.planned.remove(&key);
                keys.push(key);
            }
        }
        keys
    }
}

/// Works until nothing is left to do now.
fn work(store: &mut Store, queue: &mut Queue, seen: &mut u64, now: Instant) {
    let mut ready: BTreeSet<ObjectKey> = queue.take_due(now).into_iter().collect();
    // The bound only guards against controllers that would answer each other without end.
    for _ in 0..1000 {
        let events: Vec<Event> = match store.events_since(*seen) {
            Some(events) => events.cloned().collect(),
            None => {
                ready.extend(store.all().into_iter().map(|(key, _)| key));
                Vec::new()
            }
        };
        *seen = store.revision();
        for event in &events {
            concern(store, event, &mut ready);
        }
        if ready.is_empty() {
            return;
        }
        for key in std::mem::take(&mut ready) {
            if let Some(wait) = reconcile(store, &key) {
                queue.plan(&key, now + wait.max(Duration::from_millis(1)));
            }
        }
    }
}

/// Collects what an event concerns.
fn concern(store: &mut Store, event: &Event, ready: &mut BTreeSet<ObjectKey>) {
    let deleted = event.change == Change::Deleted;
    if deleted {
        if let Some(uid) = event.object.pointer("/metadata/uid").and_then(Value::as_str) {
            garbage::owner_gone(store, uid);
        }
    } else {
        ready.insert(event.key.clone());
        // Whoever was born after its owner died is garbage too; the owner's end was seen before.
    }
    let owners = event.object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    for owner in owners.into_iter().flatten() {
        let group = owner["apiVersion"].as_str().and_then(|text| text.split_once('/')).map_or("", |(group, _)| group);
        if let Some(ty) = store.registry.find_kind(group, owner["kind"].as_str().unwrap_or_default()) {
            let namespace = if ty.namespaced { event.key.namespace.as_str() } else { "" };
            ready.insert(ObjectKey::new(ty.id, namespace, owner["name"].as_str().unwrap_or_default()));
        }
    }
    let Some(resource) = store.registry.by_id(event.key.ty).map(Arc::clone) else { return };
    if resource.is("", "pods") {
        for (key, service) in store.list(store.built_in("", "services").id, &event.key.namespace) {
            let selector = super::selector::Labels::from_object(&service["spec"]["selector"]);
            if !selector.is_empty() && selector.matches(&event.object) {
                ready.insert(key);
            }
        }
    }
    if resource.namespaced {
        let namespace = ObjectKey::new(store.built_in("", "namespaces").id, "", &event.key.namespace);
        if store.find(&namespace).is_some_and(|object| object.pointer("/metadata/deletionTimestamp").is_some()) {
            ready.insert(namespace);
        }
    }
    if resource.is("", "nodes") {
        ready.extend(store.list(store.built_in("apps", "daemonsets").id, "").into_iter().map(|(key, _)| key));
    }
}

/// Moves one object along; `Some` asks for another look after a while.
fn reconcile(store: &mut Store, key: &ObjectKey) -> Option<Duration> {
    let object = store.find(key).cloned()?;
    let resource = store.registry.by_id(key.ty).map(Arc::clone)?;
    let going = object.pointer("/metadata/deletionTimestamp").is_some();
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces") if going => {
            garbage::namespace_ending(store, key);
            return None;
        }
        ("", "namespaces") => {
            network::namespace(store, key);
            return None;
        }
        ("", "pods") => return pod::reconcile(store, key, &object),
        _ if going => {
            garbage::being_deleted(store, key);
            return None;
        }
        _ => {}
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("apps", "deployments") => deployment::reconcile(store, key, &object),
        ("apps", "replicasets") => replicaset::reconcile(store, key, &object),
        ("apps", "statefulsets") => statefulset::reconcile(store, key, &object),
        ("apps", "daemonsets") => daemonset::reconcile(store, key, &object),
        ("batch", "jobs") => job::reconcile(store, key, &object),
        ("batch", "cronjobs") => cronjob::reconcile(store, key, &object),
        ("", "persistentvolumeclaims") => volume::claim(store, key, &object),
        ("", "services") => network::service(store, key, &object),
        ("networking.k8s.io", "ingresses") => network::ingress(store, key, &object),
        ("autoscaling", "horizontalpodautoscalers") => network::autoscaler(store, key, &object),
        ("policy", "poddisruptionbudgets") => network::budget(store, key, &object),
        ("apiregistration.k8s.io", "apiservices") => network::api_service(store, key, &object),
        _ => None,
    }
}

/// Runs every controller to its goal at once, however long that takes in simulated time.
pub fn settle(store: &mut Store) {
    let mut queue = Queue::default();
    let mut seen = 0;
    let mut now = Instant::now();
    for _ in 0..200 {
        pod::hurry(store);
        work(store, &mut queue, &mut seen, now);
        // A schedule never ends, and its times do not come sooner.
        queue.forget(store.built_in("batch", "cronjobs").id);
        match queue.next_due() {
            Some(at) => now = at.max(now),
            None => return,
        }
    }
}

/// Returns a short hash of a pod template, as in `pod-template-hash`.
fn template_hash(template: &Value) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in template.to_string().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    super::store::Random::new(hash).suffix(10)
}

fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// Reads a count or a share of a whole, as in `maxSurge`.
fn count_or_share(value: Option<&Value>, whole: i64, round_up: bool) -> i64 {
    match value {
        Some(Value::String(text)) => {
            let share: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            let product = share * whole;
            if round_up { (product + 99) / 100 } else { product / 100 }
        }
        Some(number) => number.as_i64().unwrap_or(0),
        None => 0,
    }
}

/// Returns an owner reference to a controller.
fn owner(object: &Value) -> Value {
    json!([{
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"],
        "uid": object["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }])
}

/// Returns a condition list with one condition set; its transition time changes with its status only.
fn with_condition(store: &Store, old: &Value, kind: &str, status: bool, reason: &str, message: &str) -> Value {
    let now = store.clock.stamp();
    let text = if status { "True" } else { "False" };
    let mut list: Vec<Value> = old.as_array().cloned().unwrap_or_default();
    let known = list.iter().position(|condition| condition["type"] == kind);
    let before = known.map(|at| list[at].clone());
    let transition = match &before {
        Some(before) if before["status"] == text => before["lastTransitionTime"].clone(),
        _ => json!(now),
    };
    let updated = match &before {
        Some(before) if before["status"] == text && before["reason"] == reason && before["message"] == message => {
            before["lastUpdateTime"].clone()
        }
        _ => json!(now),
    };
    let condition = json!({
        "type": kind, "status": text, "reason": reason, "message": message, "lastTransitionTime": transition,
        "lastUpdateTime": updated,
    });
    match known {
        Some(at) => list[at] = condition,
        None => list.push(condition),
    }
    Value::Array(list)
}

/// Creates an object as a controller; a refusal becomes a warning event on its owner.
fn create(store: &mut Store, group: &str, plural: &str, owner: &Value, object: Value) -> bool {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    let mut target = Target::built_in(store, group, plural, &namespace, "", "");
    target.manager = "kube-controller-manager".to_owned();
    match write::create(store, &target, object) {
        Ok(_) => true,
        Err(status) if status.reason == "AlreadyExists" => false,
        Err(status) => {
            store.emit(owner, true, "FailedCreate", &format!("Error creating: {status}"), "controller-manager");
            false
        }
    }
}

/// Changes an object as a controller.
fn modify(store: &mut Store, key: &ObjectKey, object: Value) {
    let Some(resource) = store.registry.by_id(key.ty).map(Arc::clone) else { return };
    let target = Target::built_in(store, &resource.group, &resource.plural, &key.namespace, &key.name, "");
    // The object may be on its way out; the next look finds that.
    let _ = write::update(store, &target, object);
}

/// Returns the pods that a controller owns and that are not going.
fn pods_of(store: &Store, owner: &Value) -> Vec<(ObjectKey, Arc<Value>)> {
    let pods = store.built_in("", "pods").id;
    let uid = owner["metadata"]["uid"].as_str().unwrap_or_default();
    store
        .owned_by(uid)
        .into_iter()
        .filter(|key| key.ty == pods)
        .filter_map(|key| {
            let pod = store.find(&key)?.clone();
            Some((key, pod))
        })
        .filter(|(_, pod)| pod.pointer("/metadata/deletionTimestamp").is_none())
        .collect()
}

/// Says whether a pod is ready.
fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Returns a pod made from a template.
fn pod_from(template: &Value, owner_object: &Value, labels: &[(&str, &str)]) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "namespace": owner_object["metadata"]["namespace"], "ownerReferences": owner(owner_object),
            "labels": template["metadata"]["labels"], "annotations": template["metadata"]["annotations"],
        },
        "spec": template["spec"],
    });
    for (name, value) in labels {
        pod["metadata"]["labels"][*name] = json!(value);
    }
    pod
}
