//! StatefulSets: pods with ordinals, one after the other, each with its claims.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{create, is_ready, number, pod_from, pods_of, template_hash};
use crate::sim::garbage;
use crate::sim::store::{ObjectKey, Store};
use crate::sim::write;

const HASH: &str = "controller-revision-hash";

pub fn reconcile(store: &mut Store, key: &ObjectKey, set: &Arc<Value>) -> Option<Duration> {
    let wanted = number(set, "/spec/replicas");
    let revision = format!("{}-{}", key.name, template_hash(&set["spec"]["template"]));
    let parallel = set["spec"]["podManagementPolicy"] == "Parallel";
    let pods_id = store.built_in("", "pods").id;
    let revisions = store.built_in("apps", "controllerrevisions").id;
    if store.find(&ObjectKey::new(revisions, &key.namespace, &revision)).is_none() {
        let number = store
            .owned_by(set["metadata"]["uid"].as_str().unwrap_or_default())
            .iter()
            .filter(|key| key.ty == revisions)
            .count()
            + 1;
        let object = json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": number,
            "metadata": {"name": revision, "namespace": key.namespace, "ownerReferences": super::owner(set)},
            "data": {"spec": {"template": set["spec"]["template"]}},
        });
        create(store, "apps", "controllerrevisions", set, object);
    }
    for ordinal in 0..wanted {
        let name = format!("{}-{ordinal}", key.name);
        let pod_key = ObjectKey::new(pods_id, &key.namespace, &name);
        match store.find(&pod_key).cloned() {
            None => {
                claims(store, set, &name);
                let labels = [
                    (HASH, revision.as_str()),
                    ("statefulset.kubernetes.io/pod-name", name.as_str()),
                    ("apps.kubernetes.io/pod-index", &ordinal.to_string()),
                ];
                let mut pod = pod_from(&set["spec"]["template"], set, &labels);
                pod["metadata"]["name"] = json!(name);
                pod["spec"]["hostname"] = json!(name);
                let mut volumes = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
                for claim in set["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
                    let claim = claim["metadata"]["name"].as_str().unwrap_or_default();
                    volumes.push(
                        json!({"name": claim, "persistentVolumeClaim": {"claimName": format!("{claim}-{name}")}}),
                    );
                }
                pod["spec"]["volumes"] = json!(volumes);
                if create(store, "", "pods", set, pod) {
                    let message = format!("create Pod {name} in StatefulSet {} successful", key.name);
                    store.emit(set, false, "SuccessfulCreate", &message, "statefulset-controller");
                }
                if !parallel {
                    break;
                }
            }
            Some(pod) if !is_ready(&pod) && !parallel => break,
            Some(_) => {}
        }
    }
    let pods = pods_of(store, set);
    let ordinal = |name: &str| name.rsplit('-').next().and_then(|text| text.parse::<i64>().ok()).unwrap_or(i64::MAX);
    if let Some((surplus, _)) =
        pods.iter().filter(|(key, _)| ordinal(&key.name) >= wanted).max_by_key(|(key, _)| ordinal(&key.name))
    {
        garbage::delete(store, surplus, "Background");
    } else if pods.len() == usize::try_from(wanted).unwrap_or(0) {
        // An update replaces one pod at a time, the last one first, and only while all others are ready.
        let old = pods.iter().filter(|(_, pod)| pod["metadata"]["labels"][HASH] != revision.as_str());
        let broken = pods.iter().any(|(_, pod)| !is_ready(pod) && pod["metadata"]["labels"][HASH] == revision.as_str());
        if set["spec"]["updateStrategy"]["type"] != "OnDelete"
            && !broken
            && let Some((pod, _)) = old.max_by_key(|(key, _)| ordinal(&key.name))
        {
            garbage::delete(store, pod, "Background");
        }
    }
    let pods = pods_of(store, set);
    let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
    let updated = pods.iter().filter(|(_, pod)| pod["metadata"]["labels"][HASH] == revision.as_str()).count();
    let before = set["status"]["currentRevision"].as_str().unwrap_or(&revision);
    let current =
        if updated == pods.len() && updated == usize::try_from(wanted).unwrap_or(0) { &revision } else { before };
    let mut status = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": pods.len(), "availableReplicas": ready,
        "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
    for (field, count) in [("readyReplicas", ready), ("updatedReplicas", updated)] {
        if count > 0 {
            status[field] = json!(count);
        }
    }
    let at_current = pods.iter().filter(|(_, pod)| pod["metadata"]["labels"][HASH] == current).count();
    if at_current > 0 {
        status["currentReplicas"] = json!(at_current);
    }
    write::set_status(store, key, status);
    None
}

fn claims(store: &mut Store, set: &Value, pod: &str) {
    for template in set["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
        let name = format!("{}-{pod}", template["metadata"]["name"].as_str().unwrap_or_default());
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": name, "namespace": set["metadata"]["namespace"],
                "labels": set["spec"]["selector"]["matchLabels"],
            },
            "spec": template["spec"],
        });
        create(store, "", "persistentvolumeclaims", set, claim);
    }
}
