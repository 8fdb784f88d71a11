//! Who wrote which field, from an object's `managedFields` and its last-applied annotation.

use serde_json::Value;

use super::Ownership;
use super::path::Step;
use crate::model::Object;

/// Our own field manager.
const OURS: &str = "quarterdeck";
/// Managers whose applies we take over.
const TAKEN_OVER: [&str; 3] = ["argocd-controller", "kubectl-client-side-apply", "kubectl"];

/// The field managers of one live object.
pub struct Owners<'a> {
    entries: Vec<Entry<'a>>,
    last_applied: Option<Value>,
}

struct Entry<'a> {
    manager: &'a str,
    is_apply: bool,
    time: &'a str,
    fields: &'a Value,
}

impl<'a> Owners<'a> {
    /// Reads the managers of a live object.
    pub fn of(live: &'a Object) -> Self {
        let mut entries: Vec<Entry<'a>> = live
            .value()
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|entry| entry.get("subresource").is_none_or(|name| name == "scale" || name == ""))
            .filter_map(|entry| {
                Some(Entry {
                    manager: entry.get("manager")?.as_str()?,
                    is_apply: entry.get("operation")?.as_str()? == "Apply",
                    time: entry.get("time").and_then(Value::as_str).unwrap_or_default(),
                    fields: entry.get("fieldsV1")?,
                })
            })
            .collect();
        entries.sort_by(|a, b| b.time.cmp(a.time));
        let last_applied = live
            .annotation("kubectl.kubernetes.io/last-applied-configuration")
            .and_then(|text| serde_json::from_str(text).ok());
        Self { entries, last_applied }
    }

    /// Returns the manager that wrote the value at a path last, empty if nobody says so.
    pub fn manager_of(&self, path: &[Step]) -> &'a str {
        for length in (1..=path.len()).rev() {
            let found = self.entries.iter().find(|entry| holds(entry.fields, &path[..length], length == path.len()));
            if let Some(entry) = found {
                return entry.manager;
            }
        }
        ""
    }

    /// Says whether an apply that we continue owns the field at a path, so that it goes when Git no longer names it.
    pub fn is_ours(&self, path: &[Step], ownership: Ownership) -> bool {
        let applied = self.entries.iter().any(|entry| {
            let taken = entry.manager == OURS || TAKEN_OVER.contains(&entry.manager);
            entry.is_apply && taken && holds(entry.fields, path, true)
        });
        applied
            || ownership == Ownership::TakenOver && self.last_applied.as_ref().is_some_and(|value| names(value, path))
    }
}

/// Says whether FieldsV1 `fields` has the path; `leaf` asks for the field itself, not only for something below or above it.
fn holds(fields: &Value, path: &[Step], leaf: bool) -> bool {
    let mut at = fields;
    for step in path {
        let Some(map) = at.as_object() else { return false };
        if !leaf && map.is_empty() {
            return true;
        }
        let found = match step {
            Step::Field(name) => map.get(&format!("f:{name}")),
            Step::Item { key } => map
                .iter()
                .find(|(name, _)| {
                    name.strip_prefix("k:")
                        .or_else(|| name.strip_prefix("v:"))
                        .and_then(|text| serde_json::from_str::<Value>(text).ok())
                        .as_ref()
                        == Some(key)
                })
                .map(|(_, value)| value),
            Step::Index(_) => return true,
        };
        match found {
            Some(below) => at = below,
            // An empty set stands for a value that is owned as a whole.
            None => return map.is_empty() && !std::ptr::eq(at, fields),
        }
    }
    true
}

/// Says whether a manifest names the path.
fn names(manifest: &Value, path: &[Step]) -> bool {
    let mut at = manifest;
    for step in path {
        let found = match step {
            Step::Field(name) => at.get(name),
            Step::Item { key } => at.as_array().and_then(|list| list.iter().find(|item| has_key(item, key))),
            Step::Index(_) => return true,
        };
        match found {
            Some(below) if !below.is_null() => at = below,
            _ => return false,
        }
    }
    true
}

/// Says whether a list item has these key fields; a missing protocol is TCP.
pub fn has_key(item: &Value, key: &Value) -> bool {
    match key {
        Value::Object(fields) => fields.iter().all(|(name, wanted)| match item.get(name) {
            Some(value) => value == wanted,
            None => name == "protocol" && wanted == "TCP",
        }),
        other => item == other,
    }
}
