//! `merge` and `mergeOverwrite`: maps laid into the first one, by the rules of the library that sprig uses.

use super::argument::{map, variadic};
use crate::template::{Function, Map, Parameter, Str, Value, is_true};

use Parameter::Map as AnyMap;

pub(super) static FUNCTIONS: &[Function] = &[
    variadic("merge", &[AnyMap, AnyMap], |_, args| Ok(merged(args, false))),
    variadic("mergeOverwrite", &[AnyMap, AnyMap], |_, args| Ok(merged(args, true))),
    variadic("mustMerge", &[AnyMap, AnyMap], |_, args| Ok(merged(args, false))),
    variadic("mustMergeOverwrite", &[AnyMap, AnyMap], |_, args| Ok(merged(args, true))),
];

fn merged(args: &[Value], overwrite: bool) -> Value {
    let into = map(&args[0]);
    for from in &args[1..] {
        merge(&into, &map(from), overwrite);
    }
    args[0].clone()
}

/// Lays the entries of a map into another. Maps in it are shared, not copied.
fn merge(into: &Map, from: &Map, overwrite: bool) {
    if into.is_same(from) {
        return;
    }
    let entries: Vec<(Str, Value)> = from.entries().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    for (key, value) in entries {
        let present = into.value(&key);
        let is_present = present.as_ref().is_some_and(is_true);
        match (&value, &present) {
            (Value::Nil | Value::Invalid, _) => {
                if overwrite {
                    into.insert(key, Value::Nil);
                }
            }
            (Value::Map(from), Some(Value::Map(below))) if is_present => merge(below, from, overwrite),
            // An empty list that is already there stays one unless there is something to take instead.
            _ if overwrite || !is_present => into.insert(key, value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::check;

    #[test]
    fn what_is_there_stays_unless_it_is_empty() {
        check(
            r#"{{ merge (dict "a" 1 "b" (dict "x" 1)) (dict "a" 2 "b" (dict "y" 2 "x" 9) "c" 3) }}"#,
            "map[a:1 b:map[x:1 y:2] c:3]",
        );
        check(r#"{{ merge (dict "a" 0 "b" "" "c" nil) (dict "a" 1 "b" "x" "c" 4 "d" nil) }}"#, "map[a:1 b:x c:4]");
        check(r#"{{ merge (dict "a" "x" "b" (list 1)) (dict "a" (dict "b" 1) "b" (list 2)) }}"#, "map[a:x b:[1]]");
    }

    #[test]
    fn overwriting_takes_all_but_keys_of_maps() {
        check(r#"{{ mergeOverwrite (dict "a" 1 "b" 2) (dict "a" 0 "b" nil) }}"#, "map[a:0 b:<nil>]");
        check(r#"{{ mergeOverwrite (dict "a" (list 1)) (dict "a" list) }}"#, "map[a:[]]");
        check(r#"{{ mergeOverwrite (dict "a" (dict "b" 1)) (dict "a" dict) }}"#, "map[a:map[b:1]]");
        check(r#"{{ mergeOverwrite (dict "a" "x") (dict "a" (dict "b" 1)) }}"#, "map[a:map[b:1]]");
    }

    #[test]
    fn maps_are_shared() {
        check(
            r#"{{ $a := dict "x" (dict "y" 1) }}{{ $b := merge dict $a }}{{ $_ := set $b.x "y" 2 }}{{ $a }}"#,
            "map[x:map[y:2]]",
        );
    }
}
