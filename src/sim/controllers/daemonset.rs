//! DaemonSets: one pod per node.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{create, is_ready, pod_from, pods_of, template_hash};
use crate::sim::garbage;
use crate::sim::store::{ObjectKey, Store};
use crate::sim::write;

const HASH: &str = "controller-revision-hash";

pub fn reconcile(store: &mut Store, key: &ObjectKey, set: &Arc<Value>) -> Option<Duration> {
    let hash = template_hash(&set["spec"]["template"]);
    let selector = set.pointer("/spec/template/spec/nodeSelector").cloned().unwrap_or(Value::Null);
    let wanted = crate::sim::selector::Labels::from_object(&selector);
    let nodes: Vec<String> = store
        .list(store.built_in("", "nodes").id, "")
        .into_iter()
        .filter(|(_, node)| wanted.matches(node))
        .map(|(key, _)| key.name)
        .collect();
    let pods = pods_of(store, set);
    for node in &nodes {
        if pods.iter().all(|(_, pod)| pod["spec"]["nodeName"] != node.as_str()) {
            let name = format!("{}-{}", key.name, store.random.suffix(5));
            let mut pod = pod_from(&set["spec"]["template"], set, &[(HASH, &hash), ("pod-template-generation", "1")]);
            pod["metadata"]["name"] = json!(name);
            pod["metadata"]["generateName"] = json!(format!("{}-", key.name));
            pod["spec"]["nodeName"] = json!(node);
            if create(store, "", "pods", set, pod) {
                store.emit(set, false, "SuccessfulCreate", &format!("Created pod: {name}"), "daemonset-controller");
            }
        }
    }
    for (pod, object) in &pods {
        if !nodes.iter().any(|node| object["spec"]["nodeName"] == node.as_str()) {
            garbage::delete(store, pod, "Background");
        }
    }
    let old = |pod: &Value| pod["metadata"]["labels"][HASH] != hash.as_str();
    let all_ready = pods.iter().all(|(_, pod)| is_ready(pod));
    if all_ready && let Some((pod, _)) = pods.iter().find(|(_, pod)| old(pod)) {
        garbage::delete(store, pod, "Background");
    } else {
        for (pod, _) in pods.iter().filter(|(_, pod)| old(pod) && !is_ready(pod)) {
            garbage::delete(store, pod, "Background");
        }
    }
    let pods = pods_of(store, set);
    let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "desiredNumberScheduled": nodes.len(),
        "currentNumberScheduled": pods.len(), "numberMisscheduled": 0, "numberReady": ready,
    });
    let updated = pods.iter().filter(|(_, pod)| !old(pod)).count();
    for (field, count) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", ready),
        ("numberUnavailable", nodes.len().saturating_sub(ready)),
    ] {
        if count > 0 {
            status[field] = json!(count);
        }
    }
    write::set_status(store, key, status);
    None
}
