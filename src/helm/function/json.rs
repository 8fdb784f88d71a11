//! JSON as Go's encoder writes it and as its decoder complains about it.

use super::argument::{bytes, function, lossy, raw, spend_items};
use super::json_decode::{Wording, decode};
use crate::helm::profile::Profile;
use crate::helm::state::State;
use crate::helm::value::{floats, from_json};
use crate::template::format::{LONGEST, cost};
use crate::template::{Function, Host, ListKind, Map, MapKind, Parameter, Str, Value};

use Parameter::{Any, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("fromJson", &[Text], from_object),
    function("fromJsonArray", &[Text], from_array),
    function("mustFromJson", &[Text], |host, args| match read(host, &args[0])? {
        (_, Some(problem)) => Err(problem),
        (value, None) => Ok(value),
    }),
    function("mustToJson", &[Any], |host, args| encode(host, &args[0], Style::COMPACT)),
    function("mustToPrettyJson", &[Any], |host, args| encode(host, &args[0], Style::PRETTY)),
    function("mustToRawJson", &[Any], |host, args| encode(host, &args[0], Style::RAW)),
    function("toJson", &[Any], |host, args| encode(host, &args[0], Style::COMPACT).or_else(|_| empty(host))),
    function("toPrettyJson", &[Any], |host, args| encode(host, &args[0], Style::PRETTY).or_else(|_| empty(host))),
    function("toRawJson", &[Any], |host, args| encode(host, &args[0], Style::RAW)),
];

/// How deep values may be nested: what is deeper contains itself.
pub(super) const DEEPEST: usize = 1_000;

#[derive(Clone, Copy)]
struct Style {
    is_html_safe: bool,
    is_indented: bool,
    /// Whether what is not UTF-8 is written as an escape, as by the Go of Helm 3.
    is_escaping: bool,
}

impl Style {
    const COMPACT: Self = Self { is_html_safe: true, is_indented: false, is_escaping: false };
    const PRETTY: Self = Self { is_html_safe: true, is_indented: true, is_escaping: false };
    const RAW: Self = Self { is_html_safe: false, is_indented: false, is_escaping: false };
}

/// Returns what functions return that tell nothing of errors, unless the run is over.
pub(super) fn empty(host: &mut dyn Host) -> Result<Value, String> {
    host.spend(1).map(|()| "".into())
}

fn encode(host: &mut dyn Host, value: &Value, style: Style) -> Result<Value, String> {
    let mut out = Vec::new();
    let style = Style { is_escaping: !State::of(host).profile.is_v4(), ..style };
    let result = write(&mut out, value, style, 0);
    host.spend(cost(&out))?;
    result.map(|()| Str::from(out).into())
}

/// Says that a value is inside of itself.
pub(super) fn cycle() -> String {
    "json: unsupported value: encountered a cycle via map[string]interface {}".into()
}

fn write(out: &mut Vec<u8>, value: &Value, style: Style, depth: usize) -> Result<(), String> {
    if depth > DEEPEST || out.len() > LONGEST {
        return Err(cycle());
    }
    match value {
        Value::Invalid | Value::Nil => out.extend_from_slice(b"null"),
        Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Int(number) | Value::Int64(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Uint8(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Float(number) => out.extend_from_slice(float(*number)?.as_bytes()),
        Value::String(text) => string(out, text, style),
        Value::List(list) if list.is_nil => out.extend_from_slice(b"null"),
        Value::List(list) if list.kind == ListKind::Uint8 => {
            string(out, super::encode::base64(&raw(list)).as_bytes(), style);
        }
        Value::List(list) => {
            out.push(b'[');
            for (index, item) in list.items.iter().enumerate() {
                next(out, index, style, depth + 1);
                write(out, item, style, depth + 1)?;
            }
            end(out, list.items.is_empty(), style, depth, b']');
        }
        Value::Map(map) if map.kind() == MapKind::NilString => out.extend_from_slice(b"null"),
        Value::Map(map) => {
            out.push(b'{');
            let entries = map.entries();
            for (index, (key, item)) in entries.iter().enumerate() {
                next(out, index, style, depth + 1);
                write_member(out, key, item, style, depth)?;
            }
            end(out, entries.is_empty(), style, depth, b'}');
        }
        Value::Structure(structure) => match structure.members() {
            Some(members) => {
                out.push(b'{');
                for (index, (name, item)) in members.iter().enumerate() {
                    next(out, index, style, depth + 1);
                    write_member(out, name.as_bytes(), item, style, depth)?;
                }
                end(out, members.is_empty(), style, depth, b'}');
            }
            None => write(out, &structure.plain(), style, depth)?,
        },
    }
    Ok(())
}

fn write_member(out: &mut Vec<u8>, name: &[u8], item: &Value, style: Style, depth: usize) -> Result<(), String> {
    string(out, name, style);
    out.extend_from_slice(if style.is_indented { b": " } else { b":" });
    write(out, item, style, depth + 1)
}

fn next(out: &mut Vec<u8>, index: usize, style: Style, depth: usize) {
    if index > 0 {
        out.push(b',');
    }
    line(out, style, depth);
}

fn end(out: &mut Vec<u8>, is_empty: bool, style: Style, depth: usize, mark: u8) {
    if !is_empty {
        line(out, style, depth);
    }
    out.push(mark);
}

fn line(out: &mut Vec<u8>, style: Style, depth: usize) {
    if style.is_indented {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    }
}

/// Returns a float as Go's encoder writes it: with an exponent only if it is tiny or huge.
fn float(number: f64) -> Result<String, String> {
    let size = number.abs();
    if !number.is_finite() {
        return Err(format!("json: unsupported value: {}", crate::template::format_float(number)));
    }
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return Ok(number.to_string());
    }
    // Unlike `%g`, no exponent below 10 gets a zero in front after its minus.
    Ok(format!("{number:e}").replace('e', if size < 1.0 { "e" } else { "e+" }))
}

fn string(out: &mut Vec<u8>, bytes: &[u8], style: Style) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                '\u{8}' => out.extend_from_slice(b"\\b"),
                '\u{c}' => out.extend_from_slice(b"\\f"),
                '<' | '>' | '&' if style.is_html_safe => escape(out, c),
                '\u{2028}' | '\u{2029}' | '\0'..' ' => escape(out, c),
                _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for _ in chunk.invalid() {
            match style.is_escaping {
                true => escape(out, char::REPLACEMENT_CHARACTER),
                false => out.extend_from_slice("\u{fffd}".as_bytes()),
            }
        }
    }
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
}

/// Returns a value as JSON holds it, as far as numbers go that have one.
pub(super) fn to_json(host: &mut dyn Host, value: &Value, depth: usize) -> Result<serde_json::Value, String> {
    if depth > DEEPEST {
        return Err(cycle());
    }
    spend_items(host, 1)?;
    Ok(match value {
        Value::Invalid | Value::Nil => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) | Value::Int64(number) => (*number).into(),
        Value::Uint8(number) => (*number).into(),
        Value::Float(number) => match serde_json::Number::from_f64(*number) {
            Some(number) => number.into(),
            None => return Err(float(*number).err().unwrap_or_default()),
        },
        Value::String(text) => {
            host.spend(text.len())?;
            lossy(text).into_owned().into()
        }
        Value::List(list) if list.is_nil => serde_json::Value::Null,
        Value::List(list) if list.kind == ListKind::Uint8 => super::encode::base64(&raw(list)).into(),
        Value::List(list) => {
            list.items.iter().map(|item| to_json(host, item, depth + 1)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Map(map) if map.kind() == MapKind::NilString => serde_json::Value::Null,
        Value::Map(map) => {
            let mut object = serde_json::Map::new();
            for (key, item) in map.entries().iter() {
                host.spend(key.len())?;
                object.insert(lossy(key).into_owned(), to_json(host, item, depth + 1)?);
            }
            object.into()
        }
        Value::Structure(structure) => to_json(host, &structure.plain(), depth + 1)?,
    })
}

/// Returns JSON as a decoder into Go's `interface {}` gives it: all numbers are floats.
pub(super) fn to_value(mut json: serde_json::Value) -> Value {
    floats(&mut json);
    from_json(&json)
}

/// Says that JSON is not what the Go type holds; nil if it is nothing at all.
pub(super) fn mismatch(value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    };
    format!("json: cannot unmarshal {found} into Go value of type {wanted}")
}

/// Returns the map that stands for a failure.
pub(super) fn failure(message: &str) -> Value {
    let map = Map::new();
    map.insert("Error", message);
    map.into()
}

fn read(host: &mut dyn Host, text: &Value) -> Result<(Value, Option<String>), String> {
    host.spend(bytes(text).len())?;
    let is_new = State::of(host).profile >= Profile::V4_3;
    decode(bytes(text), if is_new { Wording::New } else { Wording::Old })
}

/// What is wrong becomes part of the result.
fn from_object(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(match read(host, &args[0]) {
        Ok((Value::Map(map), problem)) => {
            if let Some(problem) = problem {
                map.insert("Error", problem);
            }
            map.into()
        }
        Ok((value, _)) if value.is_nil() => Map::new().into(),
        Ok((value, _)) => failure(&mismatch(&value, "map[string]interface {}")),
        Err(message) => failure(&message),
    })
}

fn from_array(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(match read(host, &args[0]) {
        Ok((Value::List(_), Some(problem))) => Value::list(vec![problem.into()]),
        Ok((value @ Value::List(_), None)) => value,
        Ok((value, _)) if value.is_nil() => Value::list(vec![]),
        Ok((value, _)) => Value::list(vec![mismatch(&value, "[]interface {}").into()]),
        Err(message) => Value::list(vec![message.into()]),
    })
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error, run_as};
    use crate::helm::profile::Profile;

    #[test]
    fn writes_as_go() {
        check(
            r#"{{ toJson (dict "b" 1 "a" (list "<&>" nil true 2.0)) }}"#,
            r#"{"a":["\u003c\u0026\u003e",null,true,2],"b":1}"#,
        );
        check(r#"{{ toRawJson (dict "a" "<&>\u2028") }}"#, "{\"a\":\"<&>\\u2028\"}");
        check(
            r#"{{ toPrettyJson (dict "a" (list 1 (dict)) "b" (list)) }}"#,
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}",
        );
        check(
            "{{ toJson (list 1e21 1e-7 1.5e300 123456789.5 1e20) }}",
            "[1e+21,1e-7,1.5e+300,123456789.5,100000000000000000000]",
        );
        check(r#"{{ toJson "\xff\x01\x7f\b" }}"#, "\"\u{fffd}\\u0001\u{7f}\\b\"");
        assert_eq!(run_as(Profile::V3_19, r#"{{ toJson "\xff" }}"#).as_deref(), Ok("\"\\ufffd\""));
        check(r#"{{ toJson (float64 "inf") }}|{{ toYaml (float64 "inf") }}"#, "|");
        check_error(r#"{{ mustToJson (float64 "inf") }}"#, "json: unsupported value: +Inf");
    }

    #[test]
    fn what_contains_itself_is_refused() {
        check(r#"{{ $a := dict }}{{ $_ := set $a "a" $a }}{{ toJson $a }}"#, "");
        check_error(
            r#"{{ $a := dict }}{{ $_ := set $a "a" $a }}{{ mustToJson $a }}"#,
            "encountered a cycle via map[string]interface {}",
        );
    }

    #[test]
    fn reads_numbers_as_floats_and_errors_as_values() {
        check(r#"{{ fromJson "{\"a\":1000000}" }}"#, "map[a:1e+06]");
        check(
            r#"{{ fromJson "[1]" }}"#,
            "map[Error:json: cannot unmarshal array into Go value of type map[string]interface {}]",
        );
        check(r#"{{ fromJsonArray "[1,\"a\"]" }}{{ fromJson "null" }}"#, "[1 a]map[]");
        check_error(r#"{{ mustFromJson "{" }}"#, "unexpected end of JSON input");
    }
}
