//! Benchmarks of the pipeline: a chart rendered, objects compared, a frame drawn. `cargo bench` runs them.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use quarterdeck::diff::{Options as CompareOptions, compare};
use quarterdeck::helm::{self, Chart, ChartFile, Options, Profile, ValueInput};
use quarterdeck::model::{App, AppId, Cluster, ClusterName, Fleet, Object};
use quarterdeck::tui::{Message, Screen, State, draw, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;

#[path = "../tests/it/tui/sample.rs"]
#[expect(clippy::unwrap_used, reason = "it is part of the tests, where that is allowed")]
mod sample;

const HELPERS: &str = r#"{{- define "web.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}
"#;

const WORKLOADS: &str = r#"{{- range $name, $component := .Values.components }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ printf "%s-%s" $.Release.Name $name }}
  labels:
    {{- include "web.labels" $ | nindent 4 }}
spec:
  replicas: {{ $component.replicas | default 1 }}
  selector: {matchLabels: {app: {{ $name | quote }}}}
  template:
    metadata: {labels: {app: {{ $name | quote }}}}
    spec:
      containers:
        - name: {{ $name }}
          image: "{{ $.Values.registry }}/{{ $name }}:{{ $component.tag }}"
          env: {{- toYaml $component.env | nindent 12 }}
{{- end }}
"#;

/// A chart with twenty Deployments.
fn chart() -> Chart {
    let file = |name: &str, text: &str| ChartFile { name: name.to_owned(), data: text.as_bytes().into() };
    let components: String = (0..20)
        .map(|index| {
            format!("  c{index}:\n    tag: 1.{index}\n    env: [{{name: A, value: a}}, {{name: B, value: b}}]\n")
        })
        .collect();
    helm::load(vec![
        file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        file(
            "values.yaml",
            &format!("registry: registry.example.net\nlabels: {{team: shop}}\ncomponents:\n{components}"),
        ),
        file("templates/_helpers.tpl", HELPERS),
        file("templates/workloads.yaml", WORKLOADS),
    ])
    .expect("a chart")
}

fn render(criterion: &mut Criterion) {
    let chart = chart();
    let mut options = Options::new(Profile::default(), "web", "shop");
    let mut turn = 0;
    criterion.benchmark_group("render").throughput(Throughput::Elements(20)).bench_function(
        "20 deployments",
        |bench| {
            bench.iter(|| {
                turn += 1;
                options.values = vec![ValueInput::Set(format!("components.c0.tag={turn}"))];
                black_box(helm::render(&chart, &options).expect("manifests"))
            });
        },
    );
}

/// A Deployment as Git has it, and as an API server returns it.
fn pair() -> (Object, Object) {
    let container = |more: serde_json::Value| {
        let mut container = json!({"name": "web", "image": "web:1.0", "resources": {"requests": {"cpu": "0.1"}}});
        for (key, value) in more.as_object().expect("an object") {
            container[key] = value.clone();
        }
        container
    };
    let of = |replicas: u32, container: serde_json::Value| {
        let spec = json!({"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}});
        let metadata = json!({"name": "web", "namespace": "shop"});
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}))
            .expect("an object")
    };
    (of(2, container(json!({}))), of(3, container(json!({"imagePullPolicy": "IfNotPresent"}))))
}

fn comparison(criterion: &mut Criterion) {
    let (desired, live) = pair();
    let options = CompareOptions::default();
    criterion.bench_function("compare/deployment", |bench| {
        bench.iter(|| black_box(compare(black_box(&desired), black_box(&live), &options)));
    });
}

/// A fleet of ten thousand applications: a hundred components on a hundred clusters.
fn fleet() -> Fleet {
    let mut fleet = sample::fleet();
    let few = fleet.apps.clone();
    let cluster = (*fleet.clusters[0]).clone();
    fleet.clusters = (0..100)
        .map(|place| Arc::new(Cluster { name: ClusterName::new(format!("edge-{place:02}")), ..cluster.clone() }))
        .collect();
    fleet.apps = (0..10_000)
        .map(|index| {
            let app = &few[index % few.len()];
            let cluster = fleet.clusters[index / 100].name.clone();
            let component = format!("{}-{:02}", app.component, index % 100);
            let name = format!("{cluster}-{component}");
            Arc::new(App { id: AppId::new(name.as_str()), cluster, component, name, ..(**app).clone() })
        })
        .collect();
    fleet.apps.sort_by(|one, other| one.id.cmp(&other.id));
    fleet
}

fn frame(criterion: &mut Criterion) {
    let size = (200, 60);
    let fleet = Arc::new(fleet());
    let mut group = criterion.benchmark_group("10,000 applications");
    for screen in [Screen::Fleet, Screen::Apps, Screen::Pipeline, Screen::Clusters] {
        let mut state = State::new(Arc::clone(&fleet), sample::now(), size);
        state.screen = screen;
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a terminal");
        group.bench_function(format!("frame of {}", screen.name()), |bench| {
            bench.iter(|| terminal.draw(|frame| draw(frame, &state)).map(|_| ()));
        });
    }
    for (name, is_touched) in [("snapshot to rows", false), ("snapshot to rows that stay", true)] {
        group.bench_function(name, |bench| {
            let mut state = State::new(Arc::clone(&fleet), sample::now(), size);
            state.touched = is_touched;
            bench.iter_batched(
                || state.clone(),
                |mut state| update(&mut state, Message::Fleet(Arc::clone(&fleet))),
                BatchSize::LargeInput,
            );
        });
    }
    let letter = |letter| Message::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
    group.bench_function("letter of a filter", |bench| {
        let mut state = State::new(Arc::clone(&fleet), sample::now(), size);
        "/paymnt".chars().for_each(|typed| drop(update(&mut state, letter(typed))));
        bench.iter_batched(|| state.clone(), |mut state| update(&mut state, letter('s')), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, render, comparison, frame);
criterion_main!(benches);
