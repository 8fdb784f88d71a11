//! The comparison itself, by the rules of server-side apply.

use serde_json::{Map, Value};

use super::ignore::Ignore;
use super::normalise::normalise;
use super::owner::{Owners, has_key};
use super::path::{Path, Step};
use super::quantity;
use super::schema::{ListKind, Schema, is_empty};
use crate::model::{FieldChange, Object};

/// Longest value that a [`FieldChange`] shows, in characters.
const LONGEST_VALUE: usize = 240;

/// Whose applies are continued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    /// What somebody applied before us (by server-side apply or with a last-applied annotation) is taken over: what Git stopped naming has to go.
    #[default]
    TakenOver,
    /// Only fields of server-side applies count, as in an Application with `ServerSideApply=true` under Argo CD.
    ServerSide,
}

/// How two objects are compared.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Fields to leave out.
    pub ignore: Option<&'a Ignore>,
    /// Whose applies are continued.
    pub ownership: Ownership,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Whether applying would change something besides bookkeeping.
    pub differs: bool,
    /// What differs. Values of Secrets are masked.
    pub fields: Vec<FieldChange>,
    /// Whether the answer is sure without asking the server.
    pub certain: bool,
}

/// Compares what Git says with the live object. An equal object is certainly equal; a difference in a built-in kind may be a default that only the
/// server knows, so it is worth a dry run before it is shown as drift.
pub fn compare(desired: &Object, live: &Object, options: &Options<'_>) -> Comparison {
    let (mut wanted, mut found) = (normalise(desired), normalise(live));
    if let Some(ignore) = options.ignore {
        ignore.apply(&mut wanted, live);
        ignore.apply(&mut found, live);
    }
    let mut walk = Walk {
        schema: Schema::of(&desired.gvk()),
        owners: Owners::of(live),
        ownership: options.ownership,
        masked: desired.is_secret(),
        path: Path::default(),
        fields: Vec::new(),
    };
    walk.object(wanted.value(), found.value());
    Comparison { differs: !walk.fields.is_empty(), certain: walk.fields.is_empty(), fields: walk.fields }
}

/// Compares the live object with the server's answer to a dry run of the apply. Changes that admission webhooks make to fields which Git does not name are left out.
pub fn confirm(desired: &Object, live: &Object, predicted: &Object, options: &Options<'_>) -> Comparison {
    let local = compare(desired, live, options);
    let (mut after, mut before) = (normalise(predicted), normalise(live));
    if let Some(ignore) = options.ignore {
        ignore.apply(&mut after, live);
        ignore.apply(&mut before, live);
    }
    if after.value() == before.value() {
        return Comparison { differs: false, fields: Vec::new(), certain: true };
    }
    let mut walk = Walk {
        schema: Schema::of(&desired.gvk()),
        owners: Owners::of(live),
        ownership: options.ownership,
        masked: desired.is_secret(),
        path: Path::default(),
        fields: Vec::new(),
    };
    let wanted = normalise(desired);
    walk.predicted(Some(wanted.value()), after.value(), before.value());
    // What the local comparison saw go is gone in the prediction as well, unless the server keeps it.
    let gone = local.fields.into_iter().filter(|field| field.git.is_none());
    for field in gone {
        if !walk.fields.iter().any(|known| known.path == field.path) && !names_field(after.value(), &field.path) {
            walk.fields.push(field);
        }
    }
    Comparison { differs: !walk.fields.is_empty(), fields: walk.fields, certain: true }
}

fn names_field(value: &Value, path: &str) -> bool {
    let pointer: String = path.split('.').map(|step| format!("/{step}")).collect();
    value.pointer(&pointer).is_some()
}

struct Walk<'a> {
    schema: Schema,
    owners: Owners<'a>,
    ownership: Ownership,
    masked: bool,
    path: Path,
    fields: Vec<FieldChange>,
}

impl Walk<'_> {
    /// Compares from the top: apiVersion, kind and the name are the identity, and only parts of the metadata are anybody's wish.
    fn object(&mut self, wanted: &Value, found: &Value) {
        let (Some(wanted), Some(found)) = (wanted.as_object(), found.as_object()) else { return };
        let nothing = Value::Null;
        for name in keys(wanted, found) {
            let (git, live) = (wanted.get(name).unwrap_or(&nothing), found.get(name).unwrap_or(&nothing));
            match name {
                "apiVersion" | "kind" => {}
                "metadata" => self.metadata(git, live),
                _ => self.field(name, git, live, None),
            }
        }
    }

    fn metadata(&mut self, wanted: &Value, found: &Value) {
        self.path.push(Step::Field("metadata".to_owned()));
        for name in ["labels", "annotations", "finalizers", "ownerReferences"] {
            let nothing = Value::Null;
            self.field(name, wanted.get(name).unwrap_or(&nothing), found.get(name).unwrap_or(&nothing), None);
        }
        self.path.pop();
    }

    fn field(&mut self, name: &str, git: &Value, live: &Value, around: Option<&Value>) {
        self.path.push(Step::Field(name.to_owned()));
        self.value(git, live, around);
        self.path.pop();
    }

    /// Compares one value; `null` means that it is not there.
    fn value(&mut self, git: &Value, live: &Value, around: Option<&Value>) {
        if git == live {
            return;
        }
        let is_granular = git.is_object() && !self.schema.is_atomic_map(&self.path.fields());
        if git.is_null() || (is_empty(git) && !is_granular && self.schema.drops_empty(&self.path.fields())) {
            return self.not_named(live, around);
        }
        match (git, live) {
            (Value::Object(git_map), _) if !self.schema.is_atomic_map(&self.path.fields()) => {
                let empty = Map::new();
                match live {
                    Value::Object(live_map) => self.map(git_map, live_map),
                    Value::Null => self.map(git_map, &empty),
                    _ => self.note(Some(git), Some(live)),
                }
            }
            (Value::Array(items), Value::Array(live_items)) => self.list(items, live_items),
            (Value::Array(items), Value::Null) if items.is_empty() => {}
            (Value::Object(_), _) => {
                if !self.is_same_whole(git, live) {
                    self.note(Some(git), Some(live).filter(|live| !live.is_null()));
                }
            }
            _ => {
                if !self.is_same_scalar(git, live) {
                    self.note(Some(git), Some(live).filter(|live| !live.is_null()));
                }
            }
        }
    }

    fn map(&mut self, git: &Map<String, Value>, live: &Map<String, Value>) {
        let nothing = Value::Null;
        let around = Value::Object(live.clone());
        for name in keys(git, live) {
            self.field(name, git.get(name).unwrap_or(&nothing), live.get(name).unwrap_or(&nothing), Some(&around));
        }
    }

    fn list(&mut self, git: &[Value], live: &[Value]) {
        match self.schema.list(&self.path.fields()) {
            ListKind::Map(names) => self.keyed_list(git, live, names),
            ListKind::Set => {
                for item in git.iter().filter(|item| !live.contains(item)) {
                    self.path.push(Step::Item { key: item.clone() });
                    self.note(Some(item), None);
                    self.path.pop();
                }
            }
            ListKind::Atomic => {
                let (git, live) = (Value::Array(git.to_vec()), Value::Array(live.to_vec()));
                if !self.is_same_whole(&git, &live) {
                    self.note(Some(&git), Some(&live));
                }
            }
        }
    }

    fn keyed_list(&mut self, git: &[Value], live: &[Value], names: &[&str]) {
        let nothing = Value::Null;
        let mut places = Vec::new();
        for item in git {
            let key = key_of(item, names);
            let place = live.iter().position(|other| has_key(other, &key));
            places.extend(place);
            self.path.push(Step::Item { key });
            match place {
                Some(place) => self.value(item, &live[place], None),
                None => self.note(Some(item), None),
            }
            self.path.pop();
        }
        for item in live {
            let key = key_of(item, names);
            if !git.iter().any(|other| has_key(other, &key)) {
                self.path.push(Step::Item { key });
                self.value(&nothing, item, None);
                self.path.pop();
            }
        }
        if !places.is_sorted() {
            let (git, live) = (Value::Array(git.to_vec()), Value::Array(live.to_vec()));
            self.note(Some(&order(&git, names)), Some(&order(&live, names)));
        }
    }

    /// Looks at something live that Git does not name: it goes if an apply that we continue owned it and the server does not put it back.
    fn not_named(&mut self, live: &Value, around: Option<&Value>) {
        let fields = self.path.fields();
        if is_empty(live) || self.schema.is_allocated(&fields) || self.schema.is_default(&fields, live, around) {
            return;
        }
        if self.owners.is_ours(self.path.steps(), self.ownership) {
            return match live {
                Value::Object(map)
                    if !self.schema.is_atomic_map(&fields)
                        && !matches!(self.path.steps().last(), Some(Step::Item { .. })) =>
                {
                    for (name, value) in map {
                        self.field(name, &Value::Null, value, Some(live));
                    }
                }
                _ => self.note(None, Some(live)),
            };
        }
        // Not owned itself: a part of it may still be.
        match live {
            Value::Object(map) if !self.schema.is_atomic_map(&fields) => {
                for (name, value) in map {
                    self.field(name, &Value::Null, value, Some(live));
                }
            }
            Value::Array(items) => {
                let items = items.clone();
                match self.schema.list(&fields) {
                    ListKind::Map(names) => {
                        for item in &items {
                            self.path.push(Step::Item { key: key_of(item, names) });
                            self.not_named(item, None);
                            self.path.pop();
                        }
                    }
                    ListKind::Set => {
                        for item in &items {
                            self.path.push(Step::Item { key: item.clone() });
                            self.not_named(item, None);
                            self.path.pop();
                        }
                    }
                    ListKind::Atomic => {}
                }
            }
            _ => {}
        }
    }

    /// Compares something that is replaced as a whole: equal up to defaults that the server adds.
    fn is_same_whole(&mut self, git: &Value, live: &Value) -> bool {
        match (git, live) {
            (Value::Object(a), Value::Object(b)) => keys(a, b).into_iter().all(|name| {
                self.path.push(Step::Field(name.to_owned()));
                let same = match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => self.is_same_whole(a, b),
                    (Some(a), None) => is_empty(a) || is_zero(a),
                    (None, Some(b)) => is_empty(b) || self.schema.is_default(&self.path.fields(), b, Some(live)),
                    (None, None) => true,
                };
                self.path.pop();
                same
            }),
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.is_same_whole(a, b))
            }
            (a, Value::Null) => is_empty(a),
            (a, b) => self.is_same_scalar(a, b),
        }
    }

    fn is_same_scalar(&self, git: &Value, live: &Value) -> bool {
        if git == live || (live.is_null() && is_zero(git)) {
            return true;
        }
        if let (Some(a), Some(b)) = (git.as_f64(), live.as_f64()) {
            return a == b;
        }
        self.schema.is_quantity(&self.path.fields()) && quantity::is_equal(git, live)
    }

    /// Compares the predicted with the live object; only fields that Git names, or that are gone, count.
    fn predicted(&mut self, wanted: Option<&Value>, after: &Value, before: &Value) {
        if after == before {
            return;
        }
        match (after, before) {
            (Value::Object(a), Value::Object(b)) => {
                let nothing = Value::Null;
                for name in keys(a, b) {
                    self.path.push(Step::Field(name.to_owned()));
                    let below = wanted.and_then(|wanted| wanted.get(name));
                    self.predicted(below, a.get(name).unwrap_or(&nothing), b.get(name).unwrap_or(&nothing));
                    self.path.pop();
                }
            }
            (Value::Array(a), Value::Array(b)) => match self.schema.list(&self.path.fields()) {
                ListKind::Map(names) => {
                    let nothing = Value::Null;
                    let mut all: Vec<Value> = a.iter().map(|item| key_of(item, names)).collect();
                    for item in b {
                        let key = key_of(item, names);
                        if !all.contains(&key) {
                            all.push(key);
                        }
                    }
                    for key in all {
                        let find = |list: &[Value]| list.iter().find(|item| has_key(item, &key)).cloned();
                        let below = wanted.and_then(Value::as_array).and_then(|list| find(list));
                        let (after, before) = (find(a), find(b));
                        self.path.push(Step::Item { key });
                        self.predicted(
                            below.as_ref(),
                            after.as_ref().unwrap_or(&nothing),
                            before.as_ref().unwrap_or(&nothing),
                        );
                        self.path.pop();
                    }
                }
                _ => self.changed(wanted, after, before),
            },
            _ => self.changed(wanted, after, before),
        }
    }

    fn changed(&mut self, wanted: Option<&Value>, after: &Value, before: &Value) {
        let is_removed = after.is_null();
        if !is_removed && wanted.is_none() {
            return;
        }
        self.note(Some(after).filter(|value| !value.is_null()), Some(before).filter(|value| !value.is_null()));
    }

    fn note(&mut self, git: Option<&Value>, live: Option<&Value>) {
        let fields = self.path.fields();
        let hide = self.masked && matches!(fields.first(), Some(&("data" | "stringData")));
        let show = |value: &Value| if hide { "********".to_owned() } else { shorten(value) };
        self.fields.push(FieldChange {
            path: self.path.to_string(),
            live: live.map(show),
            git: git.map(show),
            manager: self.owners.manager_of(self.path.steps()).to_owned(),
        });
    }
}

fn keys<'a>(a: &'a Map<String, Value>, b: &'a Map<String, Value>) -> Vec<&'a str> {
    let mut names: Vec<&str> = a.keys().chain(b.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn key_of(item: &Value, names: &[&str]) -> Value {
    let mut key = Map::new();
    for name in names {
        match item.get(*name) {
            Some(value) => {
                key.insert((*name).to_owned(), value.clone());
            }
            None if *name == "protocol" => {
                key.insert((*name).to_owned(), Value::String("TCP".to_owned()));
            }
            None => {}
        }
    }
    Value::Object(key)
}

/// Returns the keys of a list in their order, to show that only the order differs.
fn order(list: &Value, names: &[&str]) -> Value {
    let keys = list.as_array().into_iter().flatten().map(|item| {
        let values: Vec<String> = names
            .iter()
            .filter_map(|name| item.get(*name))
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        Value::String(values.join("/"))
    });
    Value::Array(keys.collect())
}

/// Says whether a value is what an absent field would be read as.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => is_empty(value),
    }
}

/// Writes a value as short YAML on one line.
fn shorten(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST_VALUE {
        return text;
    }
    let mut short: String = text.chars().take(LONGEST_VALUE).collect();
    short.push('…');
    short
}
