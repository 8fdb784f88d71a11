//! Both sides in one spelling: secrets folded, bookkeeping and empty things gone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::model::Object;

/// Metadata that the server or controllers keep; a difference there is never drift.
const BOOKKEEPING: [&str; 9] = [
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
    "generateName",
];

/// Annotations that a tool keeps for itself.
const BOOKKEEPING_ANNOTATIONS: [&str; 2] =
    ["kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"];

/// Returns the object as it is compared: `stringData` folded into `data`, no status, no null, no bookkeeping.
pub fn normalise(object: &Object) -> Object {
    let mut object = without_bookkeeping(object);
    if object.is_secret() {
        fold_string_data(object.value_mut());
    }
    drop_nulls(object.value_mut());
    object
}

/// Returns the object without status, managed fields, versions and other bookkeeping.
pub fn without_bookkeeping(object: &Object) -> Object {
    let mut object = object.clone();
    if let Some(map) = object.value_mut().as_object_mut() {
        map.remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            for name in BOOKKEEPING {
                metadata.remove(name);
            }
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                for name in BOOKKEEPING_ANNOTATIONS {
                    annotations.remove(name);
                }
            }
        }
    }
    object
}

fn fold_string_data(value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    let Some(Value::Object(texts)) = map.remove("stringData") else { return };
    let data = map.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    if let Some(data) = data.as_object_mut() {
        for (name, text) in texts {
            if let Some(text) = text.as_str() {
                data.insert(name, Value::String(STANDARD.encode(text)));
            }
        }
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
