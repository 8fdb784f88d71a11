//! Every change of an object: create, update, patch, apply, scale and delete, through one pipeline.

use std::sync::Arc;

use serde_json::{Value, json};

use super::finish::finish;
use super::managed_fields::{Entry, FieldSet};
use super::resource::{ResourceType, ScalePaths};
use super::schema::Schema;
use super::status::{self, Cause, Status};
use super::store::{ObjectKey, Store};
use super::{apply, defaults, patch, typed};

/// What a write is aimed at, and by whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// Resource type.
    pub resource: Arc<ResourceType>,
    /// Version of the request.
    pub version: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name, or empty for a create.
    pub name: String,
    /// Subresource, or empty.
    pub subresource: String,
    /// Field manager.
    pub manager: String,
    /// Whether nothing is to be kept.
    pub dry_run: bool,
}

impl Target {
    /// Aims a controller's write at an object of a built-in type.
    pub fn built_in(store: &Store, group: &str, plural: &str, namespace: &str, name: &str, subresource: &str) -> Self {
        let resource = store.built_in(group, plural);
        Self {
            version: resource.versions[0].clone(),
            resource,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
            manager: if plural == "pods" { "kubelet" } else { "kube-controller-manager" }.to_owned(),
            dry_run: false,
        }
    }

    /// Returns the object's key.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(self.resource.id, &self.namespace, &self.name)
    }

    /// Returns the `apiVersion` of the request.
    pub fn api_version(&self) -> String {
        self.resource.api_version(&self.version)
    }

    /// Returns the schema of the request's version.
    pub fn schema(&self) -> Schema<'_> {
        match &self.resource.custom {
            Some(schemas) => Schema::custom(&self.resource.kind, schemas.get(&self.version).unwrap_or(&Value::Null)),
            None => Schema::built_in(&self.resource.kind),
        }
    }

    /// Returns a new entry of the request's manager.
    pub fn entry(&self, store: &Store, applies: bool) -> Entry {
        Entry {
            manager: self.manager.clone(),
            applies,
            api_version: self.api_version(),
            subresource: self.subresource.clone(),
            time: store.clock.stamp(),
            fields: FieldSet::default(),
        }
    }
}

/// The form of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own.
    Strategic,
}

/// Creates an object.
pub fn create(store: &mut Store, target: &Target, mut object: Value) -> Result<Arc<Value>, Status> {
    check_type(target, &object)?;
    let kind = &target.resource.kind;
    match typed::check(&target.resource.group, &target.version, kind, &object) {
        Err(wrong) if !wrong.is_undeclared() => {
            return Err(Status::bad_request(format!(
                "{kind} in version {:?} cannot be handled as a {kind}: {}: {}",
                target.version, wrong.path, wrong.why
            )));
        }
        // The server drops what it does not know, unless asked to be strict.
        _ => {}
    }
    let mut target = target.clone();
    name_it(store, &mut target, &mut object)?;
    check_namespace(store, &target)?;
    if store.find(&target.key()).is_some() {
        return Err(Status::already_exists(&target.resource, &target.name));
    }
    finish(store, &target, None, object, false)
}

/// Replaces an object.
pub fn update(store: &mut Store, target: &Target, object: Value) -> Result<Arc<Value>, Status> {
    check_type(target, &object)?;
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if name != target.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            target.name
        )));
    }
    let old = live(store, target)?;
    if target.subresource == "scale" {
        return scale(store, target, &old, &object);
    }
    finish(store, target, Some(&old), object, false)
}

/// Patches an object.
pub fn patch(store: &mut Store, target: &Target, kind: PatchKind, body: &Value) -> Result<Arc<Value>, Status> {
    let old = live(store, target)?;
    if kind == PatchKind::Strategic && target.resource.custom.is_some() {
        return Err(Status::unsupported_media("application/strategic-merge-patch+json"));
    }
    let mut object = if target.subresource == "scale" {
        scale_of(&target.resource, &old)
    } else {
        at_version(&old, &target.resource, &target.version)
    };
    match kind {
        PatchKind::Json => patch::json(&mut object, body)?,
        PatchKind::Merge => patch::merge(&mut object, body),
        PatchKind::Strategic => patch::strategic(target.schema(), &mut object, body),
    }
    if target.subresource == "scale" {
        return scale(store, target, &old, &object);
    }
    if object.pointer("/metadata/name").and_then(Value::as_str) != Some(&target.name) {
        let value = object.pointer("/metadata/name").cloned().unwrap_or(Value::Null);
        let cause = Cause::invalid("metadata.name", &value, "field is immutable");
        return Err(Status::invalid(&target.resource, &target.name, &[cause]));
    }
    finish(store, target, Some(&old), object, false)
}

/// Applies a configuration; the flag says whether the object was created.
pub fn apply(store: &mut Store, target: &Target, mut config: Value, force: bool) -> Result<(bool, Arc<Value>), Status> {
    apply::without_nulls(&mut config);
    check_type(target, &config)?;
    if target.manager.is_empty() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        let mut status = Status::invalid(&target.resource, "", &[cause]);
        status.message =
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
                .to_owned();
        return Err(status);
    }
    if config.pointer("/metadata/managedFields").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let resource = &target.resource;
    if target.subresource.is_empty()
        && let Err(wrong) = typed::check(&resource.group, &target.version, &resource.kind, &config)
    {
        return Err(Status::internal(format!(
            "failed to create typed patch object ({}/{}; {}, Kind={}): {}: {}",
            target.namespace,
            target.name,
            target.api_version(),
            resource.kind,
            wrong.path,
            wrong.why
        )));
    }
    match config.pointer("/metadata/name").and_then(Value::as_str) {
        Some(name) if name != target.name => {
            return Err(Status::bad_request(format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                target.name
            )));
        }
        _ => {}
    }
    fold_secret(target, &mut config);
    if target.resource.status
        && target.subresource != "status"
        && let Some(map) = config.as_object_mut()
    {
        map.remove("status");
    }
    let existing = store.find(&target.key()).map(Arc::clone);
    let Some(old) = existing else {
        if !target.subresource.is_empty() {
            return Err(Status::not_found(&target.resource, &target.name));
        }
        if config.pointer("/metadata/uid").is_some() || config.pointer("/metadata/resourceVersion").is_some() {
            return Err(Status::conflict(
                &target.resource,
                &target.name,
                "uid mismatch: the provided object specified a uid or resourceVersion, and no existing object was found",
            ));
        }
        config["metadata"]["name"] = json!(target.name);
        if target.resource.namespaced {
            config["metadata"]["namespace"] = json!(target.namespace);
        }
        check_namespace(store, target)?;
        let entry = target.entry(store, true);
        let object = apply::apply(target.schema(), &json!({}), &config, entry, force)?;
        return Ok((true, finish(store, target, None, object, true)?));
    };
    let entry = target.entry(store, true);
    let base = at_version(&old, &target.resource, &target.version);
    let object = apply::apply(target.schema(), &base, &config, entry, force)?;
    Ok((false, finish(store, target, Some(&old), object, true)?))
}

/// What a delete asks for.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// `Background`, `Foreground`, `Orphan` or empty.
    pub propagation: String,
    /// Uid that the object must have.
    pub uid: Option<String>,
    /// resourceVersion that the object must have.
    pub resource_version: Option<String>,
    /// Grace period.
    pub grace: Option<i64>,
}

/// Deletes an object; answers with a `Status` if it is gone, with the object if it is going.
pub fn delete(store: &mut Store, target: &Target, options: &DeleteOptions) -> Result<Value, Status> {
    let old = live(store, target)?;
    let uid = old.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = old.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
    if let Some(wanted) = &options.uid
        && *wanted != uid
    {
        let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}");
        return Err(Status::conflict(&target.resource, &target.name, &why));
    }
    if let Some(wanted) = &options.resource_version
        && wanted != version
    {
        let why = format!(
            "Precondition failed: ResourceVersion in precondition: {wanted}, ResourceVersion in object meta: {version}"
        );
        return Err(Status::conflict(&target.resource, &target.name, &why));
    }
    let mut object = (*old).clone();
    let mut finalizers: Vec<String> = strings(&object["metadata"]["finalizers"]);
    let jobs = target.resource.is("batch", "jobs");
    let policy = if options.propagation.is_empty() && jobs { "Orphan" } else { options.propagation.as_str() };
    finalizers.retain(|name| name != "orphan" && name != "foregroundDeletion");
    match policy {
        "Foreground" => finalizers.push("foregroundDeletion".to_owned()),
        "Orphan" => finalizers.push("orphan".to_owned()),
        _ => {}
    }
    let scheduled = target.resource.is("", "pods") && object.pointer("/spec/nodeName").is_some();
    let phase = object.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
    let running = scheduled && !matches!(phase, "Succeeded" | "Failed");
    let grace = match options.grace {
        Some(seconds) => seconds,
        None => object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(30),
    };
    let graceful = running && grace > 0;
    let namespace = target.resource.is("", "namespaces");
    if finalizers.is_empty() && !graceful && !namespace {
        if !target.dry_run {
            store.remove(&target.key());
        }
        return Ok(status::deleted(&target.resource, &target.name, &uid));
    }
    object["metadata"]["finalizers"] = json!(finalizers);
    if finalizers.is_empty()
        && let Some(metadata) = object["metadata"].as_object_mut()
    {
        metadata.remove("finalizers");
    }
    if object.pointer("/metadata/deletionTimestamp").is_none() {
        object["metadata"]["deletionTimestamp"] = json!(store.clock.stamp());
        object["metadata"]["deletionGracePeriodSeconds"] = json!(if graceful { grace } else { 0 });
        if let Some(generation) = object.pointer("/metadata/generation").and_then(Value::as_i64) {
            object["metadata"]["generation"] = json!(generation + 1);
        }
        if namespace {
            object["status"]["phase"] = json!("Terminating");
        }
    }
    if target.dry_run || object == *old {
        return Ok(object);
    }
    Ok((*store.put(&target.key(), object)).clone())
}

/// Plants an object whole, status included, as it would look after a request.
pub fn seed(store: &mut Store, manager: &str, object: &Value) -> Result<(), Status> {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = object["kind"].as_str().unwrap_or_default();
    let resource = store.registry.find_kind(group, kind).ok_or_else(Status::no_resource)?;
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let namespace = match (resource.namespaced, text("/metadata/namespace")) {
        (false, _) => String::new(),
        (true, namespace) if namespace.is_empty() => "default".to_owned(),
        (true, namespace) => namespace,
    };
    let target = Target {
        resource: Arc::clone(resource),
        version: version.to_owned(),
        namespace,
        name: text("/metadata/name"),
        subresource: String::new(),
        manager: manager.to_owned(),
        dry_run: false,
    };
    let (_, planted) = apply(store, &target, object.clone(), true)?;
    if let Some(status) = object.get("status") {
        let mut whole = (*planted).clone();
        whole["status"] = status.clone();
        store.put(&target.key(), whole);
    }
    Ok(())
}

/// Writes a status as a controller, if it differs.
pub fn set_status(store: &mut Store, key: &ObjectKey, status: Value) {
    let Some(old) = store.find(key).map(Arc::clone) else { return };
    if old.get("status") == Some(&status) {
        return;
    }
    let Some(resource) = store.registry.by_id(key.ty).map(Arc::clone) else { return };
    let manager = if resource.is("", "pods") { "kubelet" } else { "kube-controller-manager" };
    let target = Target {
        version: resource.versions[0].clone(),
        resource,
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        subresource: "status".to_owned(),
        manager: manager.to_owned(),
        dry_run: false,
    };
    let mut object = (*old).clone();
    object["status"] = status;
    // A controller's own status is valid by construction; a vanished object is no error for it.
    let _ = finish(store, &target, Some(&old), object, false);
}

/// Returns an object in the request's version.
pub fn at_version(object: &Value, resource: &ResourceType, version: &str) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = json!(resource.api_version(version));
    object
}

fn live(store: &Store, target: &Target) -> Result<Arc<Value>, Status> {
    let found = store.find(&target.key()).map(Arc::clone);
    found.ok_or_else(|| Status::not_found(&target.resource, &target.name))
}

fn check_type(target: &Target, object: &Value) -> Result<(), Status> {
    if !object.is_object() {
        return Err(Status::bad_request("the object provided is unrecognized (must be of type Object)"));
    }
    let (api_version, kind) = (object["apiVersion"].as_str(), object["kind"].as_str());
    let expected = if target.subresource == "scale" { "autoscaling/v1".to_owned() } else { target.api_version() };
    if let Some(api_version) = api_version.filter(|version| *version != expected) {
        return Err(Status::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    let expected = if target.subresource == "scale" { "Scale" } else { target.resource.kind.as_str() };
    match kind {
        None if target.resource.custom.is_none() => Ok(()),
        Some(kind) if kind == expected => Ok(()),
        kind => Err(Status::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {expected}: no kind \"{}\" is registered",
            kind.unwrap_or_default(),
            target.version,
            kind.unwrap_or_default()
        ))),
    }
}

fn name_it(store: &mut Store, target: &mut Target, object: &mut Value) -> Result<(), Status> {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let text = |object: &Value, name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    let (name, prefix, namespace) = (text(object, "name"), text(object, "generateName"), text(object, "namespace"));
    target.name = if !name.is_empty() {
        name
    } else if !prefix.is_empty() {
        format!("{prefix}{}", store.random.suffix(5))
    } else {
        let cause = Cause::required("metadata.name", "name or generateName is required");
        return Err(Status::invalid(&target.resource, "", &[cause]));
    };
    object["metadata"]["name"] = json!(target.name);
    if target.resource.namespaced {
        if !namespace.is_empty() && namespace != target.namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        object["metadata"]["namespace"] = json!(target.namespace);
    } else if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    Ok(())
}

fn check_namespace(store: &Store, target: &Target) -> Result<(), Status> {
    if !target.resource.namespaced {
        return Ok(());
    }
    let namespaces = store.built_in("", "namespaces");
    match store.find(&ObjectKey::new(namespaces.id, "", &target.namespace)) {
        None => Err(Status::not_found(&namespaces, &target.namespace)),
        Some(namespace) if namespace.pointer("/metadata/deletionTimestamp").is_some() => {
            let why = format!(
                "unable to create new content in namespace {} because it is being terminated",
                target.namespace
            );
            Err(Status::forbidden(&target.resource, &target.name, &why))
        }
        Some(_) => Ok(()),
    }
}

/// Folds the text of a Secret into its data.
pub fn fold_secret(target: &Target, object: &mut Value) {
    if target.resource.is("", "secrets") {
        defaults::fold_string_data(object);
    }
}

/// Returns an object's `Scale`.
pub fn scale_of(resource: &ResourceType, object: &Value) -> Value {
    let paths = resource.scale.clone().unwrap_or(ScalePaths {
        spec: "/spec/replicas".into(),
        status: "/status/replicas".into(),
        selector: String::new(),
    });
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let selector = match object.pointer(&paths.selector) {
        Some(Value::String(text)) => text.clone(),
        Some(selector) if !paths.selector.is_empty() => super::selector::Labels::from_object(selector).to_text(),
        _ => String::new(),
    };
    let metadata = &object["metadata"];
    let mut scale = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {
            "name": metadata["name"], "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
            "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": {"replicas": number(&paths.spec)},
        "status": {"replicas": number(&paths.status), "selector": selector},
    });
    if resource.namespaced {
        scale["metadata"]["namespace"] = metadata["namespace"].clone();
    }
    scale
}

fn scale(store: &mut Store, target: &Target, old: &Arc<Value>, wanted: &Value) -> Result<Arc<Value>, Status> {
    let Some(paths) = target.resource.scale.clone() else { return Err(Status::no_resource()) };
    let replicas = wanted.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
    let mut object = (**old).clone();
    if let Some(version) = wanted.pointer("/metadata/resourceVersion").filter(|version| !version.is_null()) {
        object["metadata"]["resourceVersion"] = version.clone();
    }
    set_pointer(&mut object, &paths.spec, json!(replicas));
    let done = finish(store, target, Some(old), object, false)?;
    Ok(Arc::new(scale_of(&target.resource, &done)))
}

/// Sets a value at a JSON pointer, making the maps above it.
pub fn set_pointer(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for step in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[step];
    }
    *at = value;
}

/// Returns a list's strings.
pub fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
