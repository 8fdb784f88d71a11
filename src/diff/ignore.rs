//! `ignoreDifferences`: fields that are left out of the comparison.

use std::cell::RefCell;
use std::collections::HashMap;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read};
use serde_json::Value;

use crate::model::{IgnoreDifference, Object};

/// Words of jq that can run for ever or read something: an expression that uses one is refused.
const REFUSED: [&str; 14] = [
    "def", "repeat", "while", "until", "range", "recurse", "input", "inputs", "limit", "env", "foreach", "reduce",
    "debug", "import",
];

/// An ignore rule is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ignoreDifferences: jq expression {expression:?} {reason}")]
pub struct IgnoreError {
    /// The expression.
    pub expression: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The rules that hold for one object.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    pointers: Vec<String>,
    expressions: Vec<String>,
    managers: Vec<String>,
}

impl Ignore {
    /// Collects the rules that apply to an object; wrong expressions are returned beside them and left out.
    pub fn for_object(rules: &[IgnoreDifference], object: &Object) -> (Self, Vec<IgnoreError>) {
        let (mut ignore, mut errors) = (Self::default(), Vec::new());
        let gvk = object.gvk();
        for rule in rules.iter().filter(|rule| rule.matches(&gvk, object.namespace(), object.name())) {
            ignore.pointers.extend(rule.json_pointers.iter().cloned());
            ignore.managers.extend(rule.managed_fields_managers.iter().cloned());
            for expression in &rule.jq_path_expressions {
                match check(expression) {
                    Ok(()) => ignore.expressions.push(expression.clone()),
                    Err(error) => errors.push(error),
                }
            }
        }
        (ignore, errors)
    }

    /// Says whether nothing is ignored.
    pub fn is_empty(&self) -> bool {
        self.pointers.is_empty() && self.expressions.is_empty() && self.managers.is_empty()
    }

    /// Removes the ignored fields from an object; `live` tells which fields the ignored managers own.
    pub fn apply(&self, object: &mut Object, live: &Object) {
        for pointer in &self.pointers {
            remove_pointer(object.value_mut(), pointer);
        }
        for expression in &self.expressions {
            if let Some(value) = delete(expression, object.value())
                && value.is_object()
            {
                *object.value_mut() = value;
            }
        }
        let entries = live.value().pointer("/metadata/managedFields").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let manager = entry.get("manager").and_then(Value::as_str).unwrap_or_default();
            if let (true, Some(fields)) = (self.managers.iter().any(|name| name == manager), entry.get("fieldsV1")) {
                remove_fields(object.value_mut(), fields);
            }
        }
    }
}

fn remove_pointer(value: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    let name = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.remove(&name);
        }
        Some(Value::Array(list)) => {
            if let Ok(place) = name.parse::<usize>()
                && place < list.len()
            {
                list.remove(place);
            }
        }
        _ => {}
    }
}

fn remove_fields(value: &mut Value, fields: &Value) {
    let Some(fields) = fields.as_object() else { return };
    for (name, below) in fields {
        if let (Some(field), Some(map)) = (name.strip_prefix("f:"), value.as_object_mut()) {
            if below.as_object().is_none_or(serde_json::Map::is_empty) {
                map.remove(field);
            } else if let Some(inner) = map.get_mut(field) {
                remove_fields(inner, below);
            }
        } else if let (Some(key), Some(list)) = (name.strip_prefix("k:"), value.as_array_mut()) {
            let Ok(key) = serde_json::from_str::<Value>(key) else { continue };
            for item in list.iter_mut().filter(|item| super::owner::has_key(item, &key)) {
                remove_fields(item, below);
            }
        }
    }
}

fn check(expression: &str) -> Result<(), IgnoreError> {
    let wrong = |reason: &str| IgnoreError { expression: expression.to_owned(), reason: reason.to_owned() };
    let words = expression.split(|c: char| !c.is_alphanumeric() && c != '_');
    if words.into_iter().any(|word| REFUSED.contains(&word)) {
        return Err(wrong("uses a function that is not allowed here; name a path"));
    }
    with_filter(expression, |_| ()).ok_or_else(|| wrong("does not compile"))
}

/// Runs `del(expression)`; `None` when it fails on this object.
fn delete(expression: &str, value: &Value) -> Option<Value> {
    with_filter(expression, |filter| {
        let text = value.to_string();
        let input = read::parse_single(text.as_bytes()).ok()?;
        let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        let output = filter.id.run((context, input)).map(unwrap_valr).next()?.ok()?;
        serde_json::from_str(&output.to_string()).ok()
    })?
}

type Filter = jaq_core::Filter<data::JustLut<Val>>;

thread_local! {
    /// Compiled expressions; jq's definitions take milliseconds to load.
    static FILTERS: RefCell<HashMap<String, Option<std::rc::Rc<Filter>>>> = RefCell::new(HashMap::new());
}

fn with_filter<T>(expression: &str, run: impl FnOnce(&Filter) -> T) -> Option<T> {
    let filter = FILTERS.with_borrow_mut(|filters| {
        filters.entry(expression.to_owned()).or_insert_with(|| compile(expression).map(std::rc::Rc::new)).clone()
    });
    filter.map(|filter| run(&filter))
}

fn compile(expression: &str) -> Option<Filter> {
    let code = format!("del({expression})");
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(definitions).load(&arena, File { code: code.as_str(), path: () }).ok()?;
    jaq_core::Compiler::default().with_funs(functions).compile(modules).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Ignore;
    use crate::model::{IgnoreDifference, Object};

    fn check(rule: IgnoreDifference, expected: serde_json::Value) {
        let object = Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "managedFields": [
                {"manager": "hpa", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]},
            "spec": {"replicas": 3, "list": [{"name": "a", "x": 1}, {"name": "b", "x": 2}]}
        }))
        .unwrap();
        let rule = IgnoreDifference { group: "apps".into(), kind: "Deployment".into(), ..rule };
        let (ignore, errors) = Ignore::for_object(&[rule], &object);
        assert!(errors.is_empty(), "{errors:?}");
        let mut after = object.clone();
        ignore.apply(&mut after, &object);
        assert_eq!(after.value()["spec"], expected);
    }

    #[test]
    fn ignored_fields_are_gone() {
        let full = json!([{"name": "a", "x": 1}, {"name": "b", "x": 2}]);
        check(
            IgnoreDifference { json_pointers: vec!["/spec/replicas".into()], ..Default::default() },
            json!({"list": full}),
        );
        check(
            IgnoreDifference {
                jq_path_expressions: vec![".spec.list[] | select(.name == \"b\")".into()],
                ..Default::default()
            },
            json!({"replicas": 3, "list": [{"name": "a", "x": 1}]}),
        );
        check(
            IgnoreDifference { managed_fields_managers: vec!["hpa".into()], ..Default::default() },
            json!({"list": full}),
        );
        check(
            IgnoreDifference { json_pointers: vec!["/nothing/here".into()], ..Default::default() },
            json!({"replicas": 3, "list": full}),
        );
    }

    #[test]
    fn expressions_that_never_end_are_refused() {
        let object = Object::new(json!({"kind": "ConfigMap", "apiVersion": "v1"})).unwrap();
        for expression in ["repeat(.)", "def f: f; f", "[.[", "input"] {
            let rule = IgnoreDifference {
                kind: "*".into(),
                jq_path_expressions: vec![expression.into()],
                ..Default::default()
            };
            assert_eq!(Ignore::for_object(&[rule], &object).1.len(), 1, "{expression}");
        }
    }
}
