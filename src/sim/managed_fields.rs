//! Field ownership: sets of fields, and the `managedFields` that hold one per manager.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::schema::{Schema, Shape, item_key};

/// A set of fields as a tree. A step is written as in FieldsV1: `f:name`, `k:{…}`, `v:…`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldSet {
    /// Whether the field at this place itself belongs to the set.
    pub member: bool,
    /// What lies below.
    pub children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    fn leaf() -> Self {
        Self { member: true, children: BTreeMap::new() }
    }

    /// Reads FieldsV1.
    pub fn from_json(json: &Value) -> Self {
        let mut set = Self::default();
        let Some(map) = json.as_object() else { return set };
        for (step, below) in map {
            if step == "." {
                set.member = true;
                continue;
            }
            let mut child = Self::from_json(below);
            if below.as_object().is_none_or(Map::is_empty) {
                child.member = true;
            }
            set.children.insert(step.clone(), child);
        }
        set
    }

    /// Writes FieldsV1.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        if self.member && !self.children.is_empty() {
            map.insert(".".to_owned(), json!({}));
        }
        for (step, child) in &self.children {
            map.insert(step.clone(), child.to_json());
        }
        Value::Object(map)
    }

    /// Says whether nothing belongs to the set.
    pub fn is_empty(&self) -> bool {
        !self.member && self.children.values().all(Self::is_empty)
    }

    /// Adds what belongs to the other.
    pub fn add(&mut self, other: &Self) {
        self.member |= other.member;
        for (step, child) in &other.children {
            self.children.entry(step.clone()).or_default().add(child);
        }
    }

    /// Takes away what belongs to the other.
    pub fn subtract(&mut self, other: &Self) {
        if other.member {
            self.member = false;
        }
        for (step, child) in &other.children {
            if let Some(own) = self.children.get_mut(step) {
                own.subtract(child);
                if own.is_empty() {
                    self.children.remove(step);
                }
            }
        }
    }

    /// Returns what belongs to both.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut set = Self { member: self.member && other.member, children: BTreeMap::new() };
        for (step, child) in &self.children {
            if let Some(theirs) = other.children.get(step) {
                let both = child.intersection(theirs);
                if !both.is_empty() {
                    set.children.insert(step.clone(), both);
                }
            }
        }
        set
    }

    /// Returns the paths as conflicts print them: `.spec.containers[name="web"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect_paths("", &mut paths);
        paths
    }

    fn collect_paths(&self, prefix: &str, paths: &mut Vec<String>) {
        if self.member {
            paths.push(prefix.to_owned());
        }
        for (step, child) in &self.children {
            child.collect_paths(&format!("{prefix}{}", printed(step)), paths);
        }
    }

    /// Returns the fields of a value: its scalars, its atomic parts, and the items of its keyed lists.
    pub fn of(schema: Schema<'_>, value: &Value) -> Self {
        let mut set = Self::default();
        match (schema.shape(value), value) {
            (Shape::Map, Value::Object(map)) if !map.is_empty() => {
                for (name, child) in map {
                    set.children.insert(format!("f:{name}"), Self::of(schema.child(name), child));
                }
            }
            (Shape::ListMap(keys), Value::Array(items)) if !items.is_empty() => {
                for item in items {
                    let Some(key) = item_key(item, &keys) else { continue };
                    let mut child = Self::of(schema.item(), item);
                    child.member = true;
                    set.children.insert(key, child);
                }
            }
            (Shape::Set, Value::Array(items)) if !items.is_empty() => {
                for item in items {
                    set.children.insert(format!("v:{item}"), Self::leaf());
                }
            }
            _ => set.member = true,
        }
        set
    }

    /// Takes out what nobody owns: the type, the name and what the server writes.
    pub fn without_system_fields(mut self) -> Self {
        self.children.remove("f:apiVersion");
        self.children.remove("f:kind");
        if let Some(metadata) = self.children.get_mut("f:metadata") {
            for name in [
                "name",
                "namespace",
                "uid",
                "resourceVersion",
                "generation",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "managedFields",
                "selfLink",
            ] {
                metadata.children.remove(&format!("f:{name}"));
            }
            if metadata.children.is_empty() {
                self.children.remove("f:metadata");
            }
        }
        self
    }
}

fn printed(step: &str) -> String {
    if let Some(name) = step.strip_prefix("f:") {
        return format!(".{name}");
    }
    if let Some(key) = step.strip_prefix("k:") {
        let map: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
        let parts: Vec<String> = map.iter().map(|(name, value)| format!("{name}={value}")).collect();
        return format!("[{}]", parts.join(","));
    }
    format!("[={}]", step.strip_prefix("v:").unwrap_or(step))
}

/// What changed between two values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// In the new one only.
    pub added: FieldSet,
    /// In both, with another value.
    pub modified: FieldSet,
    /// In the old one only.
    pub removed: FieldSet,
}

impl Changes {
    /// Returns added, modified and removed fields together.
    pub fn all(&self) -> FieldSet {
        let mut set = self.added.clone();
        set.add(&self.modified);
        set.add(&self.removed);
        set
    }
}

/// Compares two values.
pub fn compare(schema: Schema<'_>, old: &Value, new: &Value) -> Changes {
    let mut changes = Changes::default();
    if old == new {
        return changes;
    }
    match (schema.shape(old), schema.shape(new)) {
        (Shape::Map, Shape::Map) => {
            let empty = Map::new();
            let (before, after) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
            for (name, child) in after {
                let step = format!("f:{name}");
                match before.get(name) {
                    Some(was) => changes.enter(&step, compare(schema.child(name), was, child)),
                    None => {
                        let mut set = FieldSet::of(schema.child(name), child);
                        // A whole map of free keys belongs to who brought it.
                        if matches!(name.as_str(), "labels" | "annotations" | "data" | "limits" | "requests") {
                            set.member = true;
                        }
                        changes.added.children.insert(step, set);
                    }
                }
            }
            for (name, child) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
                let mut set = FieldSet::of(schema.child(name), child);
                set.member = true;
                changes.removed.children.insert(format!("f:{name}"), set);
            }
        }
        (Shape::ListMap(keys), Shape::ListMap(_)) => {
            let before = keyed(old, &keys);
            let after = keyed(new, &keys);
            for (key, item) in &after {
                match before.iter().find(|(known, _)| known == key) {
                    Some((_, was)) => changes.enter(key, compare(schema.item(), was, item)),
                    None => {
                        let mut set = FieldSet::of(schema.item(), item);
                        set.member = true;
                        changes.added.children.insert(key.clone(), set);
                    }
                }
            }
            for (key, item) in before.iter().filter(|(key, _)| after.iter().all(|(known, _)| known != key)) {
                let mut set = FieldSet::of(schema.item(), item);
                set.member = true;
                changes.removed.children.insert(key.clone(), set);
            }
        }
        (Shape::Set, Shape::Set) => {
            let none = Vec::new();
            let (before, after) = (old.as_array().unwrap_or(&none), new.as_array().unwrap_or(&none));
            for item in after.iter().filter(|item| !before.contains(item)) {
                changes.added.children.insert(format!("v:{item}"), FieldSet::leaf());
            }
            for item in before.iter().filter(|item| !after.contains(item)) {
                changes.removed.children.insert(format!("v:{item}"), FieldSet::leaf());
            }
        }
        _ => changes.modified.member = true,
    }
    changes
}

impl Changes {
    fn enter(&mut self, step: &str, below: Changes) {
        for (own, theirs) in
            [(&mut self.added, below.added), (&mut self.modified, below.modified), (&mut self.removed, below.removed)]
        {
            if !theirs.is_empty() {
                own.children.insert(step.to_owned(), theirs);
            }
        }
    }
}

fn keyed<'a>(list: &'a Value, keys: &[String]) -> Vec<(String, &'a Value)> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| Some((item_key(item, keys)?, item))).collect()
}

/// One manager's entry in `managedFields`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Name of the manager.
    pub manager: String,
    /// Whether it applies (else it updates).
    pub applies: bool,
    /// `apiVersion` that it wrote in.
    pub api_version: String,
    /// Subresource that it wrote to, or empty.
    pub subresource: String,
    /// When it last changed something.
    pub time: String,
    /// What it owns.
    pub fields: FieldSet,
}

impl Entry {
    /// Says whether two entries are the same manager's.
    pub fn is_same(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.applies == other.applies
            && self.api_version == other.api_version
            && self.subresource == other.subresource
    }

    /// Returns the manager as conflicts print it.
    pub fn printed(&self) -> String {
        let mut text = format!("\"{}\"", self.manager);
        if !self.subresource.is_empty() {
            text.push_str(&format!(" with subresource \"{}\"", self.subresource));
        }
        if !self.applies {
            text.push_str(&format!(" using {}", self.api_version));
        }
        text
    }
}

/// Reads `metadata.managedFields`.
pub fn read(object: &Value) -> Vec<Entry> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    entries
        .into_iter()
        .flatten()
        .map(|entry| Entry {
            manager: text(entry, "manager"),
            applies: entry["operation"] == "Apply",
            api_version: text(entry, "apiVersion"),
            subresource: text(entry, "subresource"),
            time: text(entry, "time"),
            fields: FieldSet::from_json(&entry["fieldsV1"]),
        })
        .collect()
}

/// Writes `metadata.managedFields`, appliers first.
pub fn write(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.is_empty());
    entries.sort_by(|a, b| {
        (!a.applies, &a.time, &a.manager, &a.api_version, &a.subresource).cmp(&(
            !b.applies,
            &b.time,
            &b.manager,
            &b.api_version,
            &b.subresource,
        ))
    });
    let list: Vec<Value> = entries
        .into_iter()
        .map(|entry| {
            let mut json = json!({
                "manager": entry.manager, "operation": if entry.applies { "Apply" } else { "Update" },
                "apiVersion": entry.api_version, "time": entry.time,
                "fieldsType": "FieldsV1", "fieldsV1": entry.fields.to_json(),
            });
            if !entry.subresource.is_empty() {
                json["subresource"] = Value::String(entry.subresource);
            }
            json
        })
        .collect();
    if list.is_empty() {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
    } else {
        object["metadata"]["managedFields"] = Value::Array(list);
    }
}

/// Gives a writer what an update changed, and takes that from all others. The owners so far are those that `new` names.
pub fn record_update(schema: Schema<'_>, old: &Value, new: &mut Value, writer: Entry) {
    let mut entries = read(new);
    let bare = |value: &Value| {
        let mut value = value.clone();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        value
    };
    let mut changes = compare(schema, &bare(old), &bare(new));
    for set in [&mut changes.added, &mut changes.modified, &mut changes.removed] {
        *set = std::mem::take(set).without_system_fields();
    }
    let touched = changes.all();
    if touched.is_empty() {
        write(new, entries);
        return;
    }
    for entry in entries.iter_mut().filter(|entry| !entry.is_same(&writer)) {
        entry.fields.subtract(&touched);
    }
    let mut own = match entries.iter().position(|entry| entry.is_same(&writer)) {
        Some(at) => entries.remove(at).fields,
        None => FieldSet::default(),
    };
    own.add(&changes.added);
    own.add(&changes.modified);
    own.subtract(&changes.removed);
    entries.push(Entry { fields: own, ..writer });
    write(new, entries);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_kubernetes_does() {
        let object = json!({"metadata": {"labels": {"app": "x"}}, "spec": {"template": {"spec": {"containers": [
            {"name": "web", "image": "i", "ports": [{"containerPort": 80}], "args": ["a"]}]}}}});
        let set = FieldSet::of(Schema::built_in("Deployment"), &object);
        let expected = json!({"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:template": {"f:spec": {"f:containers": {
            "k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {}, "f:ports": {
                "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}}}});
        assert_eq!(set.to_json(), expected);
        assert_eq!(FieldSet::from_json(&expected), set);
    }

    #[test]
    fn an_update_takes_fields_from_others() {
        let entry = |manager: &str| Entry {
            manager: manager.into(),
            applies: false,
            api_version: "v1".into(),
            subresource: String::new(),
            time: String::new(),
            fields: FieldSet::default(),
        };
        let schema = Schema::built_in("ConfigMap");
        let mut first = json!({"metadata": {}, "data": {"a": "1", "b": "1"}});
        record_update(schema, &json!({}), &mut first, entry("one"));
        let mut second = first.clone();
        second["data"]["b"] = json!("2");
        record_update(schema, &first, &mut second, entry("two"));
        let entries = read(&second);
        assert_eq!(entries[0].fields.to_json(), json!({"f:data": {".": {}, "f:a": {}}}));
        assert_eq!(entries[1].fields.to_json(), json!({"f:data": {"f:b": {}}}));
    }
}
