//! JSON to YAML as the Go libraries behind `toYaml` and `toYamlPretty` write it.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::resolve::{Scalar, is_base_60, resolve};
use super::{go, input};

/// A space beyond this column becomes a line break.
const WIDTH: usize = 80;

/// Keys longer than this, in bytes, are written with `?`.
const MAX_SIMPLE_KEY: usize = 128;

/// The library whose habits are followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// goyaml 2 behind sigs.k8s.io/yaml: lines are folded, sequences stand under their key; the value goes through JSON.
    Kubernetes,
    /// goyaml 3: nothing is folded, sequences are indented.
    Pretty,
}

/// Returns the text, or nothing if the value cannot be written.
pub(super) fn emit(value: &Value, dialect: Dialect) -> Option<String> {
    if dialect == Dialect::Kubernetes && !is_json_readable(value) {
        return None;
    }
    let mut emitter = Emitter { out: String::new(), dialect };
    emitter.node(value, 0, Place::Root);
    Some(emitter.out)
}

/// Says whether the YAML parser would read the JSON of this value: it refuses some characters and very long keys.
fn is_json_readable(value: &Value) -> bool {
    match value {
        Value::String(text) => is_text_readable(text),
        Value::Array(items) => items.iter().all(is_json_readable),
        Value::Object(map) => map.iter().all(|(key, value)| {
            is_text_readable(key) && (key.len() < 160 || json_length(key) <= 1024) && is_json_readable(value)
        }),
        _ => true,
    }
}

fn is_text_readable(text: &str) -> bool {
    // JSON escapes what is below a space, so that only the others meet the reader.
    let mut rest = text;
    while let Some(at) = input::forbidden(rest) {
        if rest.as_bytes()[at] >= b' ' {
            return false;
        }
        rest = &rest[at + 1..];
    }
    true
}

fn json_length(text: &str) -> usize {
    let escaped = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\x08' | '\x0c' => 2,
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => 6,
        _ => 1,
    };
    text.chars().map(escaped).sum::<usize>() + 2
}

/// Where a node is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// After `key:`.
    Value,
    /// After `-`, or after the `:` of a complex key: a collection begins on the same line.
    Item,
}

struct Emitter {
    out: String,
    dialect: Dialect,
}

impl Emitter {
    /// Writes a node and the line break after it. `indent` is the column of the collection that holds it.
    fn node(&mut self, value: &Value, indent: usize, place: Place) {
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, indent, place),
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent, place),
            _ => {
                if place != Place::Root {
                    self.out.push(' ');
                }
                match value {
                    Value::Null => self.out.push_str("null"),
                    Value::Bool(true) => self.out.push_str("true"),
                    Value::Bool(false) => self.out.push_str("false"),
                    Value::Number(number) => self.number(number),
                    Value::String(text) => {
                        let text = self.as_read(text);
                        self.scalar(&text, indent + 2, false);
                    }
                    Value::Array(_) => self.out.push_str("[]"),
                    Value::Object(_) => self.out.push_str("{}"),
                }
                self.end_line();
            }
        }
    }

    /// Returns what is left of a text that goes through JSON read as YAML: a next-line character is a line break there.
    fn as_read<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.dialect == Dialect::Pretty || !text.contains('\u{85}') {
            return Cow::Borrowed(text);
        }
        let mut read = String::with_capacity(text.len());
        let mut parts = text.split('\u{85}').peekable();
        let mut breaks = 0;
        let mut first = true;
        while let Some(part) = parts.next() {
            let mut part = if first { part } else { part.trim_start_matches(' ') };
            if parts.peek().is_some() {
                part = part.trim_end_matches(' ');
            }
            if !first {
                breaks += 1;
            }
            if !part.is_empty() || parts.peek().is_none() {
                match breaks {
                    0 => {}
                    1 => read.push(' '),
                    more => read.extend(std::iter::repeat_n('\n', more - 1)),
                }
                breaks = 0;
            }
            read.push_str(part);
            first = false;
        }
        Cow::Owned(read)
    }

    fn number(&mut self, number: &serde_json::Number) {
        let text = match number.as_f64() {
            Some(value) if number.is_f64() && self.dialect == Dialect::Pretty => go::float_g(value),
            Some(value) if number.is_f64() => {
                let json = go::float_json(value);
                match resolve(&json) {
                    Scalar::Float(value) => go::float_g(value),
                    Scalar::Int(value) => value.to_string(),
                    _ => json,
                }
            }
            _ => number.to_string(),
        };
        self.out.push_str(&text);
    }

    fn end_line(&mut self) {
        if !self.out.ends_with(is_break) {
            self.out.push('\n');
        }
    }

    fn indent(&mut self, indent: usize) {
        const SPACES: &str = "                                                                ";
        let mut left = indent;
        while left > 0 {
            let part = left.min(SPACES.len());
            self.out.push_str(&SPACES[..part]);
            left -= part;
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, indent: usize, place: Place) {
        let column = match place {
            Place::Root => 0,
            Place::Value => {
                self.out.push('\n');
                indent + 2
            }
            Place::Item => {
                self.out.push(' ');
                indent + 2
            }
        };
        let mut entries: Vec<(&String, &Value)> = map.iter().collect();
        if !entries.is_sorted_by(|a, b| natural(a.0, b.0) != Ordering::Greater) {
            sort(&mut entries, &|a, b| natural(a.0, b.0));
        }
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if at > 0 || place != Place::Item {
                self.indent(column);
            }
            let key = self.as_read(key);
            if key.len() > MAX_SIMPLE_KEY || key.contains(is_break) {
                self.out.push_str("? ");
                self.scalar(&key, column + 2, false);
                self.end_line();
                self.indent(column);
                self.out.push(':');
                self.node(value, column, Place::Item);
            } else {
                self.scalar(&key, column + 2, true);
                self.out.push(':');
                self.node(value, column, Place::Value);
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize, place: Place) {
        let column = match place {
            Place::Root => 0,
            Place::Value => {
                self.out.push('\n');
                if self.dialect == Dialect::Pretty { indent + 2 } else { indent }
            }
            Place::Item => {
                self.out.push(' ');
                indent + 2
            }
        };
        for (at, item) in items.iter().enumerate() {
            if at > 0 || place != Place::Item {
                self.indent(column);
            }
            self.out.push('-');
            self.node(item, column, Place::Item);
        }
    }

    /// Writes a text in the style it needs. A key is never folded and never a block.
    fn scalar(&mut self, text: &str, indent: usize, key: bool) {
        let traits = Traits::of(text, self.dialect);
        let multiline = text.contains('\n');
        let plain = !multiline && self.may_be_plain(text);
        let folds = !key && self.dialect == Dialect::Kubernetes;
        if multiline && traits.block && !key {
            self.literal(text, indent);
        } else if plain && traits.plain && !(key && text.is_empty()) {
            if folds { self.fold(text, indent, false) } else { self.out.push_str(text) }
        } else if plain && traits.single {
            self.out.push('\'');
            if folds {
                self.fold(text, indent, true);
            } else {
                self.out.push_str(&text.replace('\'', "''"));
            }
            self.out.push('\'');
        } else {
            self.double_quoted(text, indent, folds);
        }
    }

    fn may_be_plain(&self, text: &str) -> bool {
        match resolve(text) {
            Scalar::Text => !is_base_60(text),
            // An empty text is not plain either, but `''` does not come to mind: it is quoted as null would be.
            _ => false,
        }
    }

    /// Returns the column of the next character.
    fn column(&self) -> usize {
        let line = &self.out[self.out.rfind('\n').map_or(0, |at| at + 1)..];
        line.chars().count()
    }

    fn break_line(&mut self, indent: usize) -> usize {
        self.out.push('\n');
        self.indent(indent);
        indent
    }

    /// Writes a plain or single quoted text, breaking lines at single spaces beyond the width.
    fn fold(&mut self, text: &str, indent: usize, single: bool) {
        let mut column = self.column();
        if column + text.len() <= WIDTH && !(single && text.contains(|c| c == '\'' || is_break(c))) {
            self.out.push_str(text);
            return;
        }
        let (mut after_space, mut after_break) = (false, false);
        for (at, c) in text.char_indices() {
            if is_break(c) {
                // Unicode's line separators stand for themselves, and what follows them is indented.
                self.out.push(c);
                (column, after_break, after_space) = (0, true, false);
                continue;
            }
            if std::mem::take(&mut after_break) {
                self.indent(indent);
                column = indent;
            }
            if c == ' ' {
                let next_is_space = text.as_bytes().get(at + 1) == Some(&b' ');
                let inside = !single || (at > 0 && at + 1 < text.len());
                if !after_space && column > WIDTH && inside && !next_is_space {
                    column = self.break_line(indent);
                } else {
                    self.out.push(' ');
                    column += 1;
                }
                after_space = true;
                continue;
            }
            if single && c == '\'' {
                self.out.push('\'');
                column += 1;
            }
            self.out.push(c);
            column += 1;
            after_space = false;
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, folds: bool) {
        let mut column = if folds { self.column() + 1 } else { 0 };
        self.out.push('"');
        let mut after_space = false;
        for (at, c) in text.char_indices() {
            if c == ' ' {
                if folds && !after_space && column > WIDTH && at > 0 && at + 1 < text.len() {
                    column = self.break_line(indent);
                    if text.as_bytes()[at + 1] == b' ' {
                        self.out.push('\\');
                        column += 1;
                    }
                } else {
                    self.out.push(' ');
                    column += 1;
                }
                after_space = true;
                continue;
            }
            after_space = false;
            if is_printable(c) && !is_break(c) && c != '"' && c != '\\' {
                self.out.push(c);
                column += 1;
            } else {
                let before = self.out.len();
                push_escape(c, &mut self.out);
                column += self.out.len() - before;
            }
        }
        self.out.push('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push('|');
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.out.push('2');
        }
        let mut backwards = text.chars().rev();
        match (backwards.next(), backwards.next()) {
            (Some(last), _) if !is_break(last) => self.out.push('-'),
            (Some(_), None) => self.out.push('+'),
            (Some(_), Some(before)) if is_break(before) => self.out.push('+'),
            _ => {}
        }
        self.out.push('\n');
        for line in text.split_inclusive(is_break) {
            if !line.starts_with(is_break) {
                self.indent(indent);
            }
            self.out.push_str(line);
        }
    }
}

/// Which styles a text may be written in.
struct Traits {
    plain: bool,
    single: bool,
    block: bool,
}

impl Traits {
    fn of(text: &str, dialect: Dialect) -> Self {
        let bytes = text.as_bytes();
        let Some(first) = bytes.first() else {
            return Self { plain: true, single: true, block: false };
        };
        let mut indicator = text.starts_with("---") || text.starts_with("...");
        let blank_at = |at: usize| bytes.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\t'));
        indicator |= match first {
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
            | b'`' => true,
            b'?' | b':' | b'-' => blank_at(1),
            _ => false,
        };
        let (mut breaks, mut special, mut tab) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut after_space, mut after_break) = (false, false);
        let mut after_white = true;
        for (at, c) in text.char_indices() {
            match c {
                ':' if at > 0 => indicator |= blank_at(at + 1),
                '#' if at > 0 => indicator |= after_white,
                '\t' => tab = true,
                _ => special |= !is_printable(c),
            }
            let is_break = is_break(c);
            break_space |= c == ' ' && after_break;
            space_break |= is_break && after_space;
            breaks |= is_break;
            after_space = c == ' ';
            after_break = is_break;
            after_white = is_break || matches!(c, ' ' | '\t');
        }
        if dialect == Dialect::Kubernetes {
            special |= tab;
            tab = false;
        }
        let begins = *first == b' ' || text.starts_with(is_break);
        let ends_in_space = text.ends_with(' ');
        let ends = ends_in_space || text.ends_with(is_break);
        let odd = space_break || special;
        Self {
            plain: !(begins || ends || break_space || odd || tab || breaks || indicator),
            single: !(break_space || odd || tab),
            block: !(ends_in_space || odd),
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Says whether a character is written as it is. What needs four bytes is not.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn push_escape(c: char, out: &mut String) {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = c as u32;
            out.push_str(&match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            });
            return;
        }
    };
    out.extend(['\\', short]);
}

/// Merges halves until all is in order. Go's order of keys is none where digits, letters and signs are mixed, at which the sort of the
/// standard library may panic.
fn sort<T>(items: &mut Vec<T>, order: &impl Fn(&T, &T) -> Ordering) {
    if items.len() < 2 {
        return;
    }
    let mut right = items.split_off(items.len() / 2);
    sort(items, order);
    sort(&mut right, order);
    let (mut left, mut right) = (std::mem::take(items).into_iter().peekable(), right.into_iter().peekable());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        items.extend(if order(other, one) == Ordering::Less { right.next() } else { left.next() });
    }
    items.extend(left);
    items.extend(right);
}

/// Orders keys as people do: numbers in them by value, letters after everything else.
fn natural(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        natural_units(
            a.as_bytes(),
            b.as_bytes(),
            |byte| byte.is_ascii_alphabetic(),
            |byte| byte.is_ascii_digit().then(|| i64::from(byte - b'0')),
        )
    } else {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        natural_units(&a, &b, char::is_alphabetic, |c| c.to_digit(10).map(i64::from))
    }
}

fn natural_units<T: Ord + Copy>(
    a: &[T],
    b: &[T],
    is_letter: impl Fn(T) -> bool,
    digit: impl Fn(T) -> Option<i64>,
) -> Ordering {
    let Some(at) = a.iter().zip(b).position(|(a, b)| a != b) else {
        return a.len().cmp(&b.len());
    };
    match (is_letter(a[at]), is_letter(b[at])) {
        (true, true) => return a[at].cmp(&b[at]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A number that began before the difference weighs as if a 1 stood before it, unless it is only zeros so far.
    let mut start = 0;
    if digit(a[at]) == Some(0) || digit(b[at]) == Some(0) {
        let before = a[..at].iter().rev().map_while(|unit| digit(*unit));
        start = i64::from(before.into_iter().any(|digit| digit != 0));
    }
    let run = |units: &[T]| {
        let digits = units[at..].iter().map_while(|unit| digit(*unit));
        digits.fold((start, 0), |(value, count), digit| (i64::wrapping_add(value.wrapping_mul(10), digit), count + 1))
    };
    run(a).cmp(&run(b)).then(a[at].cmp(&b[at]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kubernetes(value: Value) -> String {
        emit(&value, Dialect::Kubernetes).expect("it can be written")
    }

    #[test]
    fn keys_whose_order_is_none_are_written_too() {
        let keys =
            "$0x1f . .i.. /u慾 0x1=f 0xmmmmmm1f 1000 1:3 1e+07 20~0 2001-01-~1yes 3 30+0 31 8 ;</s esy0~1e3 f nf s se3";
        let value: Value = keys.split(' ').map(|key| (key.to_owned(), Value::Null)).collect::<Map<_, _>>().into();
        let text = kubernetes(value.clone());
        assert_eq!(crate::yaml::parse(text.as_bytes()).expect("it can be read"), value);
    }

    #[test]
    fn writes_collections_as_kubernetes() {
        let value = json!({"a2": [1, {"b": [], "c": {}}], "a10": {"x": null}, "_": true, "l": [["p", "q"]]});
        assert_eq!(
            kubernetes(value.clone()),
            "_: true\na2:\n- 1\n- b: []\n  c: {}\na10:\n  x: null\nl:\n- - p\n  - q\n"
        );
        assert_eq!(
            emit(&value, Dialect::Pretty).as_deref(),
            Some("_: true\na2:\n  - 1\n  - b: []\n    c: {}\na10:\n  x: null\nl:\n  - - p\n    - q\n")
        );
    }

    #[test]
    fn quotes_what_would_be_read_as_something_else() {
        fn check(text: &str, yaml: &str) {
            assert_eq!(kubernetes(json!({ "k": text })), format!("k: {yaml}\n"));
        }
        check("plain text", "plain text");
        check("", "\"\"");
        check("yes", "\"yes\"");
        check("12:30", "\"12:30\"");
        check("2001-01-01", "\"2001-01-01\"");
        check("<<", "<<");
        check("- a", "'- a'");
        check("it's: x", "'it''s: x'");
        check(" a", "' a'");
        check("a\tb", "\"a\\tb\"");
        check("\u{1F600}", "\"\\U0001F600\"");
        check("é", "é");
        check("a\nb\n", "|\n  a\n  b");
        check("a\nb", "|-\n  a\n  b");
        check("\n", "|2+\n");
        check(" a\n\n", "|2+\n   a\n");
        check("a \nb", "\"a \\nb\"");
        check("a\u{85}b", "a b");
    }

    #[test]
    fn writes_numbers_as_go() {
        fn check(number: f64, yaml: &str, pretty: &str) {
            assert_eq!(kubernetes(json!(number)), format!("{yaml}\n"));
            assert_eq!(emit(&json!(number), Dialect::Pretty), Some(format!("{pretty}\n")));
        }
        check(1.0, "1", "1");
        check(100_000_000.0, "100000000", "1e+08");
        check(1.5e-7, "1.5e-07", "1.5e-07");
        check(1e21, "1e+21", "1e+21");
        check(1e20, "1e+20", "1e+20");
        check(1234567.5, "1.2345675e+06", "1.2345675e+06");
        check(0.0001, "0.0001", "0.0001");
    }

    #[test]
    fn writes_nothing_for_what_the_parser_refuses() {
        assert_eq!(emit(&json!({"a": "\u{7f}"}), Dialect::Kubernetes), None);
        assert_eq!(emit(&json!({"a".repeat(1100): 1}), Dialect::Kubernetes), None);
        assert_eq!(kubernetes(json!({"a".repeat(130): 1})), format!("? {}\n: 1\n", "a".repeat(130)));
    }

    #[test]
    fn folds_long_lines() {
        let text = "word ".repeat(20).trim_end().to_owned();
        assert_eq!(
            kubernetes(json!({ "k": text })),
            format!("k: {}word\n  {}\n", "word ".repeat(15), "word ".repeat(4).trim_end())
        );
        assert!(!emit(&json!({ "k": text }), Dialect::Pretty).is_some_and(|yaml| yaml.trim_end().contains('\n')));
    }
}
