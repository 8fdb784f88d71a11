//! Charts from repositories where they are used: by Applications, and by `quarterdeck template`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quarterdeck::cluster::Connection;
use quarterdeck::engine::{self, Detail, Event, Handle, Inspect, Request, Setup};
use quarterdeck::git::Repository;
use quarterdeck::model::{App, AppId, Ask, ClusterName, ConditionKind, Fleet, Phase, Sync, SyncAsk};
use quarterdeck::registry::{Mirrors, Registry};
use quarterdeck::sim;
use quarterdeck::store::Journal;
use tempfile::TempDir;

use crate::git::git;
use crate::registry::{OciRegistry, Said, Server, chart, sha256};

/// Returns an index of version 1.0.0 of some charts, which lie beside it.
fn index(charts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut text = String::from("apiVersion: v1\nentries:\n");
    for (name, bytes) in charts {
        text += &format!(
            "  {name}:\n  - {{name: {name}, version: 1.0.0, urls: [{name}.tgz], digest: \"{}\"}}\n",
            sha256(bytes)
        );
    }
    text.into_bytes()
}

fn serve(charts: &[(&str, Vec<u8>)]) -> Server {
    let listed: Vec<(&str, &[u8])> = charts.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let mut files = vec![("/index.yaml".to_owned(), index(&listed))];
    files.extend(charts.iter().map(|(name, bytes)| (format!("/{name}.tgz"), bytes.clone())));
    Server::files(files)
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn application(name: &str, sources: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  project: default\n  \
         destination: {{name: nowhere, namespace: shop}}\n  {sources}\n"
    )
}

fn start(repository: &Path, cache: &Path, mirrors: &[(&str, &str)]) -> Handle {
    let mut setup = quarterdeck::registry::Setup::new(cache.to_owned());
    setup.mirrors = Mirrors::new(mirrors.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())));
    let registry = Some(Arc::new(Registry::new(setup)));
    engine::start(Setup { registry, ..Setup::new(Repository::open(repository).unwrap()) })
}

async fn settled(handle: &Handle) -> Arc<Fleet> {
    let mut snapshots = handle.subscribe();
    let wait = async {
        loop {
            let fleet = snapshots.borrow_and_update().clone();
            if fleet.loading.is_none() && fleet.generation > 0 {
                return fleet;
            }
            snapshots.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("it settles")
}

async fn manifests(handle: &Handle, app: &str) -> String {
    let mut events = handle.events();
    handle.send(Request::Inspect { ticket: 1, app: AppId::new(app), what: Inspect::Manifests });
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await.unwrap().unwrap();
        let Event::Inspected { result, .. } = event else { continue };
        let Detail::Manifests(manifests) = &*result.unwrap() else { panic!("{app}: no manifests") };
        return manifests.iter().map(|(_, yaml)| yaml.as_str()).collect();
    }
}

fn said(app: &App) -> String {
    app.conditions.iter().map(|condition| condition.message.as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_render_from_pulled_charts() {
    let web = chart("web", "1.0.0", &[("env/dev.yaml", "color: green\n")]);
    let server = serve(&[("web", web), ("db", chart("db", "1.0.0", &[]))]);
    let folder = TempDir::new().unwrap();
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q"]);
    let url = "https://charts.example.org/stable";
    write(
        &repository,
        &[
            (
                "apps/range.yaml",
                &application(
                    "range",
                    &format!(
                        "source: {{repoURL: '{url}', chart: web, targetRevision: ^1, helm: {{valueFiles: [env/dev.yaml]}}}}"
                    ),
                ),
            ),
            (
                "apps/both.yaml",
                &application(
                    "both",
                    &format!(
                        "sources:\n  - {{repoURL: '{url}', chart: web, targetRevision: 1.0.0, helm: {{valueFiles: [$values/v.yaml]}}}}\n  \
                         - {{repoURL: 'https://git.example.org/own.git', targetRevision: HEAD, ref: values}}"
                    ),
                ),
            ),
            (
                "apps/none.yaml",
                &application("none", &format!("source: {{repoURL: '{url}', chart: web, targetRevision: 2.0.0}}")),
            ),
            (
                "apps/needs.yaml",
                &application(
                    "needs",
                    "source: {repoURL: 'https://git.example.org/own.git', path: charts/needs, targetRevision: HEAD}",
                ),
            ),
            (
                "charts/needs/Chart.yaml",
                &format!(
                    "apiVersion: v2\nname: needs\nversion: 1.0.0\ndependencies:\n- {{name: db, version: ^1, repository: '{url}'}}\n\
                     - {{name: near, version: 1.0.0, repository: 'file://../../shared/near'}}\n"
                ),
            ),
            (
                "apps/out.yaml",
                &application(
                    "out",
                    "source: {repoURL: 'https://git.example.org/own.git', path: charts/out, targetRevision: HEAD}",
                ),
            ),
            (
                "charts/out/Chart.yaml",
                "apiVersion: v2\nname: out\nversion: 1.0.0\ndependencies: [{name: near, version: 1.0.0, repository: 'file://../../../near'}]\n",
            ),
            ("shared/near/Chart.yaml", "apiVersion: v2\nname: near\nversion: 1.0.0\n"),
            ("shared/near/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-near}\n"),
            ("v.yaml", "color: red\n"),
        ],
    );
    git(&repository, &["add", "-A"]);
    git(&repository, &["commit", "-qm", "apps"]);
    git(&repository, &["remote", "add", "origin", "https://git.example.org/own.git"]);
    let cache = folder.path().join("cache");
    let address = server.url.clone();
    let mirrors = [(url, address.as_str())];
    let handle = start(&repository, &cache, &mirrors);
    let fleet = settled(&handle).await;
    let app = |name: &str| Arc::clone(fleet.app(&AppId::new(name)).unwrap());
    for (name, color) in [("range", "green"), ("both", "red")] {
        assert_eq!(app(name).chart.as_deref(), Some("1.0.0"), "{name}: {}", said(&app(name)));
        let text = manifests(&handle, name).await;
        assert!(text.contains(&format!("name: {name}-web")) && text.contains(&format!("color: {color}")), "{text}");
    }
    let message = said(&app("none"));
    assert!(message.contains("repository; its newest is 1.0.0"), "{message}");
    let message = said(&app("out"));
    assert!(message.contains("dependency near leads out of the repository"), "{message}");
    let text = manifests(&handle, "needs").await;
    assert!(text.contains("name: needs-db") && text.contains("name: from-near"), "{text}");
    let indexes = server.asked().iter().filter(|asked| asked.path == "/index.yaml").count();
    assert!(indexes <= 2, "the index was read {indexes} times");
    handle.send(Request::Shutdown);

    drop(server);
    let handle = start(&repository, &cache, &mirrors);
    let fleet = settled(&handle).await;
    for name in ["range", "both", "needs"] {
        let app = fleet.app(&AppId::new(name)).unwrap();
        let is_error = app.conditions.iter().any(|condition| condition.kind == ConditionKind::ComparisonError);
        assert!(!is_error, "{name} without a network: {}", said(app));
    }
    handle.send(Request::Shutdown);
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_render_from_a_real_registry() {
    let Some(oci) = OciRegistry::start(&[]) else { return };
    oci.push("charts/web", "1.0.0", &chart("web", "1.0.0", &[]), None).await;
    oci.push("charts/web", "1.4.0", &chart("web", "1.4.0", &[]), None).await;
    let folder = TempDir::new().unwrap();
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q"]);
    let host = &oci.host;
    write(
        &repository,
        &[
            (
                "apps/named.yaml",
                &application(
                    "named",
                    &format!("source: {{repoURL: '{host}/charts', chart: web, targetRevision: ~1.0}}"),
                ),
            ),
            (
                "apps/whole.yaml",
                &application(
                    "whole",
                    &format!("source: {{repoURL: 'oci://{host}/charts/web', path: ., targetRevision: '>=1'}}"),
                ),
            ),
        ],
    );
    git(&repository, &["add", "-A"]);
    git(&repository, &["commit", "-qm", "apps"]);
    let handle = start(&repository, &folder.path().join("cache"), &[]);
    let fleet = settled(&handle).await;
    for (name, version) in [("named", "1.0.0"), ("whole", "1.4.0")] {
        let app = fleet.app(&AppId::new(name)).unwrap();
        assert_eq!(app.chart.as_deref(), Some(version), "{name}: {}", said(app));
        assert!(manifests(&handle, name).await.contains(&format!("chart: {version}")));
    }
    handle.send(Request::Shutdown);
}

/// Runs `quarterdeck template` with nothing of the person's own around it.
async fn template(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = [home.join("bin")].into_iter().chain(std::env::split_paths(&paths));
    command.env_clear().env("PATH", std::env::join_paths(paths).unwrap()).env("HOME", home);
    command.arg("template").args(arguments).current_dir(home).stdin(Stdio::null());
    // The servers of the test go on meanwhile.
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn template_takes_charts_from_repositories() {
    let (web, db) = (chart("web", "1.0.0", &[]), chart("db", "1.0.0", &[]));
    let (open, secured) = (serve(&[("web", web.clone()), ("db", db)]), web.clone());
    let secret = Server::start(move |asked| match (asked.authorization.as_deref(), asked.path.as_str()) {
        (Some("Basic YW5hOmh1bnRlcjI="), "/index.yaml") => Said::file(index(&[("web", &secured)])),
        (Some("Basic YW5hOmh1bnRlcjI="), "/web.tgz") => Said::file(secured.clone()),
        _ => Said::status(401),
    });
    let home = TempDir::new().unwrap();
    let at = home.path();
    write(
        at,
        &[
            (".config/helm/repositories.yaml", &format!("repositories:\n- {{name: team, url: '{}'}}\n", open.url)),
            (
                "own/Chart.yaml",
                &format!(
                    "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n- {{name: web, version: 1.x, repository: '{}'}}\n\
                     - {{name: db, version: 1.0.0, repository: '@team', alias: store}}\n- {{name: near, version: 1.0.0, repository: 'file://../near'}}\n",
                    open.url
                ),
            ),
            ("near/Chart.yaml", "apiVersion: v2\nname: near\nversion: 1.0.0\n"),
            ("near/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-near}\n"),
        ],
    );
    let (code, out, error) = template(at, &["rel", "web", "--repo", &open.url, "--version", "^1"]).await;
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    assert!(out.contains("# Source: web/templates/config.yaml") && out.contains("name: rel-web"), "{out}");
    let (code, again, error) = template(at, &["rel", "team/web"]).await;
    assert_eq!((code, error.as_str(), again), (0, "", out), "a name of helm's means the same");

    let (code, _, error) = template(at, &["rel", "web", "--repo", &secret.url]).await;
    assert!(code == 1 && error.contains("asks for credentials") && error.contains("helm repo add"), "{error}");
    let user = ["--username", "ana", "--password", "hunter2"];
    let (code, _, error) = template(at, &[&["rel", "web", "--repo", &secret.url], &user[..]].concat()).await;
    assert_eq!((code, error.as_str()), (0, ""));

    let (code, _, error) = template(at, &["rel", "own"]).await;
    assert!(code == 1 && error.contains("web, db, near"), "{error}");
    let (code, out, error) = template(at, &["rel", "own", "--dependency-update"]).await;
    assert_eq!((code, error.as_str()), (0, ""));
    for name in ["rel-web", "rel-store", "from-near"] {
        assert!(out.contains(&format!("name: {name}")), "no {name} in {out}");
    }
    assert!(!at.join("own/charts").exists() && !at.join("own/Chart.lock").exists(), "the folder stays as it is");

    for (arguments, expected) in [
        (&["rel", "nobody/web"][..], "repo nobody not found"),
        (&["rel", "web"], "got: web"),
        (&["rel", "./web", "--repo", &open.url], "path \"./web\" not found"),
        (&["rel", "none", "--repo", &open.url], "chart \"none\" not found in"),
        (&["rel", "team/web", "--version", "^2"], "its newest is 1.0.0"),
        (&["rel", "https://example.org/web.tgz"], "name the chart with --repo"),
    ] {
        let (code, _, error) = template(at, arguments).await;
        assert!(code == 1 && error.contains(expected), "{arguments:?}: {error}");
    }
    let Some(oci) = OciRegistry::start(&[("ana", "hunter2")]) else { return };
    oci.push("charts/web", "1.0.0", &web, Some(("ana", "hunter2"))).await;
    let address = format!("oci://{}/charts/web", oci.host);
    let (code, out, error) = template(at, &[&["rel", &format!("{address}:1.0.0")], &user[..]].concat()).await;
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    std::fs::remove_dir_all(at.join(".cache")).unwrap();
    let (code, _, error) = template(at, &["rel", &address]).await;
    assert!(code == 1 && error.contains("asks for credentials"), "{error}");
    let helper = at.join("bin/docker-credential-test");
    write(
        at,
        &[
            (".docker/config.json", "{\"credsStore\": \"test\"}"),
            (
                "bin/docker-credential-test",
                "#!/bin/sh\nread server\necho \"$1 $server\" >> \"$HOME/helped\"\necho '{\"Username\": \"ana\", \"Secret\": \"hunter2\"}'\n",
            ),
        ],
    );
    Command::new("chmod").arg("+x").arg(&helper).status().unwrap();
    let (code, out, error) = template(at, &["rel", &address]).await;
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    let helped = std::fs::read_to_string(at.join("helped")).unwrap();
    assert!(helped.starts_with(&format!("get {}\n", oci.host)), "{helped}");
    std::fs::write(&helper, "#!/bin/sh\necho hunter2 is the password\nexit 3\n").unwrap();
    std::fs::remove_dir_all(at.join(".cache")).unwrap();
    let (code, _, error) = template(at, &["rel", &address]).await;
    assert!(code == 1 && error.contains("docker-credential-test gives no credentials"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    std::fs::remove_file(at.join(".docker/config.json")).unwrap();
    let (code, out, error) = template(at, &[&["rel", &address], &user[..]].concat()).await;
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    assert!(out.contains("name: rel-web"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_are_synced_and_newer_ones_are_drift() {
    let newest = Arc::new(Mutex::new("1.0.0"));
    let offered = Arc::clone(&newest);
    let server = Server::start(move |asked| {
        let newest = *offered.lock().unwrap();
        match asked.path.trim_start_matches('/') {
            "index.yaml" => {
                let entry = |version: &str| format!("  - {{name: web, version: {version}, urls: [{version}]}}\n");
                Said::file(format!("apiVersion: v1\nentries:\n  web:\n{}{}", entry(newest), entry("0.9.0")))
            }
            version => Said::file(chart("web", version, &[])),
        }
    });
    let folder = TempDir::new().unwrap();
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q"]);
    let source = format!("source: {{repoURL: '{}', chart: web, targetRevision: '*'}}", server.url);
    let app = application("web", &source).replace("nowhere, namespace: shop", "sim, namespace: default");
    write(&repository, &[("apps/web.yaml", &app)]);
    git(&repository, &["add", "-A"]);
    git(&repository, &["commit", "-qm", "apps"]);
    let cluster = sim::Cluster::new("sim", sim::Options::default());
    let open = Connection::from_client(cluster.client(), "sim");
    let handle = engine::start(Setup {
        registry: Some(Arc::new(Registry::new(quarterdeck::registry::Setup::new(folder.path().join("cache"))))),
        open: BTreeMap::from([(ClusterName::new("sim"), open)]),
        journal: Some(Arc::new(Journal::open(&folder.path().join("journal.jsonl")).unwrap())),
        actor: "ana".to_owned(),
        ..Setup::new(Repository::open(&repository).unwrap())
    });
    let live = || {
        let object = cluster.object("", "ConfigMap", "default", "web-web");
        object.map(|object| object.value()["data"]["chart"].as_str().unwrap().to_owned())
    };
    until(&handle, "1.0.0", Sync::OutOfSync).await;
    sync(&handle, None).await;
    until(&handle, "1.0.0", Sync::Synced).await;
    assert_eq!(live().as_deref(), Some("1.0.0"));
    *newest.lock().unwrap() = "1.1.0";
    handle.send(Request::Refresh { apps: Vec::new(), hard: true });
    until(&handle, "1.1.0", Sync::OutOfSync).await;
    sync(&handle, Some("0.9.0")).await;
    assert_eq!(live().as_deref(), Some("0.9.0"), "the revision of a chart is its version");
    until(&handle, "1.1.0", Sync::OutOfSync).await;
    sync(&handle, None).await;
    until(&handle, "1.1.0", Sync::Synced).await;
    assert_eq!(live().as_deref(), Some("1.1.0"));
    handle.send(Request::Shutdown);
}

/// A repository that wants a password, which only Argo CD's Secret in the cluster has.
#[tokio::test]
async fn credentials_come_from_argo_cds_secrets() {
    let server = Server::start(|asked| match (asked.authorization.as_deref(), asked.path.as_str()) {
        (Some("Basic cm9ib3Q6Y2FuYXJ5LTc="), "/index.yaml") => {
            Said::file("apiVersion: v1\nentries:\n  web:\n  - {name: web, version: 1.0.0, urls: [web.tgz]}\n")
        }
        (Some("Basic cm9ib3Q6Y2FuYXJ5LTc="), _) => Said::file(chart("web", "1.0.0", &[])),
        _ => Said::status(401),
    });
    let folder = TempDir::new().unwrap();
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q"]);
    let source = format!("source: {{repoURL: '{}', chart: web, targetRevision: 1.0.0}}", server.url);
    let app = application("web", &source).replace("nowhere, namespace: shop", "sim, namespace: default");
    write(&repository, &[("apps/web.yaml", &app)]);
    git(&repository, &["add", "-A"]);
    git(&repository, &["commit", "-qm", "apps"]);
    let cluster = sim::Cluster::new("sim", sim::Options::default());
    let open = Connection::from_client(cluster.client(), "sim");
    let secret = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "charts",
        "labels": {"argocd.argoproj.io/secret-type": "repo-creds"}},
        "stringData": {"url": server.url, "type": "helm", "username": "robot", "password": "canary-7"}});
    create(&cluster, "/api/v1/namespaces/argocd/secrets", secret).await;
    let handle = engine::start(Setup {
        registry: Some(Arc::new(Registry::new(quarterdeck::registry::Setup::new(folder.path().join("cache"))))),
        open: BTreeMap::from([(ClusterName::new("sim"), open)]),
        ..Setup::new(Repository::open(&repository).unwrap())
    });
    until(&handle, "1.0.0", Sync::OutOfSync).await;
    assert!(!format!("{:?}", handle.fleet()).contains("canary-7"));
    handle.send(Request::Shutdown);
}

async fn create(cluster: &sim::Cluster, path: &str, object: serde_json::Value) {
    let request = http::Request::post(path).header("content-type", "application/json");
    let request = request.body(serde_json::to_vec(&object).unwrap()).unwrap();
    cluster.client().request::<serde_json::Value>(request).await.unwrap();
}

/// Waits until the one application stands so.
async fn until(handle: &Handle, version: &str, sync: Sync) {
    let mut snapshots = handle.subscribe();
    let wait = async {
        loop {
            let fleet = snapshots.borrow_and_update().clone();
            let app = fleet.app(&AppId::new("web"));
            if app
                .is_some_and(|app| app.chart.as_deref() == Some(version) && app.sync == sync && fleet.loading.is_none())
            {
                return;
            }
            snapshots.changed().await.unwrap();
        }
    };
    if tokio::time::timeout(Duration::from_secs(60), wait).await.is_err() {
        panic!("never {version} and {sync:?}: {:#?}", handle.fleet().app(&AppId::new("web")));
    }
}

/// Plans, confirms and runs a sync of the one application.
async fn sync(handle: &Handle, revision: Option<&str>) {
    let mut events = handle.events();
    let apps = vec![AppId::new("web")];
    let ask = Ask::Sync(SyncAsk { apps, revision: revision.map(str::to_owned), ..SyncAsk::default() });
    handle.send(Request::Plan { ticket: 7, ask });
    loop {
        match events.recv().await.unwrap() {
            Event::Planned { ticket: 7, result } => {
                let plan = result.unwrap();
                handle.send(Request::Run((*plan).clone().approve(&plan.id).unwrap()));
            }
            Event::Finished(operation) => {
                assert_eq!(operation.phase, Phase::Succeeded, "{operation:#?}");
                return;
            }
            Event::Refused(problem) => panic!("refused: {problem}"),
            _ => {}
        }
    }
}
