//! Merging maps into a first one, which changes.

use super::argument::{map, spend_items, variadic};
use super::json::DEEPEST;
use crate::template::{Function, Host, Map, Parameter, Str, Value, is_true};

use Parameter::Map as Dict;

pub(super) static FUNCTIONS: &[Function] = &[
    variadic("merge", &[Dict, Dict], |host, args| merge(host, args, false)),
    variadic("mergeOverwrite", &[Dict, Dict], |host, args| merge(host, args, true)),
    variadic("mustMerge", &[Dict, Dict], |host, args| merge(host, args, false)),
    variadic("mustMergeOverwrite", &[Dict, Dict], |host, args| merge(host, args, true)),
];

fn merge(host: &mut dyn Host, args: &[Value], overwrites: bool) -> Result<Value, String> {
    let target = map(&args[0]);
    for source in &args[1..] {
        merge_into(host, &target, &map(source), overwrites, 0)?;
    }
    Ok(target.into())
}

/// Adds what the target lacks or holds empty; if asked, also replaces what it has. Maps on both sides are merged, and
/// maps and lists that are taken over stay the source's own.
fn merge_into(host: &mut dyn Host, target: &Map, source: &Map, overwrites: bool, depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("the map contains itself".into());
    }
    if target.is_same(source) {
        return Ok(());
    }
    let entries: Vec<(Str, Value)> = source.entries().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    spend_items(host, entries.len() + 1)?;
    for (key, value) in entries {
        let present = target.value(&key);
        match (&value, &present) {
            // Nothing is something only if it may replace what is there.
            (Value::Invalid | Value::Nil, _) if !overwrites => continue,
            (Value::Map(from), Some(Value::Map(into))) => {
                merge_into(host, into, from, overwrites, depth + 1)?;
                if !into.entries().is_empty() {
                    continue;
                }
            }
            _ => {}
        }
        if overwrites || !present.as_ref().is_some_and(is_true) {
            target.insert(key, value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::check;

    #[test]
    fn merge_fills_gaps() {
        check(
            r#"{{ merge (dict "a" 1 "b" (dict "x" 1)) (dict "a" 2 "b" (dict "y" 2 "x" 9) "c" 3) }}"#,
            "map[a:1 b:map[x:1 y:2] c:3]",
        );
        check(
            r#"{{ merge (dict "a" 0 "b" "" "c" false "d" nil) (dict "a" 1 "b" "x" "c" true "d" 4) }}"#,
            "map[a:1 b:x c:true d:4]",
        );
        check(
            r#"{{ merge (dict "a" (list)) (dict "a" (list 1)) }}{{ merge (dict) (dict "a" nil) }}"#,
            "map[a:[1]]map[]",
        );
        check(r#"{{ merge (dict "a" "x") (dict "a" (dict "b" 1)) }}"#, "map[a:x]");
    }

    #[test]
    fn overwriting_takes_even_what_is_empty() {
        check(r#"{{ mergeOverwrite (dict "a" 1 "b" 2) (dict "a" 0 "b" nil) }}"#, "map[a:0 b:<nil>]");
        check(r#"{{ mergeOverwrite (dict "a" (list 1)) (dict "a" (list)) }}"#, "map[a:[]]");
        check(r#"{{ mergeOverwrite (dict "a" (dict "b" 1)) (dict "a" (dict)) }}"#, "map[a:map[b:1]]");
        check(r#"{{ mergeOverwrite (dict "a" "x") (dict "a" (dict "b" 1)) }}"#, "map[a:map[b:1]]");
        check(r#"{{ mergeOverwrite (dict "a" (dict "b" 1)) (dict "a" "x") }}"#, "map[a:x]");
    }

    #[test]
    fn merge_changes_the_first_map() {
        check(r#"{{ $a := dict }}{{ $_ := merge $a (dict "b" 1) }}{{ $a }}"#, "map[b:1]");
    }
}
