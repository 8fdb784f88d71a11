//! A real platform repository: the same applications are in order as in Argo CD, with the same resources, and the others say why not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use quarterdeck::engine::{self, Detail, Event, Handle, Inspect, Request, Setup};
use quarterdeck::git::Repository;
use quarterdeck::model::{AppId, ConditionKind, Fleet, Sync};
use serde_json::Value;
use tempfile::TempDir;

use crate::corpus;
use crate::git::git;

async fn settled(handle: &Handle) -> Arc<Fleet> {
    for _ in 0..1200 {
        let fleet = handle.fleet();
        if fleet.loading.is_none() && fleet.apps.len() > 4 {
            return fleet;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never read: {:?} {:?}", handle.fleet().loading, handle.fleet().problems);
}

/// Returns `(group, kind, name)` of what an application has in Git, without hooks.
async fn resources(handle: &Handle, app: &str) -> BTreeSet<(String, String, String)> {
    let mut events = handle.events();
    handle.send(Request::Inspect { ticket: 1, app: AppId::new(app), what: Inspect::Manifests });
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await.unwrap().unwrap();
        let Event::Inspected { result, .. } = event else { continue };
        let detail = result.unwrap();
        let Detail::Manifests(manifests) = &*detail else { panic!("{app}: no manifests") };
        let is_hook = |yaml: &str| yaml.contains("helm.sh/hook:") || yaml.contains("argocd.argoproj.io/hook:");
        let shown = manifests.iter().filter(|(_, yaml)| !is_hook(yaml));
        return shown.map(|(key, _)| (key.group.to_string(), key.kind.to_string(), key.name.to_string())).collect();
    }
}

#[tokio::test]
async fn the_platform_repository_is_read_as_argo_cd_reads_it() {
    let Some(folder) = corpus::folder() else { return };
    let rows: Vec<Value> =
        serde_json::from_reader(corpus::open("platform-argo.json").unwrap()).expect("what Argo CD says");
    let clone = TempDir::new().unwrap();
    let bundle = folder.join("platform.bundle");
    git(clone.path(), &["clone", "-q", "-b", "master", &bundle.to_string_lossy(), "platform"]);
    let handle = engine::start(Setup::new(Repository::open(&clone.path().join("platform")).unwrap()));
    let fleet = settled(&handle).await;
    assert_eq!(fleet.apps.len(), 44, "4 roots and 40 applications");
    let (mut in_order, mut refused, mut failing) = (0, 0, 0);
    for row in &rows {
        let name = row["name"].as_str().unwrap();
        let app = fleet.app(&AppId::new(name)).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(app.cluster.to_string().as_str(), row["cluster"].as_str().unwrap(), "{name}");
        assert_eq!(app.sync, Sync::Unknown, "{name}: no context matches its cluster");
        let said = |kind: ConditionKind| app.conditions.iter().find(|condition| condition.kind == kind);
        if !row["refused"].is_null() {
            refused += 1;
            let message = &said(ConditionKind::InvalidSpecError).unwrap_or_else(|| panic!("{name}: {app:#?}")).message;
            assert!(message.contains("helm.valueFiles[0]: Invalid value: \"null\""), "{name}: {message}");
            continue;
        }
        let commit = app.commit.as_ref().map(|commit| commit.id.to_string());
        // Argo CD names the branch where it never rendered.
        if let Some(wanted) = row["commit"].as_str().filter(|wanted| wanted.len() == 40) {
            assert_eq!(commit.as_deref(), Some(wanted), "{name}");
        }
        let argo =
            row["conditions"].as_array().unwrap().iter().find(|condition| condition["type"] == "ComparisonError");
        let ours = said(ConditionKind::ComparisonError);
        let Some(argo) = argo else {
            in_order += 1;
            assert!(ours.is_none(), "{name}: {ours:?}");
            let resource = |path: &Value| {
                let mut parts = path.as_str().unwrap().splitn(4, '/').map(str::to_owned);
                let (group, kind) = (parts.next().unwrap(), parts.next().unwrap());
                (group, kind, parts.nth(1).unwrap())
            };
            let wanted: BTreeSet<_> = row["resources"].as_array().unwrap().iter().map(resource).collect();
            assert_eq!(resources(&handle, name).await, wanted, "{name}");
            continue;
        };
        failing += 1;
        let message = &ours.unwrap_or_else(|| panic!("{name} has no error, Argo CD says {argo}")).message;
        let argo = argo["message"].as_str().unwrap();
        for (part, theirs) in [
            ("missing property 'policy'", "missing property 'policy'"),
            ("nil pointer evaluating", "nil pointer evaluating"),
            ("an object has no kind", "Object 'Kind' is missing"),
            ("values.ops-01.yaml\" does not exist", "values.ops-01.yaml: no such file"),
        ] {
            assert_eq!(message.contains(part), argo.contains(theirs), "{name}: {message}\nArgo CD: {argo}");
        }
    }
    assert_eq!((in_order, refused, failing), (18, 12, 10));
    handle.send(Request::Shutdown);
}
