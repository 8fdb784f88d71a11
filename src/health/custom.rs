//! Custom kinds that teams run: most say how they do with one condition.

use serde_json::Value;

use super::{condition, degraded, healthy, progressing};
use crate::model::{Health, HealthStatus, Object};

/// Kinds whose health is their `Ready` condition: True healthy, False degraded, anything else on its way.
const READY: &[(&str, &[&str])] = &[
    ("cert-manager.io", &["Issuer", "ClusterIssuer"]),
    (
        "external-secrets.io",
        &["ExternalSecret", "ClusterExternalSecret", "PushSecret", "SecretStore", "ClusterSecretStore"],
    ),
    ("keda.sh", &["TriggerAuthentication"]),
    ("kafka.strimzi.io", &["Kafka", "KafkaConnect", "KafkaTopic", "KafkaUser", "KafkaBridge", "KafkaMirrorMaker2"]),
    ("serving.knative.dev", &["Service"]),
    ("cluster.x-k8s.io", &["Cluster", "Machine", "MachineDeployment"]),
];

/// Returns the health of a custom kind that is known here.
pub fn assess(object: &Object) -> Option<Health> {
    let gvk = object.gvk();
    match (&*gvk.group, &*gvk.kind) {
        ("cert-manager.io", "Certificate") => Some(certificate(object)),
        ("bitnami.com", "SealedSecret") => Some(sealed_secret(object)),
        ("argoproj.io", "Rollout") => Some(rollout(object)),
        ("keda.sh", "ScaledObject" | "ScaledJob") => Some(scaled(object)),
        (group, _) if group.ends_with(".toolkit.fluxcd.io") => Some(flux(object)),
        (group, kind) if READY.iter().any(|(known, kinds)| *known == group && kinds.contains(&kind)) => {
            Some(ready(object))
        }
        _ => None,
    }
}

fn ready(object: &Object) -> Health {
    match condition::find(object, "Ready") {
        Some(entry) if entry.status == "True" => healthy(entry.message),
        Some(entry) if entry.status == "False" => degraded(entry.message),
        Some(entry) => progressing(entry.message),
        None => progressing("it waits for its first status"),
    }
}

fn certificate(object: &Object) -> Health {
    if let Some(issuing) = condition::find(object, "Issuing")
        && issuing.status == "True"
    {
        return progressing(issuing.message);
    }
    ready(object)
}

fn sealed_secret(object: &Object) -> Health {
    match condition::find(object, "Synced") {
        Some(entry) if entry.status == "False" => degraded(entry.message),
        _ => healthy("it is unsealed"),
    }
}

fn rollout(object: &Object) -> Health {
    let message = object.text("/status/message");
    if object.value().pointer("/spec/paused").and_then(Value::as_bool) == Some(true) {
        return Health::new(HealthStatus::Suspended, "Rollout is paused");
    }
    match object.text("/status/phase") {
        "Healthy" => healthy(message),
        "Degraded" => degraded(message),
        "Paused" => Health::new(HealthStatus::Suspended, message),
        _ => progressing(message),
    }
}

fn scaled(object: &Object) -> Health {
    for entry in condition::all(object) {
        match (entry.kind, entry.status) {
            ("Paused", "True") => return Health::new(HealthStatus::Suspended, entry.message),
            ("Ready", "False") => return degraded(entry.message),
            _ => {}
        }
    }
    ready(object)
}

fn flux(object: &Object) -> Health {
    if object.value().pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return Health::new(HealthStatus::Suspended, "it is suspended");
    }
    match condition::find(object, "Ready") {
        Some(entry) if entry.status == "False" && matches!(entry.reason, "Progressing" | "ProgressingWithRetry") => {
            progressing(entry.message)
        }
        _ => ready(object),
    }
}
