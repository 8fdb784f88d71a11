//! The values that a person gives, in the order in which helm lays them over each other.

use serde_json::{Map, Value};

use super::error::Error;
use super::load;
use super::merge::merge;
use super::options::ValueInput;
use super::profile::Profile;
use super::set::{Reading, UNFINISHED, file_names, parse_into};

/// Returns all of them as one map.
pub(super) fn values(inputs: &[ValueInput], profile: Profile) -> Result<Map<String, Value>, Error> {
    let mut inputs: Vec<&ValueInput> = inputs.iter().collect();
    inputs.sort_by_key(|input| class(input));
    let mut values = Map::new();
    for input in inputs {
        lay(input, profile, &mut values).map_err(Error::Values)?;
    }
    Ok(values)
}

/// Returns the place of an argument's class; a later class wins.
fn class(input: &ValueInput) -> usize {
    match input {
        ValueInput::File { .. } => 0,
        ValueInput::SetJson(_) => 1,
        ValueInput::Set(_) => 2,
        ValueInput::SetString(_) => 3,
        ValueInput::SetFile { .. } | ValueInput::SetFiles { .. } => 4,
        ValueInput::SetLiteral(_) => 5,
    }
}

fn lay(input: &ValueInput, profile: Profile, values: &mut Map<String, Value>) -> Result<(), String> {
    let failed = |flag: &str, error: String| format!("failed parsing {flag} data: {error}");
    let parse = |flag: &str, text: &str, reading: Reading<'_>, values: &mut Map<String, Value>| {
        let result = parse_into(text, reading, values);
        result.or_else(|error| if profile.is_v4() && error == UNFINISHED { Ok(()) } else { Err(failed(flag, error)) })
    };
    match input {
        ValueInput::File { name, data } => {
            let documents = load::values(data, profile.is_v4());
            let documents = documents.map_err(|error| format!("failed to parse {name}: {error}"))?;
            documents.into_iter().for_each(|document| merge(values, document));
            Ok(())
        }
        ValueInput::SetJson(text) if profile.is_v4() && text.trim_start().starts_with('{') => {
            let mut document: Value =
                serde_json::from_str(text).map_err(|_| format!("failed parsing --set-json data JSON: {text}"))?;
            super::value::floats(&mut document);
            if let Value::Object(document) = document {
                merge(values, document);
            }
            Ok(())
        }
        ValueInput::SetJson(text) => {
            parse_into(text, Reading::Json, values).map_err(|_| format!("failed parsing --set-json data {text}"))
        }
        ValueInput::Set(text) => parse("--set", text, Reading::Typed, values),
        ValueInput::SetString(text) => parse("--set-string", text, Reading::Text, values),
        ValueInput::SetFile { path, data } => {
            let content = String::from_utf8_lossy(data);
            parse("--set-file", &format!("{path}=-"), Reading::Content(&content), values)
        }
        ValueInput::SetFiles { text, files } => parse("--set-file", text, Reading::Files(files), values),
        ValueInput::SetLiteral(text) => parse("--set-literal", text, Reading::Literal, values),
    }
}

/// Returns the files that a `--set-file` argument names, to be read for [`ValueInput::SetFiles`].
///
/// # Errors
/// When it cannot be parsed.
pub fn set_file_names(text: &str) -> Result<Vec<String>, Error> {
    file_names(text).map_err(|error| Error::Values(format!("failed parsing --set-file data: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(text: &str) -> ValueInput {
        ValueInput::File { name: "values.yaml".into(), data: text.as_bytes().into() }
    }

    #[test]
    fn later_classes_win() {
        let inputs = |json: &str| {
            [
                ValueInput::SetString("a.b=3".into()),
                ValueInput::Set("a.b=2,a.c=2".into()),
                file("a: {b: 1, c: 1, d: 1}\n---\na: {e: 1}"),
                ValueInput::SetJson(json.into()),
            ]
        };
        let object = "{\"f\": [1]}";
        let v4 = json!({"a": {"b": "3", "c": 2, "d": 1.0, "e": 1.0}, "f": [1.0]});
        assert_eq!(values(&inputs(object), Profile::V4_3).map(Value::Object), Ok(v4));
        let v3 = json!({"a": {"b": "3", "c": 2, "d": 1.0}, "f": [1.0]});
        assert_eq!(values(&inputs("f=[1]"), Profile::V3_19).map(Value::Object), Ok(v3));
        assert!(values(&inputs(object), Profile::V3_19).is_err(), "Helm 3 takes no whole objects");
    }

    #[test]
    fn errors_name_the_argument() {
        let error = values(&[file("a: [")], Profile::V3_19).expect_err("no YAML").to_string();
        assert!(error.starts_with("failed to parse values.yaml: error converting YAML to JSON: yaml: "), "{error}");
        let error = values(&[ValueInput::Set("a".into())], Profile::V4_3).expect_err("no value").to_string();
        assert_eq!(error, "failed parsing --set data: key \"a\" has no value");
    }
}
