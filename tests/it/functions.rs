//! Single functions of templates, against what real helm gives.

use std::io::{BufRead, BufReader};

use quarterdeck::helm::{self, ChartFile, Options, Profile, ValueInput};
use serde_json::Value;

use crate::corpus;

/// The template that runs the one of a case.
const TEMPLATE: &str = "out: {{ tpl .Values.t . | toJson }}\n";

fn chart() -> helm::Chart {
    let file = |name: &str, data: &[u8]| ChartFile { name: name.to_owned(), data: data.into() };
    helm::load(vec![
        file("Chart.yaml", b"apiVersion: v2\nname: fx\nversion: 1.2.3\nappVersion: \"4.5\"\n"),
        file("values.yaml", b""),
        file("templates/a.yaml", TEMPLATE.as_bytes()),
        file("b.bin", b"bin\0\xff"),
        file("l.txt", b"l1\nl2\n\nl4\n"),
    ])
    .unwrap()
}

/// Returns what the corpus holds of a render: the output behind its header, or the error.
fn render(chart: &helm::Chart, profile: Profile, template: &str) -> Result<String, String> {
    let mut options = Options::new(profile, "rel", "ns");
    let values = serde_json::json!({"t": template, "a": {"b": 1_000_000, "c": null}});
    options.values =
        vec![ValueInput::File { name: "values.yaml".into(), data: values.to_string().into_bytes().into() }];
    match helm::render(chart, &options) {
        Ok(rendered) => {
            let text = rendered.text.strip_prefix("---\n# Source: fx/templates/a.yaml\n").unwrap_or(&rendered.text);
            Ok(text.to_owned())
        }
        Err(error) => Err(format!("Error: {error}")),
    }
}

fn check(profile: Profile) {
    let Some(file) = corpus::open("template-functions.jsonl") else { return };
    let chart = chart();
    let (mut total, mut failures) = (0, Vec::new());
    for line in BufReader::new(file).lines() {
        let case: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let expect = &case["expect"][profile.name()];
        if expect.is_null() {
            continue;
        }
        let expected = match expect["ok"].as_bool().unwrap() {
            true => Ok(expect["out"].as_str().unwrap().to_owned()),
            false => Err(expect["error"].as_str().unwrap().to_owned()),
        };
        total += 1;
        let template = case["template"].as_str().unwrap();
        let rendered = render(&chart, profile, template);
        if rendered != expected {
            failures.push(format!("{} {template}\n  expected {expected:?}\n  got      {rendered:?}", case["id"]));
        }
    }
    println!("helm {profile}: {} of {total} templates\n{}", total - failures.len(), failures.join("\n"));
    assert!(failures.is_empty(), "helm {profile}: {} of {total} differ", failures.len());
}

#[test]
fn give_what_helm_3_19_gives() {
    check(Profile::V3_19);
}

#[test]
fn give_what_helm_4_3_gives() {
    check(Profile::V4_3);
}
