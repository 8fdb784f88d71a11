//! Deployments, StatefulSets, DaemonSets, ReplicaSets.

use super::{condition, degraded, healthy, number, progressing};
use crate::model::{Health, HealthStatus, Object};

fn is_observed(object: &Object) -> bool {
    number(object, "/metadata/generation").unwrap_or(0) <= number(object, "/status/observedGeneration").unwrap_or(0)
}

fn count(object: &Object, name: &str) -> i64 {
    number(object, &format!("/status/{name}")).unwrap_or(0)
}

/// Judges a Deployment.
pub fn deployment(object: &Object) -> Health {
    if object.value().pointer("/spec/paused").and_then(serde_json::Value::as_bool) == Some(true) {
        return Health::new(HealthStatus::Suspended, "Deployment is paused");
    }
    if !is_observed(object) {
        return progressing("its new spec has not been observed yet");
    }
    if condition::find(object, "Progressing").is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded") {
        return degraded(format!("{:?} exceeded its progress deadline", object.name()));
    }
    let (updated, replicas, available) =
        (count(object, "updatedReplicas"), count(object, "replicas"), count(object, "availableReplicas"));
    match number(object, "/spec/replicas") {
        Some(wanted) if updated < wanted => {
            return progressing(format!("{updated} of {wanted} new replicas are updated"));
        }
        _ => {}
    }
    if replicas > updated {
        return progressing(format!("{} old replicas are to go", replicas - updated));
    }
    if available < updated {
        return progressing(format!("{available} of {updated} updated replicas are available"));
    }
    healthy("")
}

/// Judges a StatefulSet.
pub fn stateful_set(object: &Object) -> Health {
    if count(object, "observedGeneration") == 0 || !is_observed(object) {
        return progressing("its new spec has not been observed yet");
    }
    let replicas = number(object, "/spec/replicas");
    let (ready, updated) = (count(object, "readyReplicas"), count(object, "updatedReplicas"));
    if let Some(wanted) = replicas
        && ready < wanted
    {
        return progressing(format!("{ready} of {wanted} replicas are ready"));
    }
    let strategy = object.text("/spec/updateStrategy/type");
    if strategy == "RollingUpdate"
        && object.value().pointer("/spec/updateStrategy/rollingUpdate").is_some_and(|block| !block.is_null())
    {
        if let (Some(replicas), Some(partition)) =
            (replicas, number(object, "/spec/updateStrategy/rollingUpdate/partition"))
            && updated < replicas - partition
        {
            return progressing(format!("{updated} of {} replicas of the partition are updated", replicas - partition));
        }
        return healthy("");
    }
    if strategy == "OnDelete" {
        return healthy("");
    }
    if object.text("/status/updateRevision") != object.text("/status/currentRevision") {
        return progressing(format!("{updated} replicas are at the new revision"));
    }
    healthy("")
}

/// Judges a DaemonSet.
pub fn daemon_set(object: &Object) -> Health {
    if !is_observed(object) {
        return progressing("its new spec has not been observed yet");
    }
    if object.text("/spec/updateStrategy/type") == "OnDelete" {
        return healthy("");
    }
    let (updated, desired, available) = (
        count(object, "updatedNumberScheduled"),
        count(object, "desiredNumberScheduled"),
        count(object, "numberAvailable"),
    );
    if updated < desired {
        return progressing(format!("{updated} of {desired} pods are updated"));
    }
    if available < desired {
        return progressing(format!("{available} of {desired} pods are available"));
    }
    healthy("")
}

/// Judges a ReplicaSet.
pub fn replica_set(object: &Object) -> Health {
    if !is_observed(object) {
        return progressing("its new spec has not been observed yet");
    }
    if let Some(failure) = condition::find(object, "ReplicaFailure")
        && failure.status == "True"
    {
        return degraded(failure.message);
    }
    let available = count(object, "availableReplicas");
    match number(object, "/spec/replicas") {
        Some(wanted) if available < wanted => progressing(format!("{available} of {wanted} replicas are available")),
        _ => healthy(""),
    }
}
