//! Lists with pages, and watches with bookmarks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::stream;
use http::{Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::cluster::{Body, Error, Inner, Signal};
use super::fault::Fault;
use super::handler::{Call, Form, answer, partial, stale_revision};
use super::selector::{Fields, Labels};
use super::status::Status;
use super::store::{Change, Event, ObjectKey, Store};
use super::table;
use super::write::{Target, at_version};

/// How often an idle watch gets a bookmark.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);

struct Filter {
    labels: Labels,
    fields: Fields,
}

impl Filter {
    fn parse(call: &Call, target: &Target) -> Result<Self, Status> {
        let labels = Labels::parse(call.param("labelSelector"))?;
        let mut fields = Fields::parse(call.param("fieldSelector"))?;
        fields.check(&target.resource.kind)?;
        if !target.name.is_empty() {
            fields = Fields::parse(&format!("metadata.name={}", target.name))?;
        }
        Ok(Self { labels, fields })
    }

    fn matches(&self, object: &Value) -> bool {
        self.labels.matches(object) && self.fields.matches(object)
    }

    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

/// Answers a GET of a collection: a list or a watch.
pub fn collection(inner: &Arc<Inner>, call: &Call, target: &Target, form: Form) -> Result<Response<Body>, Status> {
    if target.resource.create_only {
        return Err(Status::method_not_allowed());
    }
    if call.flag("watch") { watch(inner, call, target, form) } else { list(inner, call, target, form) }
}

/// Returns the objects that a request's selectors choose.
pub fn select(store: &Store, call: &Call, target: &Target) -> Result<Vec<(ObjectKey, Arc<Value>)>, Status> {
    let filter = Filter::parse(call, target)?;
    let mut objects = store.list(target.resource.id, &target.namespace);
    objects.retain(|(_, object)| filter.matches(object));
    Ok(objects)
}

fn list(inner: &Arc<Inner>, call: &Call, target: &Target, form: Form) -> Result<Response<Body>, Status> {
    let filter = Filter::parse(call, target)?;
    let limit: usize = call.param("limit").parse().unwrap_or(0);
    let store = inner.lock();
    let mut revision = stale_revision(inner).unwrap_or_else(|| store.revision());
    let mut after: Option<(String, String)> = None;
    if !call.param("continue").is_empty() {
        let (at, namespace, name) = read_token(call.param("continue"))
            .ok_or_else(|| Status::bad_request("continue key is not valid: the token does not decode"))?;
        revision = at;
        after = Some((namespace, name));
    } else {
        let wanted: u64 = parse_version(call.param("resourceVersion"))?;
        if call.param("resourceVersionMatch") == "Exact" && wanted != 0 {
            revision = wanted;
        } else if wanted > store.revision() {
            let mut status = Status::scripted(504);
            status.message = format!("Too large resource version: {wanted}, current: {}", store.revision());
            return Err(status);
        }
    }
    let objects = if revision == store.revision() {
        store.list(target.resource.id, &target.namespace)
    } else {
        store.list_at(target.resource.id, &target.namespace, revision).ok_or_else(|| {
            Status::expired(if after.is_some() {
                "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter."
            } else {
                "The resourceVersion for the provided list is too old."
            })
        })?
    };
    let mut chosen: Vec<(ObjectKey, Arc<Value>)> = objects
        .into_iter()
        .filter(|(key, object)| {
            let later = after.as_ref().is_none_or(|(namespace, name)| {
                (key.namespace.as_str(), key.name.as_str()) > (namespace.as_str(), name.as_str())
            });
            later && filter.matches(object)
        })
        .collect();
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    if limit > 0 && chosen.len() > limit {
        let remaining = chosen.len() - limit;
        chosen.truncate(limit);
        if let Some((key, _)) = chosen.last() {
            metadata["continue"] = json!(write_token(revision, &key.namespace, &key.name));
        }
        if filter.is_empty() {
            metadata["remainingItemCount"] = json!(remaining);
        }
    }
    let resource = &target.resource;
    let value = match form {
        Form::Object => json!({
            "kind": format!("{}List", resource.kind), "apiVersion": resource.api_version(&target.version),
            "metadata": metadata,
            "items": chosen.iter().map(|(_, object)| listed(object, target)).collect::<Vec<_>>(),
        }),
        Form::Metadata => json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "items": chosen.iter().map(|(_, object)| partial(object)).collect::<Vec<_>>(),
        }),
        Form::Table => {
            let objects: Vec<&Value> = chosen.iter().map(|(_, object)| &**object).collect();
            let include = include_object(call);
            table::table(resource, &target.version, &objects, store.clock.now(), metadata, include, true)
        }
    };
    Ok(answer(200, &value))
}

/// Built-in lists leave the type out of their items, as the API server does; custom ones keep it.
fn listed(object: &Value, target: &Target) -> Value {
    let mut object = at_version(object, &target.resource, &target.version);
    if target.resource.custom.is_none()
        && let Some(map) = object.as_object_mut()
    {
        map.remove("apiVersion");
        map.remove("kind");
    }
    object
}

fn include_object(call: &Call) -> &str {
    match call.param("includeObject") {
        "" => "Metadata",
        other => other,
    }
}

fn parse_version(text: &str) -> Result<u64, Status> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| Status::bad_request(format!("Invalid value: \"{text}\": resourceVersion is not a number")))
}

fn write_token(revision: u64, namespace: &str, name: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!({"v": "meta.k8s.io/v1", "rv": revision, "start": [namespace, name]}).to_string())
}

fn read_token(token: &str) -> Option<(u64, String, String)> {
    let json: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let start = json["start"].as_array()?;
    Some((json["rv"].as_u64()?, start.first()?.as_str()?.to_owned(), start.get(1)?.as_str()?.to_owned()))
}

struct Watch {
    inner: Arc<Inner>,
    target: Target,
    filter: Filter,
    form: Form,
    include: String,
    bookmarks: bool,
    sent_columns: bool,
    last: u64,
    pending: VecDeque<Bytes>,
    signal: watch::Receiver<Signal>,
    dropped: u64,
    deadline: Option<Instant>,
    next_bookmark: Instant,
    ended: bool,
    done: bool,
}

fn watch(inner: &Arc<Inner>, call: &Call, target: &Target, form: Form) -> Result<Response<Body>, Status> {
    let filter = Filter::parse(call, target)?;
    let since = parse_version(call.param("resourceVersion"))?;
    let initial_events = call.flag("sendInitialEvents");
    let bookmarks = call.flag("allowWatchBookmarks");
    if initial_events && call.param("resourceVersionMatch") != "NotOlderThan" {
        let mut status = Status::bad_request(
            "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        );
        status.code = 422;
        status.reason = "Invalid";
        return Err(status);
    }
    let signal = inner.signal.subscribe();
    let dropped = signal.borrow().dropped;
    let now = Instant::now();
    let timeout: Option<u64> = call.param("timeoutSeconds").parse().ok();
    let mut state = Watch {
        inner: Arc::clone(inner),
        target: target.clone(),
        filter,
        form,
        include: include_object(call).to_owned(),
        bookmarks,
        sent_columns: false,
        last: since,
        pending: VecDeque::new(),
        signal,
        dropped,
        deadline: timeout.map(|seconds| now + Duration::from_secs(seconds)),
        next_bookmark: now + BOOKMARK_PERIOD,
        ended: false,
        done: false,
    };
    {
        let store = inner.lock();
        let wants_state = initial_events || (since == 0 && !call.query.contains_key("sendInitialEvents"));
        if wants_state {
            state.last = store.revision();
            for (_, object) in store.list(target.resource.id, &target.namespace) {
                if state.filter.matches(&object) {
                    state.push(&store, "ADDED", &object);
                }
            }
            if initial_events && bookmarks {
                state.push_bookmark(true);
            }
        } else if since == 0 {
            state.last = store.revision();
        }
    }
    let frames = stream::unfold(state, |mut state| async move {
        let item = state.next().await?;
        Some((item.map(Frame::data), state))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(response)
}

impl Watch {
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        loop {
            let (fault, dropped) = {
                let signal = *self.signal.borrow_and_update();
                (self.inner.faults().fault.clone(), signal.dropped)
            };
            if fault == Fault::Dead {
                return Some(Err(Error)).filter(|_| !std::mem::replace(&mut self.ended, true));
            }
            if self.ended || dropped != self.dropped {
                return None;
            }
            if let Some(bytes) = self.pending.pop_front() {
                return Some(Ok(bytes));
            }
            if self.done {
                return None;
            }
            let silent = matches!(fault, Fault::Hang | Fault::Stale);
            if !silent {
                self.gather();
                if !self.pending.is_empty() {
                    continue;
                }
            }
            let deadline = self.deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                changed = self.signal.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                }
                () = tokio::time::sleep_until(deadline) => return None,
                () = tokio::time::sleep_until(self.next_bookmark), if self.bookmarks && !silent => {
                    // What happened meanwhile comes first: a bookmark vouches for everything before it.
                    self.gather();
                    if !self.done {
                        self.push_bookmark(false);
                    }
                }
            }
        }
    }

    /// Takes over what happened since the last look.
    fn gather(&mut self) {
        let inner = Arc::clone(&self.inner);
        let store = inner.lock();
        let Some(events) = store.events_since(self.last) else {
            let status = Status::expired(format!("too old resource version: {} ({})", self.last, store.oldest()));
            self.pending.push_back(line(&json!({"type": "ERROR", "object": status.to_json()})));
            // After an ERROR event the stream ends.
            self.done = true;
            return;
        };
        let events: Vec<Event> = events
            .filter(|event| {
                event.key.ty == self.target.resource.id
                    && (self.target.namespace.is_empty() || event.key.namespace == self.target.namespace)
            })
            .cloned()
            .collect();
        self.last = self.last.max(store.revision());
        for event in events {
            let was = event.previous.as_ref().is_some_and(|previous| self.filter.matches(previous));
            let is = event.change != Change::Deleted && self.filter.matches(&event.object);
            match (was, is) {
                (false, true) => self.push(&store, "ADDED", &event.object),
                (true, true) => self.push(&store, "MODIFIED", &event.object),
                (true, false) => {
                    // What leaves a selection is shown as it was, at the revision of its leaving.
                    let mut last = event.previous.as_deref().cloned().unwrap_or_default();
                    last["metadata"]["resourceVersion"] = json!(event.revision.to_string());
                    self.push(&store, "DELETED", &last);
                }
                (false, false) => {}
            }
        }
    }

    fn push(&mut self, store: &Store, change: &str, object: &Value) {
        let resource = &self.target.resource;
        let shown = match self.form {
            Form::Object => at_version(object, resource, &self.target.version),
            Form::Metadata => partial(object),
            Form::Table => {
                let columns = !std::mem::replace(&mut self.sent_columns, true);
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let version = &self.target.version;
                table::table(resource, version, &[object], store.clock.now(), metadata, &self.include, columns)
            }
        };
        self.pending.push_back(line(&json!({"type": change, "object": shown})));
    }

    fn push_bookmark(&mut self, initial_end: bool) {
        self.next_bookmark = Instant::now() + BOOKMARK_PERIOD;
        let mut metadata = json!({"resourceVersion": self.last.to_string(), "creationTimestamp": null});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let resource = &self.target.resource;
        let object = match self.form {
            Form::Object => json!({
                "kind": resource.kind, "apiVersion": resource.api_version(&self.target.version), "metadata": metadata,
            }),
            Form::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Form::Table => json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "rows": []}),
        };
        self.pending.push_back(line(&json!({"type": "BOOKMARK", "object": object})));
    }
}

fn line(value: &Value) -> Bytes {
    let mut text = value.to_string();
    text.push('\n');
    Bytes::from(text)
}
