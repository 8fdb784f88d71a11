//! Looking into one application: its tree, differences, manifests, values, events, logs and history.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::cluster::Connection;
use crate::diff::{self, Ignore};
use crate::health;
use crate::model::{AppId, FieldChange, Gk, Key, Object, Problem, text};
use crate::yaml;

use super::assess::{Verdicts, compare_one, ownership};
use super::catalog::Entry;
use super::desired::{desired, is_application, tracked_by};
use super::message::{Detail, EventRow, Inspect, ObjectDiff, TreeRow};
use super::plan::{Basis, View};

/// Lines of a log that are read.
const LOG_LINES: usize = 500;
/// Lines around a difference.
const CONTEXT: usize = 3;
/// Kinds that belong to others, in the order in which they are looked up.
const CHILDREN: [(&str, &str); 6] = [
    ("apps", "ReplicaSet"),
    ("apps", "ControllerRevision"),
    ("batch", "Job"),
    ("", "Pod"),
    ("", "PersistentVolumeClaim"),
    ("discovery.k8s.io", "EndpointSlice"),
];

impl Basis {
    /// Answers one question about an application.
    ///
    /// # Errors
    /// When there is no such application, or its cluster is needed and does not answer.
    pub async fn inspect(&self, id: &AppId, what: &Inspect) -> Result<Detail, Problem> {
        let entry =
            self.catalog.entries.get(id).ok_or_else(|| Problem::new(format!("there is no application {id}")))?;
        match what {
            Inspect::Manifests => Ok(Detail::Manifests(self.manifests(entry))),
            Inspect::Diff => self.differences(entry).await,
            Inspect::Values => Ok(Detail::Values(self.renderer.values(entry)?)),
            Inspect::History => self.history(entry),
            Inspect::Tree => Ok(Detail::Tree(self.tree(entry).await)),
            Inspect::Events => Ok(Detail::Events(events(entry, self.view(id)?).await)),
            Inspect::Logs { pod, container } => {
                let log = self
                    .view(id)?
                    .api
                    .log(&pod.namespace, &pod.name, container, LOG_LINES)
                    .await
                    .map_err(|error| Problem::new(error.to_string()))?;
                Ok(Detail::Logs(log.lines().map(|line| text::line(line).into_owned()).collect()))
            }
        }
    }

    fn view(&self, id: &AppId) -> Result<&View, Problem> {
        let app = self.fleet.app(id).ok_or_else(|| Problem::new(format!("{id} is not read yet")))?;
        self.clusters.get(&app.cluster).ok_or_else(|| {
            Problem::new(format!("cluster {} does not answer, or no context matches it", app.cluster))
                .hint("see the Clusters screen")
        })
    }

    fn manifests(&self, entry: &Entry) -> Vec<(Key, String)> {
        let discovery = self.view(&entry.id).ok().map(|view| &*view.discovery);
        let (wanted, _) = desired(&entry.application, &entry.id, &entry.manifests, discovery);
        wanted.into_iter().map(|one| (one.key, show(&one.object))).collect()
    }

    async fn differences(&self, entry: &Entry) -> Result<Detail, Problem> {
        let view = self.view(&entry.id)?;
        let (wanted, _) = desired(&entry.application, &entry.id, &entry.manifests, Some(&view.discovery));
        let origins: HashMap<Key, String> =
            self.renderer.origins(entry, &self.capabilities_for(&entry.id)).into_iter().collect();
        // A manifest may leave its namespace to the Application.
        let origin = |key: &Key| {
            let bare = Key { namespace: "".into(), ..key.clone() };
            origins
                .get(key)
                .or_else(|| origins.get(&bare))
                .map(|path| text::line(path).into_owned())
                .unwrap_or_default()
        };
        let mut rows = Vec::new();
        for one in wanted.iter().filter(|one| !is_application(&one.key.gk())) {
            let git = (*one.object).clone();
            let (ignore, _) = Ignore::for_object(&entry.application.ignore_differences, &git);
            let Some(live) = view.live.get(&one.key) else {
                let row = difference(one.key.clone(), None, Some(&git), Vec::new());
                rows.push(ObjectDiff { origin: origin(&one.key), ..row });
                continue;
            };
            let known = self
                .verdicts
                .get(&entry.id)
                .and_then(|verdicts| verdicts.get(&one.key))
                .filter(|verdict| verdict.holds_for(one, live));
            let fields = match known {
                Some(verdict) => verdict.fields.clone(),
                None => compare_one(&entry.application, one, live, &mut Verdicts::new()),
            };
            // What the server makes of it is the honest other side: defaults filled in, nothing that only looks different.
            let predicted = match view.discovery.find(&git.gvk()) {
                Some(resource) if !fields.is_empty() => {
                    view.api.apply(resource, &git, crate::cluster::ApplyOptions { dry_run: true }).await.ok()
                }
                _ => None,
            };
            let target = match (&predicted, fields.is_empty()) {
                (Some(predicted), _) => Some(predicted.clone()),
                (None, true) => Some((**live).clone()),
                (None, false) => Some(git.clone()),
            };
            let ignored = if ignore.is_empty() { Vec::new() } else { left_out(entry, &git, live, &ignore) };
            let row = difference(one.key.clone(), Some(live), target.as_ref(), fields);
            rows.push(ObjectDiff { ignored, origin: origin(&one.key), written: written(live), ..row });
        }
        let mut extra: Vec<&Arc<Object>> = view
            .live
            .values()
            .filter(|live| tracked_by(live).as_ref() == Some(&entry.id))
            .filter(|live| !wanted.iter().any(|one| one.key == live.key()))
            .collect();
        extra.sort_by_key(|live| live.key());
        rows.extend(extra.into_iter().map(|live| difference(live.key(), Some(live), None, Vec::new())));
        rows.sort_by_key(|row| !row.differs());
        Ok(Detail::Diff(rows))
    }

    fn history(&self, entry: &Entry) -> Result<Detail, Problem> {
        if entry.chart.is_some() {
            return Err(Problem::new(format!("{} comes from a chart repository, which keeps no commits", entry.id)));
        }
        let Some(commit) = &entry.commit else {
            return Err(Problem::new(format!("{} has no commit that could be resolved", entry.id)));
        };
        let path = entry.application.sources.first().map(|source| source.path.clone()).unwrap_or_default();
        let repository = &self.renderer.repository;
        let log = repository
            .log(None, &commit.id, 300)
            .map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
        // A commit belongs here if the application's folder is another than in the commit before it.
        let mut touched = Vec::new();
        let content: Vec<Option<String>> =
            log.iter().map(|commit| repository.content_id(&commit.id, &path).ok().flatten()).collect();
        for (place, commit) in log.iter().enumerate() {
            if content.get(place + 1) != Some(&content[place]) {
                touched.push(commit.clone());
            }
        }
        Ok(Detail::History(touched))
    }

    async fn tree(&self, entry: &Entry) -> Vec<TreeRow> {
        let Some(app) = self.fleet.app(&entry.id) else { return Vec::new() };
        let view = self.clusters.get(&app.cluster);
        let owned = match view {
            Some(view) => owned(view, &app.namespace, app.objects.iter().map(|object| &object.key)).await,
            None => BTreeMap::new(),
        };
        let mut rows = Vec::new();
        for object in app.objects.iter() {
            let live = view.and_then(|view| view.live.get(&object.key));
            rows.push(TreeRow {
                depth: 0,
                key: object.key.clone(),
                sync: object.sync,
                health: object.health.clone(),
                message: if object.message.is_empty() {
                    object.health.as_ref().map(|health| health.message.clone()).unwrap_or_default()
                } else {
                    object.message.clone()
                },
                containers: live.map(|live| containers(live)).unwrap_or_default(),
                created: live.and_then(|live| created(live)),
            });
            if let Some(live) = live {
                below(live.uid(), 1, &owned, &mut rows);
            }
        }
        rows
    }
}

fn show(object: &Object) -> String {
    let object = diff::mask_secret(&diff::without_bookkeeping(object));
    text::block(&yaml::to_string(object.value())).into_owned()
}

fn difference(key: Key, live: Option<&Object>, git: Option<&Object>, fields: Vec<FieldChange>) -> ObjectDiff {
    let (mut live, mut git) = (live.map(diff::without_bookkeeping), git.map(diff::without_bookkeeping));
    if let (Some(live), Some(git)) = (&mut live, &mut git) {
        if fields.is_empty() {
            *git = live.clone();
        }
        let mut both = [live.clone(), git.clone()];
        diff::mask_secrets(&mut both);
        [*live, *git] = both;
    }
    let write = |object: &Option<Object>| {
        object.as_ref().map_or_else(String::new, |object| {
            text::block(&yaml::to_string(diff::mask_secret(object).value())).into_owned()
        })
    };
    let (live, git) = (write(&live), write(&git));
    let hunks = diff::hunks(&live, &git, CONTEXT);
    ObjectDiff { key, fields, live, git, hunks, ignored: Vec::new(), origin: String::new(), written: Vec::new() }
}

/// Returns the fields that differ and that the application's rules leave out.
fn left_out(entry: &Entry, git: &Object, live: &Object, ignore: &Ignore) -> Vec<FieldChange> {
    let compared =
        |ignore| diff::compare(git, live, &diff::Options { ignore, ownership: ownership(&entry.application) }).fields;
    let kept = compared(Some(ignore));
    let is_left_out = |field: &FieldChange| !kept.iter().any(|kept| kept.path == field.path);
    compared(None).into_iter().filter(is_left_out).collect()
}

/// Returns when managers wrote. One that wrote in several ways has several times, and which of them a field is from is not said.
fn written(live: &Object) -> Vec<(String, Timestamp)> {
    let entries = live.value().pointer("/metadata/managedFields").and_then(serde_json::Value::as_array);
    let mut times: BTreeMap<&str, Vec<Option<Timestamp>>> = BTreeMap::new();
    for entry in entries.into_iter().flatten() {
        let at = entry["time"].as_str().and_then(|time| time.parse().ok());
        times.entry(entry["manager"].as_str().unwrap_or_default()).or_default().push(at);
    }
    let known = |(manager, times): (&str, Vec<Option<Timestamp>>)| match times.as_slice() {
        [Some(at)] => Some((manager.to_owned(), *at)),
        _ => None,
    };
    times.into_iter().filter_map(known).collect()
}

/// Reads the objects that may belong to others, by the uid of their owner.
async fn owned<'a>(view: &View, namespace: &str, keys: impl Iterator<Item = &'a Key>) -> BTreeMap<String, Vec<Object>> {
    let mut namespaces: Vec<&str> = keys.map(|key| &*key.namespace).filter(|name| !name.is_empty()).collect();
    if namespaces.is_empty() && !namespace.is_empty() {
        namespaces.push(namespace);
    }
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut owned: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for (group, kind) in CHILDREN {
        let gk = Gk { group: group.into(), kind: kind.into() };
        let Some(resource) = view.discovery.find_gk(&gk) else { continue };
        for namespace in &namespaces {
            // A kind that may not be listed is left out of the tree; the rest is still worth seeing.
            let Ok(page) = view.api.list(resource, namespace, "").await else { continue };
            for object in page.objects {
                let owner = object.owner_references().iter().find_map(|owner| owner["uid"].as_str().map(str::to_owned));
                if let Some(owner) = owner {
                    owned.entry(owner).or_default().push(object);
                }
            }
        }
    }
    owned
}

fn below(uid: &str, depth: usize, owned: &BTreeMap<String, Vec<Object>>, rows: &mut Vec<TreeRow>) {
    let Some(children) = owned.get(uid).filter(|_| depth < 8 && !uid.is_empty()) else { return };
    for child in children {
        let is_old = child.kind() == "ReplicaSet" && child.value().pointer("/spec/replicas") == Some(&0.into());
        if is_old {
            continue;
        }
        let health = health::assess(child);
        rows.push(TreeRow {
            depth,
            key: child.key(),
            sync: None,
            message: health.as_ref().map(|health| text::line(&health.message).into_owned()).unwrap_or_default(),
            health,
            containers: containers(child),
            created: created(child),
        });
        below(child.uid(), depth + 1, owned, rows);
    }
}

fn containers(object: &Object) -> Vec<String> {
    if object.kind() != "Pod" {
        return Vec::new();
    }
    let names = object.value().pointer("/spec/containers").and_then(serde_json::Value::as_array);
    names.into_iter().flatten().filter_map(|container| container["name"].as_str().map(str::to_owned)).collect()
}

fn created(object: &Object) -> Option<Timestamp> {
    object.text("/metadata/creationTimestamp").parse().ok()
}

/// Reads the events on the application's objects and what belongs to them, newest last.
async fn events(entry: &Entry, view: &View) -> Vec<EventRow> {
    let Some(resource) = view
        .discovery
        .resources
        .iter()
        .find(|resource| &*resource.gvk.kind == "Event" && resource.gvk.group.is_empty())
    else {
        return Vec::new();
    };
    let (wanted, _) = desired(&entry.application, &entry.id, &entry.manifests, Some(&view.discovery));
    let names: Vec<&str> = wanted.iter().map(|one| &*one.key.name).collect();
    let mut namespaces: Vec<&str> =
        wanted.iter().map(|one| &*one.key.namespace).filter(|name| !name.is_empty()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut rows = Vec::new();
    for namespace in namespaces {
        let Ok(page) = list(&view.api, resource, namespace).await else { continue };
        for event in page {
            let about = event.text("/involvedObject/name");
            let is_ours = names
                .iter()
                .any(|name| about == *name || about.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')));
            if is_ours {
                rows.push(row(&event));
            }
        }
    }
    rows.sort_by_key(|row| row.at);
    rows
}

async fn list(
    api: &Connection,
    resource: &crate::cluster::ResourceType,
    namespace: &str,
) -> Result<Vec<Object>, crate::cluster::Error> {
    Ok(api.list(resource, namespace, "").await?.objects)
}

fn row(event: &Object) -> EventRow {
    let at = ["/lastTimestamp", "/eventTime", "/firstTimestamp", "/metadata/creationTimestamp"]
        .iter()
        .find_map(|pointer| event.text(pointer).parse().ok());
    let gvk = crate::model::Gvk::from_api_version(
        event.text("/involvedObject/apiVersion"),
        event.text("/involvedObject/kind"),
    );
    EventRow {
        at,
        kind: text::line(event.text("/type")).into_owned(),
        reason: text::line(event.text("/reason")).into_owned(),
        object: Key::new(
            &gvk.group,
            &gvk.kind,
            event.text("/involvedObject/namespace"),
            event.text("/involvedObject/name"),
        ),
        message: text::line(event.text("/message")).into_owned(),
        count: event.value().get("count").and_then(serde_json::Value::as_i64).unwrap_or(1),
    }
}
