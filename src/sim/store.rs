//! What a cluster holds: objects, their revisions, and the history that watches read.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::clock::Clock;
use super::resource::{Registry, ResourceType, TypeId};

/// Names one object within a cluster. The namespace is empty for cluster-wide kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Resource type.
    pub ty: TypeId,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectKey {
    /// Makes a key.
    pub fn new(ty: TypeId, namespace: &str, name: &str) -> Self {
        Self { ty, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It came into being.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One entry of the history.
#[derive(Clone, Debug)]
pub struct Event {
    /// Revision that it made.
    pub revision: u64,
    /// Which object.
    pub key: ObjectKey,
    /// What happened.
    pub change: Change,
    /// The object afterwards; for a deletion its last state, with the deletion's resourceVersion.
    pub object: Arc<Value>,
    /// The object before.
    pub previous: Option<Arc<Value>>,
}

/// A small deterministic generator (splitmix64): uids and name suffixes do not need more.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// Returns a number in 0..1.
    pub fn share(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// Returns a random UUID.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// Returns a name suffix as Kubernetes generates them.
    pub fn suffix(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..length)
            .map(|_| {
                let at = usize::try_from(self.below(LETTERS.len() as u64)).unwrap_or(0);
                char::from(LETTERS[at])
            })
            .collect()
    }
}

/// The content of one cluster.
#[derive(Debug)]
pub struct Store {
    /// Resource types served.
    pub registry: Registry,
    /// The cluster's time.
    pub clock: Clock,
    /// The cluster's chance.
    pub random: Random,
    objects: HashMap<TypeId, BTreeMap<(String, String), Arc<Value>>>,
    owned: HashMap<String, BTreeSet<ObjectKey>>,
    revision: u64,
    history: VecDeque<Event>,
    forgotten: u64,
    history_limit: usize,
}

impl Store {
    /// Makes an empty store.
    pub fn new(clock: Clock, seed: u64, history_limit: usize) -> Self {
        Self {
            registry: Registry::new(),
            clock,
            random: Random::new(seed),
            objects: HashMap::new(),
            owned: HashMap::new(),
            revision: 1000,
            history: VecDeque::new(),
            forgotten: 1000,
            history_limit,
        }
    }

    /// Returns the latest revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the oldest revision from which a watch can resume.
    pub fn oldest(&self) -> u64 {
        self.forgotten
    }

    /// Forgets the history.
    pub fn forget(&mut self) {
        // A revision of its own, so that a watch which is up to date also finds itself too old.
        self.revision += 1;
        self.forgotten = self.revision;
        self.history.clear();
    }

    /// Returns a built-in type, which is always there.
    pub fn built_in(&self, group: &str, plural: &str) -> Arc<ResourceType> {
        Arc::clone(self.registry.find(group, plural).expect("a row of the built-in table"))
    }

    /// Returns an object.
    pub fn find(&self, key: &ObjectKey) -> Option<&Arc<Value>> {
        self.objects.get(&key.ty)?.get(&(key.namespace.clone(), key.name.clone()))
    }

    /// Returns an object of a built-in type.
    pub fn find_built_in(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        let ty = self.registry.find(group, plural)?.id;
        self.find(&ObjectKey::new(ty, namespace, name))
    }

    /// Returns the objects of a type by namespace and name; only one namespace's if it is not empty.
    pub fn list(&self, ty: TypeId, namespace: &str) -> Vec<(ObjectKey, Arc<Value>)> {
        let Some(objects) = self.objects.get(&ty) else { return Vec::new() };
        let start = (namespace.to_owned(), String::new());
        objects
            .range(start..)
            .take_while(|((at, _), _)| namespace.is_empty() || at == namespace)
            .map(|((at, name), object)| (ObjectKey::new(ty, at, name), Arc::clone(object)))
            .collect()
    }

    /// Returns every object, types in the table's order.
    pub fn all(&self) -> Vec<(ObjectKey, Arc<Value>)> {
        let ids: Vec<TypeId> = self.registry.iter().map(|resource| resource.id).collect();
        ids.into_iter().flat_map(|id| self.list(id, "")).collect()
    }

    /// Returns the objects of a type as they were at an earlier revision, `None` if that is forgotten.
    pub fn list_at(&self, ty: TypeId, namespace: &str, revision: u64) -> Option<Vec<(ObjectKey, Arc<Value>)>> {
        if revision < self.forgotten {
            return None;
        }
        let mut state: BTreeMap<ObjectKey, Arc<Value>> = self.list(ty, namespace).into_iter().collect();
        let undone = self.history.iter().rev().take_while(|event| event.revision > revision);
        for event in undone.filter(|event| event.key.ty == ty) {
            if !namespace.is_empty() && event.key.namespace != namespace {
                continue;
            }
            match &event.previous {
                Some(previous) => state.insert(event.key.clone(), Arc::clone(previous)),
                None => state.remove(&event.key),
            };
        }
        Some(state.into_iter().collect())
    }

    /// Returns the events after a revision, `None` if they are forgotten.
    pub fn events_since(&self, revision: u64) -> Option<impl Iterator<Item = &Event>> {
        if revision < self.forgotten {
            return None;
        }
        let start = self.history.partition_point(|event| event.revision <= revision);
        Some(self.history.range(start..))
    }

    /// Returns the keys of the objects that name this uid as an owner.
    pub fn owned_by(&self, uid: &str) -> Vec<ObjectKey> {
        self.owned.get(uid).map(|keys| keys.iter().cloned().collect()).unwrap_or_default()
    }

    /// Stores an object under a new revision and returns it with its resourceVersion.
    pub fn put(&mut self, key: &ObjectKey, mut object: Value) -> Arc<Value> {
        self.revision += 1;
        object["metadata"]["resourceVersion"] = Value::String(self.revision.to_string());
        let object = Arc::new(object);
        let slot = (key.namespace.clone(), key.name.clone());
        let previous = self.objects.entry(key.ty).or_default().insert(slot, Arc::clone(&object));
        if let Some(previous) = &previous {
            self.index_owners(key, previous, false);
        }
        self.index_owners(key, &object, true);
        let change = if previous.is_some() { Change::Modified } else { Change::Added };
        self.record(Event { revision: self.revision, key: key.clone(), change, object: Arc::clone(&object), previous });
        self.after_definition(key, Some(&object));
        object
    }

    /// Takes an object away and returns its last state.
    pub fn remove(&mut self, key: &ObjectKey) -> Option<Arc<Value>> {
        let previous = self.objects.get_mut(&key.ty)?.remove(&(key.namespace.clone(), key.name.clone()))?;
        self.index_owners(key, &previous, false);
        self.revision += 1;
        let mut last = (*previous).clone();
        last["metadata"]["resourceVersion"] = Value::String(self.revision.to_string());
        let last = Arc::new(last);
        self.record(Event {
            revision: self.revision,
            key: key.clone(),
            change: Change::Deleted,
            object: Arc::clone(&last),
            previous: Some(previous),
        });
        self.after_definition(key, None);
        Some(last)
    }

    fn record(&mut self, event: Event) {
        self.history.push_back(event);
        while self.history.len() > self.history_limit {
            if let Some(gone) = self.history.pop_front() {
                self.forgotten = gone.revision;
            }
        }
    }

    fn index_owners(&mut self, key: &ObjectKey, object: &Value, add: bool) {
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        for uid in owners.into_iter().flatten().filter_map(|owner| owner["uid"].as_str()) {
            if add {
                self.owned.entry(uid.to_owned()).or_default().insert(key.clone());
            } else if let Some(keys) = self.owned.get_mut(uid) {
                keys.remove(key);
                if keys.is_empty() {
                    self.owned.remove(uid);
                }
            }
        }
    }

    /// Keeps the table of types in step with the CustomResourceDefinitions.
    fn after_definition(&mut self, key: &ObjectKey, object: Option<&Value>) {
        if !self.registry.by_id(key.ty).is_some_and(|ty| ty.is("apiextensions.k8s.io", "customresourcedefinitions")) {
            return;
        }
        match object {
            Some(definition) => {
                if let Some(resource) = super::resource::from_definition(definition) {
                    self.registry.insert(resource);
                }
            }
            None => {
                let Some((plural, group)) = key.name.split_once('.') else { return };
                if let Some(id) = self.registry.find(group, plural).map(|resource| resource.id) {
                    for (gone, _) in self.list(id, "") {
                        self.remove(&gone);
                    }
                    self.registry.remove(id);
                }
            }
        }
    }

    /// Writes a core Event about an object, or counts it up if the same one is already there.
    pub fn emit(&mut self, about: &Value, warning: bool, reason: &str, message: &str, component: &str) {
        let ty = self.built_in("", "events");
        let about_namespace = about.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        let namespace = if about_namespace.is_empty() { "default" } else { about_namespace }.to_owned();
        let involved = json!({
            "apiVersion": about["apiVersion"], "kind": about["kind"], "name": about["metadata"]["name"],
            "namespace": about_namespace, "uid": about["metadata"]["uid"],
            "resourceVersion": about["metadata"]["resourceVersion"],
        });
        let now = self.clock.stamp();
        let same = self.list(ty.id, &namespace).into_iter().find(|(_, event)| {
            event["involvedObject"]["uid"] == involved["uid"]
                && event["reason"] == reason
                && event["message"] == message
        });
        if let Some((key, event)) = same {
            let mut event = (*event).clone();
            event["count"] = json!(event["count"].as_u64().unwrap_or(1) + 1);
            event["lastTimestamp"] = json!(now);
            self.put(&key, event);
            return;
        }
        let name = about["metadata"]["name"].as_str().unwrap_or("object");
        let name = format!("{name}.{:016x}", self.random.next());
        let uid = self.random.uuid();
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": namespace, "uid": uid, "creationTimestamp": now},
            "involvedObject": involved, "reason": reason, "message": message,
            "type": if warning { "Warning" } else { "Normal" }, "count": 1,
            "firstTimestamp": now, "lastTimestamp": now, "eventTime": null,
            "source": {"component": component}, "reportingComponent": component, "reportingInstance": "",
        });
        self.put(&ObjectKey::new(ty.id, &namespace, &name), event);
    }
}
