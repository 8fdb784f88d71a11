//! Jobs, CronJobs, autoscalers, workflows.

use serde_json::Value;

use super::{condition, degraded, healthy, progressing};
use crate::model::{Health, HealthStatus, Object};

/// Judges a Job: a condition counts when it is there and not `False`.
pub fn job(object: &Object) -> Health {
    let (mut failed, mut complete) = (None, None);
    for entry in condition::all(object).filter(|entry| entry.status != "False") {
        match entry.kind {
            "Failed" => failed = Some(entry.message.to_owned()),
            "Complete" => complete = Some(entry.message.to_owned()),
            "Suspended" => return Health::new(HealthStatus::Suspended, entry.message),
            _ => {}
        }
    }
    match (failed, complete) {
        (Some(message), _) => degraded(message),
        (None, Some(message)) => healthy(message),
        (None, None) => progressing("it runs"),
    }
}

/// Judges a CronJob.
pub fn cron_job(object: &Object) -> Health {
    if object.value().pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return healthy("it is suspended");
    }
    if object.value().get("status").is_none() {
        return progressing("its first schedule has not been seen");
    }
    let (scheduled, succeeded) = (object.text("/status/lastScheduleTime"), object.text("/status/lastSuccessfulTime"));
    if scheduled.is_empty() {
        return healthy("it has not been scheduled yet");
    }
    let is_active =
        object.value().pointer("/status/active").and_then(Value::as_array).is_some_and(|jobs| !jobs.is_empty());
    if succeeded.is_empty() || is_active {
        return healthy("");
    }
    // RFC 3339 times in UTC sort as text.
    if succeeded < scheduled { degraded("its last run did not succeed") } else { healthy("") }
}

const FAILED_SCALING: [(&str, &str); 8] = [
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
];

/// Judges a HorizontalPodAutoscaler; version 1 keeps its conditions in an annotation.
pub fn autoscaler(object: &Object) -> Health {
    let annotated: Option<Value> = object
        .annotation("autoscaling.alpha.kubernetes.io/conditions")
        .and_then(|text| serde_json::from_str(text).ok());
    let list = object.value().pointer("/status/conditions").or(annotated.as_ref());
    for entry in condition::in_list(list) {
        if FAILED_SCALING.contains(&(entry.kind, entry.reason)) {
            return degraded(entry.message);
        }
    }
    for entry in condition::in_list(list) {
        if entry.status == "True" && matches!(entry.kind, "AbleToScale" | "ScalingLimited") {
            return healthy(entry.message);
        }
    }
    progressing("it waits for its first metrics")
}

/// Judges an Argo Workflow.
pub fn workflow(object: &Object) -> Health {
    let message = object.text("/status/message");
    match object.text("/status/phase") {
        "" | "Pending" | "Running" => progressing(message),
        "Succeeded" => healthy(message),
        "Failed" | "Error" => degraded(message),
        _ => Health::new(HealthStatus::Unknown, message),
    }
}
