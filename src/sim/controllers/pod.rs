//! Pods: scheduled, started after a believable while, crashing if they are told to, and gone after their grace.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::with_condition;
use crate::sim::clock;
use crate::sim::store::{ObjectKey, Random, Store};
use crate::sim::write;

/// How a container ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Runs,
    Crashes,
    CannotPull,
}

pub fn reconcile(store: &mut Store, key: &ObjectKey, pod: &Arc<Value>) -> Option<Duration> {
    if let Some(at) = pod.pointer("/metadata/deletionTimestamp").and_then(Value::as_str) {
        return terminate(store, key, pod, at);
    }
    let started = pod.pointer("/status/startTime").and_then(Value::as_str).and_then(clock::parse);
    let Some(started) = started else {
        return Some(schedule(store, key, pod));
    };
    let phase = pod["status"]["phase"].as_str().unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed") {
        return None;
    }
    let now = store.clock.now();
    let passed = now.duration_since(started);
    let fate = fate(pod);
    let mut random = chance(pod);
    // Times are kept in whole seconds, so the wait may be up to one second longer than what is left.
    let start_after = SignedDuration::from_millis(1000 + i64::try_from(random.below(3000)).unwrap_or(0));
    if passed < start_after && !hurried(pod) {
        let left = start_after - passed;
        return Some(left.unsigned_abs());
    }
    let runs_to_end = pod["metadata"]["ownerReferences"][0]["kind"] == "Job";
    match fate {
        Fate::Runs if runs_to_end => {
            if phase != "Running" && !hurried(pod) {
                running(store, key, pod, true);
                store.emit(pod, false, "Started", "Started container", "kubelet");
                return Some(Duration::from_millis(2000 + random.below(3000)));
            }
            if passed < start_after + SignedDuration::from_secs(2) && !hurried(pod) {
                return Some(Duration::from_secs(1));
            }
            ended(store, key, pod, true);
            None
        }
        Fate::Crashes if runs_to_end => {
            ended(store, key, pod, false);
            None
        }
        Fate::Runs => {
            if phase != "Running" || !super::is_ready(pod) {
                running(store, key, pod, true);
                for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
                    let name = container["name"].as_str().unwrap_or_default();
                    store.emit(pod, false, "Created", &format!("Created container: {name}"), "kubelet");
                    store.emit(pod, false, "Started", &format!("Started container {name}"), "kubelet");
                }
            }
            None
        }
        Fate::Crashes => crash(store, key, pod, passed),
        Fate::CannotPull => {
            if pod.pointer("/status/containerStatuses/0/state/waiting/reason") != Some(&json!("ImagePullBackOff")) {
                let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
                waiting(store, key, pod, "ImagePullBackOff", &format!("Back-off pulling image \"{image}\""), 0);
                store.emit(pod, true, "Failed", &format!("Failed to pull image \"{image}\": not found"), "kubelet");
            }
            None
        }
    }
}

/// The pod's own chance, the same at every look.
fn chance(pod: &Value) -> Random {
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
    Random::new(uid.bytes().fold(17, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))))
}

fn fate(pod: &Value) -> Fate {
    let containers = pod["spec"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tag = |container: &Value| {
        container["image"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default().to_owned()
    };
    let told = |container: &Value| {
        container["env"].as_array().into_iter().flatten().any(|variable| {
            variable["name"] == "SIMULATE_CRASH"
                && !matches!(variable["value"].as_str(), None | Some("" | "false" | "0"))
        })
    };
    if containers.iter().any(|container| tag(container) == "missing") {
        Fate::CannotPull
    } else if containers.iter().any(|container| tag(container) == "broken" || told(container)) {
        Fate::Crashes
    } else {
        Fate::Runs
    }
}

const HURRY: &str = "simulator/hurry";

fn hurried(pod: &Value) -> bool {
    pod["status"][HURRY] == true
}

/// Lets every pod that is on its way arrive at the next look.
pub fn hurry(store: &mut Store) {
    let pods = store.list(store.built_in("", "pods").id, "");
    for (key, pod) in pods {
        let phase = pod["status"]["phase"].as_str().unwrap_or_default();
        if pod.pointer("/status/startTime").is_some() && phase == "Pending" && !hurried(&pod) {
            let mut changed = (*pod).clone();
            changed["status"][HURRY] = json!(true);
            store.put(&key, changed);
        }
    }
}

fn schedule(store: &mut Store, key: &ObjectKey, pod: &Value) -> Duration {
    let mut changed = pod.clone();
    if changed["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        let nodes = store.list(store.built_in("", "nodes").id, "");
        let at = usize::try_from(chance(pod).below(nodes.len().max(1) as u64)).unwrap_or(0);
        let Some((node, _)) = nodes.get(at) else { return Duration::from_secs(5) };
        changed["spec"]["nodeName"] = json!(node.name);
        let message = format!("Successfully assigned {}/{} to {}", key.namespace, key.name, node.name);
        store.emit(pod, false, "Scheduled", &message, "default-scheduler");
    }
    let node = changed["spec"]["nodeName"].as_str().unwrap_or_default();
    let number: u64 = node.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let ip = format!("10.244.{number}.{}", 2 + chance(pod).below(250));
    let conditions = with_condition(store, &Value::Null, "PodScheduled", true, "", "");
    let conditions = with_condition(store, &conditions, "Initialized", true, "", "");
    let conditions = with_condition(
        store,
        &conditions,
        "ContainersReady",
        false,
        "ContainersNotReady",
        "containers with unready status",
    );
    let conditions =
        with_condition(store, &conditions, "Ready", false, "ContainersNotReady", "containers with unready status");
    changed["status"] = json!({
        "phase": "Pending", "startTime": store.clock.stamp(), "hostIP": format!("10.0.0.{}", 10 + number),
        "podIP": ip, "podIPs": [{"ip": ip}], "qosClass": "BestEffort", "conditions": trimmed(conditions),
        "containerStatuses": statuses(pod, &json!({"waiting": {"reason": "ContainerCreating"}}), false, 0, &Value::Null),
    });
    store.put(key, changed);
    Duration::from_millis(1)
}

/// Pod conditions have no `lastUpdateTime`, and leave out empty reasons.
fn trimmed(conditions: Value) -> Value {
    let mut list = conditions;
    for condition in list.as_array_mut().into_iter().flatten() {
        if let Some(map) = condition.as_object_mut() {
            map.remove("lastUpdateTime");
            map.retain(|name, value| !(matches!(name.as_str(), "reason" | "message") && *value == ""));
        }
    }
    list
}

fn statuses(pod: &Value, state: &Value, ready: bool, restarts: u64, last: &Value) -> Value {
    let containers = pod["spec"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let list: Vec<Value> = containers
        .iter()
        .map(|container| {
            let name = container["name"].as_str().unwrap_or_default();
            let mut status = json!({
                "name": name, "image": container["image"], "imageID": "", "ready": ready, "started": ready,
                "restartCount": restarts, "state": state, "lastState": {},
            });
            if !last.is_null() {
                status["lastState"] = last.clone();
            }
            if ready {
                let id = Random::new(name.len() as u64).uuid();
                status["containerID"] = json!(format!("simulated://{id}"));
            }
            status
        })
        .collect();
    json!(list)
}

fn running(store: &mut Store, key: &ObjectKey, pod: &Value, ready: bool) {
    let mut status = pod["status"].clone();
    if let Some(map) = status.as_object_mut() {
        map.remove(HURRY);
    }
    status["phase"] = json!("Running");
    status["containerStatuses"] =
        statuses(pod, &json!({"running": {"startedAt": store.clock.stamp()}}), ready, 0, &Value::Null);
    for kind in ["ContainersReady", "Ready"] {
        status["conditions"] = trimmed(with_condition(store, &status["conditions"], kind, ready, "", ""));
    }
    write::set_status(store, key, status);
}

fn waiting(store: &mut Store, key: &ObjectKey, pod: &Value, reason: &str, message: &str, restarts: u64) {
    let mut status = pod["status"].clone();
    if let Some(map) = status.as_object_mut() {
        map.remove(HURRY);
    }
    let now = store.clock.stamp();
    let crashed = reason == "CrashLoopBackOff";
    status["phase"] = json!(if crashed { "Running" } else { "Pending" });
    let last = if crashed {
        json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}})
    } else {
        Value::Null
    };
    let state = json!({"waiting": {"reason": reason, "message": message}});
    status["containerStatuses"] = statuses(pod, &state, false, restarts, &last);
    for kind in ["ContainersReady", "Ready"] {
        let text = "containers with unready status";
        status["conditions"] =
            trimmed(with_condition(store, &status["conditions"], kind, false, "ContainersNotReady", text));
    }
    write::set_status(store, key, status);
}

fn ended(store: &mut Store, key: &ObjectKey, pod: &Value, well: bool) {
    let mut status = pod["status"].clone();
    if let Some(map) = status.as_object_mut() {
        map.remove(HURRY);
    }
    let now = store.clock.stamp();
    let (phase, code, reason) = if well { ("Succeeded", 0, "Completed") } else { ("Failed", 1, "Error") };
    status["phase"] = json!(phase);
    let state = json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": status["startTime"], "finishedAt": now}});
    status["containerStatuses"] = statuses(pod, &state, false, 0, &Value::Null);
    for kind in ["ContainersReady", "Ready"] {
        status["conditions"] = trimmed(with_condition(store, &status["conditions"], kind, false, "PodCompleted", ""));
    }
    write::set_status(store, key, status);
}

/// A crashing container comes back ever later: 10 s, 20 s, … 5 min.
fn crash(store: &mut Store, key: &ObjectKey, pod: &Value, passed: SignedDuration) -> Option<Duration> {
    let name = pod["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned();
    let (mut restarts, mut next, mut wait) = (1_u64, 10_i64, 10_i64);
    while passed.as_secs() >= next && restarts < 1000 {
        restarts += 1;
        wait = (wait * 2).min(300);
        next += wait;
    }
    let known = pod.pointer("/status/containerStatuses/0/restartCount").and_then(Value::as_u64).unwrap_or(0);
    if restarts > known {
        let message = format!("back-off {wait}s restarting failed container={name} pod={}_{}", key.name, key.namespace);
        waiting(store, key, pod, "CrashLoopBackOff", &message, restarts);
        store.emit(pod, true, "BackOff", &format!("Back-off restarting failed container {name}"), "kubelet");
    }
    Some(Duration::from_secs(u64::try_from(next - passed.as_secs()).unwrap_or(1).max(1)))
}

fn terminate(store: &mut Store, key: &ObjectKey, pod: &Value, since: &str) -> Option<Duration> {
    let now = store.clock.now();
    let passed = clock::parse(since).map_or(SignedDuration::ZERO, |since| now.duration_since(since));
    if passed < SignedDuration::from_millis(1000) {
        if passed < SignedDuration::from_millis(200) {
            store.emit(pod, false, "Killing", "Stopping container", "kubelet");
        }
        return Some((SignedDuration::from_millis(1000) - passed).unsigned_abs());
    }
    let finalizers = pod["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty());
    if finalizers {
        crate::sim::garbage::being_deleted(store, key);
        if let Some(left) = store.find(key).cloned()
            && left.pointer("/metadata/deletionGracePeriodSeconds") != Some(&json!(0))
        {
            let mut left = (*left).clone();
            left["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            store.put(key, left);
        }
    } else {
        store.remove(key);
    }
    None
}
