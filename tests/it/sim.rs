//! The simulated clusters as the engine sees them, and the demo that runs on them.

use std::time::Duration;

use quarterdeck::cluster::{Connection, Discovery, ErrorKind, WatchEvent};
use quarterdeck::git::Repository;
use quarterdeck::model::{Gk, HealthStatus, Object};
use quarterdeck::sim::{Cluster, Fault, Options, demo};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::{self, Server};

macro_rules! api_checks {
    ($($check:ident),+ $(,)?) => {$(
        #[tokio::test(start_paused = true)]
        async fn $check() {
            let cluster = Cluster::new("sim", Options::default());
            api::$check(&Server::new(cluster.client(), "checks").await).await;
        }
    )+};
}

api_checks! {
    apply_creates_updates_and_leaves_alone,
    dry_run_changes_nothing,
    two_owners_conflict_unless_forced,
    lists_merge_by_their_keys,
    what_was_applied_by_a_client_is_taken_over,
    a_watch_sees_changes_in_order,
    a_finalizer_holds_an_object,
    deleting_needs_the_object_that_was_seen,
    what_an_owner_made_goes_with_it,
    a_namespace_takes_its_content_along,
    invalid_objects_are_refused,
    a_deployment_becomes_healthy,
}

/// Asks a real server what the simulated one is asked: `KUBECONFIG=FILE cargo test --test it sim::a_real_server -- --ignored`.
#[tokio::test]
#[ignore = "it needs a real cluster that may be written to"]
async fn a_real_server_does_the_same() {
    let client = kube::Client::try_default().await.unwrap();
    api::all(client).await;
}

fn settings(name: &str, value: &str) -> Object {
    Object::new(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"v": value},
    }))
    .unwrap()
}

async fn connected(cluster: &Cluster) -> (Connection, Discovery) {
    let connection = Connection::from_client(cluster.client(), cluster.name());
    let discovery = connection.discover().await.unwrap();
    (connection, discovery)
}

#[tokio::test(start_paused = true)]
async fn faults_are_told_apart() {
    let cases = [
        (Fault::Dead, ErrorKind::Unreachable),
        (Fault::TooManyRequests, ErrorKind::TooManyRequests),
        (Fault::Error { status: 403, share: 1.0 }, ErrorKind::Forbidden),
        (Fault::Error { status: 401, share: 1.0 }, ErrorKind::Unauthorized),
        (Fault::Hang, ErrorKind::Unreachable),
    ];
    let cluster = Cluster::new("sim", Options::default());
    let (connection, discovery) = connected(&cluster).await;
    let nodes = discovery.find_gk(&Gk { group: "".into(), kind: "Node".into() }).unwrap();
    for (fault, kind) in cases {
        cluster.set_fault(fault.clone());
        assert_eq!(connection.list(nodes, "", "").await.unwrap_err().kind(), kind, "{fault:?}");
        cluster.set_fault(Fault::None);
        assert_eq!(connection.list(nodes, "", "").await.unwrap().objects.len(), 3, "after {fault:?}");
    }
    cluster.set_fault(Fault::Latency(Duration::from_secs(3)));
    let before = Instant::now();
    connection.list(nodes, "", "").await.unwrap();
    assert_eq!(before.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_watch_heals_after_every_fault() {
    let cluster = Cluster::new("sim", Options::default());
    let (connection, discovery) = connected(&cluster).await;
    let kind = discovery.find_gk(&Gk { group: "".into(), kind: "ConfigMap".into() }).unwrap().clone();
    let (out, mut events) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let watching = connection.clone().watch(kind, out, stop.clone());
    let seed = |value: &str| cluster.seed("somebody", settings("seen", value).value()).unwrap();
    let work = async {
        for (fault, number) in [Fault::None, Fault::DropWatches, Fault::Gone410, Fault::Dead].into_iter().zip(1..) {
            let value = number.to_string();
            cluster.set_fault(fault.clone());
            if fault == Fault::Dead {
                tokio::time::sleep(Duration::from_secs(5)).await;
                cluster.set_fault(Fault::None);
            }
            seed(&value);
            let is_new = |object: &Object| object.name() == "seen" && object.text("/data/v") == value;
            loop {
                let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await;
                match event.unwrap_or_else(|_| panic!("nothing came after {fault:?}")).unwrap() {
                    WatchEvent::Restarted(objects) if objects.iter().any(is_new) => break,
                    WatchEvent::Applied(object) if is_new(&object) => break,
                    _ => {}
                }
            }
        }
        stop.cancel();
    };
    tokio::join!(watching, work);
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_a_forgotten_version_is_gone() {
    let cluster = Cluster::new("sim", Options { history: 5, controllers: false, ..Options::default() });
    for value in 0..20 {
        cluster.seed("somebody", settings("busy", &value.to_string()).value()).unwrap();
    }
    let request = http::Request::get("/api/v1/configmaps?watch=true&resourceVersion=1").body(Vec::new()).unwrap();
    let text = cluster.client().request_text(request).await;
    let told = match text {
        Ok(text) => text,
        Err(error) => error.to_string(),
    };
    assert!(told.contains("too old resource version"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_gets_bookmarks() {
    let cluster = Cluster::new("sim", Options::default());
    let path = "/api/v1/configmaps?watch=true&allowWatchBookmarks=true&timeoutSeconds=150";
    let text = cluster.client().request_text(http::Request::get(path).body(Vec::new()).unwrap()).await.unwrap();
    let bookmarks = text.lines().filter(|line| line.contains("\"BOOKMARK\"")).count();
    assert!(bookmarks >= 2, "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_story_scales_a_deployment_and_takes_a_cluster_away() {
    let folder = tempfile::tempdir().unwrap();
    let options = demo::Options { serve: false, ..demo::Options::default() };
    let demo = demo::start(folder.path(), options).await.unwrap();
    let staging = demo.cluster("stag-01").unwrap();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    staging.seed("quarterdeck", &namespace).unwrap();
    let pod = json!({"metadata": {"labels": {"app": "storefront"}},
        "spec": {"containers": [{"name": "web", "image": "registry.example.com/shop/storefront:1"}]}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "storefront", "namespace": "shop"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "storefront"}}, "template": pod}});
    staging.seed("quarterdeck", &deployment).unwrap();
    let replicas = || {
        let live = staging.object("apps", "Deployment", "shop", "storefront").unwrap();
        live.value()["spec"]["replicas"].clone()
    };
    let watcher = async {
        let (before, after) = (Duration::from_secs(1), Duration::from_secs(1));
        tokio::time::sleep(demo::DRIFT - before).await;
        assert_eq!(replicas(), 2);
        tokio::time::sleep(before + after).await;
        assert_eq!(replicas(), 5);
        let ops = Connection::from_client(demo.cluster("ops-01").unwrap().client(), "ops-01");
        assert!(ops.discover().await.is_ok());
        tokio::time::sleep(demo::UNREACHABLE - demo::DRIFT).await;
        assert_eq!(ops.discover().await.unwrap_err().kind(), ErrorKind::Unreachable);
    };
    tokio::join!(demo.story(CancellationToken::new()), watcher);
    let ops = Connection::from_client(demo.cluster("ops-01").unwrap().client(), "ops-01");
    assert!(ops.discover().await.is_ok());
    let live = staging.object("apps", "Deployment", "shop", "storefront").unwrap();
    assert_eq!(quarterdeck::health::assess(&live).unwrap().status, HealthStatus::Healthy);
}

#[tokio::test]
async fn the_demo_has_a_repository_to_promote_and_roll_back_in() {
    let folder = tempfile::tempdir().unwrap();
    let demo = demo::start(folder.path(), demo::Options::default()).await.unwrap();
    let repository = Repository::open(&demo.repository).unwrap();
    assert!(repository.matches_url(&format!("file://{}", demo.repository.display())));
    let commit = |revision: &str| repository.resolve(revision, "").unwrap().commit;
    let (dev, staging, stable) = (commit("master"), commit("staging"), commit("stable"));
    assert_eq!(repository.ahead_behind(&dev, &staging).unwrap(), (5, 0));
    assert_eq!(repository.ahead_behind(&staging, &stable).unwrap(), (3, 0));
    assert_eq!(commit("v1.2.0"), stable);
    assert_eq!(repository.ahead_behind(&stable, &commit("v1.0.0")).unwrap(), (4, 0));
    let tree = repository.tree(&dev).unwrap();
    for path in ["argocd-bootstrap-apps/dev-01.yaml", "charts/app-of-apps/values.yaml", ".quarterdeck.yaml"] {
        let entry = tree.entry(path).unwrap().unwrap();
        let bytes = tree.blob(&entry.id).unwrap();
        quarterdeck::yaml::parse(&bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let names: Vec<&str> = demo.clusters.iter().map(|cluster| cluster.name()).collect();
    assert_eq!(names, ["dev-01", "stag-01", "prod-01", "ops-01"]);
    assert!(std::fs::read_to_string(demo.kubeconfig.as_ref().unwrap()).unwrap().contains("current-context: dev-01"));
}

/// Serves the demo for kubectl and other clients: `cargo test --test it sim::serve_by_hand -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it stays until it is stopped; for trying clients by hand"]
async fn serve_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let before = std::time::Instant::now();
    let demo = demo::start(folder.path(), demo::Options::default()).await.unwrap();
    println!("{:?} {}", before.elapsed(), demo.repository.display());
    println!("KUBECONFIG={}", demo.kubeconfig.as_ref().unwrap().display());
    tokio::select! {
        () = demo.story(CancellationToken::new()) => {}
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    tokio::time::sleep(Duration::from_secs(1800)).await;
}

fn cron_job(name: &str, spec: &serde_json::Value) -> serde_json::Value {
    let pod = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "run", "image": "registry.example.com/run:1"}]}});
    let mut cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "namespace": "default"},
        "spec": {"jobTemplate": {"metadata": {"labels": {"of": name}}, "spec": {"backoffLimit": 0, "template": pod}}},
    });
    cron_job["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    cron_job
}

#[tokio::test(start_paused = true)]
async fn a_cron_job_makes_jobs_at_its_times() {
    let start = "2026-01-30T02:28:30Z".parse().unwrap();
    let cluster = Cluster::new("sim", Options { start: Some(start), ..Options::default() });
    let live = |name: &str| cluster.object("batch", "CronJob", "default", name).unwrap();
    let jobs = |name: &str| {
        let is_its = |object: &Object| object.kind() == "Job" && object.text("/metadata/labels/of") == name;
        let mut names: Vec<_> =
            cluster.objects().iter().filter(|object| is_its(object)).map(|job| job.name().to_owned()).collect();
        names.sort();
        names
    };
    let health = |name: &str| quarterdeck::health::assess(&live(name)).unwrap().status;
    let wait = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
    let seed = |name: &str, spec| cluster.seed("somebody", &cron_job(name, &spec)).unwrap();
    seed("nightly", json!({"schedule": "30 2,4 * * *"}));
    seed("often", json!({"schedule": "30-38 2 * * *", "successfulJobsHistoryLimit": 2}));
    seed("paused", json!({"schedule": "* * * * *", "suspend": true}));
    wait(1).await;
    assert_eq!((live("nightly").value()["status"].clone(), health("nightly")), (json!({}), HealthStatus::Healthy));
    // 02:30:01: both of them have begun.
    wait(90).await;
    assert_eq!(live("nightly").text("/status/lastScheduleTime"), "2026-01-30T02:30:00Z");
    let at = start.as_second() / 60 + 2;
    assert_eq!(jobs("nightly"), [format!("nightly-{at}")]);
    assert_eq!(live("nightly").text("/status/active/0/name"), format!("nightly-{at}"));
    assert_eq!(health("nightly"), HealthStatus::Healthy, "it runs");
    wait(30).await;
    assert!(live("nightly").value().pointer("/status/active").is_none());
    assert!(live("nightly").text("/status/lastSuccessfulTime") > live("nightly").text("/status/lastScheduleTime"));
    assert_eq!(health("nightly"), HealthStatus::Healthy);
    wait(600).await;
    assert_eq!(jobs("often").len(), 2, "older ones are gone");
    assert_eq!(jobs("nightly").len(), 1, "its next time is in two hours");
    assert!(jobs("paused").is_empty());
    wait(2 * 3600).await;
    assert_eq!(jobs("nightly").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cron_job_does_not_run_twice_at_once_if_it_may_not() {
    let cluster =
        Cluster::new("sim", Options { start: Some("2026-01-30T02:28:30Z".parse().unwrap()), ..Options::default() });
    let seed = |name: &str, policy: &str| {
        let mut object = cron_job(name, &json!({"schedule": "* * * * *", "concurrencyPolicy": policy}));
        // An image that is not there: the Job never ends.
        let image = object.pointer_mut("/spec/jobTemplate/spec/template/spec/containers/0/image").unwrap();
        *image = "registry.example.com/run:missing".into();
        cluster.seed("somebody", &object).unwrap();
    };
    for policy in ["Allow", "Forbid", "Replace"] {
        seed(&policy.to_lowercase(), policy);
    }
    tokio::time::sleep(Duration::from_secs(215)).await;
    let jobs = |name: &str| {
        let is_its = |object: &&Object| object.kind() == "Job" && object.text("/metadata/labels/of") == name;
        cluster.objects().iter().filter(is_its).map(|job| job.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((jobs("allow").len(), jobs("forbid").len(), jobs("replace").len()), (4, 1, 1));
    assert!(jobs("replace")[0] > jobs("forbid")[0].replace("forbid", "replace"), "the newest one is left");
    let error = cluster.seed("somebody", &cron_job("wrong", &json!({"schedule": "61 * * * *"}))).unwrap_err();
    assert!(error.contains("spec.schedule: Invalid value: \"61 * * * *\": minute \"61\""), "{error}");
}
