//! The main job on a real Kubernetes control plane: observed, diffed, synced, drifted, healed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use quarterdeck::cluster::Kubeconfig;
use quarterdeck::engine::{self, Detail, Event, Handle, Inspect, Places, Request, Setup};
use quarterdeck::git::Repository;
use quarterdeck::model::{AppId, Ask, Fleet, HealthStatus, Phase, Sync, SyncAsk};
use quarterdeck::store::Journal;
use tempfile::TempDir;

use crate::git::git;

const SECRET: &str = "correct-horse-battery";

/// A control plane that ends with the test.
struct ControlPlane {
    assets: PathBuf,
    state: TempDir,
}

impl ControlPlane {
    /// Starts one; `None` where there is nothing to start.
    fn start(port: u16) -> Option<Self> {
        let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from) else {
            assert!(std::env::var_os("CI").is_none(), "KUBEBUILDER_ASSETS is not set, and CI must not skip this");
            println!("skipped: KUBEBUILDER_ASSETS is not set; tests/kube/README.md says how to build a control plane");
            return None;
        };
        let state = TempDir::new().unwrap();
        let plane = Self { assets, state };
        let output = plane.script("up").arg(port.to_string()).env("CONTROLLERS", "1").output().unwrap();
        assert!(output.status.success(), "up: {}", String::from_utf8_lossy(&output.stderr));
        Some(plane)
    }

    fn script(&self, name: &str) -> Command {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kube").join(name);
        let mut command = Command::new(path);
        command.arg(self.state.path()).env("KUBEBUILDER_ASSETS", &self.assets);
        command
    }

    fn kubeconfig(&self) -> PathBuf {
        self.state.path().join("kubeconfig")
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        let output = Command::new(self.assets.join("kubectl"))
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        // The processes have to go even if a test fails; whether that worked is not the test's matter.
        let _ = self.script("down").output();
    }
}

const FILES: [(&str, &str); 11] = [
    (
        "bootstrap/real.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: bootstrap, labels: {env: dev, cluster: real}}\nspec:\n  project: default\n  \
         destination: {name: real, namespace: argocd}\n  source:\n    repoURL: https://git.example.org/team/platform.git\n    path: apps\n    targetRevision: HEAD\n    \
         helm: {valueFiles: [values.real.yaml]}\n",
    ),
    ("apps/Chart.yaml", "apiVersion: v2\nname: apps\nversion: 0.1.0\n"),
    ("apps/values.yaml", "cluster: none\ncomponents: {}\n"),
    ("apps/values.real.yaml", "cluster: real\ncomponents:\n  web: {wave: 1}\n  settings: {wave: 0}\n"),
    (
        "apps/templates/apps.yaml",
        "{{- range $name, $component := .Values.components }}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {{ $.Values.cluster }}-{{ $name }}\n  \
         labels: {cluster: {{ $.Values.cluster }}}\n  annotations: {argocd.argoproj.io/sync-wave: {{ $component.wave | quote }}}\nspec:\n  project: default\n  \
         destination: {name: {{ $.Values.cluster }}, namespace: shop}\n  source:\n    repoURL: https://git.example.org/team/platform.git\n    path: charts/{{ $name }}\n    \
         targetRevision: HEAD\n  syncPolicy: {syncOptions: [CreateNamespace=true]}\n{{- end }}\n",
    ),
    ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
    ("charts/web/values.yaml", "replicas: 2\nimage: registry.example.org/web:1.4.2\n"),
    (
        "charts/web/templates/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n  labels: {app: web}\nspec:\n  replicas: {{ .Values.replicas }}\n  \
         selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - name: web\n          \
         image: {{ .Values.image }}\n          resources: {requests: {cpu: 0.1, memory: 64Mi}}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec:\n  \
         selector: {app: web}\n  ports: [{port: 80, targetPort: 8080}]\n",
    ),
    ("charts/settings/Chart.yaml", "apiVersion: v2\nname: settings\nversion: 1.0.0\n"),
    ("charts/settings/values.yaml", "password: correct-horse-battery\n"),
    (
        "charts/settings/templates/settings.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: settings}\nstringData: {password: {{ .Values.password | quote }}}\n---\napiVersion: v1\nkind: ConfigMap\n\
         metadata: {name: settings}\ndata: {color: blue}\n",
    ),
];

struct World {
    plane: ControlPlane,
    handle: Handle,
    folder: TempDir,
    seen: String,
}

impl World {
    fn start(plane: ControlPlane) -> Self {
        let folder = TempDir::new().unwrap();
        git(folder.path(), &["init", "-q", "repository"]);
        let repository = folder.path().join("repository");
        for (name, text) in FILES {
            let path = repository.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        git(&repository, &["add", "-A"]);
        git(&repository, &["commit", "-q", "-m", "platform"]);
        git(&repository, &["remote", "add", "origin", "https://git.example.org/team/platform.git"]);
        git(&repository, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
        git(&repository, &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
        let kubeconfig = Kubeconfig::load(&[plane.kubeconfig()]).unwrap();
        let setup = Setup {
            places: Places { contexts: kubeconfig.contexts(), ..Places::default() },
            kubeconfig: Some(Arc::new(kubeconfig)),
            journal: Some(Arc::new(Journal::open(&folder.path().join("journal.jsonl")).unwrap())),
            actor: "ana".to_owned(),
            ..Setup::new(Repository::open(&repository).unwrap())
        };
        Self { plane, handle: engine::start(setup), folder, seen: String::new() }
    }

    /// Waits until all three applications are as wanted, and keeps all that was shown on the way.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Fleet) -> bool) {
        for _ in 0..600 {
            let fleet = self.handle.fleet();
            self.seen.push_str(&format!("{fleet:?}"));
            if fleet.loading.is_none() && fleet.apps.len() == 3 && wanted(&fleet) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let fleet = self.handle.fleet();
        let apps: Vec<_> = fleet.apps.iter().map(|app| (&app.id, app.sync, &app.health, &app.why)).collect();
        panic!("never {what}: {apps:#?} {:?} {:?}", fleet.problems, fleet.clusters);
    }

    async fn sync(&mut self, name: &str) {
        let mut events = self.handle.events();
        let ask = Ask::Sync(SyncAsk { apps: vec![AppId::new(name)], ..SyncAsk::default() });
        self.handle.send(Request::Plan { ticket: 1, ask });
        loop {
            let event = tokio::time::timeout(Duration::from_secs(90), events.recv()).await.unwrap().unwrap();
            self.seen.push_str(&format!("{event:?}"));
            match event {
                Event::Planned { result, .. } => {
                    let plan = result.unwrap();
                    self.handle.send(Request::Run((*plan).clone().approve(&plan.id).unwrap()));
                }
                Event::Refused(problem) => panic!("{problem}"),
                Event::Finished(operation) => {
                    assert_eq!(operation.phase, Phase::Succeeded, "{operation:#?}");
                    return;
                }
                _ => {}
            }
        }
    }

    async fn inspect(&mut self, app: &str, what: Inspect) -> Arc<Detail> {
        let mut events = self.handle.events();
        self.handle.send(Request::Inspect { ticket: 2, app: AppId::new(app), what });
        loop {
            let event = tokio::time::timeout(Duration::from_secs(30), events.recv()).await.unwrap().unwrap();
            self.seen.push_str(&format!("{event:?}"));
            if let Event::Inspected { result, .. } = event {
                return result.unwrap();
            }
        }
    }
}

fn state(fleet: &Fleet, app: &str) -> (Sync, HealthStatus) {
    let app = fleet.app(&AppId::new(app)).unwrap_or_else(|| panic!("no {app}"));
    (app.sync, app.health.status)
}

#[tokio::test]
async fn a_real_cluster_is_observed_synced_drifted_and_healed() {
    let Some(plane) = ControlPlane::start(26_443) else { return };
    let mut world = World::start(plane);
    let (web, settings) = ("real-web", "real-settings");
    world
        .until("missing", |fleet| {
            [web, settings].iter().all(|app| state(fleet, app) == (Sync::OutOfSync, HealthStatus::Missing))
        })
        .await;
    let Detail::Diff(rows) = &*world.inspect(web, Inspect::Diff).await else { panic!("no diff") };
    assert!(
        rows.iter().any(|row| &*row.key.kind == "Deployment" && row.live.is_empty() && row.git.contains("replicas: 2"))
    );
    world.inspect(settings, Inspect::Diff).await;
    world.inspect(settings, Inspect::Manifests).await;

    world.sync("bootstrap").await;
    let well = |fleet: &Fleet, app: &str| state(fleet, app) == (Sync::Synced, HealthStatus::Healthy);
    world.until("synced", |fleet| ["bootstrap", web, settings].iter().all(|app| well(fleet, app))).await;
    assert!(world.plane.kubectl(&["get", "namespace", "shop", "-o", "name"]).contains("namespace/shop"));
    world.inspect(settings, Inspect::Diff).await;
    world.inspect(web, Inspect::Tree).await;

    world.plane.kubectl(&["scale", "deployment", web, "-n", "shop", "--replicas=3"]);
    world.until("drifted", |fleet| state(fleet, web).0 == Sync::OutOfSync && well(fleet, settings)).await;
    let Detail::Diff(rows) = &*world.inspect(web, Inspect::Diff).await else { panic!("no diff") };
    let drifted: Vec<String> = rows.iter().flat_map(|row| row.fields.iter().map(|field| field.path.clone())).collect();
    assert_eq!(drifted, ["spec.replicas"]);

    world.sync(web).await;
    world.until("healed", |fleet| well(fleet, web) && well(fleet, settings)).await;
    let replicas = ["get", "deployment", web, "-n", "shop", "-o", "jsonpath={.spec.replicas}"];
    assert_eq!(world.plane.kubectl(&replicas), "2");

    let journal = std::fs::read_to_string(world.folder.path().join("journal.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 4, "an intent and an outcome for each of two syncs");
    for (place, text) in [("the journal", &journal), ("what was shown", &world.seen)] {
        let encoded = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5";
        assert!(!text.contains(SECRET) && !text.contains(encoded), "{place} holds a secret value");
    }
    world.handle.send(Request::Shutdown);
}
