//! A Kubernetes object as JSON, with the accessors that the stages need.

use serde_json::{Map, Value};

use super::{Gvk, Key};

/// A Kubernetes object. The value is always a JSON object; `apiVersion`, `kind` and `metadata.name` may still be absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Object(Value);

impl Object {
    /// Takes a JSON object; anything else is no Kubernetes object.
    pub fn new(value: Value) -> Option<Self> {
        value.is_object().then_some(Self(value))
    }

    /// Returns the JSON.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Returns the JSON for changing. It has to stay an object.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// Gives the JSON away.
    pub fn into_value(self) -> Value {
        self.0
    }

    /// Returns `apiVersion`, empty if absent.
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    /// Returns `kind`, empty if absent.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// Returns `metadata.name`, empty if absent.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Returns `metadata.namespace`, empty if absent.
    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    /// Returns `metadata.uid`, empty if absent.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// Returns `metadata.resourceVersion`, empty if absent.
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// Returns group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.api_version(), self.kind())
    }

    /// Returns the identity: group, kind, namespace, name.
    pub fn key(&self) -> Key {
        let gvk = self.gvk();
        Key { group: gvk.group, kind: gvk.kind, namespace: self.namespace().into(), name: self.name().into() }
    }

    /// Returns one annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.0.get("metadata")?.get("annotations")?.get(name)?.as_str()
    }

    /// Returns one label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.0.get("metadata")?.get("labels")?.get(name)?.as_str()
    }

    /// Sets one annotation, making the maps above it.
    pub fn set_annotation(&mut self, name: &str, value: &str) {
        self.metadata_map("annotations").insert(name.to_owned(), Value::String(value.to_owned()));
    }

    /// Sets or, if empty, removes `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: &str) {
        let metadata = self.child("metadata");
        if namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            metadata.insert("namespace".to_owned(), Value::String(namespace.to_owned()));
        }
    }

    /// Says whether `metadata.deletionTimestamp` is set.
    pub fn is_being_deleted(&self) -> bool {
        self.0.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
    }

    /// Says whether this is a core Secret, whose values must not be shown.
    pub fn is_secret(&self) -> bool {
        self.kind() == "Secret" && self.api_version() == "v1"
    }

    /// Returns `metadata.ownerReferences`, empty if absent.
    pub fn owner_references(&self) -> &[Value] {
        self.0.pointer("/metadata/ownerReferences").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Returns the string at a JSON pointer, empty if absent or not a string.
    pub fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn child(&mut self, name: &str) -> &mut Map<String, Value> {
        object_at(&mut self.0, name)
    }

    fn metadata_map(&mut self, name: &str) -> &mut Map<String, Value> {
        let metadata = self.child("metadata");
        let slot = metadata.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        as_object(slot)
    }
}

fn object_at<'a>(value: &'a mut Value, name: &str) -> &'a mut Map<String, Value> {
    let map = as_object(value);
    as_object(map.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new())))
}

fn as_object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object just above"),
    }
}
