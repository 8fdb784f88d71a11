//! How lists and maps of a kind merge: by key, as a set, or as one value.

use serde_json::Value;

/// How a value merges.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A scalar, or a list or map that is owned as one.
    Leaf,
    /// A map whose fields are owned one by one.
    Map,
    /// A list of maps with these key fields.
    ListMap(Vec<String>),
    /// A list of scalars that is a set.
    Set,
}

/// A place in a kind's schema.
#[derive(Clone, Copy, Debug)]
pub struct Schema<'a> {
    kind: &'a str,
    custom: Option<&'a Value>,
    in_custom: bool,
    parent: &'a str,
    field: &'a str,
}

impl<'a> Schema<'a> {
    /// Returns the root of a built-in kind.
    pub fn built_in(kind: &'a str) -> Self {
        Self { kind, custom: None, in_custom: false, parent: "", field: "" }
    }

    /// Returns the root of a custom kind.
    pub fn custom(kind: &'a str, schema: &'a Value) -> Self {
        Self { kind, custom: Some(schema), in_custom: true, parent: "", field: "" }
    }

    /// Returns the place of a field.
    pub fn child(&self, name: &'a str) -> Self {
        let root = self.parent.is_empty() && self.field.is_empty();
        // An object's metadata has the built-in shape in custom kinds too.
        let in_custom = self.in_custom && !(root && name == "metadata");
        let custom = self.custom.filter(|_| in_custom).and_then(|schema| {
            schema.pointer("/properties").and_then(|map| map.get(name)).or_else(|| schema.get("additionalProperties"))
        });
        Self { kind: self.kind, custom, in_custom, parent: if root { "." } else { self.field }, field: name }
    }

    /// Returns the place of a list's items.
    pub fn item(&self) -> Self {
        Self { custom: self.custom.and_then(|schema| schema.get("items")), ..*self }
    }

    /// Returns how a value at this place merges.
    pub fn shape(&self, value: &Value) -> Shape {
        match value {
            Value::Object(_) => self.map_shape(),
            Value::Array(items) => self.list_shape(items),
            _ => Shape::Leaf,
        }
    }

    fn map_shape(&self) -> Shape {
        if self.in_custom {
            let atomic = self.custom.is_some_and(|schema| schema["x-kubernetes-map-type"] == "atomic");
            return if atomic { Shape::Leaf } else { Shape::Map };
        }
        match self.field {
            "selector" | "labelSelector" | "namespaceSelector" | "podSelector" | "objectSelector" | "scopeSelector"
            | "nodeSelector" | "secretKeyRef" | "configMapKeyRef" | "fieldRef" | "resourceFieldRef" | "roleRef"
            | "targetRef" | "involvedObject" => Shape::Leaf,
            "requiredDuringSchedulingIgnoredDuringExecution" => Shape::Leaf,
            _ => Shape::Map,
        }
    }

    fn list_shape(&self, items: &[Value]) -> Shape {
        let shape = if self.in_custom { self.custom_list() } else { self.built_in_list() };
        match &shape {
            // A list whose items lack their keys, or hold one twice, cannot be merged by them.
            Shape::ListMap(keys) => {
                let mut seen = Vec::with_capacity(items.len());
                for item in items {
                    let Some(key) = item_key(item, keys) else { return Shape::Leaf };
                    if seen.contains(&key) {
                        return Shape::Leaf;
                    }
                    seen.push(key);
                }
                shape
            }
            _ => shape,
        }
    }

    fn custom_list(&self) -> Shape {
        let Some(schema) = self.custom else { return Shape::Leaf };
        match schema["x-kubernetes-list-type"].as_str() {
            Some("map") => {
                let keys = schema["x-kubernetes-list-map-keys"].as_array().map(Vec::as_slice).unwrap_or_default();
                Shape::ListMap(keys.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            Some("set") => Shape::Set,
            _ => Shape::Leaf,
        }
    }

    fn built_in_list(&self) -> Shape {
        let keys: &[&str] = match (self.parent, self.field) {
            ("metadata", "finalizers") => return Shape::Set,
            ("metadata", "ownerReferences") => &["uid"],
            (_, "containers" | "initContainers" | "ephemeralContainers" | "env" | "volumes" | "schedulingGates") => {
                &["name"]
            }
            ("spec", "imagePullSecrets" | "resourceClaims") | (".", "webhooks") => &["name"],
            (".", "secrets") if self.kind == "ServiceAccount" => &["name"],
            (_, "matchConditions") => &["name"],
            ("containers" | "initContainers" | "ephemeralContainers", "ports") => &["containerPort", "protocol"],
            ("spec", "ports") if self.kind == "Service" => &["port", "protocol"],
            (_, "volumeMounts") => &["mountPath"],
            (_, "volumeDevices") => &["devicePath"],
            (_, "topologySpreadConstraints") => &["topologyKey", "whenUnsatisfiable"],
            (_, "hostAliases" | "podIPs" | "hostIPs") => &["ip"],
            ("status", "conditions") => &["type"],
            ("status", "addresses") if self.kind == "Node" => &["type"],
            _ => return Shape::Leaf,
        };
        Shape::ListMap(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    /// Returns the key by which a strategic merge patch merges a list here.
    pub fn patch_key(&self) -> Option<String> {
        match self.built_in_list() {
            Shape::ListMap(keys) => keys.into_iter().next(),
            _ => None,
        }
    }

    /// Says whether a strategic merge patch merges a list of scalars here.
    pub fn is_set(&self) -> bool {
        !self.in_custom && self.built_in_list() == Shape::Set
    }
}

/// Returns an item's key in the form of managed fields: `k:{"name":"web"}`; `None` if a key field is missing.
pub fn item_key(item: &Value, keys: &[String]) -> Option<String> {
    let mut map = serde_json::Map::new();
    for key in keys {
        match item.get(key) {
            Some(Value::Null) | None if key == "protocol" => {
                map.insert(key.clone(), Value::String("TCP".to_owned()));
            }
            Some(value) if !value.is_null() => {
                map.insert(key.clone(), value.clone());
            }
            _ => return None,
        }
    }
    Some(format!("k:{}", Value::Object(map)))
}
