//! Runs any text as a template of a chart, with all functions and a small budget. The part after the first NUL is `values.yaml`.
//! What is not flagged as random comes out the same twice.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use quarterdeck::helm::{self, ChartFile, Options, Profile};
use quarterdeck::template::Budget;

const HELPERS: &str =
    r#"{{ define "name" }}{{ .Chart.Name }}{{ end }}{{ define "self" }}{{ include "self" . }}{{ end }}"#;

fuzz_target!(|input: &[u8]| {
    let at = input.iter().position(|byte| *byte == 0);
    let (template, values) = at.map_or((input, &b""[..]), |at| (&input[..at], &input[at + 1..]));
    let file = |name: &str, data: &[u8]| ChartFile { name: name.into(), data: data.into() };
    let files = vec![
        file("Chart.yaml", b"{apiVersion: v2, name: c, version: 1.0.0}"),
        file("a.txt", b"one\ntwo\n"),
        file("templates/_helpers.tpl", HELPERS.as_bytes()),
        file("templates/a.yaml", template),
        file("values.yaml", values),
    ];
    let Ok(chart) = helm::load(files) else { return };
    for profile in [Profile::V4_3, Profile::V3_19] {
        let mut options = Options::new(profile, "rel", "ns");
        options.budget = Budget { steps: 1 << 19, depth: 4_000, time: Duration::from_secs(5) };
        let first = helm::render(&chart, &options);
        if let Err(error) = &first {
            assert!(error.to_string().len() <= 4096, "an error of {} bytes", error.to_string().len());
        }
        if let (Ok(first), Ok(second)) = (&first, helm::render(&chart, &options)) {
            assert!(!first.nondeterministic.is_empty() || first.text == second.text, "{}", first.text);
        }
    }
});
