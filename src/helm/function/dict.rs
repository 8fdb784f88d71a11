//! Maps. `set` and `unset` change the map that they are given.

use super::argument::{bytes, function, map, spend_items, strval, variadic};
use super::json::DEEPEST;
use crate::template::{Function, Host, List, Map, MapKind, Parameter, Str, Value, type_name};

use Parameter::{Any, Map as Dict, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("deepCopy", &[Any], deep_copy),
    variadic("dict", &[Any], dict),
    variadic("dig", &[Any], dig),
    function("get", &[Dict, Text], |_, args| Ok(map(&args[0]).value(bytes(&args[1])).unwrap_or_else(|| "".into()))),
    function("hasKey", &[Dict, Text], |_, args| Ok(map(&args[0]).entries().contains_key(bytes(&args[1])).into())),
    variadic("keys", &[Dict], keys),
    function("mustDeepCopy", &[Any], deep_copy),
    variadic("omit", &[Dict, Text], |host, args| select(host, args, false)),
    variadic("pick", &[Dict, Text], |host, args| select(host, args, true)),
    variadic("pluck", &[Text, Dict], pluck),
    function("set", &[Dict, Text, Any], set),
    function("unset", &[Dict, Text], unset),
    function("values", &[Dict], values),
];

/// Returns a value as a map holds it: nothing at all becomes nil.
fn held(value: &Value) -> Value {
    if value.is_nil() { Value::Nil } else { value.clone() }
}

fn dict(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    spend_items(host, args.len())?;
    let map = Map::new();
    for pair in args.chunks(2) {
        map.insert(strval(host, &pair[0])?, pair.get(1).map_or_else(|| "".into(), held));
    }
    Ok(map.into())
}

fn set(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    if args[0].is_nil() {
        return Err("assignment to entry in nil map".into());
    }
    map(&args[0]).insert(bytes(&args[1]), held(&args[2]));
    Ok(args[0].clone())
}

fn unset(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let target = map(&args[0]);
    target.entries_mut().remove(bytes(&args[1]));
    Ok(target.into())
}

/// Go gives keys in any order; here they are sorted.
fn keys(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let mut all: Vec<Str> = Vec::new();
    for arg in args {
        all.extend(map(arg).entries().keys().cloned());
    }
    spend_items(host, all.len())?;
    Ok(Value::strings(all))
}

/// Returns the values in the order of their keys, where Go has none.
fn values(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let all: Vec<Value> = map(&args[0]).entries().values().cloned().collect();
    spend_items(host, all.len())?;
    Ok(Value::list(all))
}

fn pluck(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    spend_items(host, args.len())?;
    Ok(Value::list(args[1..].iter().filter_map(|arg| map(arg).value(bytes(&args[0]))).collect()))
}

/// Returns a map of only the entries that are named, or of only those that are not.
fn select(host: &mut dyn Host, args: &[Value], is_kept: bool) -> Result<Value, String> {
    let named: std::collections::HashSet<&[u8]> = args[1..].iter().map(bytes).collect();
    let source = map(&args[0]);
    let entries = source.entries();
    spend_items(host, entries.len() + named.len())?;
    let kept = entries.iter().filter(|(key, _)| named.contains(&key[..]) == is_kept);
    let kept = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(Map::from_entries(MapKind::Any, kept).into())
}

fn deep_copy(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    if args[0].is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    copy(host, &args[0], 0)
}

/// Returns a copy that shares no map with the original.
fn copy(host: &mut dyn Host, value: &Value, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err("deepCopy error: the value contains itself".into());
    }
    Ok(match value {
        Value::Map(map) => {
            let source: Vec<(Str, Value)> =
                map.entries().iter().map(|(key, item)| (key.clone(), item.clone())).collect();
            spend_items(host, source.len() + 1)?;
            let entries = source.into_iter().map(|(key, item)| Ok((key, copy(host, &item, depth + 1)?)));
            Map::from_entries(map.kind(), entries.collect::<Result<_, String>>()?).into()
        }
        Value::List(list) => {
            spend_items(host, list.items.len() + 1)?;
            let items = list.items.iter().map(|item| copy(host, item, depth + 1)).collect::<Result<Vec<_>, _>>()?;
            Value::List(List { items: items.into(), kind: list.kind, is_nil: list.is_nil })
        }
        other => other.clone(),
    })
}

fn dig(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let [path @ .., default, start] = args else { return Err("dig needs at least three arguments".into()) };
    if path.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut at = start.clone();
    if !matches!(&at, Value::Map(map) if map.kind() == MapKind::Any) {
        return Err(conversion(&at, "map[string]interface {}"));
    }
    for key in path {
        if !matches!(key, Value::String(_)) {
            return Err(conversion(key, "string"));
        }
    }
    for key in path {
        let Value::Map(map) = &at else { return Err(conversion(&at, "map[string]interface {}")) };
        if map.kind() != MapKind::Any {
            return Err(conversion(&at, "map[string]interface {}"));
        }
        match map.value(bytes(key)) {
            Some(value) => at = value,
            None => return Ok(default.clone()),
        }
    }
    Ok(at)
}

/// Returns what Go says when a value has not the type that it is taken for.
fn conversion(value: &Value, wanted: &str) -> String {
    let found = if value.is_nil() { "nil".into() } else { type_name(value) };
    format!("interface conversion: interface {{}} is {found}, not {wanted}")
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn entries() {
        check(r#"{{ dict "a" 1 2 "b" "c" }}{{ get (dict "a" 1) "a" }}{{ get (dict) "a" }}"#, "map[2:b a:1 c:]1");
        check(
            r#"{{ hasKey (dict "a" nil) "a" }} {{ keys (dict "b" 1 "a" 2) (dict "c" 3) }} {{ values (dict "b" 1 "a" 2) }}"#,
            "true [a b c] [2 1]",
        );
        check(
            r#"{{ $d := dict "a" 1 "b" 2 "c" 3 }}{{ pick $d "a" "z" }} {{ omit $d "a" }} {{ $d }}"#,
            "map[a:1] map[b:2 c:3] map[a:1 b:2 c:3]",
        );
        check(r#"{{ pluck "a" (dict "a" 1) (dict "b" 2) (dict "a" 3) }}"#, "[1 3]");
    }

    #[test]
    fn changes_are_seen_by_all() {
        check(
            r#"{{ $d := dict }}{{ $e := $d }}{{ $_ := set $d "a" 1 }}{{ $e }}{{ $_ := unset $e "a" }}{{ $d }}"#,
            "map[a:1]map[]",
        );
        check(
            r#"{{ $d := dict "a" (dict) }}{{ $c := deepCopy $d }}{{ $_ := set $d.a "b" 1 }}{{ $c }} {{ $d }}"#,
            "map[a:map[]] map[a:map[b:1]]",
        );
    }

    #[test]
    fn dig_follows_maps() {
        check(
            r#"{{ dig "a" "b" "def" (dict "a" (dict "b" 1)) }} {{ dig "a" "z" "def" (dict "a" (dict "b" 1)) }}"#,
            "1 def",
        );
        check_error(
            r#"{{ dig "a" "b" "c" 0 (dict "a" (dict "b" 1)) }}"#,
            "interface conversion: interface {} is int, not map[string]interface {}",
        );
        check_error(r#"{{ dig "a" (dict) }}"#, "dig needs at least three arguments");
    }
}
