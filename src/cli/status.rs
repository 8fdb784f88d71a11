//! `status` and `clusters`: what stands where, and how it does.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::args::Output;
use super::output::{self, Table};
use crate::model::{App, Cluster, Connection, Fleet, HealthStatus, Sync};

/// `status -o json`: the documented form.
#[derive(Serialize)]
struct Report<'a> {
    clusters: Vec<ClusterRow<'a>>,
    applications: Vec<ApplicationRow<'a>>,
}

#[derive(Serialize)]
struct ClusterRow<'a> {
    name: &'a str,
    server: &'a str,
    context: Option<&'a str>,
    connection: &'static str,
    age_seconds: Option<i64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Serialize)]
struct ApplicationRow<'a> {
    name: &'a str,
    cluster: &'a str,
    environment: Option<&'a str>,
    project: &'a str,
    target_revision: &'a str,
    commit: Option<&'a str>,
    sync: &'static str,
    health: &'static str,
    wave: i64,
    resources: usize,
    conditions: Vec<ConditionRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<Vec<ObjectRow<'a>>>,
}

#[derive(Serialize)]
struct ConditionRow<'a> {
    r#type: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct ObjectRow<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    sync: Option<&'static str>,
    health: Option<&'static str>,
    message: &'a str,
}

/// Says whether an application is as it should be.
pub fn is_well(app: &App) -> bool {
    app.sync == Sync::Synced && matches!(app.health.status, HealthStatus::Healthy | HealthStatus::Suspended)
}

/// Writes the applications and the clusters; with objects when they were asked for by name.
///
/// # Errors
/// When the output cannot be written.
pub fn applications(
    out: &mut dyn Write,
    format: Output,
    fleet: &Fleet,
    apps: &[std::sync::Arc<App>],
    with_objects: bool,
) -> io::Result<()> {
    if format != Output::Table {
        let report = Report {
            clusters: fleet.clusters.iter().map(|cluster| cluster_row(cluster, fleet.at)).collect(),
            applications: apps.iter().map(|app| application_row(app, with_objects)).collect(),
        };
        return output::structured(out, format, &report);
    }
    let mut table = Table::new(["NAME", "CLUSTER", "SYNC", "HEALTH", "REVISION", "COMMIT", "WHY"]);
    for app in apps {
        let commit = app.commit.as_ref().map(|commit| commit.id.short()).or(app.chart.as_deref()).unwrap_or("-");
        let (sync, health) = (app.sync.as_str(), app.health.status.as_str());
        let revision = if app.target_revision.is_empty() { "HEAD" } else { &app.target_revision };
        table.row([&app.name, app.cluster.as_str(), sync, health, revision, commit, &app.why]);
    }
    table.write(out)?;
    for app in apps.iter().filter(|_| with_objects) {
        writeln!(out, "\n{}", crate::model::text::line(&app.name))?;
        for condition in &app.conditions {
            writeln!(
                out,
                "  {}: {}",
                condition.kind.as_str(),
                crate::model::text::block(&condition.message).replace('\n', "\n    ")
            )?;
        }
        let mut table = Table::new(["  GROUP", "KIND", "NAMESPACE", "NAME", "SYNC", "HEALTH", "MESSAGE"]);
        for object in app.objects.iter() {
            let sync = object.sync.map_or("-", Sync::as_str);
            let health = object.health.as_ref().map_or("-", |health| health.status.as_str());
            let group = format!("  {}", object.key.group);
            table.row([
                &group,
                &object.key.kind,
                &object.key.namespace,
                &object.key.name,
                sync,
                health,
                message_of(object),
            ]);
        }
        table.write(out)?;
    }
    Ok(())
}

/// Writes the clusters.
///
/// # Errors
/// When the output cannot be written.
pub fn clusters(out: &mut dyn Write, format: Output, fleet: &Fleet) -> io::Result<()> {
    let rows: Vec<_> = fleet.clusters.iter().map(|cluster| cluster_row(cluster, fleet.at)).collect();
    if format != Output::Table {
        return output::structured(out, format, &rows);
    }
    let mut table = Table::new(["NAME", "CONTEXT", "SERVER", "VERSION", "CONNECTION", "AGE", "MESSAGE"]);
    for row in &rows {
        let age = row.age_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds}s"));
        let context = row.context.unwrap_or("-");
        table.row([
            row.name,
            context,
            row.server,
            row.version,
            row.connection,
            &age,
            row.message.as_deref().unwrap_or(""),
        ]);
    }
    table.write(out)
}

fn cluster_row(cluster: &Cluster, now: Timestamp) -> ClusterRow<'_> {
    let message = match &cluster.connection {
        Connection::NoContext => Some("no kubeconfig context matches".to_owned()),
        Connection::Degraded(reason) | Connection::Lost { reason, .. } => Some(reason.clone()),
        Connection::Connecting | Connection::Live => None,
    };
    ClusterRow {
        name: cluster.name.as_str(),
        server: &cluster.server,
        context: cluster.context.as_deref(),
        connection: cluster.connection.as_str(),
        age_seconds: cluster.last_contact.map(|at| now.duration_since(at).as_secs().max(0)),
        version: &cluster.version,
        message,
    }
}

fn application_row(app: &App, with_objects: bool) -> ApplicationRow<'_> {
    ApplicationRow {
        name: &app.name,
        cluster: app.cluster.as_str(),
        environment: app.environment.as_ref().map(|name| name.as_str()),
        project: &app.project,
        target_revision: &app.target_revision,
        commit: app.commit.as_ref().map(|commit| commit.id.as_str()).or(app.chart.as_deref()),
        sync: app.sync.as_str(),
        health: app.health.status.as_str(),
        wave: app.wave,
        resources: app.objects.len(),
        conditions: app
            .conditions
            .iter()
            .map(|condition| ConditionRow { r#type: condition.kind.as_str(), message: &condition.message })
            .collect(),
        objects: with_objects.then(|| app.objects.iter().map(object_row).collect()),
    }
}

fn object_row(object: &crate::model::ObjectStatus) -> ObjectRow<'_> {
    ObjectRow {
        group: &object.key.group,
        kind: &object.key.kind,
        namespace: &object.key.namespace,
        name: &object.key.name,
        sync: object.sync.map(Sync::as_str),
        health: object.health.as_ref().map(|health| health.status.as_str()),
        message: message_of(object),
    }
}

fn message_of(object: &crate::model::ObjectStatus) -> &str {
    match &object.health {
        Some(health) if object.message.is_empty() => &health.message,
        _ => &object.message,
    }
}
