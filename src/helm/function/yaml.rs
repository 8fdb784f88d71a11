//! YAML to and from values.

use super::argument::{bytes, function, spend_items};
use super::json::{empty, failure, mismatch, to_json, to_value};
use crate::template::{Function, Host, Map, Parameter, Value};
use crate::yaml;

use Parameter::{Any, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("fromYaml", &[Text], from_object),
    function("fromYamlArray", &[Text], from_array),
    function("toYaml", &[Any], |host, args| write(host, &args[0], yaml::to_string).or_else(|_| empty(host))),
    function("toYamlPretty", &[Any], |host, args| {
        write(host, &args[0], yaml::to_string_pretty).or_else(|_| empty(host))
    }),
];

/// What Helm 3 does not have.
pub(super) static SINCE_V4: &[Function] =
    &[function("mustToYaml", &[Any], |host, args| write(host, &args[0], yaml::to_string))];

fn write(host: &mut dyn Host, value: &Value, writer: fn(&serde_json::Value) -> String) -> Result<Value, String> {
    let json = to_json(host, value, 0).map_err(|error| format!("error marshaling into JSON: {error}"))?;
    let mut text = writer(&json);
    if text.ends_with('\n') {
        text.pop();
    }
    host.spend(text.len())?;
    Ok(text.into())
}

fn read(host: &mut dyn Host, text: &Value) -> Result<Value, String> {
    host.spend(bytes(text).len())?;
    let json = yaml::parse(bytes(text)).map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    // Aliases can make much of a short text.
    spend_items(host, count(&json))?;
    Ok(to_value(json))
}

/// Returns how many values there are in one.
fn count(json: &serde_json::Value) -> usize {
    match json {
        serde_json::Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        serde_json::Value::Object(entries) => 1 + entries.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

fn wrong_type(value: &Value, wanted: &str) -> String {
    format!("error unmarshaling JSON: while decoding JSON: {}", mismatch(value, wanted))
}

fn from_object(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(match read(host, &args[0]) {
        Ok(value @ Value::Map(_)) => value,
        Ok(value) if value.is_nil() => Map::new().into(),
        Ok(value) => failure(&wrong_type(&value, "map[string]interface {}")),
        Err(message) => failure(&message),
    })
}

fn from_array(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(match read(host, &args[0]) {
        Ok(value @ Value::List(_)) => value,
        Ok(value) if value.is_nil() => Value::list(vec![]),
        Ok(value) => Value::list(vec![wrong_type(&value, "[]interface {}").into()]),
        Err(message) => Value::list(vec![message.into()]),
    })
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn writes_and_reads() {
        check(
            r#"{{ toYaml (dict "b" (list 1 100000000.0 nil) "a" "yes") }}"#,
            "a: \"yes\"\nb:\n- 1\n- 100000000\n- null",
        );
        check(r#"{{ toYamlPretty (dict "b" (list 1 100000000.0)) }}"#, "b:\n  - 1\n  - 1e+08");
        check(r#"{{ (fromYaml "a: 1000000").a }} {{ fromYaml "" }}"#, "1e+06 map[]");
        check(r#"{{ fromYamlArray "- a\n- 1" }}"#, "[a 1]");
        check(
            r#"{{ (fromYaml "a: [1").Error }}"#,
            "error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'",
        );
        check(
            r#"{{ (fromYaml "- a").Error }}"#,
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}",
        );
    }

    #[test]
    fn what_aliases_make_is_counted() {
        let mut text = String::from("a0: &a0 [x]\\n");
        for level in 1..4 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\\n"));
        }
        let template = format!(r#"{{{{ range until 1500 }}}}{{{{ $_ := fromYaml "{text}" }}}}{{{{ end }}}}"#);
        check_error(&template, "steps allows");
    }
}
