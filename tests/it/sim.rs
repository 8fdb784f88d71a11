//! The simulated clusters as the engine sees them, and the demo that runs on them.

use std::time::Duration;

use quarterdeck::git::Repository;
use quarterdeck::sim::demo;
use tokio_util::sync::CancellationToken;

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
