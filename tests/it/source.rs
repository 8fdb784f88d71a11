//! From an Application and a tree to manifests, with a tree in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use quarterdeck::helm::{Capabilities, Profile, ValueInput};
use quarterdeck::model::{Application, CommitId, ConditionKind, Object};
use quarterdeck::source::{
    ChartCache, ChartRender, Entry, EntryKind, Input, SourceInput, Tree, TreeError, application, chart, fingerprint,
    origins, render,
};
use serde_json::json;

/// Files by path; a text that begins with `-> ` is a symlink. Content ids are the content itself.
struct Memory(BTreeMap<&'static str, &'static str>);

impl Tree for Memory {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        if let Some(text) = self.0.get(path) {
            let kind = if text.starts_with("-> ") { EntryKind::Symlink } else { EntryKind::Blob };
            return Ok(Some(Entry { kind, id: (*text).to_owned(), size: text.len() as u64 }));
        }
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let inside: Vec<_> = self.0.iter().filter(|(name, _)| name.starts_with(&below)).collect();
        Ok((!inside.is_empty()).then(|| Entry { kind: EntryKind::Tree, id: format!("{inside:?}"), size: 0 }))
    }

    fn children(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let names: std::collections::BTreeSet<_> = self
            .0
            .keys()
            .filter_map(|name| name.strip_prefix(below.as_str()))
            .map(|rest| rest.split('/').next().unwrap())
            .collect();
        names.into_iter().map(|name| Ok((name.to_owned(), self.entry(&format!("{below}{name}"))?.unwrap()))).collect()
    }

    fn blob(&self, id: &str) -> Result<Arc<[u8]>, TreeError> {
        Ok(id.strip_prefix("-> ").unwrap_or(id).as_bytes().into())
    }
}

/// Says in one line which values a chart gets.
fn said(values: &[ValueInput]) -> String {
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let said: Vec<_> = values
        .iter()
        .map(|value| match value {
            ValueInput::File { data, .. } => format!("f:{}", show(data)),
            ValueInput::Set(text) => format!("s:{text}"),
            ValueInput::SetString(text) => format!("t:{text}"),
            ValueInput::SetFile { path, data } => format!("x:{path}={}", show(data)),
            other => panic!("Applications have no {other:?}"),
        })
        .collect();
    said.join(" ")
}

fn app(source: &serde_json::Value, more: &[serde_json::Value]) -> Application {
    let mut sources = vec![source.clone()];
    sources[0]["repoURL"] = json!("r");
    sources.extend_from_slice(more);
    let spec = json!({"project": "p", "sources": sources, "destination": {"server": "https://a", "namespace": "ns"}});
    let object =
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web"}, "spec": spec});
    application(&Object::new(object).unwrap()).unwrap()
}

/// More than a tenth of what a folder may have.
static LARGE: LazyLock<String> = LazyLock::new(|| "#".repeat(1_000_001));

fn tree() -> Arc<dyn Tree> {
    Arc::new(Memory(BTreeMap::from([
        ("chart/Chart.yaml", "{name: c, version: 1.0.0}"),
        ("chart/templates/a.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: {{ .Release.Name }}}}"),
        ("dice/Chart.yaml", "{name: d, version: 1.0.0}"),
        (
            "dice/templates/a.yaml",
            "{{ $none := randAlpha 5 }}\n{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {pw: {{ randAlphaNum 20 }}, user: ana}}\n---\n\
             {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, annotations: {at/day: \"{{ now | date \"02\" }}{{ now | date \"2006\" }}\"}}}",
        ),
        ("calm/Chart.yaml", "{name: k, version: 1.0.0}"),
        ("calm/templates/a.yaml", "{{ $unused := randAlpha 5 }}\n{apiVersion: v1, kind: Secret, metadata: {name: s}}"),
        ("chart/a.yaml", "A"),
        ("chart/env/b.yaml", "B"),
        ("chart/web.yaml", "W"),
        ("root.yaml", "R"),
        ("over/Chart.yaml", "{name: o, version: 1.0.0}"),
        ("over/.argocd-source.yaml", "helm: {parameters: [{name: tag, value: v2}]}"),
        ("over/.argocd-source-web.yaml", "helm: {releaseName: other}"),
        ("link/Chart.yaml", "-> ../chart/Chart.yaml"),
        ("out/Chart.yaml", "-> ../../x"),
        ("kust/kustomization.yaml", "{}"),
        ("plain/one.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: one}}"),
        ("plain/two.json", r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "two"}}"#),
        ("plain/deep/three.yml", "apiVersion: v1\nkind: Secret\nmetadata: {name: three}"),
        ("plain/values.yaml", "a: 1"),
        ("plain/four.txt", "apiVersion: v1\nkind: Secret\nmetadata: {name: four}"),
        ("large/a.yaml", LARGE.as_str()),
        ("large/b.yaml", "-> a.yaml"),
        ("large/c.yaml", "-> a.yaml"),
        ("large/d.yaml", "-> a.yaml"),
        ("large/e.yaml", "-> a.yaml"),
        ("large/f.yaml", "-> a.yaml"),
        ("large/g.yaml", "-> a.yaml"),
        ("large/h.yaml", "-> a.yaml"),
        ("large/i.yaml", "-> a.yaml"),
        ("large/j.yaml", "-> a.yaml"),
        (
            "twice/a.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}",
        ),
    ])))
}

fn with<T>(app: &Application, run: impl FnOnce(&Input<'_>) -> T) -> T {
    let commit = Some(CommitId::new("0123456789012345678901234567890123456789"));
    let sources = vec![
        SourceInput { tree: Some(tree()), commit, version: String::new(), problem: String::new() };
        app.sources.len()
    ];
    let capabilities = Arc::new(Capabilities { kube_version: "v1.33.0".into(), api_versions: Vec::new() });
    let charts = ChartCache::new(8);
    run(&Input {
        app,
        sources: &sources,
        capabilities: &capabilities,
        profile: Profile::default(),
        charts: &charts,
        archives: &quarterdeck::source::NoArchives,
        control_plane: "argocd",
    })
}

#[test]
fn charts_get_what_the_application_says() {
    fn check(path: &str, helm: &serde_json::Value, field: &str, expected: &str) {
        let app = app(&json!({"path": path, "helm": helm}), &[json!({"repoURL": "r", "ref": "other"})]);
        let given = with(&app, |input| chart(input, 0));
        let given = match (given, field) {
            (Err(problem), "!") => problem,
            (Ok(Some(ChartRender { options, .. })), "values") => said(&options.values),
            (Ok(Some(ChartRender { options, .. })), "release") => options.release_name,
            (Ok(Some(ChartRender { options, .. })), "namespace") => options.namespace,
            (Ok(Some(ChartRender { options, .. })), "kube") => options.capabilities.kube_version.clone(),
            (given, _) => panic!("{path} {helm}: {given:?}"),
        };
        assert!(if field == "!" { given.contains(expected) } else { given == expected }, "{given:?}, not {expected:?}");
    }
    check("chart", &json!({}), "release", "web");
    check("chart", &json!({}), "namespace", "ns");
    check("chart", &json!({"releaseName": "x"}), "release", "x");
    check("chart", &json!({"kubeVersion": "1.30.1"}), "kube", "v1.30.1");
    check("chart", &json!({"kubeVersion": "v1.30.2-eks-abc+x"}), "kube", "v1.30.2");
    check("chart", &json!({"kubeVersion": "new"}), "!", "\"new\" is no version");
    check("chart", &json!({"valueFiles": ["env/b.yaml", "a.yaml"]}), "values", "f:B f:A");
    check("chart", &json!({"valueFiles": ["/root.yaml", "../root.yaml"]}), "values", "f:R");
    check("chart", &json!({"valueFiles": ["$other/root.yaml"]}), "values", "f:R");
    check("chart", &json!({"valueFiles": ["$ARGOCD_APP_NAME.yaml"]}), "values", "f:W");
    check("chart", &json!({"valueFiles": ["env/*.yaml", "a.yaml"]}), "values", "f:B f:A");
    check("chart", &json!({"valueFiles": ["[aw]*.yaml", "a.yaml"]}), "values", "f:W f:A");
    check("chart", &json!({"valueFiles": ["none.yaml"]}), "!", "value file \"none.yaml\" does not exist");
    check("chart", &json!({"valueFiles": ["../../x"]}), "!", "leads out of the repository");
    check("chart", &json!({"valueFiles": ["none.yaml", "a.yaml"], "ignoreMissingValueFiles": true}), "values", "f:A");
    check("chart", &json!({"values": "a: 1", "valueFiles": ["a.yaml"]}), "values", "f:A f:a: 1");
    check("chart", &json!({"values": "a: 1", "valuesObject": {"b": 2}}), "values", "f:b: 2");
    check(
        "chart",
        &json!({"parameters": [
            {"name": "a", "value": "1"}, {"name": "a", "value": "x,$ARGOCD_APP_NAME"},
            {"name": "b", "value": "2", "forceString": true}, {"name": "c", "value": "{p,q}"},
        ]}),
        "values",
        "s:a=x\\,web t:b=2 s:c={p,q}",
    );
    check("chart", &json!({"fileParameters": [{"name": "k", "path": "a.yaml"}]}), "values", "x:k=A");
    check("over", &json!({"releaseName": "mine"}), "values", "s:tag=v2");
    check("over", &json!({"releaseName": "mine"}), "release", "other");
    check("link", &json!({"valueFiles": ["/root.yaml"]}), "values", "f:R");
    check("out", &json!({"valueFiles": ["/root.yaml"]}), "!", "leads out of the repository");
    check("gone", &json!({}), "!", "gone: app path does not exist");
}

#[test]
fn folders_are_read_and_the_rest_says_why_not() {
    fn check(source: &serde_json::Value, expected: Result<&[&str], &str>) {
        match (with(&app(source, &[]), render), expected) {
            (Ok(manifests), Ok(expected)) => {
                let names: Vec<_> = manifests.objects.iter().map(Object::name).collect();
                assert_eq!(names, expected, "{source}");
            }
            (Err(conditions), Err(expected)) => {
                assert!(conditions[0].message.contains(expected), "{}", conditions[0].message);
            }
            (result, _) => panic!("{source}: {result:?}"),
        }
    }
    check(&json!({"path": "plain"}), Ok(&["one", "two"]));
    check(&json!({"path": "plain", "directory": {"recurse": true}}), Ok(&["one", "two", "three"]));
    check(&json!({"path": "plain", "directory": {"recurse": true, "exclude": "*.json"}}), Ok(&["one", "three"]));
    check(&json!({"path": "plain", "directory": {"recurse": true, "include": "{deep/*,x}"}}), Ok(&["three"]));
    check(&json!({"path": "plain", "directory": {"include": "*.txt"}}), Ok(&[]));
    check(&json!({"path": "plain", "directory": {"include": "*.txt", "disableExtensionFilter": true}}), Ok(&["four"]));
    check(&json!({"path": "large"}), Err("large: its manifests are larger than 10000000 bytes together"));
    check(&json!({"path": "plain", "directory": {"jsonnet": {"libs": ["x"]}}}), Err("jsonnet is not supported yet"));
    check(&json!({"path": "kust"}), Err("kustomize is not supported yet"));
    check(&json!({"path": "plain", "plugin": {"name": "x"}}), Err("plugin \"x\" is not supported yet"));
    check(&json!({"chart": "c", "targetRevision": "1"}), Err("symlink to \"../../x\" leads out"));
    check(&json!({"path": "../x"}), Err("leads out of the repository"));
    check(&json!({"path": "root.yaml"}), Err("is not a directory"));
    check(&json!({"path": "twice"}), Ok(&["a"]));
    check(&json!({"path": "chart"}), Ok(&["web"]));
    check(&json!({"path": "gone"}), Err("source 1 of 1: gone: app path does not exist"));
    let manifests = with(&app(&json!({"path": "twice"}), &[]), render).unwrap();
    assert_eq!(manifests.conditions[0].message, "/Pod/ns/a appears 2 times; the last one counts");
}

#[test]
fn objects_are_traced_to_the_file_that_wrote_them() {
    for (source, expected) in [
        (json!({"path": "plain"}), "one plain/one.yaml, two plain/two.json"),
        (json!({"path": "chart"}), "web chart/templates/a.yaml"),
    ] {
        let origins = with(&app(&source, &[]), origins).unwrap();
        let said: Vec<_> = origins.iter().map(|(key, path)| format!("{} {path}", key.name)).collect();
        assert_eq!(said.join(", "), expected);
    }
}

#[test]
fn what_differs_in_every_render_is_named_and_left_out_of_comparisons() {
    let dice = with(&app(&json!({"path": "dice"}), &[]), render).unwrap();
    let [condition] = dice.conditions.as_slice() else { panic!("{:?}", dice.conditions) };
    assert_eq!(condition.kind, ConditionKind::NotDeterministicWarning);
    assert_eq!(
        condition.message,
        "the chart in dice renders differently every time, which is not compared: Secret/s stringData.pw, \
         Deployment/web metadata.annotations[\"at/day\"]; it calls now, randAlpha, randAlphaNum"
    );
    let rules: Vec<_> = dice.unstable.iter().map(|rule| (rule.kind.as_str(), rule.json_pointers.join(" "))).collect();
    assert_eq!(
        rules,
        [("Secret", "/stringData/pw".to_owned()), ("Deployment", "/metadata/annotations/at~1day".to_owned())]
    );
    let calm = with(&app(&json!({"path": "calm"}), &[]), render).unwrap();
    assert!(calm.conditions.is_empty() && calm.unstable.is_empty(), "{:?}", calm.conditions);
}

#[test]
fn fingerprints_follow_what_is_rendered() {
    let of = |helm: serde_json::Value| with(&app(&json!({"path": "chart", "helm": helm}), &[]), fingerprint);
    let plain = of(json!({}));
    assert_eq!(plain, of(json!({})));
    let rendered = with(&app(&json!({"path": "chart", "helm": {}}), &[]), |input| render(input).unwrap().fingerprint);
    assert_eq!(plain, rendered);
    for other in [
        json!({"values": "a: 1"}),
        json!({"valueFiles": ["a.yaml"]}),
        json!({"valueFiles": ["env/b.yaml"]}),
        json!({"releaseName": "x"}),
        json!({"skipCrds": true}),
        json!({"kubeVersion": "1.2.3"}),
    ] {
        assert_ne!(plain, of(other.clone()), "{other}");
    }
}
