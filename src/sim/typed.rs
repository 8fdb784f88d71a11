//! Types of the fields of built-in kinds, held against the published definitions of the API.

use k8s_openapi::api::{apps, batch, core, networking, policy, rbac, storage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What is wrong with an object.
#[derive(Debug, PartialEq)]
pub struct Wrong {
    /// Path, such as `.spec.replicas`.
    pub path: String,
    /// Why, such as `expected i32`.
    pub why: String,
}

const UNDECLARED: &str = "field not declared in schema";

impl Wrong {
    /// Says whether the field is unknown, rather than of another type.
    pub fn is_undeclared(&self) -> bool {
        self.why == UNDECLARED
    }
}

/// Checks the types of an object's fields; kinds that are not listed here pass.
pub fn check(group: &str, version: &str, kind: &str, object: &Value) -> Result<(), Wrong> {
    let round: fn(&Value) -> Result<Value, String> = match (group, version, kind) {
        ("apps", "v1", "Deployment") => round::<apps::v1::Deployment>,
        ("apps", "v1", "StatefulSet") => round::<apps::v1::StatefulSet>,
        ("apps", "v1", "DaemonSet") => round::<apps::v1::DaemonSet>,
        ("batch", "v1", "Job") => round::<batch::v1::Job>,
        ("batch", "v1", "CronJob") => round::<batch::v1::CronJob>,
        ("", "v1", "ConfigMap") => round::<core::v1::ConfigMap>,
        ("", "v1", "Secret") => round::<core::v1::Secret>,
        ("", "v1", "Service") => round::<core::v1::Service>,
        ("", "v1", "ServiceAccount") => round::<core::v1::ServiceAccount>,
        ("", "v1", "Pod") => round::<core::v1::Pod>,
        ("", "v1", "PersistentVolumeClaim") => round::<core::v1::PersistentVolumeClaim>,
        ("", "v1", "ResourceQuota") => round::<core::v1::ResourceQuota>,
        ("networking.k8s.io", "v1", "Ingress") => round::<networking::v1::Ingress>,
        ("networking.k8s.io", "v1", "IngressClass") => round::<networking::v1::IngressClass>,
        ("networking.k8s.io", "v1", "NetworkPolicy") => round::<networking::v1::NetworkPolicy>,
        ("policy", "v1", "PodDisruptionBudget") => round::<policy::v1::PodDisruptionBudget>,
        ("rbac.authorization.k8s.io", "v1", "Role") => round::<rbac::v1::Role>,
        ("rbac.authorization.k8s.io", "v1", "ClusterRole") => round::<rbac::v1::ClusterRole>,
        ("rbac.authorization.k8s.io", "v1", "RoleBinding") => round::<rbac::v1::RoleBinding>,
        ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding") => round::<rbac::v1::ClusterRoleBinding>,
        ("storage.k8s.io", "v1", "StorageClass") => round::<storage::v1::StorageClass>,
        _ => return Ok(()),
    };
    let mut object = object.clone();
    quantities(&mut object);
    match round(&object) {
        Ok(known) => {
            undeclared(&object, &known, "").map_or(Ok(()), |path| Err(Wrong { path, why: UNDECLARED.to_owned() }))
        }
        Err(why) => Err(Wrong { path: culprit(&object, &why, round), why }),
    }
}

fn round<T: Serialize + DeserializeOwned>(object: &Value) -> Result<Value, String> {
    let typed: T = serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
    serde_json::to_value(typed).map_err(|error| error.to_string())
}

/// Writes quantities as text: the API takes numbers for them, the definitions do not.
fn quantities(value: &mut Value) {
    const MAPS: [&str; 5] = ["requests", "limits", "hard", "used", "capacity"];
    match value {
        Value::Object(map) => {
            for (name, below) in map.iter_mut() {
                match below {
                    Value::Object(inner) if MAPS.contains(&name.as_str()) => {
                        inner
                            .values_mut()
                            .filter(|value| value.is_number())
                            .for_each(|value| *value = json!(value.to_string()));
                    }
                    Value::Number(number) if matches!(name.as_str(), "sizeLimit" | "divisor") => {
                        *below = json!(number.to_string())
                    }
                    _ => quantities(below),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(quantities),
        _ => {}
    }
}

/// Returns the first path that the definitions do not have.
fn undeclared(given: &Value, known: &Value, path: &str) -> Option<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given.iter().find_map(|(name, below)| {
            let path = format!("{path}.{name}");
            match known.get(name) {
                Some(known) => undeclared(below, known, &path),
                // An empty value may be left out, a given one may not.
                None if below.is_null() || below.as_object().is_some_and(serde_json::Map::is_empty) => None,
                None if below.as_array().is_some_and(Vec::is_empty) => None,
                None => Some(path),
            }
        }),
        (Value::Array(given), Value::Array(known)) => given
            .iter()
            .zip(known)
            .enumerate()
            .find_map(|(at, (given, known))| undeclared(given, known, &format!("{path}[{at}]"))),
        _ => None,
    }
}

/// Finds the deepest field without which the complaint ends or changes.
fn culprit(object: &Value, why: &str, round: fn(&Value) -> Result<Value, String>) -> String {
    let mut path = String::new();
    let mut pointer = String::new();
    loop {
        let steps: Vec<(String, String)> = match object.pointer(&pointer) {
            Some(Value::Object(map)) => map
                .keys()
                .map(|name| (format!("/{}", name.replace('~', "~0").replace('/', "~1")), format!(".{name}")))
                .collect(),
            Some(Value::Array(items)) => (0..items.len()).map(|at| (format!("/{at}"), format!("[{at}]"))).collect(),
            _ => return path,
        };
        let guilty = steps.into_iter().find(|(step, _)| {
            let mut without = object.clone();
            match without.pointer_mut(&pointer) {
                // The kind picks the definition, so that it cannot be to blame.
                Some(Value::Object(_)) if matches!(step.as_str(), "/apiVersion" | "/kind") && pointer.is_empty() => {
                    return false;
                }
                Some(Value::Object(map)) => {
                    map.remove(&step[1..].replace("~1", "/").replace("~0", "~"));
                }
                Some(Value::Array(items)) => {
                    step[1..].parse().ok().filter(|at: &usize| *at < items.len()).map(|at| items.remove(at));
                }
                _ => {}
            }
            round(&without).err().as_deref() != Some(why)
        });
        let Some((step, shown)) = guilty else { return path };
        pointer.push_str(&step);
        path.push_str(&shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_spec(spec: Value, expected: &str) {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec});
        let found = check("apps", "v1", "Deployment", &object).err();
        assert_eq!(found.map_or_else(String::new, |wrong| format!("{}: {}", wrong.path, wrong.why)), expected);
    }

    #[test]
    fn wrong_types_and_unknown_fields_are_named() {
        let spec = |container: Value| json!({"selector": {}, "template": {"spec": {"containers": [container]}}});
        check_spec(json!({"replicas": "many"}), ".spec.replicas: invalid type: string \"many\", expected i32");
        check_spec(
            spec(json!({"name": "a", "env": [{"name": "A", "value": 1}]})),
            ".spec.template.spec.containers[0].env[0].value: invalid type: integer `1`, expected a string",
        );
        check_spec(
            spec(json!({"name": "a", "imagePolicy": "x"})),
            ".spec.template.spec.containers[0].imagePolicy: field not declared in schema",
        );
        check_spec(spec(json!({"name": "a", "resources": {"limits": {"cpu": 2, "memory": "1Gi"}}, "env": []})), "");
    }
}
