//! Deployments: one ReplicaSet per template, rolled step by step.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{count_or_share, create, modify, number, owner, template_hash, with_condition};
use crate::sim::garbage;
use crate::sim::store::{ObjectKey, Store};
use crate::sim::write;

const REVISION: &str = "deployment.kubernetes.io/revision";

pub fn reconcile(store: &mut Store, key: &ObjectKey, deployment: &Arc<Value>) -> Option<Duration> {
    let template = &deployment["spec"]["template"];
    let hash = template_hash(template);
    let sets_id = store.built_in("apps", "replicasets").id;
    let uid = deployment["metadata"]["uid"].as_str().unwrap_or_default();
    let mut sets: Vec<(ObjectKey, Arc<Value>)> = store
        .owned_by(uid)
        .into_iter()
        .filter(|key| key.ty == sets_id)
        .filter_map(|key| store.find(&key).cloned().map(|set| (key, set)))
        .collect();
    let wanted = number(deployment, "/spec/replicas");
    let name = format!("{}-{hash}", key.name);
    let revision = |set: &Value| -> i64 {
        set["metadata"]["annotations"][REVISION].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let newest = sets.iter().map(|(_, set)| revision(set)).max().unwrap_or(0);
    let current = sets.iter().position(|(key, _)| key.name == name);
    let number_of_current = match current {
        Some(at) if revision(&sets[at].1) == newest => newest,
        _ => newest + 1,
    };
    let annotations = json!({
        REVISION: number_of_current.to_string(),
        "deployment.kubernetes.io/desired-replicas": wanted.to_string(),
    });
    if current.is_none() {
        let first = if sets.is_empty() { wanted } else { 0 };
        let mut selector = deployment["spec"]["selector"].clone();
        selector["matchLabels"]["pod-template-hash"] = json!(hash);
        let mut template = template.clone();
        template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
        let set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": name, "namespace": key.namespace, "labels": template["metadata"]["labels"],
                "annotations": annotations, "ownerReferences": owner(deployment),
            },
            "spec": {"replicas": first, "selector": selector, "template": template},
        });
        if create(store, "apps", "replicasets", deployment, set) {
            let message = format!("Scaled up replica set {name} from 0 to {first}");
            store.emit(deployment, false, "ScalingReplicaSet", &message, "deployment-controller");
        }
        let set_key = ObjectKey::new(sets_id, &key.namespace, &name);
        if let Some(set) = store.find(&set_key).cloned() {
            sets.push((set_key, set));
        }
    }
    if deployment["metadata"]["annotations"][REVISION] != json!(number_of_current.to_string()) {
        let mut changed = (**deployment).clone();
        changed["metadata"]["annotations"][REVISION] = json!(number_of_current.to_string());
        modify(store, key, changed);
    }
    roll(store, deployment, &sets, &name, wanted, &annotations);
    let sets: Vec<Arc<Value>> = sets.iter().filter_map(|(key, _)| store.find(key).cloned()).collect();
    status(store, key, deployment, &sets, &name, wanted);
    tidy(store, deployment, &sets, &name);
    None
}

/// Scales the sets one step nearer to the goal.
fn roll(
    store: &mut Store,
    deployment: &Value,
    sets: &[(ObjectKey, Arc<Value>)],
    name: &str,
    wanted: i64,
    annotations: &Value,
) {
    if deployment["spec"]["paused"] == true {
        return;
    }
    let replicas = |set: &Value| number(set, "/spec/replicas");
    let ready = |set: &Value| number(set, "/status/readyReplicas").min(number(set, "/spec/replicas"));
    let total: i64 = sets.iter().map(|(_, set)| replicas(set)).sum();
    let total_ready: i64 = sets.iter().map(|(_, set)| ready(set)).sum();
    let recreate = deployment["spec"]["strategy"]["type"] == "Recreate";
    let rolling = deployment.pointer("/spec/strategy/rollingUpdate");
    let surge = count_or_share(rolling.and_then(|rolling| rolling.get("maxSurge")), wanted, true);
    let mut unavailable = count_or_share(rolling.and_then(|rolling| rolling.get("maxUnavailable")), wanted, false);
    if surge == 0 && unavailable == 0 {
        unavailable = 1;
    }
    let old_total: i64 = sets.iter().filter(|(key, _)| key.name != name).map(|(_, set)| replicas(set)).sum();
    for (key, set) in sets.iter().filter(|(key, _)| key.name == name) {
        let have = replicas(set);
        let goal = if old_total == 0 || have > wanted {
            wanted
        } else if recreate {
            0
        } else {
            wanted.min(have + (wanted + surge - total).max(0))
        };
        scale(store, deployment, key, set, goal, Some(annotations));
    }
    // Pods that are not ready go first; of the ready ones only as many as may be unavailable.
    let mut spare = total_ready - (wanted - unavailable);
    for (key, set) in sets.iter().filter(|(key, set)| key.name != name && replicas(set) > 0) {
        let have = replicas(set);
        let unready = have - ready(set);
        let down = if recreate { have } else { (unready + spare.max(0)).min(have) };
        spare -= (down - unready).max(0);
        scale(store, deployment, key, set, have - down, None);
    }
}

fn scale(store: &mut Store, deployment: &Value, key: &ObjectKey, set: &Value, goal: i64, annotations: Option<&Value>) {
    let have = number(set, "/spec/replicas");
    let mut changed = set.clone();
    changed["spec"]["replicas"] = json!(goal);
    for (name, value) in annotations.and_then(Value::as_object).into_iter().flatten() {
        changed["metadata"]["annotations"][name] = value.clone();
    }
    if changed == *set {
        return;
    }
    modify(store, key, changed);
    if have != goal {
        let way = if goal > have { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {} from {have} to {goal}", key.name);
        store.emit(deployment, false, "ScalingReplicaSet", &message, "deployment-controller");
    }
}

fn status(store: &mut Store, key: &ObjectKey, deployment: &Value, sets: &[Arc<Value>], name: &str, wanted: i64) {
    let sum = |pointer: &str| sets.iter().map(|set| number(set, pointer)).sum::<i64>();
    let current = sets.iter().find(|set| set["metadata"]["name"] == name);
    let updated = current.map_or(0, |set| number(set, "/status/replicas"));
    let (all, ready) = (sum("/status/replicas"), sum("/status/readyReplicas"));
    let available = sum("/status/availableReplicas");
    let rolling = deployment.pointer("/spec/strategy/rollingUpdate/maxUnavailable");
    let minimum = wanted - count_or_share(rolling, wanted, false);
    let mut status = json!({"observedGeneration": store
        .find(key)
        .map_or(Value::Null, |object| object["metadata"]["generation"].clone())});
    for (field, value) in [
        ("replicas", all),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", available),
        ("unavailableReplicas", (wanted.max(all) - available).max(0)),
    ] {
        if value != 0 {
            status[field] = json!(value);
        }
    }
    let (is, reason, message) = if available >= minimum {
        (true, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        (false, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let before = &deployment["status"]["conditions"];
    let conditions = with_condition(store, before, "Available", is, reason, message);
    let done = updated == wanted && all == wanted && available == wanted;
    let conditions = if done {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        with_condition(store, &conditions, "Progressing", true, "NewReplicaSetAvailable", &message)
    } else {
        let message = format!("ReplicaSet \"{name}\" is progressing.");
        with_condition(store, &conditions, "Progressing", true, "ReplicaSetUpdated", &message)
    };
    status["conditions"] = conditions;
    write::set_status(store, key, status);
}

/// Removes empty old sets beyond the history limit.
fn tidy(store: &mut Store, deployment: &Value, sets: &[Arc<Value>], name: &str) {
    let limit = usize::try_from(number(deployment, "/spec/revisionHistoryLimit")).unwrap_or(10);
    let mut old: Vec<&Arc<Value>> = sets
        .iter()
        .filter(|set| {
            set["metadata"]["name"] != name
                && number(set, "/spec/replicas") == 0
                && number(set, "/status/replicas") == 0
        })
        .collect();
    old.sort_by_key(|set| set["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse::<u64>().ok()));
    let surplus = old.len().saturating_sub(limit);
    let ty = store.built_in("apps", "replicasets").id;
    for set in old.into_iter().take(surplus) {
        let namespace = set["metadata"]["namespace"].as_str().unwrap_or_default();
        let key = ObjectKey::new(ty, namespace, set["metadata"]["name"].as_str().unwrap_or_default());
        garbage::delete(store, &key, "Background");
    }
}
