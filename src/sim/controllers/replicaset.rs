//! ReplicaSets: as many pods as wanted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{create, is_ready, number, pod_from, pods_of};
use crate::sim::garbage;
use crate::sim::store::{ObjectKey, Store};
use crate::sim::write;

pub fn reconcile(store: &mut Store, key: &ObjectKey, set: &Arc<Value>) -> Option<Duration> {
    let wanted = usize::try_from(number(set, "/spec/replicas")).unwrap_or(0);
    let mut pods = pods_of(store, set);
    pods.retain(|(_, pod)| !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")));
    for _ in pods.len()..wanted {
        let name = format!("{}-{}", key.name, store.random.suffix(5));
        let mut pod = pod_from(&set["spec"]["template"], set, &[]);
        pod["metadata"]["name"] = json!(name);
        pod["metadata"]["generateName"] = json!(format!("{}-", key.name));
        if !create(store, "", "pods", set, pod) {
            break;
        }
        store.emit(set, false, "SuccessfulCreate", &format!("Created pod: {name}"), "replicaset-controller");
    }
    if pods.len() > wanted {
        // Pods that are not ready go first, then the youngest.
        pods.sort_by_key(|(key, pod)| {
            let created = pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
            (is_ready(pod), std::cmp::Reverse(created), key.name.clone())
        });
        for (pod, _) in pods.iter().take(pods.len() - wanted) {
            garbage::delete(store, pod, "Background");
            store.emit(set, false, "SuccessfulDelete", &format!("Deleted pod: {}", pod.name), "replicaset-controller");
        }
    }
    let pods = pods_of(store, set);
    let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
    let mut status = json!({"replicas": pods.len(), "observedGeneration": set["metadata"]["generation"]});
    if !pods.is_empty() {
        status["fullyLabeledReplicas"] = json!(pods.len());
    }
    if ready > 0 {
        status["readyReplicas"] = json!(ready);
        status["availableReplicas"] = json!(ready);
    }
    write::set_status(store, key, status);
    None
}
