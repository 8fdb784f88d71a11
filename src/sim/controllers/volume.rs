//! Volumes: claims are bound after a moment.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sim::clock;
use crate::sim::store::{ObjectKey, Store};
use crate::sim::write;

pub fn claim(store: &mut Store, key: &ObjectKey, claim: &Arc<Value>) -> Option<Duration> {
    if claim["status"]["phase"] == "Bound" {
        return None;
    }
    if claim.get("status").is_none() {
        write::set_status(store, key, json!({"phase": "Pending"}));
    }
    let created = claim["metadata"]["creationTimestamp"].as_str().and_then(clock::parse);
    let age = created.map_or(1, |created| store.clock.now().duration_since(created).as_secs());
    if age < 1 {
        return Some(Duration::from_millis(500));
    }
    let volume = format!("pvc-{}", claim["metadata"]["uid"].as_str().unwrap_or_default());
    let size = claim.pointer("/spec/resources/requests/storage").cloned().unwrap_or_else(|| json!("1Gi"));
    let object = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume},
        "spec": {
            "accessModes": claim["spec"]["accessModes"], "capacity": {"storage": size},
            "storageClassName": claim["spec"]["storageClassName"], "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": key.name,
                "namespace": key.namespace, "uid": claim["metadata"]["uid"]},
            "csi": {"driver": "sim.quarterdeck.dev", "volumeHandle": volume},
        },
    });
    super::create(store, "", "persistentvolumes", claim, object);
    let volume_key = ObjectKey::new(store.built_in("", "persistentvolumes").id, "", &volume);
    write::set_status(store, &volume_key, json!({"phase": "Bound"}));
    let mut bound = (**claim).clone();
    bound["spec"]["volumeName"] = json!(volume);
    super::modify(store, key, bound);
    let status = json!({"phase": "Bound", "accessModes": claim["spec"]["accessModes"], "capacity": {"storage": size}});
    write::set_status(store, key, status);
    None
}
