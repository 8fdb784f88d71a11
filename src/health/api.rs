//! Services, Ingresses, API services, definitions, disruption budgets.

use serde_json::Value;

use super::{condition, degraded, healthy, progressing};
use crate::model::{Health, Object};

fn has_address(object: &Object) -> bool {
    object
        .value()
        .pointer("/status/loadBalancer/ingress")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
}

/// Judges a Service: one of type LoadBalancer needs an address.
pub fn service(object: &Object) -> Health {
    if object.text("/spec/type") == "LoadBalancer" && !has_address(object) {
        return progressing("it waits for a load balancer's address");
    }
    healthy("")
}

/// Judges an Ingress: it needs an address.
pub fn ingress(object: &Object) -> Health {
    if has_address(object) { healthy("") } else { progressing("it waits for an address") }
}

/// Judges an APIService.
pub fn api_service(object: &Object) -> Health {
    match condition::find(object, "Available") {
        Some(available) if available.status == "True" => {
            healthy(format!("{}: {}", available.reason, available.message))
        }
        Some(available) => progressing(format!("{}: {}", available.reason, available.message)),
        None => progressing("it waits to be processed"),
    }
}

/// Judges a PodDisruptionBudget.
pub fn disruption_budget(object: &Object) -> Health {
    let mut any = false;
    for entry in condition::all(object) {
        any = true;
        if entry.status == "False" && entry.reason != "InsufficientPods" {
            return degraded(entry.message);
        }
    }
    if any { healthy("") } else { progressing("it waits for its status") }
}

/// Judges a CustomResourceDefinition.
pub fn definition(object: &Object) -> Health {
    if object.is_being_deleted() {
        return progressing("it is being deleted");
    }
    let (mut any, mut established) = (false, None);
    for entry in condition::all(object) {
        any = true;
        match (entry.kind, entry.status) {
            ("Terminating", "True") => return progressing(entry.message),
            ("NamesAccepted", "False") => return degraded(entry.message),
            ("NonStructuralSchema", "True") => return degraded(entry.message),
            ("Established", "True") => established = Some(entry.message.to_owned()),
            ("Established", _) if entry.reason == "Installing" => return progressing(entry.message),
            _ => {}
        }
    }
    match (any, established) {
        (false, _) => progressing("its status has not been written yet"),
        (true, Some(message)) => healthy(message),
        (true, None) => degraded("it is not established"),
    }
}
