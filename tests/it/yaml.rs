//! YAML texts as helm reads and writes them.

use std::io::{BufRead, BufReader};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quarterdeck::yaml;
use serde_json::{Map, Value, json};

use crate::corpus;

/// What helm's `fromYaml` makes of a text.
fn from_yaml(text: &[u8]) -> Value {
    match yaml::parse(text) {
        Ok(Value::Null) => Value::Object(Map::new()),
        Ok(value @ Value::Object(_)) => value,
        Ok(value) => {
            let kind = match value {
                Value::Array(_) => "array",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            json!({"Error": format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")})
        }
        Err(error) => json!({"Error": format!("error converting YAML to JSON: {error}")}),
    }
}

#[test]
fn reads_and_writes_as_helm() {
    let Some(file) = corpus::open("yaml.jsonl") else { return };
    let (mut total, mut failures) = (0, Vec::new());
    for line in BufReader::new(file).lines() {
        let case: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let read = match (case["text"].as_str(), case["base64"].as_str()) {
            (Some(text), _) => from_yaml(text.as_bytes()),
            (None, encoded) => from_yaml(&STANDARD.decode(encoded.unwrap()).unwrap()),
        };
        total += 1;
        let expected = &case["expect"]["4.3"];
        let json: Value = serde_json::from_str(expected["json"].as_str().unwrap()).unwrap_or(Value::Null);
        if floats(&read) != floats(&json) {
            failures.push(format!("{}: json\n  expected {json}\n  got      {read}", case["name"]));
            continue;
        }
        let written = yaml::to_string(&floats(&read));
        let written = written.strip_suffix('\n').unwrap_or(&written);
        if Some(written) != expected["yaml"].as_str() {
            failures.push(format!("{}: yaml\n  expected {}\n  got      {written:?}", case["name"], expected["yaml"]));
        }
    }
    println!("{} of {total} texts", total - failures.len());
    assert!(failures.is_empty(), "{} of {total}\n{}", failures.len(), failures.join("\n"));
}

/// Helm reads every number as a float.
fn floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(floats).collect(),
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), floats(value))).collect(),
        other => other.clone(),
    }
}
