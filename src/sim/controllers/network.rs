//! What the cluster's surroundings would answer: addresses, endpoints, autoscaler and budget states.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{create, is_ready, number, owner, with_condition};
use crate::sim::selector::Labels;
use crate::sim::store::{ObjectKey, Random, Store};
use crate::sim::write;

/// Gives a namespace its default service account and root certificate.
pub fn namespace(store: &mut Store, key: &ObjectKey) {
    let Some(namespace) = store.find(key).cloned() else { return };
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": key.name}});
    let root = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": key.name},
        "data": {"ca.crt": "simulated"},
    });
    if store.find_built_in("", "serviceaccounts", &key.name, "default").is_none() {
        create(store, "", "serviceaccounts", &namespace, account);
    }
    if store.find_built_in("", "configmaps", &key.name, "kube-root-ca.crt").is_none() {
        create(store, "", "configmaps", &namespace, root);
    }
}

fn address(object: &Value) -> String {
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    let mut random =
        Random::new(uid.bytes().fold(5, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))));
    format!("203.0.113.{}", 1 + random.below(254))
}

pub fn service(store: &mut Store, key: &ObjectKey, service: &Arc<Value>) -> Option<Duration> {
    if service["spec"]["type"] == "LoadBalancer" {
        let ip = service
            .pointer("/spec/loadBalancerIP")
            .and_then(Value::as_str)
            .map_or_else(|| address(service), str::to_owned);
        write::set_status(store, key, json!({"loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}]}}));
    } else if service.get("status").is_none() {
        write::set_status(store, key, json!({"loadBalancer": {}}));
    }
    let selector = Labels::from_object(&service["spec"]["selector"]);
    if selector.is_empty() {
        return None;
    }
    let pods = store.list(store.built_in("", "pods").id, &key.namespace);
    let pods: Vec<&Arc<Value>> = pods.iter().map(|(_, pod)| pod).filter(|pod| selector.matches(pod)).collect();
    let endpoints: Vec<Value> = pods
        .iter()
        .filter(|pod| pod["status"]["podIP"].is_string())
        .map(|pod| {
            let ready = is_ready(pod) && pod.pointer("/metadata/deletionTimestamp").is_none();
            json!({
                "addresses": [pod["status"]["podIP"]], "nodeName": pod["spec"]["nodeName"],
                "conditions": {"ready": ready, "serving": ready, "terminating": pod.pointer("/metadata/deletionTimestamp").is_some()},
                "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": key.namespace, "uid": pod["metadata"]["uid"]},
            })
        })
        .collect();
    let ports: Vec<Value> = service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| json!({"name": port["name"].as_str().unwrap_or_default(), "port": port["port"], "protocol": port["protocol"]}))
        .collect();
    let slices = store.built_in("discovery.k8s.io", "endpointslices").id;
    let known = store
        .owned_by(service["metadata"]["uid"].as_str().unwrap_or_default())
        .into_iter()
        .find(|owned| owned.ty == slices);
    match known.and_then(|key| store.find(&key).cloned().map(|slice| (key, slice))) {
        Some((slice_key, slice)) => {
            let mut changed = (*slice).clone();
            changed["endpoints"] = json!(endpoints);
            changed["ports"] = json!(ports);
            if changed != *slice {
                super::modify(store, &slice_key, changed);
            }
        }
        None => {
            let slice = json!({
                "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {
                    "name": format!("{}-{}", key.name, store.random.suffix(5)), "namespace": key.namespace,
                    "generateName": format!("{}-", key.name), "ownerReferences": owner(service),
                    "labels": {"kubernetes.io/service-name": key.name,
                        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
                },
                "endpoints": endpoints, "ports": ports,
            });
            create(store, "discovery.k8s.io", "endpointslices", service, slice);
        }
    }
    None
}

pub fn ingress(store: &mut Store, key: &ObjectKey, ingress: &Arc<Value>) -> Option<Duration> {
    write::set_status(store, key, json!({"loadBalancer": {"ingress": [{"ip": address(ingress)}]}}));
    None
}

pub fn autoscaler(store: &mut Store, key: &ObjectKey, scaler: &Arc<Value>) -> Option<Duration> {
    let reference = &scaler["spec"]["scaleTargetRef"];
    let group = reference["apiVersion"].as_str().and_then(|text| text.split_once('/')).map_or("", |(group, _)| group);
    let kind = reference["kind"].as_str().unwrap_or_default();
    let name = reference["name"].as_str().unwrap_or_default();
    let found = store.registry.find_kind(group, kind).map(|ty| ObjectKey::new(ty.id, &key.namespace, name));
    let goal = found.and_then(|key| store.find(&key).cloned());
    let replicas = goal.as_ref().map_or(0, |goal| number(goal, "/spec/replicas"));
    let conditions = match &goal {
        Some(_) => {
            let text = "the HPA controller was able to get the target's current scale";
            with_condition(store, &scaler["status"]["conditions"], "AbleToScale", true, "SucceededGetScale", text)
        }
        None => {
            let text = format!("the HPA controller was unable to get the target's current scale: {name} not found");
            with_condition(store, &scaler["status"]["conditions"], "AbleToScale", false, "FailedGetScale", &text)
        }
    };
    let conditions = if goal.is_some() {
        let text = "the HPA was able to successfully calculate a replica count from cpu resource utilization";
        with_condition(store, &conditions, "ScalingActive", true, "ValidMetricFound", text)
    } else {
        conditions
    };
    let mut conditions = conditions;
    for condition in conditions.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        condition.remove("lastUpdateTime");
    }
    let status = json!({"currentReplicas": replicas, "desiredReplicas": replicas, "currentMetrics": null, "conditions": conditions});
    write::set_status(store, key, status);
    // The target may come into being after its autoscaler.
    goal.is_none().then(|| Duration::from_secs(15))
}

pub fn budget(store: &mut Store, key: &ObjectKey, budget: &Arc<Value>) -> Option<Duration> {
    let selector = Labels::from_object(&budget["spec"]["selector"]);
    let pods = store.list(store.built_in("", "pods").id, &key.namespace);
    let pods: Vec<&Arc<Value>> = pods.iter().map(|(_, pod)| pod).filter(|pod| selector.matches(pod)).collect();
    let all = i64::try_from(pods.len()).unwrap_or(0);
    let healthy = i64::try_from(pods.iter().filter(|pod| is_ready(pod)).count()).unwrap_or(0);
    let desired = match budget["spec"].get("minAvailable") {
        Some(minimum) => super::count_or_share(Some(minimum), all, true),
        None => all - super::count_or_share(budget["spec"].get("maxUnavailable"), all, true),
    };
    let allowed = (healthy - desired).max(0);
    let reason = if allowed > 0 { "SufficientPods" } else { "InsufficientPods" };
    let before = &budget["status"]["conditions"];
    let status = json!({
        "observedGeneration": budget["metadata"]["generation"], "currentHealthy": healthy, "desiredHealthy": desired,
        "expectedPods": all, "disruptionsAllowed": allowed,
        "conditions": with_condition(store, before, "DisruptionAllowed", allowed > 0, reason, ""),
    });
    write::set_status(store, key, status);
    None
}

pub fn api_service(store: &mut Store, key: &ObjectKey, service: &Arc<Value>) -> Option<Duration> {
    let conditions =
        with_condition(store, &service["status"]["conditions"], "Available", true, "Passed", "all checks passed");
    write::set_status(store, key, json!({"conditions": conditions}));
    None
}
