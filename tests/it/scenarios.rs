//! Syncs that a running Argo CD went through, on a simulated cluster: the same writes in the same order, the same end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use quarterdeck::cluster::Connection;
use quarterdeck::engine::{self, Event, Handle, Request, Setup};
use quarterdeck::git::Repository;
use quarterdeck::model::{
    App, AppId, Ask, ClusterName, Fleet, Operation, OperationId, Plan, ResourceSelector, SyncAsk,
};
use quarterdeck::sim;
use quarterdeck::store::Journal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::corpus;
use crate::git::{commit, git};

/// A repository, a simulated cluster and the engine between them.
pub struct World {
    pub folder: TempDir,
    pub cluster: sim::Cluster,
    pub handle: Handle,
    pub name: String,
}

impl World {
    /// Starts all three, with one Application whose folder is empty.
    pub fn start(name: &str, namespace: &str, options: &[String], extra: &Value) -> Self {
        let folder = TempDir::new().unwrap();
        git(folder.path(), &["init", "-q", "."]);
        let mut spec = json!({
            "project": "default",
            "source": {"repoURL": "https://git.example.org/team/platform.git", "path": "app", "targetRevision": "HEAD"},
            "destination": {"name": "sim", "namespace": namespace},
            "syncPolicy": {"syncOptions": options},
        });
        if !extra.is_null() {
            spec["ignoreDifferences"] = extra.clone();
        }
        let app = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name}, "spec": spec});
        git(folder.path(), &["remote", "add", "origin", "https://git.example.org/team/platform.git"]);
        commit(folder.path(), "apps/app.yaml", &app.to_string());
        git(folder.path(), &["update-ref", "refs/remotes/origin/main", "HEAD"]);
        git(folder.path(), &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
        let cluster = sim::Cluster::new("sim", sim::Options::default());
        let setup = Setup {
            open: BTreeMap::from([(ClusterName::new("sim"), Connection::from_client(cluster.client(), "sim"))]),
            actor: "ana".to_owned(),
            journal: Some(Arc::new(Journal::open(&folder.path().join(".git/journal.jsonl")).unwrap())),
            ..Setup::new(Repository::open(folder.path()).unwrap())
        };
        Self { cluster, handle: engine::start(setup), folder, name: name.to_owned() }
    }

    /// Writes what Git says from now on.
    pub fn objects(&self, objects: &[Value]) {
        let text: Vec<String> =
            objects.iter().map(|object| format!("---\n{}", quarterdeck::yaml::to_string(object))).collect();
        commit(self.folder.path(), "app/objects.yaml", &text.concat());
        git(self.folder.path(), &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    }

    /// Waits until the newest commit is read and compared.
    pub async fn settled(&self) -> Arc<Fleet> {
        let head = git(self.folder.path(), &["rev-parse", "HEAD"]);
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let fleet = self.handle.fleet();
            let app = fleet.app(&AppId::new(self.name.as_str()));
            let is_new = app.and_then(|app| app.commit.as_ref()).is_some_and(|commit| commit.id.as_str() == head);
            if fleet.loading.is_none() && is_new {
                return fleet;
            }
        }
        panic!("never settled: {:#?}", self.handle.fleet());
    }

    /// Returns the one application.
    pub async fn app(&self) -> Arc<App> {
        self.settled().await.app(&AppId::new(self.name.as_str())).cloned().unwrap()
    }

    /// Asks for a plan.
    pub async fn plan(&self, ask: Ask) -> Arc<Plan> {
        let mut events = self.handle.events();
        self.handle.send(Request::Plan { ticket: 7, ask });
        loop {
            if let Event::Planned { ticket: 7, result } = events.recv().await.unwrap() {
                return result.unwrap();
            }
        }
    }

    /// Plans, confirms and runs.
    pub async fn run(&self, ask: Ask) -> Arc<Operation> {
        let plan = self.plan(ask).await;
        let mut events = self.handle.events();
        let approved = (*plan).clone().approve(&plan.id).unwrap();
        self.handle.send(Request::Run(approved));
        loop {
            match events.recv().await.unwrap() {
                Event::Finished(operation) => return operation,
                Event::Refused(problem) => panic!("refused: {problem}"),
                _ => {}
            }
        }
    }

    /// Confirms a plan and sees the operation begin.
    pub async fn begin(&self, plan: &Plan) -> OperationId {
        let mut events = self.handle.events();
        self.handle.send(Request::Run(plan.clone().approve(&plan.id).unwrap()));
        loop {
            if let Event::Started(id) = events.recv().await.unwrap() {
                return id;
            }
        }
    }

    /// Waits until an operation has ended.
    pub async fn ended(&self, id: OperationId) -> Arc<Operation> {
        let mut snapshots = self.handle.subscribe();
        loop {
            let fleet = snapshots.borrow_and_update().clone();
            if let Some(operation) = fleet.operation(id).filter(|operation| operation.phase.is_over()) {
                return operation.clone();
            }
            snapshots.changed().await.unwrap();
        }
    }

    /// Returns the lines of the journal.
    pub fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join(".git/journal.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Calls the cluster's API as somebody else.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request =
            http::Request::builder().method(method).uri(path).header("content-type", kind).body(body).unwrap();
        self.cluster.client().request::<Value>(request).await.map_err(|error| error.to_string())
    }

    /// Returns what was written, in order: `create services/web`.
    pub fn written(&self) -> Vec<String> {
        let writes = self.cluster.writes();
        let mut names: Vec<String> = writes
            .iter()
            .filter(|write| !write.dry_run && (write.manager == "quarterdeck" || write.verb == "delete"))
            .map(|write| {
                let verb = match (write.verb, write.status) {
                    (_, 400..) => "refused",
                    ("apply", 201) => "create",
                    ("apply", _) => "patch",
                    (verb, _) => verb,
                };
                format!("{verb} {}s/{}", write.key.kind.to_lowercase(), write.key.name)
            })
            .collect();
        names.dedup();
        names
    }
}

fn sync_ask(name: &str, op: &Value) -> SyncAsk {
    let flag = |name: &str| op[name] == true;
    SyncAsk {
        apps: vec![AppId::new(name)],
        prune: flag("prune"),
        dry_run: flag("dryRun"),
        resources: op["resources"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| ResourceSelector {
                group: one["group"].as_str().unwrap_or_default().to_owned(),
                kind: one["kind"].as_str().unwrap().to_owned(),
                namespace: None,
                name: one["name"].as_str().unwrap().to_owned(),
            })
            .collect(),
        ..SyncAsk::default()
    }
}

/// Objects of one kind are written side by side, so their order means nothing.
fn in_runs(names: &[String]) -> Vec<String> {
    let kind = |name: &String| name.split('/').next().unwrap_or_default().to_owned();
    let mut runs: Vec<Vec<String>> = Vec::new();
    for name in names {
        match runs.last_mut() {
            Some(run) if kind(&run[0]) == kind(name) => run.push(name.clone()),
            _ => runs.push(vec![name.clone()]),
        }
    }
    runs.iter_mut().for_each(|run| run.sort());
    runs.concat()
}

/// What Argo CD wrote. Its second write to an object that it has just made is bookkeeping.
fn expected(step: &Value) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for write in step["writes"].as_array().unwrap().iter().filter(|write| write["dry_run"] == false) {
        let text = |name: &str| write[name].as_str().unwrap_or_default().to_owned();
        let again = format!("create {}/{}", text("resource"), text("name"));
        if names.last() != Some(&again) {
            let verb = if write["code"].as_i64() >= Some(400) { "refused".to_owned() } else { text("verb") };
            names.push(format!("{verb} {}/{}", text("resource"), text("name")));
        }
    }
    names
}

/// Plays one scenario and returns what was other than under Argo CD.
async fn play(scenario: &Value) -> Vec<String> {
    let application = &scenario["application"];
    let namespace = application["destination_namespace"].as_str().unwrap();
    let options: Vec<String> =
        serde_json::from_value(application["syncPolicy"]["syncOptions"].clone()).unwrap_or_default();
    let world = World::start("app", namespace, &options, &application["ignoreDifferences"]);
    if application["namespace_exists"] == true {
        let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        world.cluster.seed("kubectl", &made).unwrap();
    }
    world.objects(scenario["objects"].as_array().unwrap());
    let mut wrong = Vec::new();
    for step in scenario["trace"].as_array().unwrap() {
        let ask = &step["step"];
        if let Some(objects) = ask["git"].as_array() {
            world.objects(objects);
        }
        for call in ask["live"].as_array().into_iter().flatten() {
            if let Err(error) = world.call(call[0].as_str().unwrap(), call[1].as_str().unwrap(), &call[2]).await {
                wrong.push(format!("{ask}: {error}"));
            }
        }
        world.app().await;
        world.cluster.clear_writes();
        if ask["op"]["sync"].is_object() {
            let operation = world.run(Ask::Sync(sync_ask("app", &ask["op"]["sync"]))).await;
            let phase = step["operation"]["phase"].as_str().unwrap_or_default();
            if operation.phase.as_str() != phase {
                wrong.push(format!("{ask}: {} ({}) instead of {phase}", operation.phase.as_str(), operation.message));
            }
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        let app = world.app().await;
        for (name, found, wanted) in
            [("sync", app.sync.as_str(), &step["sync"]), ("health", app.health.status.as_str(), &step["health"])]
        {
            if wanted != found {
                wrong.push(format!("{ask}: {name} {found} instead of {wanted}; {}", app.why));
            }
        }
        let (written, expected) = (in_runs(&world.written()), in_runs(&expected(step)));
        if written != expected {
            wrong.push(format!("{ask}: wrote {written:?} instead of {expected:?}"));
        }
    }
    wrong
}

const PLAYED: [&str; 17] = [
    "kind-order",
    "waves",
    "waves-and-kinds",
    "wave-waits-for-health",
    "prune-not-asked",
    "prune",
    "prune-with-new",
    "prune-last",
    "prune-false",
    "prune-everything",
    "apply-fails",
    "create-namespace",
    "drift-and-heal",
    "deleted-by-hand",
    "dry-run",
    "selective",
    "out-of-sync-only",
];

#[test]
fn syncs_write_what_argo_cd_writes() {
    let Some(file) = corpus::open("sync-scenarios.json") else { return };
    let scenarios: Vec<Value> = serde_json::from_reader(file).unwrap();
    let only = std::env::var("QUARTERDECK_SCENARIO").ok();
    let mut wrong = Vec::new();
    for name in PLAYED.iter().filter(|name| only.as_deref().is_none_or(|only| only == **name)) {
        let scenario = scenarios.iter().find(|scenario| scenario["name"] == *name).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let found = runtime.block_on(play(scenario));
        wrong.extend(found.into_iter().map(|found| format!("{name}: {found}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
