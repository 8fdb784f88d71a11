//! Functions that reach beyond their arguments: other templates, the end of the render, the cluster, the network.

use serde_json::Value as Json;

use super::argument::{bytes, function, text};
use crate::helm::failure::{MESSAGE_END, MESSAGE_START};
use crate::helm::state::State;
use crate::helm::value;
use crate::template::{Function, Host, Map, Parameter, Value};

use Parameter::{Any, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("fail", &[Text], |_, args| Err(message(&args[0]))),
    // Names are never resolved: a render must not depend on the network.
    function("getHostByName", &[Text], |_, _| Ok("".into())),
    function("include", &[Text, Any], include),
    function("lookup", &[Text, Text, Text, Text], lookup),
    function("required", &[Text, Any], required),
    function("tpl", &[Text, Any], tpl),
];

fn message(said: &Value) -> String {
    format!("{MESSAGE_START}{}{MESSAGE_END}", text(said))
}

fn include(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    host.include(&text(&args[0]), &args[1]).map(Value::from)
}

fn tpl(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let Value::String(template) = &args[0] else { return Ok("".into()) };
    host.evaluate(template, &args[1]).map(Value::from)
}

/// Asks the cluster where there is one; as with `helm template` there mostly is none.
fn lookup(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let Some(cluster) = State::of(host).lookup.clone() else { return Ok(Map::new().into()) };
    let found = Json::Object(cluster.find(&text(&args[0]), &text(&args[1]), &text(&args[2]), &text(&args[3]))?);
    host.spend(found.to_string().len())?;
    Ok(value::from_json(&found))
}

fn required(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let is_missing = args[1].is_nil() || matches!(&args[1], Value::String(_)) && bytes(&args[1]).is_empty();
    if is_missing { Err(message(&args[0])) } else { Ok(args[1].clone()) }
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn templates_run_templates() {
        check(r#"{{ define "a" }}<{{ . }}>{{ end }}{{ include "a" 1 }}{{ tpl "{{ . }}!" 2 }}"#, "<1>2!");
        check(r#"{{ required "m" 0 }} {{ lookup "v1" "Pod" "a" "b" }}{{ getHostByName "x" }}"#, "0 map[]");
    }

    #[test]
    fn charts_can_end_the_render() {
        check_error(r#"{{ fail "no" }}"#, "error calling fail: HELM_ERR_STARTnoHELM_ERR_END");
        check_error(r#"{{ required "no" "" }}"#, "error calling required: HELM_ERR_STARTnoHELM_ERR_END");
        check_error(r#"{{ required "no" nil }}"#, "error calling required: HELM_ERR_STARTnoHELM_ERR_END");
    }
}
