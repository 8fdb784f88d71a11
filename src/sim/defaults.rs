//! Defaults that a real API server fills in, for the fields that people see.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::resource::ResourceType;

/// Fills in an object's defaults.
pub fn fill(resource: &ResourceType, version: &str, object: &mut Value) {
    let kind = resource.kind.as_str();
    match (resource.group.as_str(), kind) {
        ("", "Pod") => {
            pod(&mut object["spec"]);
            or(&mut object["spec"], "enableServiceLinks", json!(true));
            or(&mut object["spec"], "preemptionPolicy", json!("PreemptLowerPriority"));
            or(&mut object["spec"], "priority", json!(0));
        }
        ("apps", _) if object["spec"].is_object() => workload(kind, &mut object["spec"]),
        ("", "ReplicationController") if object["spec"].is_object() => workload(kind, &mut object["spec"]),
        ("batch", "Job") if object["spec"].is_object() => job(object),
        ("batch", "CronJob") if object["spec"].is_object() => {
            let spec = &mut object["spec"];
            or(spec, "concurrencyPolicy", json!("Allow"));
            or(spec, "suspend", json!(false));
            or(spec, "successfulJobsHistoryLimit", json!(3));
            or(spec, "failedJobsHistoryLimit", json!(1));
            if let Some(template) = spec.pointer_mut("/jobTemplate/spec/template") {
                pod_template(template);
            }
        }
        ("", "Service") if object["spec"].is_object() => service(&mut object["spec"]),
        ("", "Secret") => or(object, "type", json!("Opaque")),
        ("", "Namespace") => {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            if !object["spec"].is_object() {
                object["spec"] = json!({});
            }
            or(&mut object["spec"], "finalizers", json!(["kubernetes"]));
        }
        ("", "PersistentVolumeClaim") if object["spec"].is_object() => {
            or(&mut object["spec"], "volumeMode", json!("Filesystem"));
            or(&mut object["spec"], "storageClassName", json!("standard"));
        }
        ("", "PersistentVolume") if object["spec"].is_object() => {
            or(&mut object["spec"], "volumeMode", json!("Filesystem"));
            or(&mut object["spec"], "persistentVolumeReclaimPolicy", json!("Retain"));
        }
        ("networking.k8s.io", "NetworkPolicy") if object["spec"].is_object() => {
            let egress = object["spec"].get("egress").is_some();
            or(
                &mut object["spec"],
                "policyTypes",
                if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) },
            );
        }
        ("networking.k8s.io", "Ingress") => {
            for rule in items(object, "/spec/rules") {
                for path in items(rule, "/http/paths") {
                    or(path, "pathType", json!("ImplementationSpecific"));
                }
            }
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            for subject in items(object, "/subjects") {
                if subject["kind"] != "ServiceAccount" {
                    or(subject, "apiGroup", json!("rbac.authorization.k8s.io"));
                }
            }
        }
        ("autoscaling", _) if version == "v2" && object["spec"].is_object() => {
            or(&mut object["spec"], "minReplicas", json!(1));
        }
        ("apiextensions.k8s.io", _) if object["spec"].is_object() => definition(&mut object["spec"]),
        ("storage.k8s.io", "StorageClass") => {
            or(object, "reclaimPolicy", json!("Delete"));
            or(object, "volumeBindingMode", json!("Immediate"));
        }
        ("admissionregistration.k8s.io", _) => {
            for hook in items(object, "/webhooks") {
                or(hook, "failurePolicy", json!("Fail"));
                or(hook, "matchPolicy", json!("Equivalent"));
                or(hook, "timeoutSeconds", json!(10));
                or(hook, "namespaceSelector", json!({}));
                or(hook, "objectSelector", json!({}));
                if kind.starts_with("Mutating") {
                    or(hook, "reinvocationPolicy", json!("Never"));
                }
                if let Some(service) = hook.pointer_mut("/clientConfig/service") {
                    or(service, "port", json!(443));
                }
                for rule in items(hook, "/rules") {
                    or(rule, "scope", json!("*"));
                }
            }
        }
        ("scheduling.k8s.io", "PriorityClass") => or(object, "preemptionPolicy", json!("PreemptLowerPriority")),
        _ => {}
    }
}

/// Sets a field that is absent or null.
fn or(object: &mut Value, name: &str, value: Value) {
    if let Some(map) = object.as_object_mut()
        && map.get(name).is_none_or(Value::is_null)
    {
        map.insert(name.to_owned(), value);
    }
}

fn items<'a>(object: &'a mut Value, pointer: &str) -> impl Iterator<Item = &'a mut Value> {
    object.pointer_mut(pointer).and_then(Value::as_array_mut).into_iter().flatten()
}

fn definition(spec: &mut Value) {
    or(spec, "conversion", json!({"strategy": "None"}));
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    if spec["names"].is_object() {
        or(&mut spec["names"], "listKind", json!(format!("{kind}List")));
        or(&mut spec["names"], "singular", json!(kind.to_lowercase()));
    }
}

fn workload(kind: &str, spec: &mut Value) {
    match kind {
        "Deployment" => {
            or(spec, "replicas", json!(1));
            or(spec, "revisionHistoryLimit", json!(10));
            or(spec, "progressDeadlineSeconds", json!(600));
            or(spec, "strategy", json!({}));
            or(&mut spec["strategy"], "type", json!("RollingUpdate"));
            if spec["strategy"]["type"] == "RollingUpdate" {
                or(&mut spec["strategy"], "rollingUpdate", json!({}));
                or(&mut spec["strategy"]["rollingUpdate"], "maxSurge", json!("25%"));
                or(&mut spec["strategy"]["rollingUpdate"], "maxUnavailable", json!("25%"));
            }
        }
        "StatefulSet" => {
            or(spec, "replicas", json!(1));
            or(spec, "revisionHistoryLimit", json!(10));
            or(spec, "podManagementPolicy", json!("OrderedReady"));
            or(spec, "serviceName", json!(""));
            or(spec, "persistentVolumeClaimRetentionPolicy", json!({"whenDeleted": "Retain", "whenScaled": "Retain"}));
            or(spec, "updateStrategy", json!({}));
            or(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
            if spec["updateStrategy"]["type"] == "RollingUpdate" {
                or(&mut spec["updateStrategy"], "rollingUpdate", json!({"partition": 0}));
            }
            for claim in items(spec, "/volumeClaimTemplates") {
                claim["apiVersion"] = json!("v1");
                claim["kind"] = json!("PersistentVolumeClaim");
                or(&mut claim["spec"], "volumeMode", json!("Filesystem"));
                or(claim, "status", json!({"phase": "Pending"}));
            }
        }
        "DaemonSet" => {
            or(spec, "revisionHistoryLimit", json!(10));
            or(spec, "updateStrategy", json!({}));
            or(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
            if spec["updateStrategy"]["type"] == "RollingUpdate" {
                or(&mut spec["updateStrategy"], "rollingUpdate", json!({"maxSurge": 0, "maxUnavailable": 1}));
            }
        }
        "ReplicaSet" | "ReplicationController" => or(spec, "replicas", json!(1)),
        _ => {}
    }
    if let Some(template) = spec.get_mut("template") {
        pod_template(template);
    }
}

fn job(object: &mut Value) {
    let uid = object["metadata"]["uid"].clone();
    let name = object["metadata"]["name"].clone();
    let spec = &mut object["spec"];
    or(spec, "backoffLimit", json!(6));
    or(spec, "completionMode", json!("NonIndexed"));
    or(spec, "manualSelector", json!(false));
    or(spec, "parallelism", json!(1));
    or(spec, "completions", json!(1));
    or(spec, "podReplacementPolicy", json!("TerminatingOrFailed"));
    or(spec, "suspend", json!(false));
    if spec["manualSelector"] != true {
        or(spec, "selector", json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
        if spec["template"].is_object() {
            for (label, value) in [
                ("batch.kubernetes.io/controller-uid", &uid),
                ("batch.kubernetes.io/job-name", &name),
                ("controller-uid", &uid),
                ("job-name", &name),
            ] {
                spec["template"]["metadata"]["labels"][label] = value.clone();
            }
        }
    }
    if let Some(template) = spec.get_mut("template") {
        pod_template(template);
    }
}

fn service(spec: &mut Value) {
    or(spec, "type", json!("ClusterIP"));
    or(spec, "sessionAffinity", json!("None"));
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if kind != "ExternalName" {
        or(spec, "internalTrafficPolicy", json!("Cluster"));
        or(spec, "ipFamilyPolicy", json!("SingleStack"));
        or(spec, "ipFamilies", json!(["IPv4"]));
    }
    if kind == "LoadBalancer" {
        or(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    if kind == "LoadBalancer" || kind == "NodePort" {
        or(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    for port in items(spec, "/ports") {
        or(port, "protocol", json!("TCP"));
        let number = port["port"].clone();
        or(port, "targetPort", number);
    }
}

/// Fills in a pod template.
pub fn pod_template(template: &mut Value) {
    if template.is_object() {
        pod(&mut template["spec"]);
    }
}

fn pod(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    or(spec, "restartPolicy", json!("Always"));
    or(spec, "dnsPolicy", json!("ClusterFirst"));
    or(spec, "schedulerName", json!("default-scheduler"));
    or(spec, "securityContext", json!({}));
    or(spec, "terminationGracePeriodSeconds", json!(30));
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        or(spec, "serviceAccount", account);
    }
    for list in ["/containers", "/initContainers"] {
        for container in items(spec, list) {
            self::container(container);
        }
    }
    for volume in items(spec, "/volumes") {
        for (source, mode) in [("secret", "defaultMode"), ("configMap", "defaultMode"), ("projected", "defaultMode")] {
            if let Some(source) = volume.get_mut(source) {
                or(source, mode, json!(420));
            }
        }
        if let Some(path) = volume.get_mut("hostPath") {
            or(path, "type", json!(""));
        }
    }
}

fn container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = !name.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
    or(container, "imagePullPolicy", json!(if latest { "Always" } else { "IfNotPresent" }));
    or(container, "resources", json!({}));
    or(container, "terminationMessagePath", json!("/dev/termination-log"));
    or(container, "terminationMessagePolicy", json!("File"));
    for port in items(container, "/ports") {
        or(port, "protocol", json!("TCP"));
    }
    for variable in items(container, "/env") {
        if let Some(field) = variable.pointer_mut("/valueFrom/fieldRef") {
            or(field, "apiVersion", json!("v1"));
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) else { continue };
        for (name, value) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            or(probe, name, json!(value));
        }
        if let Some(get) = probe.get_mut("httpGet") {
            or(get, "path", json!("/"));
            or(get, "scheme", json!("HTTP"));
        }
    }
}

/// Moves a Secret's `stringData` into `data`.
pub fn fold_string_data(object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    let Some(Value::Object(texts)) = map.remove("stringData") else { return };
    let data = map.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    for (name, text) in texts {
        data[name] = json!(STANDARD.encode(text.as_str().unwrap_or_default()));
    }
}

/// Drops a custom object's fields that its schema does not know, and fills in the schema's defaults.
pub fn prune_and_default(resource: &ResourceType, version: &str, object: &mut Value) {
    let Some(schema) = resource.custom.as_ref().and_then(|schemas| schemas.get(version)) else { return };
    if !schema.is_object() {
        return;
    }
    let Some(map) = object.as_object_mut() else { return };
    let kept: Vec<(String, Value)> = ["apiVersion", "kind", "metadata"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), map.remove(*name)?)))
        .collect();
    walk(schema, object);
    if let Some(map) = object.as_object_mut() {
        map.extend(kept);
    }
}

fn walk(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            let known = schema["properties"].as_object();
            let free = schema["x-kubernetes-preserve-unknown-fields"] == true
                || schema.get("additionalProperties").is_some()
                || (known.is_none() && schema["type"] != "object");
            if !free && let Some(known) = known {
                let embedded = schema["x-kubernetes-embedded-resource"] == true;
                map.retain(|name, _| {
                    known.contains_key(name)
                        || (embedded && matches!(name.as_str(), "apiVersion" | "kind" | "metadata"))
                });
            }
            for (name, below) in known.into_iter().flatten() {
                if let Some(default) = below.get("default")
                    && !map.contains_key(name)
                {
                    map.insert(name.clone(), default.clone());
                }
                if let Some(child) = map.get_mut(name) {
                    walk(below, child);
                }
            }
            if let Some(below) = schema.get("additionalProperties").filter(|below| below.is_object()) {
                for (_, child) in
                    map.iter_mut().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)))
                {
                    walk(below, child);
                }
            }
        }
        Value::Array(list) => {
            if let Some(below) = schema.get("items") {
                list.iter_mut().for_each(|item| walk(below, item));
            }
        }
        _ => {}
    }
}
