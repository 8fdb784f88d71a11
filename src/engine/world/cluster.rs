//! What clusters say: connections, watches and their events become live objects.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::{ClusterState, World};
use crate::cluster::{self, WatchEvent};
use crate::engine::desired::tracked_by;
use crate::engine::observe::{Access, Observation, observe};
use crate::helm::Capabilities;
use crate::model::{self, AppId, ClusterName, Gk, Key};

impl World {
    /// Makes sure that a cluster is known, and watched if a context matches it.
    pub(super) fn cluster(&mut self, name: &ClusterName, context: Option<String>, server: &str) {
        if self.clusters.contains_key(name) {
            return;
        }
        let mut state = ClusterState { server: server.to_owned(), context: context.clone(), ..ClusterState::default() };
        let access = match (self.setup.open.get(name), &self.setup.kubeconfig, context) {
            (Some(api), _, _) => Some(Access::Open(api.clone())),
            (None, Some(kubeconfig), Some(context)) => {
                let known = kubeconfig.contexts().into_iter().find(|known| known.name == context);
                if let Some(known) = known {
                    state.server = known.server;
                }
                Some(Access::Context(Arc::clone(kubeconfig), context))
            }
            _ => None,
        };
        if let Some(access) = access {
            let (wanted, kinds) = watch::channel(BTreeSet::new());
            let stop = self.stop.child_token();
            state.link = model::Connection::Connecting;
            state.wanted = Some(wanted);
            state.stop = Some(stop.clone());
            tokio::spawn(observe(name.clone(), access, kinds, self.observations.clone(), stop));
        }
        self.clusters.insert(name.clone(), state);
    }

    pub(super) fn observed(&mut self, name: &ClusterName, observation: Observation) {
        let now = Timestamp::now();
        let Some(state) = self.clusters.get_mut(name) else { return };
        match observation {
            Observation::Connected(api, discovery) => {
                let capabilities = Arc::new(Capabilities {
                    kube_version: discovery.kube_version(),
                    api_versions: discovery.api_versions(),
                });
                let is_new = state.capabilities.as_ref() != Some(&capabilities);
                state.api = Some(api);
                state.discovery = Some(discovery);
                state.capabilities = Some(capabilities);
                state.link = model::Connection::Live;
                state.last_contact = Some(now);
                state.retry_at = None;
                if is_new {
                    self.read();
                }
                self.soil(name);
                self.ask_for_credentials();
            }
            Observation::Lost(error, pause) => {
                state.last_error = Some(model::text::line(&error.to_string()).into_owned());
                state.retry_at = Some(now + pause);
                lose(state, &error, now);
                self.soil(name);
            }
            Observation::Kind(gk, event) => self.event(name, &gk, event, now),
        }
        self.changed();
    }

    pub(super) fn event(&mut self, name: &ClusterName, gk: &Gk, event: WatchEvent, now: Timestamp) {
        let Some(state) = self.clusters.get_mut(name) else { return };
        let mut touched: BTreeSet<AppId> = BTreeSet::new();
        match event {
            WatchEvent::Failed { error, pause } => {
                state.last_error = Some(model::text::line(&error.to_string()).into_owned());
                if matches!(error.kind(), cluster::ErrorKind::Forbidden | cluster::ErrorKind::NotFound) {
                    state.failing.insert(gk.clone(), format!("{gk}: {error}"));
                    state.link = model::Connection::Degraded(format!("{gk} cannot be watched: {error}"));
                } else if error.is_passing() || error.kind() == cluster::ErrorKind::Unauthorized {
                    state.retry_at = Some(now + pause);
                    if matches!(error.kind(), cluster::ErrorKind::Unreachable | cluster::ErrorKind::Unauthorized) {
                        lose(state, &error, now);
                        return self.soil(name);
                    }
                }
                return;
            }
            WatchEvent::Alive => {}
            WatchEvent::Restarted(objects) => {
                let gone: Vec<Key> = state.live.keys().filter(|key| key.gk() == *gk).cloned().collect();
                let live = Arc::make_mut(&mut state.live);
                for key in gone {
                    if let Some(old) = live.remove(&key) {
                        forget(&mut state.tracked, &key, &old, &mut touched);
                    }
                }
                for object in objects {
                    let key = object.key();
                    let owner = tracked_by(&object);
                    if owner.is_some() || state.named.contains_key(&key) {
                        remember(&mut state.tracked, &key, owner, &mut touched);
                        live.insert(key, Arc::new(object));
                    }
                }
                state.listed.insert(gk.clone());
                let of_kind = state.named.iter().filter(|(key, _)| key.kind == gk.kind && key.group == gk.group);
                touched.extend(of_kind.flat_map(|(_, apps)| apps.iter().cloned()));
            }
            WatchEvent::Applied(object) => {
                let key = object.key();
                let owner = tracked_by(&object);
                let named = state.named.get(&key);
                if owner.is_some() || named.is_some() || state.live.contains_key(&key) {
                    touched.extend(named.into_iter().flatten().cloned());
                    let live = Arc::make_mut(&mut state.live);
                    if let Some(old) = live.get(&key) {
                        forget(&mut state.tracked, &key, old, &mut touched);
                    }
                    remember(&mut state.tracked, &key, owner, &mut touched);
                    live.insert(key, Arc::new(object));
                }
            }
            WatchEvent::Deleted(object) => {
                let key = object.key();
                if let Some(old) = Arc::make_mut(&mut state.live).remove(&key) {
                    touched.extend(state.named.get(&key).into_iter().flatten().cloned());
                    forget(&mut state.tracked, &key, &old, &mut touched);
                }
            }
        }
        state.last_contact = Some(now);
        state.failing.remove(gk);
        let was_lost = matches!(state.link, model::Connection::Lost { .. });
        if state.api.is_some() {
            state.retry_at = None;
            state.link = match state.failing.values().next() {
                Some(reason) => model::Connection::Degraded(reason.clone()),
                None => model::Connection::Live,
            };
        }
        for id in &touched {
            if let Some(record) = self.records.get_mut(id) {
                record.is_dirty = true;
            }
        }
        if was_lost {
            self.soil(name);
        }
    }

    /// All applications of a cluster have to be looked at again.
    pub(super) fn soil(&mut self, name: &ClusterName) {
        for record in self.records.values_mut().filter(|record| &record.cluster == name) {
            record.is_dirty = true;
        }
    }
}

fn lose(state: &mut ClusterState, error: &cluster::Error, now: Timestamp) {
    if !matches!(state.link, model::Connection::Lost { .. }) {
        state.link = model::Connection::Lost { reason: model::text::line(&error.to_string()).into_owned(), since: now };
    }
}

fn remember(
    tracked: &mut HashMap<AppId, BTreeSet<Key>>,
    key: &Key,
    owner: Option<AppId>,
    touched: &mut BTreeSet<AppId>,
) {
    if let Some(owner) = owner {
        tracked.entry(owner.clone()).or_default().insert(key.clone());
        touched.insert(owner);
    }
}

fn forget(
    tracked: &mut HashMap<AppId, BTreeSet<Key>>,
    key: &Key,
    object: &model::Object,
    touched: &mut BTreeSet<AppId>,
) {
    if let Some(owner) = tracked_by(object) {
        if let Some(keys) = tracked.get_mut(&owner) {
            keys.remove(key);
        }
        touched.insert(owner);
    }
}
