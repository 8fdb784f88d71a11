//! TOML, laid out as Go's most used library does: tables below values, indented by two blanks a level.

use super::argument::{function, lossy, made, text};
use super::date;
use super::json::DEEPEST;
use crate::template::format::format_float;
use crate::template::{Function, Host, Map, Parameter, Value};

use Parameter::{Any, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("fromToml", &[Text], from_toml),
    function("mustToToml", &[Any], |host, args| {
        let text = encode(&args[0])?;
        made(host, text)
    }),
    function("toToml", &[Any], |host, args| {
        let text = match encode(&args[0]) {
            Err(error) if args[0].is_nil() => return Err(error),
            result => result.unwrap_or_else(|error| error),
        };
        made(host, text)
    }),
];

/// How long a text may get before it is sure to hold itself, in bytes.
const LONGEST: usize = 64 << 20;

fn encode(value: &Value) -> Result<String, String> {
    if value.is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    let mut encoder = Encoder { out: String::new() };
    encoder.entry(&mut Vec::new(), &plain(value))?;
    Ok(encoder.out)
}

/// Returns what a structure holds; times stay what they are.
fn plain(value: &Value) -> Value {
    match value {
        Value::Structure(structure) if structure.type_name() != "time.Time" => structure.plain(),
        other => other.clone(),
    }
}

/// Tells whether a value is left out of tables.
fn is_nothing(value: &Value) -> bool {
    value.is_nil() || matches!(value, Value::List(list) if list.is_nil)
}

/// Tells whether a value is written below a heading.
fn is_table(value: &Value) -> bool {
    match value {
        Value::Map(_) => true,
        Value::List(list) => {
            !list.items.is_empty() && list.items.iter().all(|item| matches!(plain(item), Value::Map(_)))
        }
        _ => false,
    }
}

struct Encoder {
    out: String,
}

impl Encoder {
    /// Writes a value under a key, which is empty for the whole document.
    fn entry(&mut self, key: &mut Vec<String>, value: &Value) -> Result<(), String> {
        if key.len() > DEEPEST || self.out.len() > LONGEST {
            return Err("toml: the value holds itself".into());
        }
        match value {
            Value::Map(map) => {
                if key.len() == 1 {
                    self.line();
                }
                self.heading(key, "[", "]");
                self.table(key, map)
            }
            Value::List(list) if is_table(value) => {
                if key.is_empty() {
                    return Err("toml: top-level values must be Go maps or structs".into());
                }
                for item in list.items.iter() {
                    let Value::Map(map) = plain(item) else { continue };
                    self.line();
                    self.heading(key, "[[", "]]");
                    self.table(key, &map)?;
                }
                Ok(())
            }
            _ => {
                if let Some(name) = key.last() {
                    let name = format!("{}{name} = ", "  ".repeat(key.len() - 1));
                    self.out.push_str(&name);
                }
                self.element(value, key.len())?;
                if !key.is_empty() {
                    self.line();
                }
                Ok(())
            }
        }
    }

    /// Ends a line, unless nothing is written yet.
    fn line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn heading(&mut self, key: &[String], open: &str, close: &str) {
        if !key.is_empty() {
            self.out.push_str(&format!("{}{open}{}{close}", "  ".repeat(key.len() - 1), key.join(".")));
            self.line();
        }
    }

    /// Writes the entries of a table: those without a heading first.
    fn table(&mut self, key: &mut Vec<String>, map: &Map) -> Result<(), String> {
        for (name, value) in sorted(map).iter().filter(|(_, value)| !is_nothing(value)) {
            key.push(quoted_key(name));
            let result = self.entry(key, value);
            key.pop();
            result?;
        }
        Ok(())
    }

    /// Writes a value on the line where it is.
    fn element(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEEPEST || self.out.len() > LONGEST {
            return Err("toml: the value holds itself".into());
        }
        match value {
            Value::Invalid | Value::Nil => {}
            Value::Bool(truth) => self.out.push_str(if *truth { "true" } else { "false" }),
            Value::Int(number) | Value::Int64(number) => self.out.push_str(&number.to_string()),
            Value::Uint8(number) => self.out.push_str(&number.to_string()),
            Value::Float(number) => self.out.push_str(&float(*number)),
            Value::String(text) => self.out.push_str(&quoted(&lossy(text))),
            Value::List(list) => {
                if list.items.iter().any(Value::is_nil) {
                    return Err("toml: cannot encode array with nil element".into());
                }
                self.out.push('[');
                for (index, item) in list.items.iter().enumerate() {
                    self.separate(index);
                    self.element(&plain(item), depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Map(map) => {
                self.out.push('{');
                let entries = sorted(map);
                for (index, (name, value)) in entries.iter().enumerate().filter(|(_, (_, value))| !is_nothing(value)) {
                    self.out.push_str(&format!("{} = ", quoted_key(name)));
                    self.element(value, depth + 1)?;
                    // A nil at the end leaves a comma behind.
                    self.separate(entries.len() - index - 1);
                }
                self.out.push('}');
            }
            Value::Structure(structure) => match structure.plain() {
                Value::String(text) => self.out.push_str(&text.text()),
                other => self.element(&other, depth + 1)?,
            },
        }
        Ok(())
    }

    /// Writes a comma if there are other items.
    fn separate(&mut self, others: usize) {
        if others > 0 {
            self.out.push_str(", ");
        }
    }
}

/// Returns the entries of a map, those of one line first.
fn sorted(map: &Map) -> Vec<(String, Value)> {
    let entries = map.entries();
    let mut entries: Vec<_> = entries.iter().map(|(name, value)| (lossy(name).into_owned(), plain(value))).collect();
    entries.sort_by_key(|(_, value)| is_table(value));
    entries
}

fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.into();
    }
    let text = format_float(number);
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

fn quoted_key(key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\x0c' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn from_toml(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let text = text(&args[0]);
    host.spend(text.len())?;
    let map = Map::new();
    match text.parse::<toml::Table>() {
        Ok(table) => table.into_iter().for_each(|(key, value)| map.insert(key, decoded(value))),
        Err(error) => map.insert("Error", problem(&text, &error)),
    }
    Ok(map.into())
}

fn decoded(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => Value::Int64(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => date::from_toml(&time),
        toml::Value::Array(items) => Value::list(items.into_iter().map(decoded).collect()),
        toml::Value::Table(table) => {
            let map = Map::new();
            table.into_iter().for_each(|(key, value)| map.insert(key, decoded(value)));
            map.into()
        }
    }
}

/// Returns what is wrong with a text; a key without a value in Go's words.
fn problem(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let key = text.lines().nth(line - 1).unwrap_or_default().trim();
    let is_last = text.lines().count() <= line && !text.ends_with('\n');
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_key && is_last {
        return format!("toml: line {line}: unexpected EOF; expected key separator '='");
    }
    format!("toml: line {line}: {}", error.message().replace('\n', ", "))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn tables_come_after_values() {
        check(
            r#"{{ toToml (dict "z" 1 "b" (dict "y" "q\"\n" "c" (dict "d" true)) "e" (list (dict "f" 1.0) (dict "g.h" (list "x" (dict "i" 2))))) }}"#,
            "z = 1\n\n[b]\n  y = \"q\\\"\\n\"\n  [b.c]\n    d = true\n\n[[e]]\n  f = 1.0\n\n[[e]]\n  \"g.h\" = [\"x\", {i = 2}]\n",
        );
        check(r#"{{ toToml (list 1) }} {{ toToml "a" }} {{ toToml (dict "a" (dict)) }}"#, "[1] \"a\" [a]\n");
        check(r#"{{ toToml (dict "a" nil "b" 1e6 "c" 1500.0) }}"#, "b = 1e+06\nc = 1500.0\n");
    }

    #[test]
    fn what_cannot_be_written_is_said_or_an_error() {
        check(r#"{{ toToml (list (dict)) }}"#, "toml: top-level values must be Go maps or structs");
        check_error(r#"{{ toToml nil }}"#, "reflect: call of reflect.Value.Type on zero Value");
        check(r#"{{ toToml (list 1 (dict "a" 2 "b" nil)) }}"#, "[1, {a = 2, }]");
        check_error(r#"{{ mustToToml (dict "a" (list nil)) }}"#, "toml: cannot encode array with nil element");
        check(r#"{{ $a := dict }}{{ $_ := set $a "a" $a }}{{ toToml $a }}"#, "toml: the value holds itself");
    }

    #[test]
    fn texts_become_values() {
        check(
            r#"{{ with fromToml "a = 1\nb = 1.5\n[c]\nd = [true]\n[[e]]\nf = 'x'" }}{{ . }} {{ typeOf .a }}{{ end }}"#,
            "map[a:1 b:1.5 c:map[d:[true]] e:[map[f:x]]] int64",
        );
        check(
            r#"{{ fromToml "a = 1979-05-27T07:32:00-08:00\nb = 1979-05-27" }}"#,
            "map[a:1979-05-27 07:32:00 -0800 -0800 b:1979-05-27 00:00:00 +0000 date-local]",
        );
        check(r#"{{ fromToml "\nx" }}"#, "map[Error:toml: line 2: unexpected EOF; expected key separator '=']");
    }
}
