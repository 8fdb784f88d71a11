//! What lies over the screens: an open application with its answers, and a plan.

use std::sync::Arc;

use quarterdeck::diff;
use quarterdeck::engine::{Detail, EventRow, ObjectDiff, TreeRow};
use quarterdeck::model::{
    Action, AppId, AppPlan, Ask, Change, ClusterName, CommitId, Danger, EnvironmentName, FieldChange, Gate, Health,
    HealthStatus, Key, Plan, PlanId, PlanKind, RefMove, Sync,
};

use super::sample::{ago, commit};

fn key(kind: &str, name: &str) -> Key {
    Key::new(if kind == "Service" || kind == "Pod" { "" } else { "apps" }, kind, "payments", name)
}

/// The answers that an application shows, tab by tab.
pub fn details() -> Vec<Arc<Detail>> {
    let history = vec![
        commit("51c0a7e", "new ingress class", 190),
        commit("2ab90ff", "payments 1.8.1", 2_900),
        commit("77aa001", "go live", 9_000),
    ];
    let event = |minutes, kind: &str, reason: &str, message: &str, count| EventRow {
        at: Some(ago(minutes)),
        kind: kind.to_owned(),
        reason: reason.to_owned(),
        object: key("Pod", "api-7c9f-x2x1z"),
        message: message.to_owned(),
        count,
    };
    let log = [
        "2026-03-04T12:01:02Z level=info listening on :8080",
        "2026-03-04T12:01:04Z level=warn retrying redis:6379",
        "2026-03-04T12:01:09Z level=error no connection to redis:6379",
    ];
    vec![
        Arc::new(Detail::Tree(tree())),
        Arc::new(Detail::Diff(diffs())),
        Arc::new(Detail::Manifests(vec![(key("Deployment", "api"), git().to_owned())])),
        Arc::new(Detail::Values("image:\n  tag: 1.8.2\nreplicas: 3\n# nothing else\n".to_owned())),
        Arc::new(Detail::Events(vec![
            event(9, "Normal", "Pulled", "image is already there", 1),
            event(1, "Warning", "BackOff", "back-off restarting failed container api", 12),
        ])),
        Arc::new(Detail::Logs(log.map(str::to_owned).into())),
        Arc::new(Detail::History(history)),
    ]
}

fn tree() -> Vec<TreeRow> {
    let row = |depth, key: Key, sync, health: Option<HealthStatus>, message: &str, containers: &[&str]| TreeRow {
        depth,
        key,
        sync,
        health: health.map(|status| Health::new(status, "")),
        message: message.to_owned(),
        containers: containers.iter().map(|name| (*name).to_owned()).collect(),
        created: Some(ago(60 * 30)),
    };
    let (well, ill) = (Some(HealthStatus::Healthy), Some(HealthStatus::Degraded));
    vec![
        row(0, key("Deployment", "api"), Some(Sync::OutOfSync), ill, "2 fields differ", &[]),
        row(1, key("ReplicaSet", "api-7c9f"), None, well, "2 of 3 ready", &[]),
        row(2, key("Pod", "api-7c9f-x2x1z"), None, well, "ready", &["api", "proxy"]),
        row(2, key("Pod", "api-7c9f-ppq8k"), None, ill, "CrashLoopBackOff", &["api", "proxy"]),
        row(0, key("Service", "payments"), Some(Sync::Synced), well, "", &[]),
        row(0, Key::new("", "ConfigMap", "payments", "api-config"), Some(Sync::Synced), None, "", &[]),
    ]
}

const LIVE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  replicas: 5\n  template:\n    spec:\n      containers:\n        - name: api\n          image: registry.example.net/api:1.8.1\n";

fn git() -> &'static str {
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n        - name: api\n          image: registry.example.net/api:1.8.2\n"
}

fn field(path: &str, live: &str, git: &str, manager: &str) -> FieldChange {
    FieldChange {
        path: path.to_owned(),
        live: Some(live.to_owned()),
        git: Some(git.to_owned()),
        manager: manager.to_owned(),
    }
}

fn diffs() -> Vec<ObjectDiff> {
    let fields = vec![
        field("spec.replicas", "5", "3", "kubectl-edit"),
        field(
            "spec.template.spec.containers[api].image",
            "registry.example.net/api:1.8.1",
            "registry.example.net/api:1.8.2",
            "quarterdeck",
        ),
    ];
    let absent = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\n";
    vec![
        ObjectDiff {
            key: key("Deployment", "api"),
            fields,
            live: LIVE.to_owned(),
            git: git().to_owned(),
            hunks: diff::hunks(LIVE, git(), 2),
            ignored: vec![
                field("metadata.annotations[checked]", "12:01", "never", "auditor"),
                field("spec.paused", "false", "true", "auditor"),
            ],
            origin: "charts/payments/templates/deployment.yaml".to_owned(),
            written: vec![("kubectl-edit".to_owned(), ago(2))],
        },
        ObjectDiff {
            key: Key::new("", "ConfigMap", "payments", "new"),
            fields: Vec::new(),
            live: String::new(),
            git: absent.to_owned(),
            hunks: diff::hunks("", absent, 2),
            ignored: Vec::new(),
            origin: "charts/payments/templates/new.yaml".to_owned(),
            written: Vec::new(),
        },
    ]
}

fn change(action: Action, kind: &str, name: &str, fields: Vec<FieldChange>, danger: Option<Danger>) -> Change {
    Change { key: key(kind, name), action, wave: 0, fields, danger }
}

/// A rollback of a protected environment; an open one if it is not protected.
pub fn plan(protected: bool, open: bool) -> Plan {
    let changes = || {
        vec![
            change(
                Action::Update,
                "Deployment",
                "api",
                vec![
                    field("spec.template.spec.containers[api].image", "api:1.8.2", "api:1.8.1", "quarterdeck"),
                    field("spec.replicas", "5", "3", "kubectl-edit"),
                ],
                None,
            ),
            change(Action::Create, "ConfigMap", "limits", Vec::new(), None),
            change(Action::Prune, "PersistentVolumeClaim", "cache", Vec::new(), Some(Danger::PersistentVolumeClaim)),
        ]
    };
    let app = |name: &str, cluster: &str, changes, skipped| AppPlan {
        app: AppId::new(name),
        cluster: ClusterName::new(cluster),
        commit: None,
        changes,
        unchanged: 4,
        skipped,
    };
    let gate = |name: &str, open, reason: &str| Gate { name: name.to_owned(), open, reason: reason.to_owned() };
    let mut gates = vec![gate("deletions", true, "2 objects would be deleted, at most 5 are allowed")];
    if !open {
        gates.push(gate("freeze", false, "production is frozen: quarter close"));
    }
    Plan {
        id: PlanId::new("one"),
        kind: PlanKind::Rollback,
        ask: Ask::Rollback { environment: EnvironmentName::new("production"), to: "v1.8.1".to_owned(), prune: true },
        title: "Roll back prod-01, prod-02 to v1.8.1".to_owned(),
        moves: vec![RefMove {
            reference: "refs/tags/stable".to_owned(),
            from: Some(CommitId::new("51c0a7e".repeat(6))),
            to: Some(CommitId::new("2ab90ff".repeat(6))),
            from_name: "v1.8.2".to_owned(),
            to_name: "v1.8.1".to_owned(),
        }],
        commits: vec![commit("51c0a7e", "new ingress class", 190), commit("3e3e3e3", "payments 1.8.2", 400)],
        apps: vec![
            app("prod-01-payments", "prod-01", changes(), None),
            app("prod-02-payments", "prod-02", changes(), None),
            app("prod-02-external-dns", "prod-02", Vec::new(), Some("values: external-dns needs `policy`".to_owned())),
        ],
        gates,
        warnings: vec![
            "deleting PersistentVolumeClaim payments/cache may delete its data".to_owned(),
            "2 commits are taken back".to_owned(),
        ],
        protected: protected.then(|| "production".to_owned()),
    }
}
