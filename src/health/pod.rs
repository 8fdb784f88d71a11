//! Pods.

use serde_json::Value;

use super::{condition, degraded, healthy, progressing};
use crate::model::{Health, HealthStatus, Object};

/// Judges a Pod.
pub fn pod(object: &Object) -> Health {
    let is_hook = object.annotation("argocd.argoproj.io/hook").is_some();
    let ignores_policy = object.annotation("argocd.argoproj.io/ignore-restart-policy") == Some("true") && !is_hook;
    let restarts = object.text("/spec/restartPolicy") == "Always" || ignores_policy;
    if restarts {
        let messages: Vec<String> = containers(object)
            .filter_map(|container| container.pointer("/state/waiting"))
            .filter(|waiting| is_failure(text(waiting, "reason")))
            .map(|waiting| match text(waiting, "message") {
                "" => text(waiting, "reason").to_owned(),
                message => message.to_owned(),
            })
            .collect();
        if !messages.is_empty() {
            return degraded(messages.join(", "));
        }
    }
    match object.text("/status/phase") {
        "Pending" => progressing(object.text("/status/message")),
        "Succeeded" => healthy(object.text("/status/message")),
        "Failed" => degraded(failure(object)),
        "Running" if restarts => {
            if condition::find(object, "Ready").is_some_and(|ready| ready.status == "True") {
                return healthy(object.text("/status/message"));
            }
            if containers(object)
                .any(|container| container.pointer("/lastState/terminated").is_some_and(|state| !state.is_null()))
            {
                return degraded(object.text("/status/message"));
            }
            progressing(object.text("/status/message"))
        }
        "Running" => progressing(object.text("/status/message")),
        _ => Health::new(HealthStatus::Unknown, object.text("/status/message")),
    }
}

fn is_failure(reason: &str) -> bool {
    reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the container statuses, init containers first.
fn containers(object: &Object) -> impl Iterator<Item = &Value> {
    ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .filter_map(|pointer| object.value().pointer(pointer).and_then(Value::as_array))
        .flatten()
}

fn failure(object: &Object) -> String {
    let own = object.text("/status/message");
    if !own.is_empty() {
        return own.to_owned();
    }
    for container in containers(object) {
        let Some(ended) = container.pointer("/state/terminated") else { continue };
        let (message, reason) = (text(ended, "message"), text(ended, "reason"));
        if !message.is_empty() {
            return message.to_owned();
        }
        if reason == "OOMKilled" {
            return reason.to_owned();
        }
        let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or(0);
        if code != 0 {
            return format!("container {:?} failed with exit code {code}", text(container, "name"));
        }
    }
    String::new()
}
