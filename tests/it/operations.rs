//! Operations on a simulated cluster: what was shown is what is done, or nothing is; stopping, the journal, and secrets.

use std::time::Duration;

use quarterdeck::engine::{Event, Inspect, Request};
use quarterdeck::model::{AppId, Ask, Phase, SyncAsk};
use serde_json::{Value, json};

use crate::scenarios::World;

fn sync() -> Ask {
    Ask::Sync(SyncAsk { apps: vec![AppId::new("app")], prune: true, ..SyncAsk::default() })
}

fn world() -> World {
    let world = World::start("app", "shop", &["CreateNamespace=true".to_owned()], &Value::Null);
    world.objects(&[config("one", 0), config("two", 1)]);
    world
}

fn config(name: &str, wave: i32) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
        "metadata": {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()}}})
}

fn deployment(name: &str, wave: i32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()}},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "registry.example.org/c:1"}]}}}})
}

fn lines(world: &World) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    world.journal().iter().map(|line| (text(&line["line"]), text(&line["outcome"]))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_git_has_outrun_changes_nothing() {
    let world = world();
    world.settled().await;
    let plan = world.plan(sync()).await;
    world.objects(&[config("one", 0), config("other", 1)]);
    world.settled().await;
    let operation = world.ended(world.begin(&plan).await).await;
    assert_eq!(operation.phase, Phase::Error);
    assert!(operation.message.contains("no longer holds"), "{}", operation.message);
    assert!(world.written().is_empty(), "{:?}", world.written());
    assert!(world.journal().is_empty(), "nothing was meant to be done");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_the_cluster_has_outrun_changes_nothing() {
    let world = world();
    world.settled().await;
    assert_eq!(world.run(sync()).await.phase, Phase::Succeeded);
    let config = "/api/v1/namespaces/shop/configmaps/one";
    world.call("PATCH", config, &json!({"data": {"a": "2"}})).await.unwrap();
    world.settled().await;
    let plan = world.plan(sync()).await;
    world.call("PATCH", config, &json!({"data": {"a": "3"}})).await.unwrap();
    world.settled().await;
    world.cluster.clear_writes();
    let operation = world.ended(world.begin(&plan).await).await;
    assert!(operation.message.contains("no longer holds"), "{}", operation.message);
    assert!(world.written().is_empty(), "{:?}", world.written());
}

#[tokio::test(start_paused = true)]
async fn every_sync_leaves_its_intent_and_its_outcome() {
    let world = world();
    world.settled().await;
    assert_eq!(world.run(sync()).await.phase, Phase::Succeeded);
    let line = |line: &str, outcome: &str| (line.to_owned(), outcome.to_owned());
    assert_eq!(lines(&world), [line("intent", "interrupted"), line("outcome", "succeeded")]);
    let outcome = &world.journal()[1];
    assert_eq!((&outcome["actor"], &outcome["action"]), (&json!("ana"), &json!("sync")));
    let dry = Ask::Sync(SyncAsk { apps: vec![AppId::new("app")], dry_run: true, ..SyncAsk::default() });
    world.run(dry).await;
    assert_eq!(world.journal().len(), 2, "what changes nothing is not written down");
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_is_stopped_says_what_was_applied_and_what_is_left() {
    let world = World::start("app", "shop", &["CreateNamespace=true".to_owned()], &Value::Null);
    world.objects(&[config("one", 0), deployment("slow", 1), config("last", 2)]);
    world.settled().await;
    let plan = world.plan(sync()).await;
    let id = world.begin(&plan).await;
    // The last wave waits for the Deployment, whose Pod takes a while.
    while !world.written().contains(&"create deployments/slow".to_owned()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.handle.send(Request::Cancel(id));
    let operation = world.ended(id).await;
    assert_eq!(operation.phase, Phase::Cancelled, "{}", operation.message);
    let written = world.written();
    assert_eq!(written, ["create namespaces/shop", "create configmaps/one", "create deployments/slow"]);
    let app = &operation.apps[0];
    assert_eq!(app.results.len(), 2, "{:?}", app.results);
    assert!(app.message.contains('1') && app.message.contains("left"), "{}", app.message);
    assert_eq!(lines(&world).last().unwrap().1, "cancelled");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.written(), written, "nothing is written after the end");
}

#[tokio::test(start_paused = true)]
async fn the_values_of_secrets_stay_in_their_clusters() {
    // In Git, in the cluster, and what a dry run or an error would show: as text and in base64.
    const CANARIES: [(&str, &str); 3] =
        [("canary-git", "Y2FuYXJ5LWdpdA=="), ("canary-live", "Y2FuYXJ5LWxpdmU="), ("canary-old", "Y2FuYXJ5LW9sZA==")];
    let secret = |field: &str, value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, field: {"password": value}});
    let world = World::start("app", "shop", &["CreateNamespace=true".to_owned()], &Value::Null);
    world.objects(&[secret("stringData", CANARIES[2].0)]);
    world.settled().await;
    let mut seen = format!("{:?}", world.plan(sync()).await);
    seen += &format!("{:?}", world.run(sync()).await);
    let path = "/api/v1/namespaces/shop/secrets/login";
    world.call("PATCH", path, &json!({"data": {"password": CANARIES[1].1}})).await.unwrap();
    world.objects(&[secret("data", CANARIES[0].1)]);
    let fleet = world.settled().await;
    seen += &format!("{fleet:?}{:?}", world.plan(sync()).await);
    for what in [Inspect::Diff, Inspect::Manifests, Inspect::Tree, Inspect::Events] {
        let mut events = world.handle.events();
        world.handle.send(Request::Inspect { ticket: 9, app: AppId::new("app"), what });
        seen += &loop {
            if let Event::Inspected { ticket: 9, result } = events.recv().await.unwrap() {
                break format!("{result:?}");
            }
        };
    }
    // An object that the server refuses, with the value in what it answers.
    world.objects(&[secret("data", "canary-git!")]);
    world.settled().await;
    seen += &format!("{:?}{:?}", world.run(sync()).await, world.settled().await);
    seen += &world.journal().iter().map(Value::to_string).collect::<String>();
    assert!(seen.contains("Secret") && seen.contains("login"), "the object itself is spoken of");
    for (plain, coded) in CANARIES {
        for canary in [plain, coded] {
            let at = seen.find(canary).map(|at| &seen[at.saturating_sub(200)..at + canary.len()]);
            assert_eq!(at, None, "{canary}");
        }
    }
}
