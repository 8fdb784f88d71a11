//! What the repository says: its references and charts are read, fetched and cloned, and become records of applications.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Inner, Record, World};
use crate::engine::assess::Verdicts;
use crate::engine::catalog::{Catalog, Foreign, Overrides};
use crate::engine::credential;
use crate::engine::desired::{desired, tracked_by};
use crate::engine::environment::environments;
use crate::git;
use crate::helm::Capabilities;
use crate::model::{self, AppId, Application, ChartRequest, ClusterName, Environment, Gk, Key, RepositoryInfo};
use crate::registry::Look;

/// Returns the namespace in which Argo CD would keep an Application.
fn control_plane(app: &Application) -> &str {
    if app.namespace.is_empty() { "argocd" } else { &app.namespace }
}

impl World {
    /// Reads the repository on a worker thread.
    pub(super) fn read(&mut self) {
        if self.is_reading {
            self.is_stale = true;
            return;
        }
        self.is_reading = true;
        let renderer = Arc::clone(&self.renderer);
        let places = self.setup.places.clone();
        let policy = self.setup.policy.clone();
        let offers: HashMap<ClusterName, Arc<Capabilities>> = self
            .clusters
            .iter()
            .filter_map(|(name, state)| Some((name.clone(), state.capabilities.clone()?)))
            .collect();
        let default = Arc::clone(&self.default_capabilities);
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || {
            let refs = renderer.repository.refs_fingerprint();
            let capabilities = |app: &model::Application| {
                let (cluster, _) = places.locate(app);
                offers.get(&cluster).map_or_else(|| Arc::clone(&default), Arc::clone)
            };
            let catalog = renderer.catalog(&Overrides::new(), &capabilities);
            let chain = environments(&renderer.repository, &catalog, policy.as_ref());
            drop(inner.send(Inner::Catalog(Box::new((catalog, chain, refs)))));
        });
    }

    pub(super) fn look_at_git(&mut self) {
        if !self.is_reading && self.has_catalog && self.setup.repository.refs_fingerprint() != self.refs {
            self.read();
        }
    }

    pub(super) fn fetch(&mut self) {
        if self.is_fetching || !self.setup.fetch || self.setup.repository.remote().is_none() {
            return;
        }
        self.is_fetching = true;
        let (repository, inner) = (self.setup.repository.clone(), self.inner.clone());
        tokio::spawn(async move {
            drop(inner.send(Inner::Fetched(repository.fetch().await)));
        });
    }

    /// Asks again for charts that a newer version may fit, and for those that could not be had.
    pub(super) fn pull_again(&mut self, look: Look) {
        let needed = Arc::clone(&self.catalog);
        for request in self.renderer.open_charts().into_iter().filter(|request| needed.charts.contains(request)) {
            self.pull(request, look);
        }
    }

    pub(super) fn pull(&mut self, request: ChartRequest, look: Look) {
        if !self.pulling.insert(request.clone()) {
            return;
        }
        let (renderer, inner) = (Arc::clone(&self.renderer), self.inner.clone());
        tokio::spawn(async move {
            let is_news = renderer.pull(&request, look).await;
            drop(inner.send(Inner::Pulled(request, is_news)));
        });
    }

    /// Asks every cluster once, and only if a chart could not be had, for the credentials that Argo CD keeps there.
    pub(super) fn ask_for_credentials(&mut self) {
        if !self.renderer.lacks_charts() {
            return;
        }
        let namespaces: BTreeSet<String> =
            self.catalog.entries.values().map(|entry| control_plane(&entry.application).to_owned()).collect();
        for (name, state) in &self.clusters {
            let (Some(api), Some(discovery)) = (state.api.clone(), state.discovery.clone()) else { continue };
            if self.asked_for_credentials.insert(name.clone()) {
                let (namespaces, inner) = (namespaces.clone(), self.inner.clone());
                tokio::spawn(async move {
                    let found = credential::of_argo(&api, &discovery, namespaces).await;
                    if !found.is_empty() {
                        drop(inner.send(Inner::Credentials(found)));
                    }
                });
            }
        }
    }

    pub(super) fn take_catalog(&mut self, catalog: Catalog, environments: Vec<Arc<Environment>>) {
        self.has_catalog = true;
        self.environments = environments;
        for url in &catalog.missing {
            if self.cloning.insert(url.clone()) {
                let (url, cache, inner) = (url.clone(), self.setup.cache.clone(), self.inner.clone());
                tokio::spawn(async move {
                    let foreign = match git::clone_bare(&url, &cache).await {
                        Ok(repository) => Foreign::Ready(repository),
                        Err(error) => Foreign::Failed(error.to_string()),
                    };
                    drop(inner.send(Inner::Cloned(url, foreign)));
                });
            }
        }
        for request in &catalog.missing_charts {
            // What came while the catalog was read is no longer missing.
            if !self.renderer.knows_chart(request) {
                self.pull(request.clone(), Look::Needed);
            }
        }
        let mut old = std::mem::take(&mut self.records);
        let mut kinds: BTreeMap<ClusterName, BTreeSet<Gk>> = BTreeMap::new();
        for (id, entry) in &catalog.entries {
            let (cluster, context) = self.setup.places.locate(&entry.application);
            self.cluster(&cluster, context, &entry.application.destination.server);
            let discovery = self.clusters.get(&cluster).and_then(|state| state.discovery.clone());
            let (wanted, warnings) = desired(&entry.application, id, &entry.manifests, discovery.as_deref());
            kinds.entry(cluster.clone()).or_default().extend(wanted.iter().map(|one| one.key.gk()));
            let before = old.remove(id);
            let mut record = Record {
                entry: Arc::clone(entry),
                cluster,
                desired: wanted.into(),
                warnings,
                verdicts: Verdicts::new(),
                asked: BTreeSet::new(),
                unanswered: HashMap::new(),
                refusals: HashMap::new(),
                status: None,
                is_dirty: true,
            };
            if let Some(before) = before {
                if before.entry.application.ignore_differences == entry.application.ignore_differences {
                    record.verdicts = before.verdicts;
                    record.refusals = before.refusals;
                    record.unanswered = before.unanswered;
                }
                record.status = before.status;
            }
            self.records.insert(id.clone(), record);
        }
        for (cluster, wanted) in kinds {
            let sender = self.clusters.get(&cluster).and_then(|state| state.wanted.as_ref());
            if let Some(sender) = sender {
                sender.send_if_modified(|known| {
                    let is_new = *known != wanted;
                    *known = wanted;
                    is_new
                });
            }
        }
        self.keep_what_matters();
        self.catalog = Arc::new(catalog);
        self.changed();
    }

    /// After a new catalog, objects that nobody names any more and nobody tracks are forgotten, and those that are newly named are asked for.
    pub(super) fn keep_what_matters(&mut self) {
        let before: HashMap<ClusterName, HashMap<Key, Vec<AppId>>> =
            self.clusters.iter_mut().map(|(name, state)| (name.clone(), std::mem::take(&mut state.named))).collect();
        for (id, record) in &self.records {
            let Some(state) = self.clusters.get_mut(&record.cluster) else { continue };
            for one in record.desired.iter() {
                state.named.entry(one.key.clone()).or_default().push(id.clone());
            }
        }
        for state in self.clusters.values_mut() {
            let named = &state.named;
            let is_needed = |key: &Key, live: &model::Object| named.contains_key(key) || tracked_by(live).is_some();
            if !state.live.iter().all(|(key, live)| is_needed(key, live)) {
                Arc::make_mut(&mut state.live).retain(|key, live| is_needed(key, live));
            }
        }
        for (name, state) in &mut self.clusters {
            let (Some(api), Some(discovery)) = (&state.api, &state.discovery) else { continue };
            for key in state.named.keys() {
                let was_named = before.get(name).is_some_and(|named| named.contains_key(key));
                let Some(resource) = discovery.find_gk(&key.gk()).cloned() else { continue };
                if was_named || state.live.contains_key(key) || !state.listed.contains(&key.gk()) {
                    continue;
                }
                state.pending.insert(key.clone());
                let (api, inner, name, key) = (api.clone(), self.inner.clone(), name.clone(), key.clone());
                tokio::spawn(async move {
                    let found = api.get(&resource, &key.namespace, &key.name).await.ok().flatten();
                    drop(inner.send(Inner::Got(name, key, found.map(Box::new))));
                });
            }
        }
    }

    pub(in crate::engine) fn repository_info(&self) -> RepositoryInfo {
        let repository = &self.setup.repository;
        RepositoryInfo {
            name: repository.name(),
            path: repository.path().display().to_string(),
            remote: repository.remote().map(|(_, url)| git::without_credentials(&url)).unwrap_or_default(),
            known_as: self.renderer.own_url().map(|url| git::without_credentials(&url)),
            default_branch: repository.default_branch(),
            head: self.catalog.head.clone(),
            fetched: self.fetched,
            error: self.fetch_error.clone(),
        }
    }
}
