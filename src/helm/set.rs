//! `--set` and its family: values on the command line.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::template::format::quote_text;

/// The highest index of a list.
const MAX_INDEX: i64 = 65_536;

/// How deep a key may be nested.
const MAX_NESTED: usize = 30;

/// How deep lists may be nested, with the keys in them.
const DEEPEST: usize = 200;

/// How many places of lists one argument may make.
const MOST_PLACES: usize = 1 << 20;

/// What becomes of the text after `=`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading<'a> {
    /// Truths, numbers and null are what they look like (`--set`).
    Typed,
    /// Text stays text (`--set-string`).
    Text,
    /// All the rest of the argument is the text, whatever it holds (`--set-literal`).
    Literal,
    /// JSON (`--set-json`).
    Json,
    /// The text does not matter, this is the value.
    Content(&'a str),
    /// The text names a file, and what it holds is the value (`--set-file`).
    Files(&'a BTreeMap<String, String>),
    /// The text is only noted down.
    Names(&'a RefCell<Vec<String>>),
}

/// Returns the files that a `--set-file` argument names.
pub(super) fn file_names(text: &str) -> Result<Vec<String>, String> {
    let names = RefCell::default();
    parse_into(text, Reading::Names(&names), &mut Map::new())?;
    Ok(names.into_inner())
}

/// Sets what an argument such as `a.b=1,c[0]=x` says.
pub(super) fn parse_into(text: &str, reading: Reading<'_>, values: &mut Map<String, Value>) -> Result<(), String> {
    let mut parser = Parser { text, at: 0, reading, lists: 0, places: MOST_PLACES };
    loop {
        parser.lists = 0;
        match parser.key(values, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Unfinished) => return Err(UNFINISHED.to_owned()),
            Err(Stop::Bad(error)) => return Err(error),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    reading: Reading<'a>,
    /// How many lists what is read now is in.
    lists: usize,
    /// How many more places lists may get.
    places: usize,
}

/// What an index without its `]` is called; only Helm 3 minds it.
pub(super) const UNFINISHED: &str = "error parsing index: EOF";

/// Why reading stops.
enum Stop {
    End,
    /// The text ends within an index.
    Unfinished,
    Bad(String),
}

impl From<String> for Stop {
    fn from(error: String) -> Self {
        Stop::Bad(error)
    }
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.text[self.at..].chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Reads up to one of these, which is consumed; `\` takes the next character as it is.
    fn until(&mut self, stops: &str) -> (String, Option<char>) {
        let mut read = String::new();
        while let Some(c) = self.next() {
            if stops.contains(c) {
                return (read, Some(c));
            }
            match (c, self.reading) {
                ('\\', Reading::Literal) => read.push(c),
                ('\\', _) => read.extend(self.next()),
                (c, _) => read.push(c),
            }
        }
        (read, None)
    }

    fn stops(&self, stops: &'static str) -> &'static str {
        match self.reading {
            Reading::Literal => stops.trim_end_matches(','),
            _ => stops,
        }
    }

    fn key(&mut self, values: &mut Map<String, Value>, depth: usize) -> Result<(), Stop> {
        let (key, stop) = self.until(self.stops("=[.,"));
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(Stop::Bad(format!("key {} has no value", quote_text(&key)))),
            Some('[') => {
                let index = self.index()?;
                let mut list = match values.get_mut(&key) {
                    None => Vec::new(),
                    // What is under an empty key stays as it is.
                    Some(Value::Array(list)) if key.is_empty() => list.clone(),
                    Some(Value::Array(list)) => std::mem::take(list),
                    Some(other) => return Err(not_a("[]interface {}", other)),
                };
                let result = self.item(&mut list, index, depth);
                set(values, key, Value::Array(list));
                result
            }
            Some('=') => {
                let ended = self.at >= self.text.len();
                let value = self.value()?;
                set(values, key, value);
                if ended && !matches!(self.reading, Reading::Json) { Err(Stop::End) } else { Ok(()) }
            }
            Some('.') => {
                if depth >= MAX_NESTED {
                    return Err(Stop::Bad(format!(
                        "value name nested level is greater than maximum supported nested level of {MAX_NESTED}"
                    )));
                }
                let mut inner = match values.get_mut(&key) {
                    None => Map::new(),
                    Some(Value::Object(inner)) if key.is_empty() => inner.clone(),
                    Some(Value::Object(inner)) => std::mem::take(inner),
                    Some(other) => return Err(not_a("map[string]interface {}", other)),
                };
                let result = self.key(&mut inner, depth + 1);
                if result.is_ok() && inner.is_empty() {
                    return Err(Stop::Bad(format!("key map {} has no value", quote_text(&key))));
                }
                if !inner.is_empty() {
                    set(values, key, Value::Object(inner));
                }
                result
            }
            Some(_) => {
                let message = format!("key {} has no value (cannot end with ,)", quote_text(&key));
                set(values, key, "".into());
                Err(Stop::Bad(message))
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (digits, stop) = self.until("]");
        if stop.is_none() {
            return Err(Stop::Unfinished);
        }
        digits.parse().map_err(|_| {
            let digits = quote_text(&digits);
            Stop::Bad(format!("error parsing index: strconv.Atoi: parsing {digits}: invalid syntax"))
        })
    }

    fn item(&mut self, list: &mut Vec<Value>, index: i64, depth: usize) -> Result<(), Stop> {
        if index < 0 {
            return Err(Stop::Bad(format!("negative {index} index not allowed")));
        }
        self.lists += 1;
        if self.lists > DEEPEST {
            return Err(Stop::Bad(format!("lists are nested deeper than {DEEPEST} levels")));
        }
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let (key, stop) = self.until("[.=");
        if !key.is_empty() {
            let shown: Vec<String> = key.chars().map(|c| format!("'{}'", c.escape_default())).collect();
            return Err(Stop::Bad(format!("unexpected data at end of array index: [{}]", shown.join(" "))));
        }
        let value = match stop {
            None => return Err(Stop::End),
            Some('=') => {
                let ended = self.at >= self.text.len();
                let value = self.value()?;
                self.set_index(list, index, value)?;
                return if ended { Err(Stop::End) } else { Ok(()) };
            }
            Some('[') => {
                let next = self.index()?;
                let mut inner = match list.get_mut(place) {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(inner)) => std::mem::take(inner),
                    Some(other) => return Err(not_a("[]interface {}", other)),
                };
                match self.item(&mut inner, next, depth) {
                    Err(stop @ (Stop::Bad(_) | Stop::Unfinished)) => return Err(stop),
                    Ok(()) => Value::Array(inner),
                    Err(Stop::End) => {
                        self.set_index(list, index, Value::Array(inner))?;
                        return Err(Stop::End);
                    }
                }
            }
            Some(_) => {
                let mut inner = match list.get_mut(place) {
                    Some(Value::Object(inner)) => std::mem::take(inner),
                    _ => Map::new(),
                };
                let result = self.key(&mut inner, depth);
                if let Err(stop @ (Stop::Bad(_) | Stop::Unfinished)) = result {
                    return Err(stop);
                }
                self.set_index(list, index, Value::Object(inner))?;
                return result;
            }
        };
        self.set_index(list, index, value)
    }

    fn set_index(&mut self, list: &mut Vec<Value>, index: i64, value: Value) -> Result<(), Stop> {
        if index > MAX_INDEX {
            return Err(Stop::Bad(format!("index of {index} is greater than maximum supported index of {MAX_INDEX}")));
        }
        let place = usize::try_from(index).unwrap_or_default();
        if list.len() <= place {
            self.places = self
                .places
                .checked_sub(place + 1 - list.len())
                .ok_or_else(|| Stop::Bad(format!("too many places in lists: more than {MOST_PLACES}")))?;
            list.resize(place + 1, Value::Null);
        }
        list[place] = value;
        Ok(())
    }

    /// Reads what stands after `=`, with the comma behind it.
    fn value(&mut self) -> Result<Value, Stop> {
        match self.reading {
            Reading::Literal => {
                let rest = self.text[self.at..].to_owned();
                self.at = self.text.len();
                return Ok(rest.into());
            }
            Reading::Json => return self.json(),
            _ => {}
        }
        if !self.text[self.at..].starts_with('{') {
            let (text, _) = self.until(",");
            return Ok(self.read(text));
        }
        self.at += 1;
        let mut list = Vec::new();
        loop {
            let (text, stop) = self.until(",}");
            match stop {
                None => return Err(Stop::Bad("list must terminate with '}'".into())),
                Some('}') => {
                    if self.text[self.at..].starts_with(',') {
                        self.at += 1;
                    }
                    list.push(self.read(text));
                    return Ok(Value::Array(list));
                }
                Some(_) => list.push(self.read(text)),
            }
        }
    }

    fn json(&mut self) -> Result<Value, Stop> {
        if self.blank_or_comma() {
            return Ok(Value::Null);
        }
        let rest = &self.text[self.at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let mut value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(Stop::Bad(error.to_string())),
            None => return Err(Stop::Bad("EOF".into())),
        };
        self.at += values.byte_offset();
        super::value::floats(&mut value);
        self.blank_or_comma();
        Ok(value)
    }

    /// Passes blanks and one comma; says whether there was nothing else before a comma or the end.
    fn blank_or_comma(&mut self) -> bool {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len() + usize::from(rest.starts_with(','));
        rest.is_empty() || rest.starts_with(',')
    }

    fn read(&self, text: String) -> Value {
        match self.reading {
            Reading::Typed => typed(text),
            Reading::Content(content) => content.into(),
            Reading::Files(files) => files.get(&text).cloned().unwrap_or_default().into(),
            Reading::Names(names) => {
                if !text.is_empty() {
                    names.borrow_mut().push(text);
                }
                Value::Null
            }
            _ => text.into(),
        }
    }
}

/// Returns what a text looks like.
fn typed(text: String) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return true.into();
    }
    if text.eq_ignore_ascii_case("false") {
        return false.into();
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Null;
    }
    if text == "0" {
        return 0_i64.into();
    }
    if !text.starts_with('0')
        && let Ok(int) = text.parse::<i64>()
    {
        return int.into();
    }
    text.into()
}

fn set(values: &mut Map<String, Value>, key: String, value: Value) {
    if !key.is_empty() {
        values.insert(key, value);
    }
}

fn not_a(wanted: &str, found: &Value) -> Stop {
    let found = match found {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    Stop::Bad(format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str, reading: Reading<'_>) -> Result<Value, String> {
        let mut values = Map::new();
        parse_into(text, reading, &mut values).map(|()| Value::Object(values))
    }

    #[test]
    fn arguments() {
        let check = |text: &str, wanted: Value| assert_eq!(parse(text, Reading::Typed), Ok(wanted), "{text}");
        check("a=1", json!({"a": 1}));
        check("a=1,b.c=true,d=null", json!({"a": 1, "b": {"c": true}, "d": null}));
        check("a=", json!({"a": ""}));
        check("a=0123,b=0,c=12a,d=-7", json!({"a": "0123", "b": 0, "c": "12a", "d": -7}));
        check("a={1,x},b=2", json!({"a": [1, "x"], "b": 2}));
        check("a[1].b=1,a[0]=x", json!({"a": ["x", {"b": 1}]}));
        check("a[0][1]=1", json!({"a": [[null, 1]]}));
        check("a\\.b=1\\,2", json!({"a.b": "1,2"}));
        check("a.b=1,a.c=2", json!({"a": {"b": 1, "c": 2}}));
    }

    #[test]
    fn other_readings() {
        assert_eq!(parse("a=1,b=true", Reading::Text), Ok(json!({"a": "1", "b": "true"})));
        assert_eq!(parse("a.b=1,c={x}", Reading::Literal), Ok(json!({"a": {"b": "1,c={x}"}})));
        assert_eq!(parse("a\\.b=1", Reading::Literal), Ok(json!({"a\\": {"b": "1"}})));
        assert_eq!(parse("a=1 b= ,c=2", Reading::Json), Ok(json!({"a": 1.0, "b": null, "c": 2.0})));
        assert_eq!(file_names("a={x,y},b=z,c=").as_deref(), Ok(&["x".to_owned(), "y".into(), "z".into()][..]));
        assert_eq!(parse("a={\"b\":[1]},c=null", Reading::Json), Ok(json!({"a": {"b": [1.0]}, "c": null})));
        assert_eq!(parse("a.b=x", Reading::Content("all\nof, it")), Ok(json!({"a": {"b": "all\nof, it"}})));
    }

    #[test]
    fn wrong_arguments() {
        let check = |text: &str, error: &str| {
            assert_eq!(parse(text, Reading::Typed).expect_err(text), error, "{text}");
        };
        check("a", "key \"a\" has no value");
        check("a,b=1", "key \"a\" has no value (cannot end with ,)");
        check("a={1,2", "list must terminate with '}'");
        check("a[1", UNFINISHED);
        check("a.=1", "key map \"a\" has no value");
        check("a[x]=1", "error parsing index: strconv.Atoi: parsing \"x\": invalid syntax");
        check("a[-1]=1", "negative -1 index not allowed");
        check("a[70000]=1", "index of 70000 is greater than maximum supported index of 65536");
        check(
            "a=1,a.b=2",
            "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
        );
    }
}
