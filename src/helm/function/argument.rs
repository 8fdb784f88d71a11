//! What functions make of their arguments: texts, numbers and lists, converted as sprig converts them.

use std::borrow::Cow;
use std::rc::Rc;

use crate::template::format::cost;
use crate::template::{
    Function, Host, List, ListKind, Map, Parameter, Str, Value, parse_float, parse_int, print_value,
};

/// What a function does.
pub(super) type Run = fn(&mut dyn Host, &[Value]) -> Result<Value, String>;

/// Returns a function with a fixed number of parameters.
pub(super) const fn function(name: &'static str, parameters: &'static [Parameter], run: Run) -> Function {
    Function { name, parameters, is_variadic: false, run }
}

/// Returns a function that takes any number of arguments for its last parameter.
pub(super) const fn variadic(name: &'static str, parameters: &'static [Parameter], run: Run) -> Function {
    Function { name, parameters, is_variadic: true, run }
}

/// Returns the bytes of a `string` argument.
pub(super) fn bytes(value: &Value) -> &[u8] {
    match value {
        Value::String(text) => text,
        _ => &[],
    }
}

/// Returns the text of a `string` argument, with what is not UTF-8 replaced as Go replaces it: byte by byte.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    lossy(bytes(value))
}

/// Returns bytes as text; each byte that is not UTF-8 becomes one U+FFFD.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text.into()
}

/// Returns the number of an `int` or `int64` argument.
pub(super) fn int(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number,
        _ => 0,
    }
}

/// Returns the map of a map argument; the same one, so that changes to it are seen. Nil is an empty map.
pub(super) fn map(value: &Value) -> Map {
    match value {
        Value::Map(map) => map.clone(),
        _ => Map::new(),
    }
}

/// Returns any value as text, as `toString` does.
pub(super) fn strval(host: &mut dyn Host, value: &Value) -> Result<Str, String> {
    let text: Str = match value {
        Value::String(text) => return Ok(text.clone()),
        Value::List(list) if list.kind == ListKind::Uint8 => raw(list).into(),
        Value::Structure(structure) if structure.kind() == "slice" => match structure.plain() {
            Value::List(list) if list.kind == ListKind::Uint8 => raw(&list).into(),
            _ => structure.print().into(),
        },
        _ => print_value(value).into(),
    };
    made(host, text)
}

/// Counts a text that a function made, and returns it.
pub(super) fn made<T: From<Str>>(host: &mut dyn Host, text: impl Into<Str>) -> Result<T, String> {
    let text = text.into();
    host.spend(cost(&text))?;
    Ok(text.into())
}

/// Counts the items of a list or map that a function makes by the memory that they take.
pub(super) fn spend_items(host: &mut dyn Host, count: usize) -> Result<(), String> {
    host.spend(count.saturating_mul(16))
}

/// Returns the bytes of a `[]uint8`.
pub(super) fn raw(list: &List) -> Vec<u8> {
    list.items.iter().map(|item| if let Value::Uint8(byte) = item { *byte } else { 0 }).collect()
}

/// Returns the items of any value as texts: nil is left out, and what is no list is one text.
pub(super) fn texts(host: &mut dyn Host, value: &Value) -> Result<Vec<Str>, String> {
    match sequence(value) {
        Some(list) => list.items.iter().filter(|item| !item.is_nil()).map(|item| strval(host, item)).collect(),
        None if value.is_nil() => Ok(Vec::new()),
        None => Ok(vec![strval(host, value)?]),
    }
}

/// Returns a value as a list, if it is one.
pub(super) fn sequence(value: &Value) -> Option<List> {
    match value {
        Value::List(list) => Some(list.clone()),
        Value::Structure(structure) if structure.kind() == "slice" => match structure.plain() {
            Value::List(list) => Some(list),
            _ => None,
        },
        _ => None,
    }
}

/// What Go says when a function asks nil for its type.
pub(super) const NIL_TYPE: &str = "runtime error: invalid memory address or nil pointer dereference";

/// Returns the items of a list, or the error of a function that takes only lists: `what` goes before the kind.
pub(super) fn items(value: &Value, what: &str) -> Result<Rc<Vec<Value>>, String> {
    match sequence(value) {
        Some(list) => Ok(Rc::clone(&list.items)),
        None if value.is_nil() => Err(NIL_TYPE.into()),
        None => Err(format!("{what} type {}", kind(value))),
    }
}

/// Returns Go's kind of a value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Invalid | Value::Nil => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Int64(_) => "int64",
        Value::Float(_) => "float64",
        Value::Uint8(_) => "uint8",
        Value::String(_) => "string",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
        Value::Structure(structure) => structure.kind(),
    }
}

/// Returns any value as an integer; 0 if it is none.
pub(super) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Uint8(number) => i64::from(*number),
        Value::Float(number) => truncated(*number),
        Value::Structure(structure) if structure.kind() == "int" => to_int64(&structure.plain()),
        Value::Bool(truth) => i64::from(*truth),
        Value::String(text) => parse_int(without_zero_fraction(&text.text())).unwrap_or_default(),
        _ => 0,
    }
}

/// Returns a float without its fraction; one that is no `int64` is the least of all, as on most processors.
fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// Returns any value as a float; 0 if it is none.
pub(super) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::Structure(structure) if structure.kind() == "int" => to_float64(&structure.plain()),
        Value::Int(number) | Value::Int64(number) => *number as f64,
        Value::Uint8(number) => f64::from(*number),
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::String(text) => read_float(&text.text()),
        _ => 0.0,
    }
}

fn read_float(text: &str) -> f64 {
    let (sign, name) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match name.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => sign * f64::INFINITY,
        "nan" if name.len() == text.len() => f64::NAN,
        _ => parse_float(text).unwrap_or_default(),
    }
}

/// Returns a number without a fraction that is zero: `5.00` is 5, but `5.` stays.
fn without_zero_fraction(text: &str) -> &str {
    match text.trim_end_matches('0').strip_suffix('.') {
        Some(whole) if whole.len() + 1 < text.len() => whole,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_integers_as_go_reads_literals() {
        let check = |text: &str, number: i64| assert_eq!(to_int64(&text.into()), number, "{text}");
        check("0x1F", 31);
        check("010", 8);
        check("08", 0);
        check("5.0", 5);
        check("5.", 0);
        check("12.7", 0);
        check("1e3", 0);
        check(" 5", 0);
        check("100", 100);
        check("-7", -7);
        check("9223372036854775808", 0);
    }

    #[test]
    fn invalid_bytes_are_replaced_one_by_one() {
        assert_eq!(lossy(b"a\xe2\x82b"), "a\u{fffd}\u{fffd}b");
    }
}
