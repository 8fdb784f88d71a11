//! Maps: to make them, look into them and change them in place.

use super::argument::{function, map, strval, text, variadic};
use crate::template::{Function, Host, List, Map, Parameter, Str, Value, type_name};

use Parameter::{Any, Map as AnyMap, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("deepCopy", &[Any], |_, args| Ok(copy(&args[0]))),
    variadic("dict", &[Any], dict),
    variadic("dig", &[Any], dig),
    function("get", &[AnyMap, Text], |_, args| Ok(map(&args[0]).value(&key(&args[1])).unwrap_or_else(|| "".into()))),
    function("hasKey", &[AnyMap, Text], |_, args| Ok(map(&args[0]).value(&key(&args[1])).is_some().into())),
    variadic("keys", &[AnyMap], keys),
    function("mustDeepCopy", &[Any], |_, args| Ok(copy(&args[0]))),
    variadic("omit", &[AnyMap, Text], |_, args| Ok(filtered(args, false))),
    variadic("pick", &[AnyMap, Text], |_, args| Ok(filtered(args, true))),
    variadic("pluck", &[Text, AnyMap], pluck),
    function("set", &[AnyMap, Text, Any], set),
    function("unset", &[AnyMap, Text], unset),
    function("values", &[AnyMap], |_, args| Ok(Value::list(map(&args[0]).entries().values().cloned().collect()))),
];

fn key(value: &Value) -> Str {
    strval(value)
}

fn dict(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let made = Map::new();
    for pair in args.chunks(2) {
        made.insert(strval(&pair[0]), pair.get(1).cloned().unwrap_or_else(|| "".into()));
    }
    Ok(made.into())
}

fn set(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    map(&args[0]).insert(key(&args[1]), args[2].clone());
    Ok(args[0].clone())
}

fn unset(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    map(&args[0]).entries_mut().remove(&*key(&args[1]));
    Ok(args[0].clone())
}

/// Returns the keys of all maps. Go has them in no order, so they are sorted here.
fn keys(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let mut keys: Vec<Str> = Vec::new();
    for arg in args {
        keys.extend(map(arg).entries().keys().cloned());
    }
    host.spend(keys.len())?;
    Ok(Value::strings(keys))
}

/// Returns the entries of a map whose key is among the other arguments, or is not.
fn filtered(args: &[Value], wanted: bool) -> Value {
    let names: Vec<Str> = args[1..].iter().map(key).collect();
    let made = Map::new();
    for (key, value) in map(&args[0]).entries().iter() {
        if names.contains(key) == wanted {
            made.insert(key.clone(), value.clone());
        }
    }
    made.into()
}

fn pluck(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let key = key(&args[0]);
    Ok(Value::list(args[1..].iter().filter_map(|arg| map(arg).value(&key)).collect()))
}

/// Walks down a path of keys; the last argument is the map, the one before it the default.
fn dig(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let [path @ .., default, from] = args else { return Err("dig needs at least three arguments".into()) };
    if path.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut found = from.clone();
    for step in path {
        let Value::Map(map) = &found else {
            let found = match &found {
                Value::Nil | Value::Invalid => "nil".to_owned(),
                other => type_name(other),
            };
            return Err(format!("interface conversion: interface {{}} is {found}, not map[string]interface {{}}"));
        };
        let Some(value) = map.value(text(step).as_bytes()) else { return Ok(default.clone()) };
        found = value;
    }
    Ok(found)
}

/// Returns a value that shares no map with the given one.
pub(super) fn copy(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let entries = map.entries().iter().map(|(key, value)| (key.clone(), copy(value))).collect();
            Map::from_entries(map.kind(), entries).into()
        }
        Value::List(list) => {
            Value::List(List { items: list.items.iter().map(copy).collect::<Vec<_>>().into(), kind: list.kind })
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn maps() {
        check(r#"{{ dict "a" 1 "b" }} {{ dict 1 2 true 3 }}"#, "map[a:1 b:] map[1:2 true:3]");
        check(r#"{{ $d := dict "a" 1 }}{{ set $d "b" 2 }}{{ unset $d "a" }}{{ $d }}"#, "map[a:1 b:2]map[b:2]map[b:2]");
        check(r#"{{ get (dict "a" 1) "a" }}{{ get dict "a" }}{{ hasKey (dict "a" nil) "a" }}"#, "1true");
        check(r#"{{ pluck "a" (dict "a" 1) dict (dict "a" 3) }} {{ keys (dict "b" 1) (dict "a" 2) }}"#, "[1 3] [b a]");
        check(r#"{{ pick (dict "a" 1 "b" 2) "a" "z" }} {{ omit (dict "a" 1 "b" 2) "a" }}"#, "map[a:1] map[b:2]");
        check(
            r#"{{ $a := dict "x" (dict "y" 1) }}{{ $b := deepCopy $a }}{{ $_ := set $b.x "y" 2 }}{{ $a }}"#,
            "map[x:map[y:1]]",
        );
    }

    #[test]
    fn digging() {
        check(r#"{{ dig "a" "b" "no" (dict "a" (dict "b" 1)) }} {{ dig "a" "z" "no" (dict "a" dict) }}"#, "1 no");
        check_error(
            r#"{{ dig "a" "b" "c" "no" (dict "a" (dict "b" 1)) }}"#,
            "interface conversion: interface {} is int, not map[string]interface {}",
        );
    }
}
