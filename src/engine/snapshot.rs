//! From the world to what people read: applications, clusters, the fleet.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    App, AppId, Cluster, ClusterName, Condition, ConditionKind, Connection, Environment, Fleet, Health, HealthStatus,
    Operation, Sync, text,
};

use super::assess::{Assessment, NOT_READ};
use super::world::{ClusterState, Record, World};

/// Operations that a snapshot holds at most.
const OPERATIONS: usize = 200;

/// Returns an application as people see it.
pub(super) fn app(
    id: &AppId,
    record: &Record,
    cluster: Option<&ClusterState>,
    environments: &[Arc<Environment>],
    assessment: Assessment,
    operations: &[Operation],
) -> App {
    let entry = &record.entry;
    let application = &entry.application;
    let link = cluster.map_or(Connection::NoContext, |state| state.link.clone());
    let mut conditions = entry.conditions.clone();
    conditions.extend(record.warnings.iter().cloned());
    conditions.extend(assessment.conditions);
    let mut refusals: Vec<_> = record.refusals.iter().collect();
    refusals.sort();
    for (key, refusal) in refusals {
        conditions.push(Condition::new(
            ConditionKind::SyncError,
            text::block(&format!("{key} would be refused by the cluster: {refusal}")).into_owned(),
        ));
    }
    let is_virtual =
        !record.desired.is_empty() && record.desired.iter().all(|one| super::desired::is_application(&one.key.gk()));
    let blocked = entry.is_blocked();
    let (mut sync, mut health) = (assessment.sync, assessment.health);
    let mut objects = assessment.objects;
    if blocked {
        (sync, health) = (Sync::Unknown, Health::new(HealthStatus::Unknown, ""));
        objects.clear();
    } else if !is_virtual {
        match &link {
            Connection::NoContext => conditions.push(Condition::new(
                ConditionKind::NoContext,
                format!(
                    "no kubeconfig context matches cluster {} ({}); name one in the settings under contexts",
                    record.cluster,
                    if application.destination.server.is_empty() { "by name" } else { &application.destination.server }
                ),
            )),
            Connection::Lost { reason, .. } => {
                conditions.push(Condition::new(ConditionKind::Unreachable, format!("{}: {reason}", record.cluster)));
            }
            _ => {}
        }
        if !matches!(link, Connection::Live | Connection::Degraded(_)) {
            (sync, health) = (Sync::Unknown, Health::new(HealthStatus::Unknown, ""));
            for object in &mut objects {
                object.sync = object.sync.map(|_| Sync::Unknown);
                object.health = None;
                object.message.clear();
            }
        }
    }
    let why = why(&conditions, &objects, sync, &health);
    let source = application.sources.first();
    let now = Timestamp::now();
    let since = match &record.status {
        Some(before) if before.sync == sync && before.health.status == health.status => before.since,
        _ => now,
    };
    App {
        id: id.clone(),
        name: application.name.clone(),
        component: component(&application.name, &record.cluster),
        group: source.and_then(|source| source.path.split_once('/')).map_or("", |(group, _)| group).to_owned(),
        cluster: record.cluster.clone(),
        environment: environment(environments, record, is_virtual),
        parent: entry.parent.clone(),
        project: application.project.clone(),
        labels: application.labels.clone(),
        namespace: application.destination.namespace.clone(),
        target_revision: source.map(|source| source.target_revision.clone()).unwrap_or_default(),
        repo_url: source.map(|source| crate::git::without_credentials(&source.repo_url)).unwrap_or_default(),
        path: source
            .map(|source| if source.chart.is_empty() { source.path.clone() } else { source.chart.clone() })
            .unwrap_or_default(),
        commit: entry.commit.clone(),
        chart: entry.chart.clone(),
        sync,
        health,
        wave: application.wave,
        why,
        conditions,
        objects: objects.into(),
        since,
        seen: cluster.and_then(|state| state.last_contact),
        operation: operations
            .iter()
            .find(|operation| !operation.phase.is_over() && operation.apps.iter().any(|app| &app.app == id))
            .map(|operation| operation.id),
        automated: application.sync_policy.automated.is_some(),
    }
}

/// Returns the environment of its cluster. An app-of-apps lies on a control plane for the sake of others: it belongs to the one whose reference it follows.
fn environment(
    environments: &[Arc<Environment>],
    record: &Record,
    is_virtual: bool,
) -> Option<crate::model::EnvironmentName> {
    let follows = |environment: &&Arc<Environment>| record.entry.reference.as_ref() == Some(&environment.reference);
    let is_here = |environment: &&Arc<Environment>| environment.clusters.contains(&record.cluster);
    let here = environments.iter().find(is_here);
    let own = match here {
        Some(here) if is_virtual && !follows(&here) => environments.iter().find(follows).or(Some(here)),
        here => here,
    };
    own.map(|environment| environment.name.clone())
}

/// Returns the name without the cluster's prefix or suffix.
fn component(name: &str, cluster: &ClusterName) -> String {
    let cluster = cluster.as_str();
    name.strip_prefix(cluster)
        .and_then(|rest| rest.strip_prefix('-'))
        .or_else(|| name.strip_suffix(cluster).and_then(|rest| rest.strip_suffix('-')))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name)
        .to_owned()
}

/// Returns one sentence on the worst thing.
fn why(conditions: &[Condition], objects: &[crate::model::ObjectStatus], sync: Sync, health: &Health) -> String {
    let first = |kinds: fn(ConditionKind) -> bool| conditions.iter().find(|condition| kinds(condition.kind));
    if let Some(condition) =
        first(ConditionKind::blocks_sync).or_else(|| first(|kind| kind == ConditionKind::SyncError))
    {
        return text::line(&super::reason::short(&condition.message)).into_owned();
    }
    if health.status > HealthStatus::Suspended && !health.message.is_empty() {
        return text::line(&health.message).into_owned();
    }
    if sync == Sync::Unknown {
        let unread = |object: &&crate::model::ObjectStatus| {
            object.sync == Some(Sync::Unknown) && !object.message.is_empty() && object.message != NOT_READ
        };
        if let Some(first) = objects.iter().find(unread) {
            return text::line(&first.message).into_owned();
        }
    }
    if sync == Sync::OutOfSync {
        let differing: Vec<_> = objects.iter().filter(|object| object.sync == Some(Sync::OutOfSync)).collect();
        if let Some(first) = differing.first() {
            let more = if differing.len() > 1 {
                format!(" (and {} more objects)", differing.len() - 1)
            } else {
                String::new()
            };
            return text::line(&format!("{} {}: {}{more}", first.key.kind, first.key.name, first.message)).into_owned();
        }
    }
    conditions.first().map(|condition| text::line(&condition.message).into_owned()).unwrap_or_default()
}

/// Says whether two states look the same to people.
pub(super) fn is_same(old: &App, new: &App) -> bool {
    old.sync == new.sync
        && old.health == new.health
        && old.why == new.why
        && old.conditions == new.conditions
        && old.commit == new.commit
        && old.chart == new.chart
        && old.operation == new.operation
        && old.seen == new.seen
        && old.environment == new.environment
        && old.labels == new.labels
        && old.target_revision == new.target_revision
        && old.objects.len() == new.objects.len()
        && old.objects.iter().zip(new.objects.iter()).all(|(a, b)| {
            a.key == b.key && a.sync == b.sync && a.health == b.health && a.message == b.message && a.live == b.live
        })
}

/// Returns the whole world as people see it.
pub(super) fn fleet(world: &World) -> Fleet {
    let mut clusters: Vec<Arc<Cluster>> =
        world.clusters.iter().map(|(name, state)| Arc::new(cluster(name, state, &world.environments))).collect();
    let place = |cluster: &Cluster| {
        let at = world.environments.iter().position(|known| Some(&known.name) == cluster.environment.as_ref());
        let within = at.and_then(|at| world.environments[at].clusters.iter().position(|name| *name == cluster.name));
        (at.unwrap_or(usize::MAX), within)
    };
    clusters.sort_by(|a, b| (place(a), &a.name).cmp(&(place(b), &b.name)));
    let now = Timestamp::now();
    let apps = world
        .records
        .values()
        .filter_map(|record| {
            let status = record.status.as_ref()?;
            let state = world.clusters.get(&record.cluster)?;
            let operation = world
                .operations
                .iter()
                .find(|operation| !operation.phase.is_over() && operation.apps.iter().any(|app| app.app == status.id))
                .map(|operation| operation.id);
            if status.seen == state.last_contact && status.operation == operation {
                return Some(Arc::clone(status));
            }
            Some(Arc::new(App { seen: state.last_contact, operation, ..(**status).clone() }))
        })
        .collect();
    let mut problems = world.catalog.problems.clone();
    problems.extend(world.setup.problems.iter().cloned());
    Fleet {
        generation: world.generation,
        at: now,
        repository: world.repository_info(),
        mode: world.setup.mode.clone(),
        clusters,
        environments: world.environments.clone(),
        apps,
        operations: world.operations.iter().rev().take(OPERATIONS).cloned().map(Arc::new).collect(),
        audit: Arc::clone(&world.audit),
        loading: world.loading(),
        problems,
    }
}

fn cluster(name: &ClusterName, state: &ClusterState, environments: &[Arc<Environment>]) -> Cluster {
    let stats = state.api.as_ref().map(crate::cluster::Connection::stats).unwrap_or_default();
    Cluster {
        name: name.clone(),
        server: state.server.clone(),
        context: state.context.clone(),
        environment: environments
            .iter()
            .find(|environment| environment.clusters.contains(name))
            .map(|environment| environment.name.clone()),
        connection: state.link.clone(),
        version: state.discovery.as_ref().map(|discovery| discovery.version.clone()).unwrap_or_default(),
        last_contact: state.last_contact,
        kinds: state.listed.len(),
        objects: state.live.len(),
        latency: stats.latency,
        errors: stats.errors,
        last_error: state.last_error.clone(),
        retry_at: state.retry_at,
    }
}
