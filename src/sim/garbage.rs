//! Garbage: objects without owners, deletion in the foreground, and namespaces that end.

use serde_json::Value;

use super::store::{ObjectKey, Store};
use super::write::{self, DeleteOptions, Target, strings};

fn target(store: &Store, key: &ObjectKey) -> Option<Target> {
    let resource = store.registry.by_id(key.ty)?;
    Some(Target {
        version: resource.versions.first()?.clone(),
        resource: std::sync::Arc::clone(resource),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        subresource: String::new(),
        manager: "kube-controller-manager".to_owned(),
        dry_run: false,
    })
}

/// Deletes an object as a controller does; what is gone already is no error.
pub fn delete(store: &mut Store, key: &ObjectKey, propagation: &str) {
    let Some(target) = target(store, key) else { return };
    let options = DeleteOptions { propagation: propagation.to_owned(), ..DeleteOptions::default() };
    let _ = write::delete(store, &target, &options);
}

/// Looks after what an object's deletion leaves behind.
pub fn owner_gone(store: &mut Store, uid: &str) {
    for key in store.owned_by(uid) {
        let Some(object) = store.find(&key).cloned() else { continue };
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array).cloned().unwrap_or_default();
        let others = owners.iter().any(|owner| owner["uid"] != uid && owner_lives(store, &key.namespace, owner));
        if !others && object.pointer("/metadata/deletionTimestamp").is_none() {
            delete(store, &key, "Background");
        }
    }
}

fn owner_lives(store: &Store, namespace: &str, owner: &Value) -> bool {
    let api_version = owner["apiVersion"].as_str().unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let Some(resource) = store.registry.find_kind(group, owner["kind"].as_str().unwrap_or_default()) else {
        return false;
    };
    let namespace = if resource.namespaced { namespace } else { "" };
    let key = ObjectKey::new(resource.id, namespace, owner["name"].as_str().unwrap_or_default());
    store.find(&key).is_some_and(|object| object["metadata"]["uid"] == owner["uid"])
}

/// Goes on with an object that is being deleted with `foregroundDeletion` or `orphan`.
pub fn being_deleted(store: &mut Store, key: &ObjectKey) {
    let Some(object) = store.find(key).cloned() else { return };
    let finalizers = strings(&object["metadata"]["finalizers"]);
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    if finalizers.iter().any(|name| name == "orphan") {
        for owned in store.owned_by(&uid) {
            let Some(child) = store.find(&owned).cloned() else { continue };
            let mut child = (*child).clone();
            if let Some(owners) = child["metadata"]["ownerReferences"].as_array_mut() {
                owners.retain(|owner| owner["uid"] != uid.as_str());
                if owners.is_empty()
                    && let Some(metadata) = child["metadata"].as_object_mut()
                {
                    metadata.remove("ownerReferences");
                }
            }
            store.put(&owned, child);
        }
        drop_finalizer(store, key, "orphan");
    } else if finalizers.iter().any(|name| name == "foregroundDeletion") {
        let owned = store.owned_by(&uid);
        let mut blocked = false;
        for child in owned {
            let Some(object) = store.find(&child).cloned() else { continue };
            let blocks = object["metadata"]["ownerReferences"].as_array().is_some_and(|owners| {
                owners.iter().any(|owner| owner["uid"] == uid.as_str() && owner["blockOwnerDeletion"] == true)
            });
            if object.pointer("/metadata/deletionTimestamp").is_none() {
                delete(store, &child, "Foreground");
            }
            blocked |= blocks && store.find(&child).is_some();
        }
        if !blocked {
            drop_finalizer(store, key, "foregroundDeletion");
        }
    }
}

/// Takes a finalizer off, and the object away if it was the last one.
pub fn drop_finalizer(store: &mut Store, key: &ObjectKey, name: &str) {
    let Some(object) = store.find(key).cloned() else { return };
    let mut object = (*object).clone();
    let mut left = strings(&object["metadata"]["finalizers"]);
    left.retain(|finalizer| finalizer != name);
    if left.is_empty() {
        let grace = object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(0);
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("finalizers");
        }
        if grace == 0 {
            store.remove(key);
            return;
        }
    } else {
        object["metadata"]["finalizers"] = Value::from(left);
    }
    store.put(key, object);
}

/// Empties a namespace that is being deleted, and takes it away once it is empty.
pub fn namespace_ending(store: &mut Store, key: &ObjectKey) {
    let types: Vec<_> = store.registry.iter().filter(|ty| ty.namespaced).map(|ty| ty.id).collect();
    let mut left = 0;
    for ty in types {
        for (child, object) in store.list(ty, &key.name) {
            if object.pointer("/metadata/deletionTimestamp").is_none() {
                delete(store, &child, "Background");
            }
            left += usize::from(store.find(&child).is_some());
        }
    }
    if left == 0 {
        store.remove(key);
    }
}
