//! Lays values over values: NUL parts the input into `values.yaml` of a chart, that of its subchart, the user's file, what
//! `Chart.yaml` says of the dependency, and `values.schema.json`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quarterdeck::helm::{self, ChartFile, Options, Profile, ValueInput};

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (own, inner, user, dependency, schema) = (part(), part(), part(), part(), part());
    let file = |name: &str, data: &[u8]| ChartFile { name: name.into(), data: data.into() };
    let mut about = b"apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- name: sub\n  version: 1.0.0\n".to_vec();
    for line in dependency.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        about.extend([b"  ", line, b"\n"].concat());
    }
    let mut files = vec![
        file("Chart.yaml", &about),
        file("values.yaml", own),
        file("templates/a.yaml", b"a: {{ toJson .Values }}"),
        file("charts/sub/Chart.yaml", b"{apiVersion: v2, name: sub, version: 1.0.0}"),
        file("charts/sub/values.yaml", inner),
        file("charts/sub/templates/a.yaml", b"b: {{ toJson .Values }}"),
    ];
    if !schema.is_empty() {
        files.push(file("values.schema.json", schema));
    }
    let Ok(chart) = helm::load(files) else { return };
    for profile in [Profile::V4_3, Profile::V3_19] {
        let mut options = Options::new(profile, "rel", "ns");
        options.values.push(ValueInput::File { name: "user.yaml".into(), data: user.into() });
        let first = helm::render(&chart, &options);
        assert_eq!(first, helm::render(&chart, &options));
    }
});
