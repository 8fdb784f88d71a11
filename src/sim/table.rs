//! `meta.k8s.io/v1` Tables: the columns that `kubectl get` prints.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::clock;
use super::resource::ResourceType;
use super::selector::Labels;

type Cell = fn(&Value) -> Value;
/// Name, whether only `-o wide` shows it, and the cell.
type Column = (&'static str, bool, Cell);

/// Returns a table of objects.
pub fn table(
    resource: &ResourceType,
    version: &str,
    objects: &[&Value],
    now: Timestamp,
    metadata: Value,
    include: &str,
    with_columns: bool,
) -> Value {
    let custom = resource.columns.get(version);
    let is_event = resource.kind == "Event" && resource.custom.is_none();
    // Events have random names: what happened comes first, the name only in the wide table.
    let mut definitions = vec![definition("Name", "string", "name", i32::from(is_event))];
    let columns = if resource.custom.is_some() { &[][..] } else { built_in(&resource.group, &resource.kind) };
    match custom {
        Some(list) => {
            for column in list {
                let text = |name: &str| column[name].as_str().unwrap_or_default();
                definitions.push(json!({
                    "name": text("name"), "type": text("type"), "format": text("format"),
                    "description": text("description"), "priority": column["priority"].as_i64().unwrap_or(0),
                }));
            }
        }
        None => {
            definitions.extend(columns.iter().map(|(name, wide, _)| definition(name, "string", "", i32::from(*wide))));
        }
    }
    let names_age = custom.is_some() || columns.iter().any(|(name, _, _)| *name == "Age" || *name == "Last Seen");
    if is_event {
        definitions.rotate_left(1);
    }
    if !names_age {
        definitions.push(definition("Age", "string", "", 0));
    }
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut cells = vec![object["metadata"]["name"].clone()];
            match custom {
                Some(list) => cells.extend(list.iter().map(|column| custom_cell(object, column, now))),
                None => cells.extend(columns.iter().map(|(name, _, cell)| match *name {
                    "Age" => age_cell(object, "/metadata/creationTimestamp", now),
                    "Last Seen" => age_cell(object, "/lastTimestamp", now),
                    _ => cell(object),
                })),
            }
            if is_event {
                cells.rotate_left(1);
            }
            if !names_age {
                cells.push(age_cell(object, "/metadata/creationTimestamp", now));
            }
            let mut row = json!({"cells": cells});
            match include {
                "None" => {}
                "Object" => row["object"] = (*object).clone(),
                _ => row["object"] = super::handler::partial(object),
            }
            row
        })
        .collect();
    let definitions = if with_columns { json!(definitions) } else { json!([]) };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions,
        "rows": rows,
    })
}

fn definition(name: &str, kind: &str, format: &str, priority: i32) -> Value {
    json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
}

fn custom_cell(object: &Value, column: &Value, now: Timestamp) -> Value {
    let path = column["jsonPath"].as_str().unwrap_or_default();
    let value = json_path(object, path);
    match (column["type"].as_str(), value) {
        (Some("date"), Some(Value::String(at))) => json!(age(&at, now)),
        (_, Some(value)) => value,
        (_, None) => Value::Null,
    }
}

/// Follows `.a.b[0]`, `.a['b']` and `.a[?(@.type=="Ready")].status`.
fn json_path(object: &Value, path: &str) -> Option<Value> {
    let mut at = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[?(@.") {
            let (test, after) = after.split_once(")]")?;
            let (field, value) = test.split_once("==")?;
            let value = value.trim().trim_matches(['"', '\'']);
            at = at.as_array()?.iter().find(|item| item[field.trim()] == value)?;
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (step, after) = after.split_once(']')?;
            at = match step.parse::<usize>() {
                Ok(index) => at.get(index)?,
                Err(_) => at.get(step.trim_matches(['"', '\'']))?,
            };
            rest = after;
        } else {
            let after = rest.strip_prefix('.').unwrap_or(rest);
            let end = after.find(['.', '[']).unwrap_or(after.len());
            at = at.get(&after[..end])?;
            rest = &after[end..];
        }
    }
    Some(at.clone())
}

fn age_cell(object: &Value, pointer: &str, now: Timestamp) -> Value {
    match object.pointer(pointer).and_then(Value::as_str) {
        Some(at) => json!(age(at, now)),
        None => json!("<unknown>"),
    }
}

/// Writes how long ago something was, as kubectl does: `5s`, `3m20s`, `4h`, `12d`.
fn age(at: &str, now: Timestamp) -> String {
    let Some(at) = clock::parse(at) else { return "<invalid>".to_owned() };
    let seconds = now.duration_since(at).as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 && seconds % 60 != 0 => format!("{minutes}m{}s", seconds % 60),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 && minutes % 60 != 0 => format!("{hours}h{}m", minutes % 60),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 && hours % 24 != 0 => format!("{days}d{}h", hours % 24),
        () if days < 730 => format!("{days}d"),
        () => format!("{}y", days / 365),
    }
}

fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

fn text(object: &Value, pointer: &str) -> Value {
    match object.pointer(pointer) {
        Some(Value::String(text)) if !text.is_empty() => json!(text),
        Some(Value::Number(number)) => json!(number.to_string()),
        Some(Value::Bool(flag)) => json!(flag.to_string()),
        _ => json!("<none>"),
    }
}

fn count(object: &Value, pointer: &str) -> Value {
    let count = match object.pointer(pointer) {
        Some(Value::Object(map)) => map.len(),
        Some(Value::Array(list)) => list.len(),
        _ => 0,
    };
    json!(count.to_string())
}

fn selector(object: &Value, pointer: &str) -> Value {
    let text = object.pointer(pointer).map(|selector| Labels::from_object(selector).to_text()).unwrap_or_default();
    json!(if text.is_empty() { "<none>".to_owned() } else { text })
}

fn template(object: &Value, field: &str) -> Value {
    let containers = object.pointer("/spec/template/spec/containers").or_else(|| object.pointer("/spec/containers"));
    let list: Vec<&str> =
        containers.and_then(Value::as_array).into_iter().flatten().filter_map(|item| item[field].as_str()).collect();
    json!(list.join(","))
}

fn pod_status(pod: &Value) -> String {
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        return "Terminating".to_owned();
    }
    let statuses = pod["status"]["containerStatuses"].as_array();
    for status in statuses.into_iter().flatten() {
        for pointer in ["/state/waiting/reason", "/state/terminated/reason"] {
            if let Some(reason) = status.pointer(pointer).and_then(Value::as_str) {
                return reason.to_owned();
            }
        }
    }
    pod["status"]["phase"].as_str().unwrap_or("Unknown").to_owned()
}

fn pod_counts(pod: &Value) -> (usize, usize, i64) {
    let statuses = pod["status"]["containerStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ready = statuses.iter().filter(|status| status["ready"] == true).count();
    let restarts = statuses.iter().filter_map(|status| status["restartCount"].as_i64()).sum();
    (ready, pod["spec"]["containers"].as_array().map_or(0, Vec::len), restarts)
}

fn ports(service: &Value) -> Value {
    let list: Vec<String> = service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| match port["nodePort"].as_i64() {
            Some(node) if node > 0 => format!("{}:{node}/{}", port["port"], port["protocol"].as_str().unwrap_or("TCP")),
            _ => format!("{}/{}", port["port"], port["protocol"].as_str().unwrap_or("TCP")),
        })
        .collect();
    json!(if list.is_empty() { "<none>".to_owned() } else { list.join(",") })
}

fn addresses(object: &Value) -> String {
    let list: Vec<&str> = object
        .pointer("/status/loadBalancer/ingress")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| one["ip"].as_str().or_else(|| one["hostname"].as_str()))
        .collect();
    list.join(",")
}

fn replicas(object: &Value) -> Value {
    json!(format!("{}/{}", number(object, "/status/readyReplicas"), number(object, "/spec/replicas")))
}

const AGE: Column = ("Age", false, |_| Value::Null);

fn built_in(group: &str, kind: &str) -> &'static [Column] {
    match (group, kind) {
        ("", "Pod") => &[
            ("Ready", false, |o| {
                let (ready, all, _) = pod_counts(o);
                json!(format!("{ready}/{all}"))
            }),
            ("Status", false, |o| json!(pod_status(o))),
            ("Restarts", false, |o| json!(pod_counts(o).2.to_string())),
            AGE,
            ("IP", true, |o| text(o, "/status/podIP")),
            ("Node", true, |o| text(o, "/spec/nodeName")),
            ("Nominated Node", true, |_| json!("<none>")),
            ("Readiness Gates", true, |_| json!("<none>")),
        ],
        ("apps", "Deployment") => &[
            ("Ready", false, replicas),
            ("Up-to-date", false, |o| json!(number(o, "/status/updatedReplicas").to_string())),
            ("Available", false, |o| json!(number(o, "/status/availableReplicas").to_string())),
            AGE,
            ("Containers", true, |o| template(o, "name")),
            ("Images", true, |o| template(o, "image")),
            ("Selector", true, |o| selector(o, "/spec/selector")),
        ],
        ("apps", "ReplicaSet") | ("", "ReplicationController") => &[
            ("Desired", false, |o| json!(number(o, "/spec/replicas").to_string())),
            ("Current", false, |o| json!(number(o, "/status/replicas").to_string())),
            ("Ready", false, |o| json!(number(o, "/status/readyReplicas").to_string())),
            AGE,
            ("Containers", true, |o| template(o, "name")),
            ("Images", true, |o| template(o, "image")),
            ("Selector", true, |o| selector(o, "/spec/selector")),
        ],
        ("apps", "StatefulSet") => &[
            ("Ready", false, replicas),
            AGE,
            ("Containers", true, |o| template(o, "name")),
            ("Images", true, |o| template(o, "image")),
        ],
        ("apps", "DaemonSet") => &[
            ("Desired", false, |o| json!(number(o, "/status/desiredNumberScheduled").to_string())),
            ("Current", false, |o| json!(number(o, "/status/currentNumberScheduled").to_string())),
            ("Ready", false, |o| json!(number(o, "/status/numberReady").to_string())),
            ("Up-to-date", false, |o| json!(number(o, "/status/updatedNumberScheduled").to_string())),
            ("Available", false, |o| json!(number(o, "/status/numberAvailable").to_string())),
            ("Node Selector", false, |o| selector(o, "/spec/template/spec/nodeSelector")),
            AGE,
            ("Containers", true, |o| template(o, "name")),
            ("Images", true, |o| template(o, "image")),
            ("Selector", true, |o| selector(o, "/spec/selector")),
        ],
        ("batch", "Job") => &[
            ("Status", false, |o| {
                let conditions = o["status"]["conditions"].as_array();
                let done = conditions.into_iter().flatten().filter(|one| one["status"] == "True");
                json!(done.filter_map(|one| one["type"].as_str()).next_back().unwrap_or("Running"))
            }),
            ("Completions", false, |o| {
                json!(format!("{}/{}", number(o, "/status/succeeded"), number(o, "/spec/completions").max(1)))
            }),
            AGE,
            ("Containers", true, |o| template(o, "name")),
            ("Images", true, |o| template(o, "image")),
        ],
        ("batch", "CronJob") => &[
            ("Schedule", false, |o| text(o, "/spec/schedule")),
            ("Timezone", false, |o| text(o, "/spec/timeZone")),
            ("Suspend", false, |o| text(o, "/spec/suspend")),
            ("Active", false, |o| count(o, "/status/active")),
            ("Last Schedule", false, |o| text(o, "/status/lastScheduleTime")),
            AGE,
        ],
        ("", "Service") => &[
            ("Type", false, |o| text(o, "/spec/type")),
            ("Cluster-IP", false, |o| text(o, "/spec/clusterIP")),
            ("External-IP", false, |o| {
                let addresses = addresses(o);
                let pending = o["spec"]["type"] == "LoadBalancer";
                json!(match (addresses.is_empty(), pending) {
                    (false, _) => addresses,
                    (true, true) => "<pending>".to_owned(),
                    (true, false) => "<none>".to_owned(),
                })
            }),
            ("Port(s)", false, ports),
            AGE,
            ("Selector", true, |o| selector(o, "/spec/selector")),
        ],
        ("networking.k8s.io", "Ingress") => &[
            ("Class", false, |o| text(o, "/spec/ingressClassName")),
            ("Hosts", false, |o| {
                let rules = o["spec"]["rules"].as_array();
                let hosts: Vec<&str> = rules.into_iter().flatten().filter_map(|rule| rule["host"].as_str()).collect();
                json!(if hosts.is_empty() { "*".to_owned() } else { hosts.join(",") })
            }),
            ("Address", false, |o| json!(addresses(o))),
            ("Ports", false, |o| json!(if o["spec"]["tls"].is_array() { "80, 443" } else { "80" })),
            AGE,
        ],
        ("", "Namespace") => &[("Status", false, |o| text(o, "/status/phase")), AGE],
        ("", "Node") => &[
            ("Status", false, |o| {
                let cordoned = o["spec"]["unschedulable"] == true;
                json!(if cordoned { "Ready,SchedulingDisabled" } else { "Ready" })
            }),
            ("Roles", false, |_| json!("<none>")),
            AGE,
            ("Version", false, |o| text(o, "/status/nodeInfo/kubeletVersion")),
            ("Internal-IP", true, |o| text(o, "/status/addresses/0/address")),
            ("OS-Image", true, |o| text(o, "/status/nodeInfo/osImage")),
        ],
        ("", "ConfigMap") => &[("Data", false, |o| count(o, "/data")), AGE],
        ("", "Secret") => &[("Type", false, |o| text(o, "/type")), ("Data", false, |o| count(o, "/data")), AGE],
        ("", "ServiceAccount") => &[("Secrets", false, |o| count(o, "/secrets")), AGE],
        ("", "PersistentVolumeClaim") => &[
            ("Status", false, |o| text(o, "/status/phase")),
            ("Volume", false, |o| text(o, "/spec/volumeName")),
            ("Capacity", false, |o| text(o, "/status/capacity/storage")),
            ("Access Modes", false, |o| text(o, "/spec/accessModes/0")),
            ("StorageClass", false, |o| text(o, "/spec/storageClassName")),
            AGE,
        ],
        ("", "Event") => &[
            ("Last Seen", false, |_| Value::Null),
            ("Type", false, |o| text(o, "/type")),
            ("Reason", false, |o| text(o, "/reason")),
            ("Object", false, |o| {
                let kind = o.pointer("/involvedObject/kind").and_then(Value::as_str).unwrap_or_default().to_lowercase();
                json!(format!(
                    "{kind}/{}",
                    o.pointer("/involvedObject/name").and_then(Value::as_str).unwrap_or_default()
                ))
            }),
            ("Message", false, |o| text(o, "/message")),
        ],
        ("autoscaling", "HorizontalPodAutoscaler") => &[
            ("Reference", false, |o| {
                let part = |name: &str| o["spec"]["scaleTargetRef"][name].as_str().unwrap_or_default().to_owned();
                json!(format!("{}/{}", part("kind"), part("name")))
            }),
            ("MinPods", false, |o| text(o, "/spec/minReplicas")),
            ("MaxPods", false, |o| text(o, "/spec/maxReplicas")),
            ("Replicas", false, |o| json!(number(o, "/status/currentReplicas").to_string())),
            AGE,
        ],
        ("policy", "PodDisruptionBudget") => &[
            ("Min Available", false, |o| text(o, "/spec/minAvailable")),
            ("Max Unavailable", false, |o| text(o, "/spec/maxUnavailable")),
            ("Allowed Disruptions", false, |o| json!(number(o, "/status/disruptionsAllowed").to_string())),
            AGE,
        ],
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            &[("Created At", false, |o| text(o, "/metadata/creationTimestamp"))]
        }
        ("storage.k8s.io", "StorageClass") => &[("Provisioner", false, |o| text(o, "/provisioner")), AGE],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubectl_writes_them() {
        let now: Timestamp = "2026-01-10T00:00:00Z".parse().unwrap();
        let check = |at: &str, expected: &str| assert_eq!(age(at, now), expected, "{at}");
        check("2026-01-09T23:59:58Z", "2s");
        check("2026-01-09T23:56:40Z", "3m20s");
        check("2026-01-09T22:00:00Z", "120m");
        check("2026-01-09T19:30:00Z", "4h30m");
        check("2026-01-01T00:00:00Z", "9d");
    }

    #[test]
    fn json_paths_lead_to_values() {
        let object = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}, "a": {"b.c": [1, 2]}});
        let check = |path: &str, expected: Value| assert_eq!(json_path(&object, path), Some(expected), "{path}");
        check(".status.conditions[?(@.type==\"Ready\")].status", json!("True"));
        check(".a['b.c'][1]", json!(2));
        assert_eq!(json_path(&object, ".x.y"), None);
    }
}
