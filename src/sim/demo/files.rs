//! The files of the demo's repository as they were at its first commit.

use std::collections::BTreeMap;

/// Clusters and the environment that each one's bootstrap Application names, with the revision that it follows.
pub(super) const CLUSTERS: [(&str, &str, &str); 4] = [
    ("dev-01", "dev", "master"),
    ("stag-01", "staging", "staging"),
    ("prod-01", "prod", "stable"),
    ("ops-01", "ops", "stable"),
];

const SHOP: [&str; 5] = ["catalog", "checkout", "payments", "search", "storefront"];

macro_rules! text {
    ($path:literal) => {
        include_str!(concat!("repository/", $path))
    };
}

/// Charts with files of their own: chart, path inside the chart, text.
const OWN: [(&str, &str, &str); 14] = [
    ("app-of-apps", "templates/_helpers.tpl", text!("app-of-apps/_helpers.tpl")),
    ("app-of-apps", "templates/applications.yaml", text!("app-of-apps/applications.yaml")),
    ("app-of-apps", "values.yaml", text!("app-of-apps/values.yaml")),
    ("ingress", "templates/ingress.yaml", text!("ingress/ingress.yaml")),
    ("ingress", "values.yaml", text!("ingress/values.yaml")),
    ("log-agent", "files/agent.yaml", text!("log-agent/agent.yaml")),
    ("log-agent", "templates/daemonset.yaml", text!("log-agent/daemonset.yaml")),
    ("log-agent", "values.yaml", text!("log-agent/values.yaml")),
    ("nightly-report", "templates/cronjob.yaml", text!("nightly-report/cronjob.yaml")),
    ("nightly-report", "values.yaml", text!("nightly-report/values.yaml")),
    ("platform-config", "templates/config.yaml", text!("platform-config/config.yaml")),
    ("platform-config", "values.yaml", text!("platform-config/values.yaml")),
    ("redis", "templates/statefulset.yaml", text!("redis/statefulset.yaml")),
    ("redis", "values.yaml", text!("redis/values.yaml")),
];

/// Files that every web service of the shop has.
const WEB: [(&str, &str); 5] = [
    ("templates/_helpers.tpl", text!("web/_helpers.tpl")),
    ("templates/configmap.yaml", text!("web/configmap.yaml")),
    ("templates/deployment.yaml", text!("web/deployment.yaml")),
    ("templates/service.yaml", text!("web/service.yaml")),
    ("values.yaml", text!("web/values.yaml")),
];

/// Returns the files of the first commit; `url` is where the repository is.
pub(super) fn first(url: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut charts = Vec::new();
    for (chart, path, text) in OWN {
        files.insert(format!("charts/{chart}/{path}"), text.replace("@REPOSITORY@", url));
        charts.push(chart);
    }
    for chart in SHOP {
        for (path, text) in WEB {
            files.insert(format!("charts/{chart}/{path}"), text.to_owned());
        }
        charts.push(chart);
    }
    files.insert("charts/search/templates/index.yaml".to_owned(), text!("search/required.yaml").to_owned());
    charts.dedup();
    for chart in &charts {
        files.insert(
            format!("charts/{chart}/Chart.yaml"),
            format!("apiVersion: v2\nname: {chart}\nversion: 1.0.0\ndescription: The demo's {chart}\n"),
        );
        for (cluster, env, revision) in CLUSTERS {
            files.insert(format!("charts/{chart}/values.{cluster}.yaml"), values(chart, cluster, env, revision));
        }
    }
    for (cluster, env, revision) in CLUSTERS {
        files.insert(format!("argocd-bootstrap-apps/{cluster}.yaml"), bootstrap(cluster, env, revision, url));
    }
    files.insert(".quarterdeck.yaml".to_owned(), SETTINGS.to_owned());
    files.insert("README.md".to_owned(), README.to_owned());
    files
}

const SETTINGS: &str = "\
environments:
  - name: dev
    ref: {branch: master}
    clusters: [dev-01]
  - name: staging
    ref: {branch: staging}
    clusters: [stag-01]
  - name: prod
    ref: {tag: stable}
    clusters: [prod-01, ops-01]
    protected: true
";

const README: &str = "\
# The demo's platform

Four clusters and what runs on them. `argocd-bootstrap-apps` holds one Application per cluster; it renders `charts/app-of-apps`, which
renders one Application per component; each of them renders `charts/<component>` with `values.<cluster>.yaml`.

| environment | follows | clusters |
|---|---|---|
| dev | branch `master` | dev-01 |
| staging | branch `staging` | stag-01 |
| prod | tag `stable` | prod-01, ops-01 |
";

fn bootstrap(cluster: &str, env: &str, revision: &str, url: &str) -> String {
    format!(
        "\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {cluster}-bootstrap-apps
  namespace: argocd
  labels:
    cluster: {cluster}
    env: {env}
spec:
  project: platform
  source:
    repoURL: {url:?}
    path: charts/app-of-apps
    targetRevision: {revision}
    helm:
      valueFiles:
        - values.{cluster}.yaml
  destination:
    name: ops-01
    namespace: argocd
"
    )
}

fn values(chart: &str, cluster: &str, env: &str, revision: &str) -> String {
    let (replicas, is_prod) = match env {
        "dev" => (1, false),
        "staging" => (2, false),
        _ => (3, true),
    };
    match chart {
        "app-of-apps" => app_of_apps(cluster, env, revision),
        "search" => format!(
            "replicas: {replicas}\nindex:\n  url: http://index.{cluster}.example.com:9200\n  shards: {replicas}\n  languages: [en, de, fr]\n"
        ),
        chart if SHOP.contains(&chart) => {
            let level = if is_prod { "warn" } else { "debug" };
            format!(
                "replicas: {replicas}\nenv:\n  CLUSTER: {cluster}\n  REDIS_URL: redis://redis:6379\nsettings:\n  logLevel: {level}\n"
            )
        }
        "redis" => format!("replicas: {}\nmaxMemory: {}mb\n", if is_prod { 3 } else { 1 }, 128 * replicas),
        "ingress" => format!(
            "zone: {cluster}.example.com\nreplicas: {}\n{}",
            if is_prod { 2 } else { 1 },
            if env == "ops" { "routes: []\n" } else { "" }
        ),
        "platform-config" => format!("cluster: {cluster}\nzone: {cluster}.example.com\n"),
        "log-agent" => format!("sink: http://logs.{cluster}.example.com:3100\n"),
        _ => format!("# {cluster} takes every value from values.yaml\n"),
    }
}

fn app_of_apps(cluster: &str, env: &str, revision: &str) -> String {
    let mut text = format!("cluster:\n  name: {cluster}\n  env: {env}\nsource:\n  targetRevision: {revision}\n");
    if env == "ops" {
        text.push_str("components:\n");
        for component in SHOP.iter().chain(&["redis"]) {
            text.push_str(&format!("  {component}:\n    enabled: false\n"));
        }
        text.push_str("  nightly-report:\n    enabled: true\n");
    } else {
        text.push_str("components:\n  nightly-report:\n    enabled: false\n");
    }
    text
}
