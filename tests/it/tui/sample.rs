//! A fleet made by hand, with a fixed time: everything that a screen has to be able to say occurs in it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::model::{
    App, AppId, AppProgress, AuditEntry, Cluster, ClusterName, CommitId, CommitInfo, Condition, ConditionKind,
    Connection, Environment, EnvironmentName, Fleet, GatePolicy, Health, HealthStatus, Key, ObjectResult, ObjectStatus,
    Operation, OperationId, Outcome, Phase, PlanId, PlanKind, Reference, RepositoryInfo, ResultStatus, Sync,
};

/// The time that every picture is taken at.
pub fn now() -> Timestamp {
    "2026-03-04T12:04:31Z".parse().unwrap()
}

/// A time before now.
pub fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

/// A commit.
pub fn commit(id: &str, subject: &str, minutes: i64) -> CommitInfo {
    let id = CommitId::new(format!("{id:0<40}"));
    CommitInfo { id, subject: subject.to_owned(), author: "ana".to_owned(), at: ago(minutes) }
}

fn cluster(name: &str, environment: &str, connection: Connection) -> Arc<Cluster> {
    let lost = matches!(connection, Connection::Lost { .. });
    Arc::new(Cluster {
        name: ClusterName::new(name),
        server: format!("https://{name}.example.net:6443"),
        context: Some(format!("admin@{name}")),
        environment: Some(EnvironmentName::new(environment)),
        connection,
        version: "v1.33.2".to_owned(),
        last_contact: Some(if lost { ago(3) } else { ago(0) }),
        kinds: 61,
        objects: 412,
        latency: Some((12, 48)),
        errors: if lost { 7 } else { 0 },
        last_error: lost.then(|| "connection refused by 10.4.0.9:6443".to_owned()),
        retry_at: lost.then(|| now() + SignedDuration::from_secs(20)),
    })
}

fn environment(
    name: &str,
    reference: Reference,
    at: &CommitInfo,
    clusters: &[&str],
    from: Option<&str>,
) -> Environment {
    Environment {
        name: EnvironmentName::new(name),
        reference,
        commit: Some(at.id.clone()),
        release: None,
        clusters: clusters.iter().map(|name| ClusterName::new(*name)).collect(),
        from: from.map(EnvironmentName::new),
        behind: 0,
        waiting: Vec::new(),
        releases: Vec::new(),
        newer: None,
        inferred: false,
        policy: GatePolicy::default(),
    }
}

fn environments() -> Vec<Arc<Environment>> {
    let (dev, stag) = (commit("9f3c1d2", "raise limits", 4), commit("51c0a7e", "new ingress class", 190));
    let old = commit("2ab90ff", "payments 1.8.1", 2_900);
    let mut staging = environment("staging", Reference::Tag("staging".to_owned()), &stag, &["stag-01"], Some("dev"));
    staging.behind = 4;
    staging.waiting = vec![
        dev.clone(),
        commit("d07e4a1", "ingress: listen on 8080", 32),
        commit("77b10c2", "payments: probe the new path", 75),
        commit("3aa9f01", "redis: keep half a gigabyte", 140),
    ];
    let mut production =
        environment("production", Reference::Tag("stable".to_owned()), &stag, &["prod-01", "prod-02"], Some("staging"));
    production.behind = 2;
    production.waiting = vec![commit("51c0a7e", "new ingress class", 190), commit("e4d1b77", "payments 1.8.3", 260)];
    production.release = Some("v1.8.2".to_owned());
    production.releases = vec![
        ("v1.8.2".to_owned(), stag),
        ("v1.8.1".to_owned(), old),
        ("v1.8.0".to_owned(), commit("77aa001", "go live", 9_000)),
    ];
    production.policy =
        GatePolicy { protected: true, require_healthy: true, soak_seconds: 86_400, ..GatePolicy::default() };
    let mut ops = environment(
        "ops",
        Reference::Tag("ops-stable".to_owned()),
        &commit("77aa001", "go live", 9_000),
        &["ops-01"],
        None,
    );
    ops.release = Some("v1.8.0".to_owned());
    [environment("dev", Reference::Head, &dev, &["dev-01"], None), staging, production, ops].map(Arc::new).into()
}

/// An application that is well.
pub fn app(cluster: &str, component: &str, group: &str, wave: i64) -> App {
    let name = format!("{cluster}-{component}");
    let (environment, target, at) = match &cluster[..3] {
        "dev" => ("dev", "HEAD", commit("9f3c1d2", "raise limits", 4)),
        "sta" => ("staging", "staging", commit("51c0a7e", "new ingress class", 190)),
        "pro" => ("production", "stable", commit("51c0a7e", "new ingress class", 190)),
        _ => ("ops", "ops-stable", commit("77aa001", "go live", 9_000)),
    };
    App {
        id: AppId::new(name.clone()),
        name,
        component: component.to_owned(),
        group: group.to_owned(),
        cluster: ClusterName::new(cluster),
        environment: Some(EnvironmentName::new(environment)),
        parent: None,
        project: "default".to_owned(),
        labels: vec![("team".to_owned(), "ops".to_owned())],
        namespace: component.to_owned(),
        target_revision: target.to_owned(),
        repo_url: "https://git.example.net/platform.git".to_owned(),
        path: format!("charts/{component}"),
        commit: Some(at),
        chart: None,
        sync: Sync::Synced,
        health: Health::new(HealthStatus::Healthy, ""),
        wave,
        why: String::new(),
        conditions: Vec::new(),
        objects: Arc::from([]),
        since: ago(60 * 25),
        seen: Some(ago(if cluster == "ops-01" { 3 } else { 0 })),
        operation: None,
        automated: false,
    }
}

/// An object's row.
pub fn object(kind: &str, name: &str, sync: Option<Sync>, health: Option<HealthStatus>, message: &str) -> ObjectStatus {
    ObjectStatus {
        key: Key::new(if kind == "Deployment" { "apps" } else { "" }, kind, "payments", name),
        version: "v1".to_owned(),
        sync,
        health: health.map(|status| Health::new(status, "")),
        message: message.to_owned(),
        wave: 0,
        hook: false,
        prune: false,
        live: true,
    }
}

fn apps() -> Vec<Arc<App>> {
    let components = [
        ("sealed-secrets", "secrets", 0),
        ("cert-manager", "traffic", 1),
        ("external-dns", "traffic", 2),
        ("ingress", "traffic", 2),
        ("payments", "apps", 5),
        ("redis", "apps", 4),
    ];
    let mut apps = Vec::new();
    for cluster in ["dev-01", "stag-01", "prod-01", "prod-02", "ops-01"] {
        for (component, group, wave) in components {
            if cluster == "ops-01" && group == "apps" || cluster == "prod-02" && component == "redis" {
                continue;
            }
            let mut app = app(cluster, component, group, wave);
            change(&mut app);
            apps.push(Arc::new(app));
        }
    }
    apps.sort_by(|a, b| a.id.cmp(&b.id));
    apps
}

/// What is not well.
fn change(app: &mut App) {
    match (app.cluster.as_str(), app.component.as_str()) {
        ("ops-01", _) => {
            app.sync = Sync::Unknown;
            app.health = Health::new(HealthStatus::Unknown, "");
            app.conditions = vec![Condition::new(ConditionKind::Unreachable, "ops-01 does not answer")];
            app.why = "ops-01 does not answer since 3m".to_owned();
        }
        (_, "external-dns") => {
            app.sync = Sync::Unknown;
            app.health = Health::new(HealthStatus::Unknown, "");
            app.conditions =
                vec![Condition::new(ConditionKind::ComparisonError, "values: external-dns needs `policy`")];
            app.why = "values: external-dns needs `policy`".to_owned();
            app.since = ago(60 * 24 * 3);
        }
        ("dev-01", "ingress") => {
            app.sync = Sync::OutOfSync;
            app.why = "Service ingress: spec.ports[0].port 80 → 8080; 1 more object differs".to_owned();
            app.objects = [
                object("Service", "ingress", Some(Sync::OutOfSync), Some(HealthStatus::Healthy), "spec.ports[0].port"),
                object("ConfigMap", "ingress", Some(Sync::OutOfSync), None, "data.log-level"),
            ]
            .into();
            app.since = ago(9);
        }
        ("dev-01", "payments") => {
            app.operation = Some(OperationId(3));
            app.sync = Sync::OutOfSync;
            app.health = Health::new(HealthStatus::Progressing, "");
        }
        ("stag-01", "payments") => {
            app.health = Health::new(HealthStatus::Degraded, "Deployment api: 1 of 3 ready");
            app.why = "Deployment api: 1 of 3 ready, CrashLoopBackOff".to_owned();
            app.since = ago(4);
        }
        ("prod-01", "payments") => {
            app.sync = Sync::OutOfSync;
            app.why = "spec.replicas 5 → 3 (kubectl-edit, 2m ago)".to_owned();
            app.objects =
                [object("Deployment", "api", Some(Sync::OutOfSync), Some(HealthStatus::Healthy), "2 differ")].into();
            app.since = ago(2);
        }
        ("prod-02", "ingress") => {
            app.health = Health::new(HealthStatus::Progressing, "waits for its load balancer");
            app.why = "Service ingress waits for its load balancer".to_owned();
        }
        _ => {}
    }
}

fn operations() -> Vec<Arc<Operation>> {
    let result = |kind: &str, status, message: &str| ObjectResult {
        key: Key::new("", kind, "payments", "api"),
        status,
        message: message.to_owned(),
    };
    let progress = |app: &str, phase, total, message: &str, results| AppProgress {
        app: AppId::new(app),
        cluster: ClusterName::new(&app[..app.len() - "-payments".len()]),
        phase,
        message: message.to_owned(),
        total,
        results,
    };
    let done = vec![
        result("ConfigMap", ResultStatus::Synced, "configmap/api configured"),
        result("Service", ResultStatus::Synced, "service/api unchanged"),
    ];
    let refused = vec![
        result("ConfigMap", ResultStatus::Synced, "configmap/api configured"),
        result(
            "Deployment",
            ResultStatus::SyncFailed,
            "Deployment.apps \"api\" is invalid: spec.selector: Invalid value: field is immutable",
        ),
    ];
    let operation = |id, title: &str, phase, message: &str, started, finished, apps| Operation {
        id: OperationId(id),
        plan: PlanId::new("earlier"),
        kind: PlanKind::Sync,
        title: title.to_owned(),
        actor: "ana".to_owned(),
        started,
        finished,
        phase,
        message: message.to_owned(),
        apps,
    };
    vec![
        Arc::new(operation(
            3,
            "Sync dev-01-payments",
            Phase::Running,
            "writing Deployment payments/api",
            ago(1),
            None,
            vec![progress("dev-01-payments", Some(Phase::Running), 5, "", done)],
        )),
        Arc::new(operation(
            2,
            "Sync stag-01-payments",
            Phase::Failed,
            "1 of 2 objects was refused; nothing after it was written",
            ago(22),
            Some(ago(21)),
            vec![progress("stag-01-payments", Some(Phase::Failed), 2, "the Deployment was refused", refused)],
        )),
    ]
}

fn audit() -> Vec<AuditEntry> {
    let entry = |id: &str, minutes, action: &str, title: &str, outcome, message: &str, seconds| AuditEntry {
        id: id.to_owned(),
        at: ago(minutes),
        actor: "ana".to_owned(),
        action: action.to_owned(),
        title: title.to_owned(),
        apps: vec!["prod-01-payments".to_owned(), "prod-02-payments".to_owned()],
        moves: vec!["refs/tags/stable 2ab90ff -> 51c0a7e".to_owned()],
        outcome,
        message: message.to_owned(),
        seconds,
    };
    vec![
        entry("b2", 300, "sync", "Sync prod-01-payments", Outcome::Interrupted, "3 of 5 objects were written", 12.0),
        entry(
            "a1",
            1_500,
            "promote",
            "Promote staging to production",
            Outcome::Succeeded,
            "2 applications are Healthy",
            94.0,
        ),
        entry(
            "a0",
            3_000,
            "rollback",
            "Roll back production to v1.8.1",
            Outcome::Cancelled,
            "stopped by ana after prod-01",
            4.2,
        ),
    ]
}

/// The fleet.
pub fn fleet() -> Fleet {
    let lost = Connection::Lost { reason: "connection refused by 10.4.0.9:6443".to_owned(), since: ago(3) };
    Fleet {
        generation: 1,
        at: now(),
        repository: RepositoryInfo {
            name: "platform".to_owned(),
            path: "platform".to_owned(),
            default_branch: "main".to_owned(),
            ..RepositoryInfo::default()
        },
        clusters: vec![
            cluster("dev-01", "dev", Connection::Live),
            cluster("stag-01", "staging", Connection::Live),
            cluster("prod-01", "production", Connection::Live),
            cluster("prod-02", "production", Connection::Degraded("metrics.k8s.io does not answer".to_owned())),
            cluster("ops-01", "ops", lost),
        ],
        environments: environments(),
        apps: apps(),
        operations: operations(),
        audit: audit().into(),
        ..Fleet::default()
    }
}
