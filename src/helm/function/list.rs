//! Lists. None is ever changed: what comes back is a new one.

use super::argument::{NIL_TYPE, function, int, items, kind, sequence, spend_items, strval, texts, to_int64, variadic};
use super::reflect::is_equal;
use crate::template::{Function, Host, List, ListKind, Parameter, Value};

use Parameter::{Any, Int};

pub(super) static FUNCTIONS: &[Function] = &[
    function("append", &[Any, Any], append),
    function("chunk", &[Int, Any], chunk),
    variadic("concat", &[Any], concat),
    function("first", &[Any], first),
    function("has", &[Any, Any], has),
    function("initial", &[Any], initial),
    function("last", &[Any], last),
    variadic("list", &[Any], |_, args| Ok(Value::list(args.to_vec()))),
    function("mustAppend", &[Any, Any], append),
    function("mustChunk", &[Int, Any], chunk),
    function("mustFirst", &[Any], first),
    function("mustHas", &[Any, Any], has),
    function("mustInitial", &[Any], initial),
    function("mustLast", &[Any], last),
    function("mustPrepend", &[Any, Any], prepend),
    function("mustPush", &[Any, Any], append),
    function("mustRest", &[Any], rest),
    function("mustReverse", &[Any], reverse),
    variadic("mustSlice", &[Any, Any], slice),
    function("mustUniq", &[Any], uniq),
    variadic("mustWithout", &[Any, Any], without),
    function("prepend", &[Any, Any], prepend),
    function("push", &[Any, Any], append),
    function("rest", &[Any], rest),
    function("reverse", &[Any], reverse),
    variadic("slice", &[Any, Any], slice),
    function("sortAlpha", &[Any], sort_alpha),
    variadic("tuple", &[Any], |_, args| Ok(Value::list(args.to_vec()))),
    function("uniq", &[Any], uniq),
    variadic("without", &[Any, Any], without),
];

fn append(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let items = items(&args[0], "Cannot push on")?;
    spend_items(host, items.len())?;
    Ok(Value::list(items.iter().chain([&args[1]]).cloned().collect()))
}

fn prepend(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let items = items(&args[0], "Cannot prepend on")?;
    spend_items(host, items.len())?;
    Ok(Value::list([&args[1]].into_iter().chain(items.iter()).cloned().collect()))
}

fn chunk(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let items = items(&args[1], "Cannot chunk")?;
    let size = usize::try_from(int(&args[0])).ok().filter(|size| *size > 0);
    let size = size.ok_or("runtime error: makeslice: len out of range")?;
    let chunks: Vec<Value> = items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect();
    Ok(Value::List(List::new(chunks, ListKind::Lists)))
}

/// Returns a list; an empty one is Go's nil slice, unless it is known to be there.
fn list_or_nil(items: Vec<Value>, is_there: bool) -> Value {
    if items.is_empty() && !is_there { Value::List(List::nil(ListKind::Any)) } else { Value::list(items) }
}

fn concat(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for arg in args {
        let Some(list) = sequence(arg) else {
            return Err(match arg.is_nil() {
                true => NIL_TYPE.into(),
                false => format!("Cannot concat type {} as list", kind(arg)),
            });
        };
        spend_items(host, list.items.len())?;
        all.extend(list.items.iter().cloned());
    }
    Ok(list_or_nil(all, false))
}

fn first(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(items(&args[0], "Cannot find first on")?.first().cloned().unwrap_or(Value::Nil))
}

fn last(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(items(&args[0], "Cannot find last on")?.last().cloned().unwrap_or(Value::Nil))
}

fn rest(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let items = items(&args[0], "Cannot find rest on")?;
    spend_items(host, items.len())?;
    Ok(list_or_nil(items.iter().skip(1).cloned().collect(), !items.is_empty()))
}

fn initial(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let items = items(&args[0], "Cannot find initial on")?;
    spend_items(host, items.len())?;
    Ok(list_or_nil(items[..items.len().saturating_sub(1)].to_vec(), !items.is_empty()))
}

fn reverse(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let items = items(&args[0], "Cannot find reverse on")?;
    spend_items(host, items.len())?;
    Ok(Value::list(items.iter().rev().cloned().collect()))
}

/// Tells whether a list holds a value, and counts what looking for it costs.
fn holds(host: &mut dyn Host, items: &[Value], value: &Value) -> Result<bool, String> {
    spend_items(host, items.len())?;
    for item in items {
        if is_equal(host, item, value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let mut kept = Vec::new();
    for item in items(&args[0], "Cannot find uniq on")?.iter() {
        if !holds(host, &kept, item)? {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn without(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let mut kept = Vec::new();
    for item in items(&args[0], "Cannot find without on")?.iter() {
        if !holds(host, &args[1..], item)? {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn has(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    if args[1].is_nil() {
        return Ok(false.into());
    }
    let items = items(&args[1], "Cannot find has on")?;
    holds(host, &items, &args[0]).map(Value::from)
}

fn slice(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let Some(list) = sequence(&args[0]) else {
        return Err(match args[0].is_nil() {
            true => NIL_TYPE.into(),
            false => format!("list should be type of slice or array but {}", kind(&args[0])),
        });
    };
    if list.items.is_empty() {
        return Ok(Value::Nil);
    }
    let length = i64::try_from(list.items.len()).unwrap_or(i64::MAX);
    let start = args.get(1).map_or(0, to_int64);
    let end = args.get(2).map_or(length, to_int64);
    let part = match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) => list.items.get(start..end),
        _ => None,
    };
    let part = part.ok_or("reflect.Value.Slice: slice index out of bounds")?;
    spend_items(host, part.len())?;
    Ok(Value::List(List::new(part.to_vec(), list.kind)))
}

fn sort_alpha(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    if sequence(&args[0]).is_none() {
        return Ok(Value::strings([strval(host, &args[0])?]));
    }
    let mut sorted = texts(host, &args[0])?;
    spend_items(host, sorted.len())?;
    sorted.sort();
    Ok(Value::strings(sorted))
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn parts() {
        check(
            "{{ $l := list 1 2 3 }}{{ first $l }}{{ last $l }}{{ rest $l }}{{ initial $l }}{{ reverse $l }}",
            "13[2 3][1 2][3 2 1]",
        );
        check("{{ first list }} {{ rest list }} {{ initial list }}", "<no value> [] []");
        check("{{ slice (list 1 2 3) 1 }} {{ slice (list 1 2 3) 1 2 }} {{ slice list }}", "[2 3] [2] <no value>");
        check("{{ chunk 2 (list 1 2 3) }} {{ chunk 3 list }}", "[[1 2] [3]] []");
        check_error("{{ chunk 0 (list 1) }}", "runtime error: makeslice: len out of range");
        check_error("{{ slice (list 1) 2 }}", "slice index out of bounds");
        check_error("{{ first 1 }}", "error calling first: Cannot find first on type int");
        check_error("{{ first nil }}", "runtime error: invalid memory address or nil pointer dereference");
    }

    #[test]
    fn members() {
        check(r#"{{ uniq (list 1 1 "a" 1.0 "a") }} {{ without (list 1 2 "a") 1 "a" }}"#, "[1 a 1] [2]");
        check("{{ has 1 (list 1) }} {{ has 1.0 (list 1) }} {{ has 1 nil }}", "true false false");
        check("{{ has (list 1) (list 2 (list 1)) }}", "true");
    }

    #[test]
    fn longer_lists() {
        check(
            "{{ append (list 1) 2 }} {{ prepend (list 1) 2 }} {{ concat (list 1) (list 2 3) list }}",
            "[1 2] [2 1] [1 2 3]",
        );
        check(r#"{{ sortAlpha (list "b" 1 "a" nil) }} {{ sortAlpha 5 }}"#, "[1 a b] [5]");
        check_error("{{ append 1 2 }}", "Cannot push on type int");
        check_error("{{ concat (list) 1 }}", "Cannot concat type int as list");
    }
}
