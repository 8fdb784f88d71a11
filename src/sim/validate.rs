//! Light validation: names, what must be there, and what must not change.

use serde_json::Value;

use super::resource::ResourceType;
use super::selector::Labels;
use super::status::Cause;

/// Checks an object that is to be created.
pub fn create(resource: &ResourceType, version: &str, object: &Value) -> Vec<Cause> {
    let mut causes = name(resource, object);
    causes.extend(always(resource, version, object));
    causes
}

/// Checks an object that is to replace another.
pub fn update(resource: &ResourceType, version: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = always(resource, version, new);
    let immutable: &[&str] = match (resource.group.as_str(), resource.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") => &["/spec/selector"],
        ("batch", "Job") => &["/spec/selector", "/spec/template", "/spec/completions"],
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => &["/roleRef"],
        ("storage.k8s.io", "StorageClass") => &["/provisioner", "/parameters"],
        ("", "Secret") => &["/type"],
        _ => &[],
    };
    for pointer in immutable {
        let (was, is) = (old.pointer(pointer), new.pointer(pointer));
        if was.is_some() && was != is {
            let detail = if *pointer == "/roleRef" { "cannot change roleRef" } else { "field is immutable" };
            causes.push(Cause::invalid(dotted(pointer), is.unwrap_or(&Value::Null), detail));
        }
    }
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Service") => {
            let ip = |object: &Value| {
                object.pointer("/spec/clusterIP").and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            if !ip(old).is_empty()
                && old["spec"]["type"] != "ExternalName"
                && new["spec"]["type"] != "ExternalName"
                && ip(old) != ip(new)
            {
                causes.push(Cause::invalid(
                    "spec.clusterIPs[0]",
                    &new["spec"]["clusterIPs"],
                    "may not change once set",
                ));
            }
        }
        ("apps", "StatefulSet") => {
            let rest = |object: &Value| {
                let mut spec = object["spec"].as_object().cloned().unwrap_or_default();
                for name in [
                    "replicas",
                    "ordinals",
                    "template",
                    "updateStrategy",
                    "revisionHistoryLimit",
                    "persistentVolumeClaimRetentionPolicy",
                    "minReadySeconds",
                ] {
                    spec.remove(name);
                }
                spec
            };
            if rest(old) != rest(new) {
                causes.push(Cause::forbidden(
                    "spec",
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
                ));
            }
        }
        ("", "ConfigMap" | "Secret") if old["immutable"] == true => {
            for field in ["data", "binaryData"] {
                if old.get(field) != new.get(field) {
                    causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
                }
            }
        }
        ("", "PersistentVolumeClaim") => {
            for field in ["storageClassName", "accessModes", "volumeMode"] {
                if old["spec"].get(field).is_some() && old["spec"].get(field) != new["spec"].get(field) {
                    causes.push(Cause::forbidden(
                        "spec",
                        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
                    ));
                    break;
                }
            }
        }
        _ => {}
    }
    causes
}

fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn name(resource: &ResourceType, object: &Value) -> Vec<Cause> {
    let value = &object["metadata"]["name"];
    let name = value.as_str().unwrap_or_default();
    if resource.group == "rbac.authorization.k8s.io" {
        let bad = name == "." || name == ".." || name.contains(['/', '%']);
        return if bad {
            vec![Cause::invalid("metadata.name", value, "may not contain '/' or '%'")]
        } else {
            Vec::new()
        };
    }
    let label = matches!((resource.group.as_str(), resource.kind.as_str()), ("", "Namespace" | "Service"));
    let limit = if label { 63 } else { 253 };
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let good = if label { part(name) } else { name.split('.').all(part) };
    if name.len() > limit {
        return vec![Cause::invalid("metadata.name", value, &format!("must be no more than {limit} bytes"))];
    }
    if good {
        return Vec::new();
    }
    vec![Cause::invalid(
        "metadata.name",
        value,
        if label {
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        } else {
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        },
    )]
}

fn always(resource: &ResourceType, version: &str, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in ["labels", "annotations"] {
        for (key, value) in object["metadata"][field].as_object().into_iter().flatten() {
            if !value.is_string() {
                causes.push(Cause::invalid(format!("metadata.{field}"), value, &format!("{key} must be a string")));
            }
        }
    }
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") => {
            if object["spec"]["selector"].as_object().is_none_or(serde_json::Map::is_empty) {
                causes.push(Cause::required("spec.selector", ""));
            } else {
                let labels = &object["spec"]["template"]["metadata"]["labels"];
                let template = serde_json::json!({"metadata": {"labels": labels}});
                if !Labels::from_object(&object["spec"]["selector"]).matches(&template) {
                    causes.push(Cause::invalid(
                        "spec.template.metadata.labels",
                        labels,
                        "`selector` does not match template `labels`",
                    ));
                }
            }
            if object["spec"]["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
                causes.push(Cause::invalid(
                    "spec.replicas",
                    &object["spec"]["replicas"],
                    "must be greater than or equal to 0",
                ));
            }
            containers(&object["spec"]["template"]["spec"], "spec.template.spec", &mut causes);
        }
        ("batch", "CronJob") => {
            if let Err(why) = super::controllers::cronjob::schedule(object) {
                causes.push(Cause::invalid("spec.schedule", &object["spec"]["schedule"], &why));
            }
        }
        ("batch", "Job") => {
            containers(&object["spec"]["template"]["spec"], "spec.template.spec", &mut causes);
            if object.pointer("/spec/template/spec/restartPolicy") == Some(&Value::from("Always")) {
                causes.push(Cause {
                    field: "spec.template.spec.restartPolicy".to_owned(),
                    reason: "FieldValueNotSupported",
                    message: "Unsupported value: \"Always\": supported values: \"OnFailure\", \"Never\"".to_owned(),
                });
            }
        }
        ("", "Pod") => containers(&object["spec"], "spec", &mut causes),
        ("", "Service") => {
            let headless = object["spec"]["clusterIP"] == "None" || object["spec"]["type"] == "ExternalName";
            if object["spec"]["ports"].as_array().is_none_or(Vec::is_empty) && !headless {
                causes.push(Cause::required("spec.ports", ""));
            }
            for (place, port) in object["spec"]["ports"].as_array().into_iter().flatten().enumerate() {
                if !port["port"].as_i64().is_some_and(|number| (1..=65_535).contains(&number)) {
                    let field = format!("spec.ports[{place}].port");
                    causes.push(Cause::invalid(field, &port["port"], "must be between 1 and 65535, inclusive"));
                }
            }
        }
        ("", "PersistentVolumeClaim") if object["spec"]["accessModes"].as_array().is_none_or(Vec::is_empty) => {
            causes.push(Cause::required("spec.accessModes", "at least 1 access mode is required"));
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let expected = format!("{}.{}", text("/spec/names/plural"), text("/spec/group"));
            if text("/metadata/name") != expected {
                causes.push(Cause::invalid(
                    "metadata.name",
                    &object["metadata"]["name"],
                    &format!("must be spec.names.plural+\".\"+spec.group, that is {expected}"),
                ));
            }
        }
        _ => {}
    }
    if let Some(schema) = resource.custom.as_ref().and_then(|schemas| schemas.get(version)) {
        custom(schema, object, "", &mut causes);
    }
    causes
}

fn containers(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let Some(list) = spec["containers"].as_array().filter(|list| !list.is_empty()) else {
        causes.push(Cause::required(format!("{path}.containers"), ""));
        return;
    };
    for (at, container) in list.iter().enumerate() {
        if container["name"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{path}.containers[{at}].name"), ""));
        }
        if container["image"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{path}.containers[{at}].image"), ""));
        }
    }
}

/// Checks a custom object against the parts of its schema that are often used: types, required fields, enums, bounds.
fn custom(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let shown = if path.is_empty() { "<nil>" } else { path };
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let int_or_string = schema["x-kubernetes-int-or-string"] == true;
    let may_be_null = value.is_null() && schema["nullable"] == true;
    if !(fits || int_or_string || may_be_null) {
        let expected = schema["type"].as_str().unwrap_or_default();
        let mut cause = Cause::invalid(shown, value, "");
        cause.message = format!("Invalid value: {value}: {shown} in body must be of type {expected}");
        cause.reason = "FieldValueTypeInvalid";
        causes.push(cause);
        return;
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        let list: Vec<String> = allowed.iter().map(Value::to_string).collect();
        causes.push(Cause {
            field: shown.to_owned(),
            reason: "FieldValueNotSupported",
            message: format!("Unsupported value: {value}: supported values: {}", list.join(", ")),
        });
    }
    if let (Some(bound), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < bound
    {
        causes.push(Cause::invalid(
            shown,
            value,
            &format!("{shown} in body should be greater than or equal to {bound}"),
        ));
    }
    if let (Some(bound), Some(number)) = (schema["maximum"].as_f64(), value.as_f64())
        && number > bound
    {
        causes.push(Cause::invalid(shown, value, &format!("{shown} in body should be less than or equal to {bound}")));
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(map) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !map.contains_key(name) {
                    causes.push(Cause::required(below(name), ""));
                }
            }
            for (name, child) in map {
                let root_metadata = path.is_empty() && name == "metadata";
                if let Some(schema) = schema["properties"].get(name).filter(|_| !root_metadata) {
                    custom(schema, child, &below(name), causes);
                } else if let Some(schema) = schema.get("additionalProperties").filter(|schema| schema.is_object()) {
                    custom(schema, child, &below(name), causes);
                }
            }
        }
        Value::Array(list) => {
            if let Some(schema) = schema.get("items") {
                for (at, item) in list.iter().enumerate() {
                    custom(schema, item, &format!("{path}[{at}]"), causes);
                }
            }
        }
        _ => {}
    }
}
