//! From an HTTP request to its answer: paths, negotiation, bodies.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::cluster::{Body, Error, Inner, WriteRecord, model_key};
use super::fault::Fault;
use super::resource::ResourceType;
use super::status::Status;
use super::store::Store;
use super::write::{self, DeleteOptions, PatchKind, Target};
use super::{discovery, list_watch, logs, table};

/// The form in which objects are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whole objects.
    Object,
    /// `meta.k8s.io/v1` Table.
    Table,
    /// `PartialObjectMetadata`.
    Metadata,
}

/// A request, taken apart.
#[derive(Clone, Debug)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// Path steps.
    pub path: Vec<String>,
    /// Query.
    pub query: HashMap<String, String>,
    /// `Accept`.
    pub accept: String,
    /// `Content-Type` without parameters.
    pub content_type: String,
    /// Field manager: the query's, else the program in `User-Agent`.
    pub manager: String,
    /// Body.
    pub body: Bytes,
}

impl Call {
    /// Returns a query parameter, empty if absent.
    pub fn param(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// Says whether a query parameter is set to true.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.param(name), "true" | "1")
    }

    fn form(&self) -> Form {
        // The first alternative that names a form counts; plain JSON comes after it in all clients.
        for part in self.accept.split(',') {
            if part.contains("as=Table") && part.contains("v=v1;") | part.ends_with("v=v1") {
                return Form::Table;
            }
            if part.contains("as=PartialObjectMetadata") {
                return Form::Metadata;
            }
        }
        Form::Object
    }
}

/// Answers one request.
pub async fn handle<B>(inner: Arc<Inner>, request: Request<B>) -> Result<Response<Body>, Error>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: std::fmt::Display,
{
    if let Some(answer) = suffer(&inner).await? {
        return Ok(answer);
    }
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(err) => return Ok(refuse(&Status::bad_request(format!("cannot read the body: {err}")))),
    };
    let head = |name: header::HeaderName| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let query: HashMap<String, String> = parts.uri.query().map(parse_query).unwrap_or_default();
    let agent = head(header::USER_AGENT);
    let manager = match query.get("fieldManager") {
        Some(manager) if !manager.is_empty() => manager.clone(),
        _ => agent.split('/').next().unwrap_or_default().to_owned(),
    };
    let content_type = head(header::CONTENT_TYPE);
    let call = Call {
        method: parts.method,
        path: parts.uri.path().split('/').filter(|step| !step.is_empty()).map(decode).collect(),
        query,
        accept: head(header::ACCEPT),
        content_type: content_type.split(';').next().unwrap_or_default().trim().to_owned(),
        manager,
        body,
    };
    Ok(route(&inner, &call).unwrap_or_else(|status| refuse(&status)))
}

/// Plays the scripted fault; `Some` is the answer, an error is a broken connection.
async fn suffer(inner: &Arc<Inner>) -> Result<Option<Response<Body>>, Error> {
    let (fault, chance) = {
        let mut faults = inner.faults();
        (faults.fault.clone(), faults.random.share())
    };
    match fault {
        Fault::Latency(wait) => tokio::time::sleep(wait).await,
        Fault::Error { status, share } if chance < share => return Ok(Some(refuse(&Status::scripted(status)))),
        Fault::TooManyRequests => return Ok(Some(refuse(&Status::scripted(429)))),
        Fault::Dead => return Err(Error),
        Fault::Hang => {
            let mut signal = inner.signal.subscribe();
            while inner.faults().fault == Fault::Hang {
                if signal.changed().await.is_err() {
                    return Err(Error);
                }
            }
            if inner.faults().fault == Fault::Dead {
                return Err(Error);
            }
        }
        _ => {}
    }
    Ok(None)
}

fn route(inner: &Arc<Inner>, call: &Call) -> Result<Response<Body>, Status> {
    let steps: Vec<&str> = call.path.iter().map(String::as_str).collect();
    if let Some(answer) = discovery::answer(inner, call, &steps) {
        return answer;
    }
    let (group, version, rest) = match steps.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Err(Status::no_resource()),
    };
    let place = locate(inner, group, version, rest)?;
    match (call.method.clone(), place.target.name.is_empty()) {
        (Method::GET, true) => list_watch::collection(inner, call, &place.target, call.form()),
        (Method::GET, false) => read(inner, call, &place.target),
        (Method::POST, _) | (Method::PUT | Method::PATCH, false) | (Method::DELETE, _) => {
            change(inner, call, place.target)
        }
        _ => Err(Status::method_not_allowed()),
    }
}

struct Place {
    target: Target,
}

/// Finds what a path is about.
fn locate(inner: &Inner, group: &str, version: &str, rest: &[&str]) -> Result<Place, Status> {
    let store = inner.lock();
    let find = |plural: &str| -> Result<Arc<ResourceType>, Status> {
        let found = store.registry.find(group, plural).filter(|ty| ty.versions.iter().any(|known| known == version));
        found.map(Arc::clone).ok_or_else(Status::no_resource)
    };
    let (resource, namespace, name, subresource) = match rest {
        ["namespaces", name, sub @ ("status" | "finalize")] if group.is_empty() => {
            (find("namespaces")?, "", *name, *sub)
        }
        ["namespaces", namespace, plural, more @ ..] => {
            let resource = find(plural)?;
            if !resource.namespaced {
                return Err(Status::no_resource());
            }
            match more {
                [] => (resource, *namespace, "", ""),
                [name] => (resource, *namespace, *name, ""),
                [name, sub] => (resource, *namespace, *name, *sub),
                _ => return Err(Status::no_resource()),
            }
        }
        [plural] => (find(plural)?, "", "", ""),
        [plural, name, more @ ..] => {
            let resource = find(plural)?;
            if resource.namespaced {
                return Err(Status::no_resource());
            }
            match more {
                [] => (resource, "", *name, ""),
                [sub] => (resource, "", *name, *sub),
                _ => return Err(Status::no_resource()),
            }
        }
        [] => return Err(Status::no_resource()),
    };
    let known = match subresource {
        "" => true,
        "status" => resource.status,
        "scale" => resource.scale.is_some(),
        "finalize" => resource.is("", "namespaces"),
        "log" | "eviction" | "binding" => resource.is("", "pods"),
        "token" => resource.is("", "serviceaccounts"),
        _ => false,
    };
    if !known {
        return Err(Status::no_resource());
    }
    Ok(Place {
        target: Target {
            resource,
            version: version.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
            manager: String::new(),
            dry_run: false,
        },
    })
}

fn read(inner: &Arc<Inner>, call: &Call, target: &Target) -> Result<Response<Body>, Status> {
    if target.subresource == "log" {
        return logs::answer(inner, call, target);
    }
    let store = inner.lock();
    let stale = stale_revision(inner);
    let object = match stale {
        Some(revision) => store
            .list_at(target.resource.id, &target.namespace, revision)
            .and_then(|list| list.into_iter().find(|(key, _)| *key == target.key()))
            .map(|(_, object)| object),
        None => store.find(&target.key()).map(Arc::clone),
    };
    let object = object.ok_or_else(|| Status::not_found(&target.resource, &target.name))?;
    if target.subresource == "scale" {
        return Ok(answer(200, &write::scale_of(&target.resource, &object)));
    }
    Ok(answer(200, &shown(&store, &object, target, call.form())))
}

/// Returns the revision that reads are frozen at.
pub fn stale_revision(inner: &Inner) -> Option<u64> {
    let faults = inner.faults();
    (faults.fault == Fault::Stale).then_some(faults.stale_at)
}

/// Returns an object in the wanted version and form.
pub fn shown(store: &Store, object: &Value, target: &Target, form: Form) -> Value {
    match form {
        Form::Object => write::at_version(object, &target.resource, &target.version),
        Form::Metadata => partial(object),
        Form::Table => {
            table::table(&target.resource, &target.version, &[object], store.clock.now(), json!({}), "Metadata", true)
        }
    }
}

/// Returns an object's `PartialObjectMetadata`.
pub fn partial(object: &Value) -> Value {
    json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"]})
}

fn change(inner: &Arc<Inner>, call: &Call, mut target: Target) -> Result<Response<Body>, Status> {
    target.manager.clone_from(&call.manager);
    target.dry_run = call.param("dryRun") == "All";
    let is_delete = call.method == Method::DELETE;
    let body: Value = if call.body.is_empty() { Value::Null } else { parse_body(call)? };
    let delete_options = if is_delete { delete_options(call, &body) } else { DeleteOptions::default() };
    if is_delete && body["dryRun"].as_array().is_some_and(|list| list.iter().any(|word| word == "All")) {
        target.dry_run = true;
    }
    let verb = match call.method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::DELETE if target.name.is_empty() => "deletecollection",
        Method::DELETE => "delete",
        _ if call.content_type == "application/apply-patch+yaml" => "apply",
        _ => "patch",
    };
    let name = if target.name.is_empty() && verb == "create" {
        body.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
    } else {
        target.name.clone()
    };
    let result = {
        let mut store = inner.lock();
        let result = act(&mut store, call, &target, verb, body, &delete_options);
        if !target.resource.create_only {
            inner.writes.lock().expect("no holder of this lock panics").push(WriteRecord {
                verb,
                key: model_key(&store, target.resource.id, &target.namespace, &name),
                subresource: target.subresource.clone(),
                dry_run: target.dry_run,
                manager: target.manager.clone(),
                status: result.as_ref().map_or_else(|status| status.code, |(code, _)| *code),
            });
        }
        result
    };
    inner.changed();
    result.map(|(code, value)| answer(code, &value))
}

fn act(
    store: &mut Store,
    call: &Call,
    target: &Target,
    verb: &str,
    body: Value,
    options: &DeleteOptions,
) -> Result<(u16, Value), Status> {
    let form = call.form();
    match (verb, target.subresource.as_str()) {
        ("create", "eviction") => {
            let mut pod = target.clone();
            pod.subresource = String::new();
            write::delete(store, &pod, options)?;
            Ok((201, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})))
        }
        ("create", "token") => Err(Status::method_not_allowed()),
        ("create", _) if target.resource.create_only => Ok((201, review(&target.resource, body))),
        ("create", "") if target.name.is_empty() => {
            let object = write::create(store, target, body)?;
            Ok((201, shown(store, &object, target, form)))
        }
        ("create", _) => Err(Status::method_not_allowed()),
        ("update", "finalize") => {
            let mut namespace = target.clone();
            namespace.subresource = String::new();
            let object = write::update(store, &namespace, body)?;
            Ok((200, shown(store, &object, target, form)))
        }
        ("update", sub) => {
            let missing = store.find(&target.key()).is_none();
            let object = write::update(store, target, body)?;
            let value = if sub == "scale" { (*object).clone() } else { shown(store, &object, target, form) };
            Ok((if missing { 201 } else { 200 }, value))
        }
        ("apply", _) => {
            let (created, object) = write::apply(store, target, body, call.flag("force"))?;
            Ok((if created { 201 } else { 200 }, shown(store, &object, target, form)))
        }
        ("patch", sub) => {
            let kind = match call.content_type.as_str() {
                "application/json-patch+json" => PatchKind::Json,
                "application/merge-patch+json" => PatchKind::Merge,
                "application/strategic-merge-patch+json" => PatchKind::Strategic,
                other => return Err(Status::unsupported_media(other)),
            };
            let object = write::patch(store, target, kind, &body)?;
            let value = if sub == "scale" { (*object).clone() } else { shown(store, &object, target, form) };
            Ok((200, value))
        }
        ("delete", "") => Ok((200, write::delete(store, target, options)?)),
        ("deletecollection", "") => {
            let selected = list_watch::select(store, call, target)?;
            let mut items = Vec::new();
            for (key, object) in selected {
                let mut one = target.clone();
                one.namespace = key.namespace;
                one.name = key.name;
                write::delete(store, &one, options)?;
                items.push(write::at_version(&object, &target.resource, &target.version));
            }
            Ok((
                200,
                json!({
                    "apiVersion": target.resource.api_version(&target.version),
                    "kind": format!("{}List", target.resource.kind),
                    "metadata": {"resourceVersion": store.revision().to_string()}, "items": items,
                }),
            ))
        }
        _ => Err(Status::method_not_allowed()),
    }
}

/// Answers a review: everybody may do everything here.
fn review(resource: &ResourceType, mut body: Value) -> Value {
    body["apiVersion"] = json!(resource.preferred());
    body["kind"] = json!(resource.kind);
    body["status"] = match resource.kind.as_str() {
        "SelfSubjectReview" => json!({"userInfo": {"username": "simulated-user", "groups": ["system:authenticated"]}}),
        "SelfSubjectRulesReview" => json!({
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}], "incomplete": false,
        }),
        _ => json!({"allowed": true, "reason": "the simulator allows everything"}),
    };
    body
}

fn delete_options(call: &Call, body: &Value) -> DeleteOptions {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let query = |name: &str| Some(call.param(name).to_owned()).filter(|value| !value.is_empty());
    DeleteOptions {
        propagation: text("/propagationPolicy").or_else(|| query("propagationPolicy")).unwrap_or_default(),
        uid: text("/preconditions/uid"),
        resource_version: text("/preconditions/resourceVersion"),
        grace: body
            .get("gracePeriodSeconds")
            .and_then(Value::as_i64)
            .or_else(|| query("gracePeriodSeconds").and_then(|text| text.parse().ok())),
    }
}

fn parse_body(call: &Call) -> Result<Value, Status> {
    let content_type = call.content_type.as_str();
    if content_type.contains("protobuf") || content_type.contains("cbor") {
        return Err(Status::unsupported_media(content_type));
    }
    if let Ok(value) = serde_json::from_slice(&call.body) {
        return Ok(value);
    }
    if content_type.contains("yaml") {
        return serde_yaml::from_slice(&call.body)
            .map_err(|err| Status::bad_request(format!("error decoding YAML: {err}")));
    }
    Err(Status::bad_request("the object provided is unrecognized: it is not valid JSON"))
}

/// Returns a JSON answer.
pub fn answer(code: u16, value: &Value) -> Response<Body> {
    answer_as(code, "application/json", value.to_string())
}

/// Returns an answer of any content type.
pub fn answer_as(code: u16, content_type: &str, text: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(text.into()).map_err(Error::from).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = header::HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// Returns a refusal.
pub fn refuse(status: &Status) -> Response<Body> {
    let mut response = answer(status.code, &status.to_json());
    if status.code == 429 {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    response
}

fn parse_query(query: &str) -> HashMap<String, String> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let number = std::str::from_utf8(&digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                bytes.push(number.unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
