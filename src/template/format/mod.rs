//! Go's `fmt`: how values print, by themselves and by a format.

mod float;
mod printf;
mod quote;
mod verb;

pub use float::format_float;
pub use printf::printf;
pub use quote::{is_printable, quote, quote_text, unquote, unquote_char};

use super::value::{ListKind, MapKind, Value};

/// Returns a value as `%v` prints it; no value at all prints as nil.
pub fn print_value(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, value);
    out
}

/// How deep values are printed: what is deeper contains itself.
const DEEPEST: usize = 1_000;

/// After so many bytes nothing more of a value is printed: it holds others many times over.
pub const LONGEST: usize = 1 << 24;

/// Returns what a text costs that values were printed into; all there is, if that ended early.
pub fn cost(text: &[u8]) -> usize {
    if text.len() > LONGEST { usize::MAX } else { text.len() }
}

/// Appends a value as `%v` prints it.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    let most = out.len().saturating_add(LONGEST);
    write_nested(out, value, most, 0);
}

/// Appends a value that is so deep inside of others, unless the output has got too long.
fn write_nested(out: &mut Vec<u8>, value: &Value, most: usize, depth: usize) {
    if depth > DEEPEST || out.len() > most {
        return;
    }
    match value {
        Value::Invalid | Value::Nil => out.extend_from_slice(b"<nil>"),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int(value) | Value::Int64(value) => write_int(out, *value),
        Value::Uint8(value) => write_int(out, i64::from(*value)),
        Value::Float(value) => out.extend_from_slice(format_float(*value).as_bytes()),
        Value::String(value) => out.extend_from_slice(value),
        Value::List(list) => {
            out.push(b'[');
            for (index, item) in list.items.iter().enumerate() {
                if index > 0 {
                    out.push(b' ');
                }
                write_nested(out, item, most, depth + 1);
            }
            out.push(b']');
        }
        Value::Map(map) => {
            out.extend_from_slice(b"map[");
            for (index, (key, item)) in map.entries().iter().enumerate() {
                if index > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(key);
                out.push(b':');
                write_nested(out, item, most, depth + 1);
            }
            out.push(b']');
        }
        Value::Structure(structure) => out.extend_from_slice(structure.print().as_bytes()),
    }
}

fn write_int(out: &mut Vec<u8>, value: i64) {
    if (0..10).contains(&value) {
        out.push(b'0' + value as u8);
    } else {
        out.extend_from_slice(value.to_string().as_bytes());
    }
}

/// Returns what `print` returns: values, with blanks between two that are both no strings.
pub fn print(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut after_string = true;
    for value in values {
        let is_string = matches!(value, Value::String(_));
        if !is_string && !after_string {
            out.push(b' ');
        }
        write_value(&mut out, value);
        after_string = is_string;
    }
    out
}

/// Returns what `println` returns: values with blanks between them and a line break behind.
pub fn println(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        write_value(&mut out, value);
    }
    out.push(b'\n');
    out
}

/// Returns the name of a value's Go type as `%T` prints it; `<nil>` for nil.
pub fn type_name(value: &Value) -> String {
    match value {
        Value::Invalid | Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Int64(_) => "int64",
        Value::Float(_) => "float64",
        Value::Uint8(_) => "uint8",
        Value::String(_) => "string",
        Value::List(list) => match list.kind {
            ListKind::Any => "[]interface {}",
            ListKind::String => "[]string",
            ListKind::Int => "[]int",
            ListKind::Uint8 => "[]uint8",
            ListKind::Lists => "[][]interface {}",
        },
        Value::Map(map) => match map.kind() {
            MapKind::Any => "map[string]interface {}",
            MapKind::String | MapKind::NilString => "map[string]string",
            MapKind::Values => "common.Values",
            MapKind::ChartutilValues => "chartutil.Values",
        },
        Value::Structure(structure) => structure.type_name(),
    }
    .into()
}
