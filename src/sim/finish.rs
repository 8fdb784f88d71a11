//! The common tail of every write: system metadata, defaults, validation, owners, and the store.

use std::sync::Arc;

use serde_json::{Value, json};

use super::managed_fields;
use super::resource::ResourceType;
use super::status::Status;
use super::store::Store;
use super::write::{Target, fold_secret};
use super::{defaults, validate};

/// Fields of the metadata that the server alone writes.
const SERVER_METADATA: &[&str] =
    &["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];

/// The common tail of every write: system metadata, defaults, validation, owners, and the store.
pub fn finish(
    store: &mut Store,
    target: &Target,
    old: Option<&Arc<Value>>,
    mut object: Value,
    applied: bool,
) -> Result<Arc<Value>, Status> {
    let resource = &target.resource;
    object["apiVersion"] = json!(target.api_version());
    object["kind"] = json!(resource.kind);
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let given_version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned);
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for name in SERVER_METADATA {
            metadata.remove(*name);
        }
        metadata.remove("resourceVersion");
        metadata.insert("name".to_owned(), json!(target.name));
        if resource.namespaced {
            metadata.insert("namespace".to_owned(), json!(target.namespace));
        }
    }
    match old {
        None => {
            if given_version.is_some_and(|version| !version.is_empty()) {
                return Err(Status::bad_request("resourceVersion should not be set on objects to be created"));
            }
            object["metadata"]["uid"] = json!(store.random.uuid());
            object["metadata"]["creationTimestamp"] = json!(store.clock.stamp());
            if resource.generation {
                object["metadata"]["generation"] = json!(1);
            }
            if resource.status
                && let Some(map) = object.as_object_mut()
            {
                map.remove("status");
            }
        }
        Some(old) => {
            let current = old.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
            if given_version.is_some_and(|version| !version.is_empty() && version != "0" && version != current) {
                let why = "the object has been modified; please apply your changes to the latest version and try again";
                return Err(Status::conflict(resource, &target.name, why));
            }
            for name in SERVER_METADATA.iter().chain(&["resourceVersion"]) {
                if let Some(value) = old["metadata"].get(*name) {
                    object["metadata"][*name] = value.clone();
                }
            }
            // Whoever sends owners means them; leaving them out keeps them as they are.
            let has_owners = object["metadata"]["managedFields"].as_array().is_some_and(|list| !list.is_empty());
            if !applied && !has_owners {
                copy_or_remove(&mut object["metadata"], &old["metadata"], "managedFields");
            }
            keep_other_half(target, old, &mut object);
        }
    }
    drop_empty_metadata(&mut object);
    fold_secret(target, &mut object);
    defaults::fill(resource, &target.version, &mut object);
    if resource.custom.is_some() {
        defaults::prune_and_default(resource, &target.version, &mut object);
    }
    allocate(store, target, old, &mut object);
    let causes = match old {
        None => validate::create(resource, &target.version, &object),
        Some(old) => validate::update(resource, &target.version, old, &object),
    };
    if !causes.is_empty() {
        return Err(Status::invalid(resource, &target.name, &causes));
    }
    if let Some(old) = old
        && resource.generation
        && target.subresource != "status"
        && spec_differs(resource, old, &object)
    {
        let generation = old.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
        object["metadata"]["generation"] = json!(generation + 1);
    }
    if !applied {
        let before = old.map_or_else(|| json!({}), |old| (**old).clone());
        let entry = target.entry(store, false);
        managed_fields::record_update(target.schema(), &before, &mut object, entry);
    }
    if let Some(old) = old {
        keep_times(old, &mut object);
        if object == **old {
            return Ok(Arc::clone(old));
        }
        let finalizers =
            object.pointer("/metadata/finalizers").and_then(Value::as_array).is_some_and(|f| !f.is_empty());
        let going = object.pointer("/metadata/deletionTimestamp").is_some();
        let graced = object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(0) > 0;
        let namespace = resource.is("", "namespaces");
        if going && !finalizers && !graced && !namespace && !target.dry_run {
            let object = store.put(&target.key(), object);
            store.remove(&target.key());
            return Ok(object);
        }
    } else if resource.is("", "namespaces") {
        object["status"] = json!({"phase": "Active"});
    } else if resource.is("", "pods") && object.pointer("/status/phase").is_none() {
        object["status"]["phase"] = json!("Pending");
    } else if resource.is("apiextensions.k8s.io", "customresourcedefinitions") {
        object["status"] = established(&object, &store.clock.stamp());
    }
    if target.dry_run {
        return Ok(Arc::new(object));
    }
    Ok(store.put(&target.key(), object))
}

/// A write to the object keeps the status, and a write to the status keeps the object.
fn keep_other_half(target: &Target, old: &Value, object: &mut Value) {
    if !target.resource.status {
        return;
    }
    if target.subresource == "status" {
        let mut whole = old.clone();
        copy_or_remove(&mut whole, object, "status");
        whole["apiVersion"] = object["apiVersion"].clone();
        for name in ["managedFields", "labels", "annotations"] {
            if target.resource.custom.is_none() || name == "managedFields" {
                copy_or_remove(&mut whole["metadata"], &object["metadata"], name);
            }
        }
        *object = whole;
    } else {
        copy_or_remove(object, old, "status");
    }
}

fn copy_or_remove(to: &mut Value, from: &Value, name: &str) {
    let Some(map) = to.as_object_mut() else { return };
    match from.get(name) {
        Some(value) => map.insert(name.to_owned(), value.clone()),
        None => map.remove(name),
    };
}

fn drop_empty_metadata(object: &mut Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|_, value| {
            !(value.is_null()
                || value.as_object().is_some_and(serde_json::Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty))
        });
    }
}

fn spec_differs(resource: &ResourceType, old: &Value, new: &Value) -> bool {
    let rest = |value: &Value| {
        let mut map = value.as_object().cloned().unwrap_or_default();
        for name in ["metadata", "status", "apiVersion", "kind"] {
            map.remove(name);
        }
        map
    };
    if resource.custom.is_some() || new.get("spec").is_none() {
        return rest(old) != rest(new);
    }
    old.get("spec") != new.get("spec")
}

/// Keeps a manager's time if its fields and the object did not change: a write that changes nothing must be no change.
fn keep_times(old: &Value, object: &mut Value) {
    let before = managed_fields::read(old);
    let mut entries = managed_fields::read(object);
    let bare = |value: &Value| {
        let mut value = value.clone();
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        value
    };
    if bare(old) != bare(object) {
        return;
    }
    for entry in &mut entries {
        if let Some(known) = before.iter().find(|was| was.is_same(entry) && was.fields == entry.fields) {
            entry.time.clone_from(&known.time);
        }
    }
    managed_fields::write(object, entries);
}

fn established(definition: &Value, now: &str) -> Value {
    let names = &definition["spec"]["names"];
    let stored: Vec<&Value> = definition["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == true)
        .map(|version| &version["name"])
        .collect();
    json!({
        "acceptedNames": names,
        "conditions": [
            {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found",
                "lastTransitionTime": now},
            {"type": "Established", "status": "True", "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted", "lastTransitionTime": now},
        ],
        "storedVersions": stored,
    })
}

/// Gives Services their addresses and node ports.
fn allocate(store: &mut Store, target: &Target, old: Option<&Arc<Value>>, object: &mut Value) {
    if !target.resource.is("", "services") || object["spec"]["type"] == "ExternalName" {
        return;
    }
    if object["spec"]["clusterIP"].as_str().is_none_or(str::is_empty) {
        let ip = match old.and_then(|old| old.pointer("/spec/clusterIP")).and_then(Value::as_str) {
            Some(ip) => ip.to_owned(),
            None => format!("10.96.{}.{}", store.random.below(256), 2 + store.random.below(250)),
        };
        object["spec"]["clusterIP"] = json!(ip);
    }
    if object["spec"].get("clusterIPs").is_none() {
        object["spec"]["clusterIPs"] = json!([object["spec"]["clusterIP"]]);
    }
    let kind = object["spec"]["type"].as_str().unwrap_or_default().to_owned();
    if kind != "NodePort" && kind != "LoadBalancer" {
        return;
    }
    if let Some(ports) = object["spec"]["ports"].as_array_mut() {
        for port in ports.iter_mut().filter(|port| port["nodePort"].as_i64().unwrap_or(0) == 0) {
            let before = old.and_then(|old| old.pointer("/spec/ports")).and_then(Value::as_array);
            let known = before.into_iter().flatten().find(|was| was["port"] == port["port"]);
            port["nodePort"] = match known.and_then(|was| was.get("nodePort")) {
                Some(known) => known.clone(),
                None => json!(30000 + store.random.below(2768)),
            };
        }
    }
}
