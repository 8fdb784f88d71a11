//! The command line: the real binary against the demo's clusters, and against everything that can be wrong.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::git::git;

/// The program with nothing of the person's own around it.
fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("TMPDIR", home).env("USER", "ana").current_dir(home).stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// The demo's clusters, until the test ends.
struct Demo {
    home: TempDir,
    child: Child,
    repository: String,
    kubeconfig: String,
}

impl Demo {
    fn start() -> Self {
        let home = TempDir::new().unwrap();
        let mut child =
            program(home.path()).args(["demo", "--serve", "--quiet"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut word = |name: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(name).unwrap_or_else(|| panic!("{line:?} is not the {name}")).trim().to_owned()
        };
        let (kubeconfig, repository) = (word("kubeconfig"), word("repository"));
        let demo = Self { home, child, repository, kubeconfig };
        demo.wait();
        demo
    }

    /// Waits until everything that renders is in the clusters.
    fn wait(&self) {
        let start = Instant::now();
        loop {
            let (_, out, error) = self.run(&["status", "-o", "json"]);
            let status: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
            let open: Vec<_> = applications(&status)
                .filter(|app| app["sync"] != "Synced" && app["name"] != "dev-01-search")
                .map(|app| app["name"].clone())
                .collect();
            if open.is_empty() && applications(&status).count() == 36 {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "never synced: {open:?}");
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.home.path());
        command.args(["--repo", &self.repository, "--kubeconfig", &self.kubeconfig]).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        run(&mut self.command(arguments))
    }

    fn status(&self, name: &str) -> Value {
        let (_, out, error) = self.run(&["status", name, "-o", "json"]);
        let status: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
        applications(&status).next().unwrap().clone()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has to go even if a test fails; whether that worked is not the test's matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn applications(status: &Value) -> impl Iterator<Item = &Value> {
    status["applications"].as_array().unwrap().iter()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_demo_is_looked_at_changed_and_put_right() {
    let demo = Demo::start();
    status_has_the_documented_form(&demo);
    drift_is_seen_and_healed(&demo);
    what_cannot_be_done_is_refused(&demo);
    contexts_and_time_are_limited(&demo);
    what_cannot_be_read_is_said(&demo);
    promotions_and_rollbacks_are_planned(&demo);
    charts_look_into_a_cluster_that_is_named(&demo);
}

fn charts_look_into_a_cluster_that_is_named(demo: &Demo) {
    let folder = demo.home.path().join("looking/templates");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("../Chart.yaml"), "apiVersion: v2\nname: looking\nversion: 0.1.0\n").unwrap();
    let template = "one: {{ with lookup \"v1\" \"Namespace\" \"\" \"kube-system\" }}{{ .metadata.name }}{{ else }}none{{ end }}\n\
                    all: {{ gt (len ((lookup \"apps/v1\" \"Deployment\" \"\" \"\").items | default list)) 3 }}\n\
                    none: no{{ lookup \"v1\" \"Pod\" \"x\" \"y\" | toJson }} {{ .Capabilities.APIVersions.Has \"argoproj.io/v1alpha1/Application\" }}\n\
                    {{ if .Values.odd }}{{ lookup \"v1\" \"Oddity\" \"\" \"\" }}{{ end }}";
    std::fs::write(folder.join("a.yaml"), template).unwrap();
    let chart = demo.home.path().join("looking").to_string_lossy().into_owned();
    let lines = |args: &[&str]| {
        let (code, out, error) = demo.run(&[&["template", "rel", chart.as_str()], args].concat());
        let found: Vec<String> = out.lines().skip(2).map(str::to_owned).filter(|line| !line.is_empty()).collect();
        (code, found.join(" "), error)
    };
    assert_eq!(lines(&[]), (0, "one: none all: false none: no{} false".to_owned(), String::new()));
    let found = lines(&["--lookup-context", "dev-01"]);
    assert_eq!(found, (0, "one: kube-system all: true none: no{} false".to_owned(), String::new()));
    let (code, found, error) = lines(&["--dry-run=server", "--lookup-context", "dev-01"]);
    assert!(code == 0 && found.starts_with("one: kube-system all: true none: no{} "), "{found}{error}");
    let (code, _, error) = lines(&["--lookup-context", "dev-01", "--set", "odd=true"]);
    assert!(code == 1 && error.contains("Oddity in v1 is no kind of the cluster dev-01"), "{error}");
    let (code, _, error) = lines(&["--lookup-context", "nowhere"]);
    assert!(code == 1 && error.contains("there is no context \"nowhere\""), "{error}");
}

fn status_has_the_documented_form(demo: &Demo) {
    let (code, out, error) = demo.run(&["status", "dev-01-checkout", "-o", "json"]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(keys(&status), ["applications", "clusters"]);
    let cluster = &status["clusters"][0];
    for key in ["name", "server", "context", "connection", "age_seconds"] {
        assert!(cluster.get(key).is_some(), "no {key} in {cluster}");
    }
    let app = applications(&status).next().unwrap();
    let documented = [
        "cluster",
        "commit",
        "conditions",
        "environment",
        "health",
        "name",
        "objects",
        "project",
        "resources",
        "sync",
        "target_revision",
        "wave",
    ];
    assert_eq!(keys(app), documented);
    assert_eq!(
        (&app["cluster"], &app["environment"], &app["sync"]),
        (&"dev-01".into(), &"dev".into(), &"Synced".into())
    );
    let object = &app["objects"][0];
    assert_eq!(keys(object), ["group", "health", "kind", "message", "name", "namespace", "sync"]);
    assert_eq!(app["resources"], app["objects"].as_array().unwrap().len());
    let (code, out, _) = demo.run(&["status", "dev-01-search", "-o", "yaml"]);
    assert_eq!(code, 2, "it does not render");
    assert!(out.contains("type: ComparisonError") && !out.contains("objects:\n    - "), "{out}");
    let (_, out, _) = demo.run(&["status"]);
    assert!(out.starts_with("NAME "), "{out}");
    assert!(out.contains("index.url is empty"), "a reason stands in the table: {out}");
}

/// Scales a Deployment through the API, as kubectl does.
fn scale(demo: &Demo, cluster: &str, namespace: &str, name: &str, replicas: u32) {
    use quarterdeck::cluster::{ApplyOptions, Connection, Kubeconfig};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let kubeconfig = Kubeconfig::load(&[PathBuf::from(&demo.kubeconfig)]).unwrap();
        let connection = Connection::connect(&kubeconfig, cluster).await.unwrap();
        let discovery = connection.discover().await.unwrap();
        let object = serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace}, "spec": {"replicas": replicas}});
        let object = quarterdeck::model::Object::new(object).unwrap();
        let resource = discovery.find(&object.gvk()).unwrap();
        let live = connection.get(resource, namespace, name).await.unwrap().unwrap();
        let mut changed = live.value().clone();
        changed["spec"]["replicas"] = replicas.into();
        changed["metadata"].as_object_mut().unwrap().remove("managedFields");
        let wanted = quarterdeck::model::Object::new(changed).unwrap();
        connection.replace(resource, &wanted, &live, ApplyOptions { dry_run: false }).await.unwrap();
    });
}

fn drift_is_seen_and_healed(demo: &Demo) {
    let app = "stag-01-storefront";
    scale(demo, "stag-01", "shop", "storefront", 7);
    assert_eq!(demo.status(app)["sync"], "OutOfSync");
    let (code, out, _) = demo.run(&["diff", app]);
    assert_eq!(code, 2);
    assert!(out.contains("-  replicas: 7\n+  replicas: 2\n"), "{out}");
    let (code, out, error) = demo.run(&["sync", app]);
    assert_eq!(code, 1, "{out}");
    assert!(error.contains("nothing was changed: there is no terminal to ask on"), "{error}");
    assert!(out.contains("spec.replicas: 7 -> 2"), "the plan is shown: {out}");
    let (code, out, error) = demo.run(&["sync", app, "--dry-run"]);
    assert_eq!(code, 0, "{out}{error}");
    assert_eq!(demo.status(app)["sync"], "OutOfSync", "neither of them changed anything");
    let (code, out, error) = demo.run(&["sync", app, "--yes"]);
    assert_eq!(code, 0, "{out}{error}");
    assert_eq!(demo.status(app)["sync"], "Synced");
    assert_eq!(demo.run(&["diff", app]).0, 0);
    let (code, out, _) = demo.run(&["sync", app, "--yes"]);
    assert_eq!(code, 0);
    assert!(out.contains("Nothing to do"), "{out}");
    // The journal needs neither a repository nor clusters.
    let (code, out, error) = run(program(demo.home.path()).arg("audit"));
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.contains("Sync stag-01-storefront") && out.contains("succeeded") && out.contains("ana"), "{out}");
}

fn what_cannot_be_done_is_refused(demo: &Demo) {
    let references = || git(Path::new(&demo.repository), &["for-each-ref"]);
    let before = references();
    let cases: [(&[&str], &str); 8] = [
        (&["status", "nope"], "there is no application \"nope\""),
        (&["rollback", "prod", "nope", "--yes"], "revision \"nope\" does not exist"),
        (&["rollback", "prd", "v1.1.0", "--yes"], "there is no environment \"prd\""),
        (&["promote", "prod", "--yes"], "nothing comes after prod"),
        (&["sync", "dev-01-redis", "--yes", "--resource", "nonsense"], "nonsense"),
        (&["--control-plane", "nope", "status"], "the kubeconfig has no context \"nope\""),
        (&["--context", "nope", "status"], "the kubeconfig has no context \"nope\""),
        (&["statsu"], "unrecognized subcommand 'statsu'"),
    ];
    for (arguments, wanted) in cases {
        let (code, out, error) = demo.run(arguments);
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}: {error}");
        let first = error.lines().next().unwrap_or_default();
        assert!(first.contains(wanted), "{arguments:?}: {error}");
    }
    assert_eq!(references(), before);
    let (_, _, error) = demo.run(&["status", "dev-01-chekout"]);
    assert!(error.contains("did you mean \"dev-01-checkout\"?"), "{error}");
    let (code, out, error) = demo.run(&["sync", "dev-01-search", "--yes"]);
    assert_eq!(code, 2, "{error}");
    assert!(out.contains("dev-01-search on dev-01: left alone, ComparisonError"), "{out}");
}

/// Only the contexts that were named are used; a sync that takes too long is stopped, and says so by its exit code.
fn contexts_and_time_are_limited(demo: &Demo) {
    let (_, out, error) = demo.run(&["--context", "dev-01", "--context", "ops-01", "status", "-o", "json"]);
    let status: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
    let connections: Vec<_> = status["clusters"].as_array().unwrap().iter().map(|one| &one["connection"]).collect();
    assert_eq!(connections, ["live", "no-context", "no-context", "live"]);
    let (code, out, _) = demo.run(&["--context", "dev-01", "status", "prod-01-redis"]);
    assert_eq!(code, 2);
    assert!(out.contains("no kubeconfig context matches cluster prod-01"), "{out}");
    scale(demo, "dev-01", "shop", "storefront", 3);
    let (code, out, error) = demo.run(&["sync", "dev-01-storefront", "--yes", "--timeout", "300"]);
    assert_eq!(code, 0, "{out}{error}");
    let (code, _, error) = demo.run(&["sync", "dev-01-storefront", "--yes", "--timeout", "0"]);
    assert_eq!(code, 1, "{error}");
}

/// Without a kubeconfig, or with clusters that nobody answers for, Git is still shown and nothing is written.
fn what_cannot_be_read_is_said(demo: &Demo) {
    let home = TempDir::new().unwrap();
    let with = |arguments: &[&str]| run(program(home.path()).args(["--repo", &demo.repository]).args(arguments));
    let (code, out, error) = with(&["status", "prod-01-redis"]);
    assert_eq!(code, 2, "{error}");
    assert!(out.contains("no kubeconfig context matches cluster prod-01"), "{out}");
    assert!(error.starts_with("Warning: no cluster can be reached"), "{error}");

    let mut config: Value = serde_yaml::from_str(&std::fs::read_to_string(&demo.kubeconfig).unwrap()).unwrap();
    for cluster in config["clusters"].as_array_mut().unwrap() {
        cluster["cluster"]["server"] = "https://127.0.0.1:1".into();
    }
    std::fs::write(home.path().join("unreachable"), config.to_string()).unwrap();
    let (code, out, error) = with(&["--kubeconfig", "unreachable", "status", "prod-01-redis", "-o", "json"]);
    assert_eq!(code, 2, "{error}");
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status["clusters"][0]["connection"], "lost", "{out}");
    assert_eq!(applications(&status).next().unwrap()["sync"], "Unknown", "{out}");
    let (code, out, error) = with(&["--kubeconfig", "unreachable", "sync", "prod-01-redis", "--yes"]);
    assert_eq!(code, 2, "{error}");
    assert!(out.contains("left alone, cluster prod-01 does not answer"), "{out}");
}

fn promotions_and_rollbacks_are_planned(demo: &Demo) {
    let references = || git(Path::new(&demo.repository), &["for-each-ref"]);
    let before = references();
    let (code, out, error) = demo.run(&["promote", "dev", "--dry-run"]);
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("refs/heads/staging") && out.contains("stag-01-checkout on stag-01"), "{out}");
    let (code, out, _) = demo.run(&["rollback", "prod", "v1.1.0", "--dry-run"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("refs/tags/stable") && out.contains("prod-01-catalog on prod-01"), "{out}");
    assert_eq!(demo.run(&["promote", "dev"]).0, 1, "nobody confirmed it");
    assert_eq!(references(), before, "no reference moved");
    let (code, out, error) = demo.run(&["promote", "dev", "--yes"]);
    assert_eq!(code, 0, "{out}{error}");
    let branch = |name: &str| git(Path::new(&demo.repository), &["rev-parse", name]);
    assert_eq!(branch("staging"), branch("master"));
    let (code, out, error) = demo.run(&["rollback", "prod", "v1.1.0", "--yes"]);
    assert_eq!(code, 0, "{out}{error}");
    assert_eq!(branch("stable^{commit}"), branch("v1.1.0^{commit}"));
    assert_eq!(demo.status("prod-01-catalog")["commit"].as_str().unwrap(), branch("v1.1.0^{commit}").trim());
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let home = TempDir::new().unwrap();
    let folder = |name: &str| {
        let path = home.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let commit = |name: &str| {
        git(&home.path().join(name), &["add", "-A"]);
        git(&home.path().join(name), &["commit", "-q", "--allow-empty", "-m", "first"]);
    };
    folder("plain");
    git(&folder("empty"), &["init", "-q"]);
    git(&folder("bare-of-apps"), &["init", "-q"]);
    commit("bare-of-apps");
    git(&folder("policy"), &["init", "-q"]);
    write("policy/.quarterdeck.yaml", "environment: []\n");
    commit("policy");
    write("broken.yaml", "a: [");
    write("kubeconfig", "{apiVersion: v1, kind: Config, clusters: [], contexts: [], users: []}");
    write("settings.toml", "them = 1\n");
    let check = |arguments: &[&str], wanted: &str| {
        let (code, out, error) = run(program(home.path()).args(arguments));
        assert_eq!(code, 1, "{arguments:?}: {out}{error}");
        assert!(error.starts_with("Error: ") && error.contains(wanted), "{arguments:?}: {error}");
        assert!(!error.contains("panicked") && !error.contains("stack backtrace"), "{error}");
        assert!(error.lines().count() <= 3, "{arguments:?}: {error}");
    };
    check(&["--repo", "nowhere", "status"], "nowhere");
    check(&["--repo", "plain", "status"], "plain");
    check(&["--repo", "empty", "status"], "empty");
    check(&["--repo", "bare-of-apps", "--kubeconfig", "none", "status"], "kubeconfig none: it does not exist");
    check(&["--repo", "bare-of-apps", "--kubeconfig", "broken.yaml", "status"], "kubeconfig broken.yaml");
    check(
        &["--repo", "bare-of-apps", "--kubeconfig", "kubeconfig", "--control-plane", "ops", "status"],
        "has no context \"ops\"",
    );
    check(&["--repo", "bare-of-apps", "--config", "settings.toml", "status"], "settings.toml:1: unknown key \"them\"");
    check(&["--repo", "bare-of-apps", "--config", "none.toml", "status"], "none.toml");
    check(&["--repo", "bare-of-apps", "status", "web"], "there is no application \"web\"");
    check(&["--repo", "bare-of-apps", "promote", "dev"], "there is no environment \"dev\"");
    check(&["--repo", "bare-of-apps", "sync", "--yes"], "nothing to sync was named");
    check(&["template", "nowhere"], "got: nowhere");
    check(&["health", "broken.yaml"], "broken.yaml");
    check(&["template", "plain"], "plain/Chart.yaml: no such file or directory");
    check(&["template", "plain", "--helm-compat", "3.19"], "Chart.yaml file is missing");
    check(&["template"], "requires at least 1 argument");
    check(&["template", "a", "--bogus"], "unknown flag: --bogus");
    check(&["template", "a", "--post-renderer", "x"], "no program runs while a chart is rendered");
    check(&["template", "plain", "-f", "http://a/b"], "is a URL");
    let (code, _, error) = run(program(home.path()).args(["--repo", "bare-of-apps", "status"]));
    assert_eq!(code, 0, "a repository without Applications can be looked at");
    assert!(error.contains("Warning: the repository has no Applications"), "{error}");
}

#[test]
fn charts_are_rendered_as_helm_prints_them() {
    let home = TempDir::new().unwrap();
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("web/Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0}");
    write("web/values.yaml", "{size: 1, name: a}");
    write("web/templates/a.yaml", "kind: A\nsize: {{ .Values.size }}\nname: {{ .Release.Name }}-{{ .Values.name }}\n");
    write("more.yaml", "name: b");
    let (code, out, error) =
        run(program(home.path()).args(["template", "rel", "web", "-f", "more.yaml", "--set", "size=3"]));
    assert_eq!((code, error.as_str()), (0, ""));
    assert_eq!(out, "---\n# Source: web/templates/a.yaml\nkind: A\nsize: 3\nname: rel-b\n");
    let (code, _, error) = run(program(home.path()).args(["template", "rel", "web", "--set", "size"]));
    assert_eq!((code, error.as_str()), (1, "Error: failed parsing --set data: key \"size\" has no value\n"));
}
