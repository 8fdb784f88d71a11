//! Health of live objects and of applications, by Argo CD's rules.

mod api;
mod batch;
mod condition;
mod custom;
mod pod;
mod storage;
mod workload;

use serde_json::Value;

use crate::model::{Health, HealthStatus, Object};

/// Returns the health of a live object; `None` for kinds that have none, such as ConfigMaps.
pub fn assess(object: &Object) -> Option<Health> {
    if object.is_being_deleted() && !has_hook_finalizer(object) {
        return Some(Health::new(HealthStatus::Progressing, "Pending deletion"));
    }
    let gvk = object.gvk();
    let known = |versions: &[&str], rule: fn(&Object) -> Health| {
        Some(if versions.contains(&&*gvk.version) {
            rule(object)
        } else {
            Health::new(
                HealthStatus::Unknown,
                format!("{} {} is not a version that can be judged", gvk.kind, gvk.api_version()),
            )
        })
    };
    match (&*gvk.group, &*gvk.kind) {
        ("apps" | "extensions", "Deployment") => known(&["v1", "v1beta1", "v1beta2"], workload::deployment),
        ("apps", "StatefulSet") => known(&["v1"], workload::stateful_set),
        ("apps" | "extensions", "DaemonSet") => known(&["v1", "v1beta1"], workload::daemon_set),
        ("apps" | "extensions", "ReplicaSet") => known(&["v1", "v1beta1"], workload::replica_set),
        ("", "Pod") => known(&["v1"], pod::pod),
        ("", "Service") => known(&["v1"], api::service),
        ("networking.k8s.io" | "extensions", "Ingress") => Some(api::ingress(object)),
        ("", "PersistentVolumeClaim") => known(&["v1"], storage::claim),
        ("batch", "Job") => known(&["v1"], batch::job),
        ("batch", "CronJob") => Some(batch::cron_job(object)),
        ("autoscaling", "HorizontalPodAutoscaler") => known(&["v1", "v2", "v2beta1", "v2beta2"], batch::autoscaler),
        ("apiregistration.k8s.io", "APIService") => known(&["v1", "v1beta1"], api::api_service),
        ("policy", "PodDisruptionBudget") => Some(api::disruption_budget(object)),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(api::definition(object)),
        ("argoproj.io", "Workflow") => known(&["v1alpha1"], batch::workflow),
        _ => custom::assess(object),
    }
}

/// One managed object as the application's health sees it.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// How people call it: `Deployment api`.
    pub name: String,
    /// Its live form; `None` if it is missing.
    pub live: Option<&'a Object>,
    /// Its own health, if it has one.
    pub health: Option<&'a Health>,
    /// Whether it is a hook, skipped or asks not to be counted.
    pub is_left_out: bool,
}

/// Returns the health of an application: the worst of its parts. A missing part does not count unless nothing is there at all.
pub fn application(parts: &[Part<'_>]) -> Health {
    let counted: Vec<&Part<'_>> = parts.iter().filter(|part| !part.is_left_out).collect();
    let mut worst = Health::new(HealthStatus::Healthy, "");
    let mut causes: Vec<String> = Vec::new();
    for part in &counted {
        let (Some(live), Some(health)) = (part.live, part.health) else { continue };
        if live.annotation("argocd.argoproj.io/ignore-healthcheck") == Some("true") {
            continue;
        }
        let is_child = live.kind() == "Application" && live.api_version().starts_with("argoproj.io/");
        if is_child && matches!(health.status, HealthStatus::Missing | HealthStatus::Unknown) {
            continue;
        }
        if health.status > worst.status {
            worst.status = health.status;
            causes.clear();
        }
        if health.status == worst.status && health.status != HealthStatus::Healthy {
            causes.push(if health.message.is_empty() {
                part.name.clone()
            } else {
                format!("{}: {}", part.name, health.message)
            });
        }
    }
    if !counted.is_empty() && counted.iter().all(|part| part.live.is_none()) && worst.status < HealthStatus::Missing {
        return Health::new(HealthStatus::Missing, "nothing of it is in the cluster");
    }
    worst.message = causes.join("; ");
    worst
}

fn has_hook_finalizer(object: &Object) -> bool {
    let finalizers = object.value().pointer("/metadata/finalizers").and_then(Value::as_array);
    finalizers.into_iter().flatten().any(|name| name == "argocd.argoproj.io/hook-finalizer")
}

/// Returns the whole number at a pointer.
fn number(object: &Object, pointer: &str) -> Option<i64> {
    object.value().pointer(pointer).and_then(Value::as_i64)
}

fn healthy(message: impl Into<String>) -> Health {
    Health::new(HealthStatus::Healthy, message)
}

fn progressing(message: impl Into<String>) -> Health {
    Health::new(HealthStatus::Progressing, message)
}

fn degraded(message: impl Into<String>) -> Health {
    Health::new(HealthStatus::Degraded, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Part, application};
    use crate::model::{Health, HealthStatus, Object};

    #[test]
    fn the_worst_part_decides_and_a_missing_one_does_not_count() {
        let live = Object::new(json!({"kind": "Deployment", "apiVersion": "apps/v1"})).unwrap();
        let check = |parts: &[Option<HealthStatus>], expected: HealthStatus| {
            let healths: Vec<Option<Health>> =
                parts.iter().map(|status| status.map(|status| Health::new(status, "why"))).collect();
            let parts: Vec<Part<'_>> = healths
                .iter()
                .map(|health| Part {
                    name: "Deployment a".into(),
                    live: health.is_some().then_some(&live),
                    health: health.as_ref(),
                    is_left_out: false,
                })
                .collect();
            assert_eq!(application(&parts).status, expected, "{healths:?}");
        };
        use HealthStatus::{Degraded, Healthy, Missing, Progressing, Suspended};
        check(&[], Healthy);
        check(&[Some(Healthy), Some(Degraded), Some(Progressing)], Degraded);
        check(&[Some(Healthy), None], Healthy);
        check(&[Some(Suspended), Some(Healthy)], Suspended);
        check(&[None, None], Missing);
    }
}
