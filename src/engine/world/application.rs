//! How applications stand: what is wanted is laid beside what is live, doubts are put to the server, and a snapshot is published.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{DOUBTS, Inner, Record, World};
use crate::engine::assess::{self, Live, Scene};
use crate::engine::confirm::{self, Doubt};
use crate::engine::snapshot;
use crate::model::{self, App, AppId, ClusterName, Gk, Key, Progress};

impl World {
    /// Looks at every application that something happened to, and publishes a snapshot.
    pub(super) fn publish(&mut self) {
        self.publish_at = None;
        self.assess();
        self.generation += 1;
        let fleet = Arc::new(snapshot::fleet(self));
        self.fleet.send_replace(fleet);
    }

    pub(super) fn assess(&mut self) {
        // Children first, so that what generates them shows their new state.
        let mut order: Vec<AppId> = self.records.keys().cloned().collect();
        order.sort_by_key(|id| std::cmp::Reverse(self.depth(id)));
        let mut changed_parents: BTreeSet<AppId> = BTreeSet::new();
        for id in order {
            let Some(mut record) = self.records.remove(&id) else { continue };
            if record.is_dirty || changed_parents.contains(&id) {
                record.is_dirty = false;
                let status = self.judge(&id, &mut record);
                let is_same = record.status.as_ref().is_some_and(|old| snapshot::is_same(old, &status));
                if !is_same {
                    changed_parents.extend(record.entry.parent.clone());
                    record.status = Some(Arc::new(status));
                }
            }
            self.records.insert(id, record);
        }
        let names: Vec<ClusterName> = self.doubts.keys().cloned().collect();
        for name in names {
            self.ask(&name);
        }
    }

    pub(super) fn depth(&self, id: &AppId) -> usize {
        let mut depth = 0;
        let mut next = self.records.get(id).and_then(|record| record.entry.parent.as_ref());
        while let Some(parent) = next {
            depth += 1;
            next = self.records.get(parent).and_then(|record| record.entry.parent.as_ref()).filter(|_| depth < 16);
        }
        depth
    }

    pub(super) fn judge(&mut self, id: &AppId, record: &mut Record) -> App {
        let empty = Live::new();
        let nothing = BTreeSet::new();
        let state = self.clusters.get(&record.cluster);
        let live = state.map_or(&empty, |state| &*state.live);
        let tracked = state.and_then(|state| state.tracked.get(id)).unwrap_or(&nothing);
        let wanted: BTreeSet<&Key> = record.desired.iter().map(|one| &one.key).collect();
        let extra: Vec<Key> = tracked.iter().filter(|key| !wanted.contains(key)).cloned().collect();
        let is_known = |key: &Key| {
            let gk = key.gk();
            state.is_some_and(|state| {
                let is_listed = state.listed.contains(&gk) && !state.pending.contains(key);
                is_listed || state.discovery.as_ref().is_some_and(|discovery| discovery.find_gk(&gk).is_none())
            })
        };
        let unreadable = |key: &Key| state.and_then(|state| state.failing.get(&key.gk()).cloned());
        let child = |key: &Key| {
            let app =
                self.records.values().find(|record| *record.entry.application.name == *key.name)?.status.clone()?;
            Some((app.sync, app.health.clone()))
        };
        let scene = Scene {
            app: &record.entry.application,
            desired: &record.desired,
            live,
            extra: &extra,
            is_known: &is_known,
            unreadable: &unreadable,
            child: &child,
        };
        let assessment = assess::assess(&scene, &mut record.verdicts);
        for key in &assessment.doubts {
            let desired = record.desired.iter().find(|one| &one.key == key);
            if let (Some(desired), Some(live)) = (desired, live.get(key))
                && record.asked.insert(key.clone())
            {
                let doubt = Doubt { app: id.clone(), desired: desired.clone(), live: Arc::clone(live) };
                self.doubts.entry(record.cluster.clone()).or_default().push(doubt);
            }
        }
        snapshot::app(id, record, state, &self.environments, assessment, &self.operations)
    }

    /// Puts waiting questions to a cluster, a few at a time.
    pub(super) fn ask(&mut self, name: &ClusterName) {
        let Some(state) = self.clusters.get_mut(name) else { return };
        let (Some(api), Some(discovery)) = (&state.api, &state.discovery) else {
            self.doubts.remove(name);
            return;
        };
        let Some(waiting) = self.doubts.get_mut(name) else { return };
        while state.asking < DOUBTS
            && let Some(doubt) = waiting.pop()
        {
            let Some(record) = self.records.get(&doubt.app) else { continue };
            state.asking += 1;
            let (api, discovery, inner) = (api.clone(), Arc::clone(discovery), self.inner.clone());
            let (entry, name) = (Arc::clone(&record.entry), name.clone());
            tokio::spawn(async move {
                let answer = confirm::confirm(&api, &discovery, &entry.application, &doubt).await;
                let (app, key) = (doubt.app, doubt.desired.key);
                drop(inner.send(Inner::Answer(name, answer.map(Box::new), app, key)));
            });
        }
        if waiting.is_empty() {
            self.doubts.remove(name);
        }
    }

    /// Puts a question again after a pause; until then the local verdict stands.
    pub(super) fn ask_later(&self, app: AppId, key: Key, pause: Duration) {
        let inner = self.inner.clone();
        let pause = pause.mul_f64(0.75 + f64::from(rand::random::<u16>()) / f64::from(u16::MAX) / 2.0);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            drop(inner.send(Inner::AskAgain(app, key)));
        });
    }

    /// Says how far the first look has come; `None` once everything was seen once.
    pub(in crate::engine) fn loading(&self) -> Option<Progress> {
        if !self.has_catalog {
            return Some(Progress { what: "reading the repository".to_owned(), done: 0, total: 0 });
        }
        let fetching = self.catalog.missing_charts.iter().filter(|request| self.pulling.contains(request)).count();
        if fetching > 0 {
            let total = self.catalog.missing_charts.len();
            return Some(Progress { what: "fetching charts".to_owned(), done: total - fetching, total });
        }
        let mut total = 0;
        let mut done = 0;
        for (name, state) in &self.clusters {
            if state.api.is_none() || matches!(state.link, model::Connection::Lost { .. }) {
                continue;
            }
            let kinds: BTreeSet<Gk> = self
                .records
                .values()
                .filter(|record| &record.cluster == name)
                .flat_map(|record| record.desired.iter().map(|one| one.key.gk()))
                .filter(|gk| state.discovery.as_ref().is_some_and(|discovery| discovery.find_gk(gk).is_some()))
                .collect();
            total += kinds.len() + state.asking + state.pending.len();
            done += kinds.iter().filter(|gk| state.listed.contains(gk) || state.failing.contains_key(gk)).count();
        }
        let waits = self.is_reading || !self.doubts.is_empty() || done < total;
        waits.then(|| Progress { what: "reading clusters".to_owned(), done, total })
    }
}
