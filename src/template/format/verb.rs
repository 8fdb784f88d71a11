//! A single verb of a format: how each kind of value is written.

use super::float::{fixed, general, hexadecimal, scientific};
use super::quote::quoted;
use super::{DEEPEST, LONGEST, type_name};
use crate::template::value::{ListKind, Value};

/// What stands between the percent sign and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub is_sharp: bool,
    pub is_zero: bool,
    pub is_plus: bool,
    pub is_minus: bool,
    pub is_space: bool,
    pub width: Option<usize>,
    pub precision: Option<usize>,
    /// How many lists and maps are around the value.
    pub depth: usize,
}

/// Appends a value by a verb.
pub(super) fn write_verb(out: &mut Vec<u8>, flags: Flags, verb: char, value: &Value) {
    if flags.depth > DEEPEST || out.len() > LONGEST {
        return;
    }
    if verb == 'T' {
        return pad(out, flags, type_name(value).as_bytes());
    }
    match value {
        Value::Invalid | Value::Nil if verb == 'v' => pad(out, flags, b"<nil>"),
        Value::Invalid | Value::Nil => out.extend_from_slice(format!("%!{verb}(<nil>)").as_bytes()),
        Value::Bool(truth) if matches!(verb, 't' | 'v') => pad(out, flags, truth.to_string().as_bytes()),
        Value::Int(int) | Value::Int64(int) => write_int(out, flags, verb, *int, value),
        Value::Uint8(int) if verb == 'v' && flags.is_sharp => {
            out.extend_from_slice(format!("{int:#x}").as_bytes());
        }
        Value::Uint8(int) => write_int(out, flags, verb, i64::from(*int), value),
        Value::Float(float) => write_float(out, flags, verb, *float, value),
        Value::String(text) => write_string(out, flags, verb, text, value),
        Value::List(list) if list.kind == ListKind::Uint8 && matches!(verb, 's' | 'q' | 'x' | 'X') => {
            let bytes: Vec<u8> =
                list.items.iter().map(|item| if let Value::Uint8(byte) = item { *byte } else { 0 }).collect();
            write_string(out, flags, verb, &bytes, value);
        }
        Value::List(list) => {
            let is_source = verb == 'v' && flags.is_sharp;
            let (open, between, close) = if is_source { ("{", ", ", "}") } else { ("[", " ", "]") };
            if is_source {
                out.extend_from_slice(type_name(value).as_bytes());
            }
            out.extend_from_slice(open.as_bytes());
            for (index, item) in list.items.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(between.as_bytes());
                }
                write_item(out, flags, verb, item);
            }
            out.extend_from_slice(close.as_bytes());
        }
        Value::Map(map) => {
            let is_source = verb == 'v' && flags.is_sharp;
            if is_source {
                out.extend_from_slice(type_name(value).as_bytes());
            }
            out.extend_from_slice(if is_source { b"{" } else { b"map[" });
            for (index, (key, item)) in map.entries().iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(if is_source { b", " } else { b" " });
                }
                write_string(out, flags, verb, key, &Value::String(key.clone()));
                out.push(b':');
                write_item(out, flags, verb, item);
            }
            out.push(if is_source { b'}' } else { b']' });
        }
        Value::Structure(structure) if matches!(verb, 'v' | 's' | 'q' | 'x' | 'X') => {
            write_string(out, Flags { is_sharp: false, ..flags }, verb, structure.print().as_bytes(), value);
        }
        Value::Structure(structure) if structure.kind().starts_with("int") => {
            write_verb(out, flags, verb, &structure.plain());
        }
        Value::Bool(_) | Value::Structure(_) => wrong(out, flags, verb, value),
    }
}

fn write_item(out: &mut Vec<u8>, flags: Flags, verb: char, item: &Value) {
    match item {
        Value::Invalid | Value::Nil if verb == 'v' && flags.is_sharp => out.extend_from_slice(b"interface {}(nil)"),
        Value::Invalid | Value::Nil => out.extend_from_slice(b"<nil>"),
        _ => write_verb(out, Flags { depth: flags.depth + 1, ..flags }, verb, item),
    }
}

fn wrong(out: &mut Vec<u8>, flags: Flags, verb: char, value: &Value) {
    out.extend_from_slice(format!("%!{verb}({}=", type_name(value)).as_bytes());
    write_verb(out, flags, 'v', value);
    out.push(b')');
}

/// Appends a text, padded to the width in characters.
fn pad(out: &mut Vec<u8>, flags: Flags, text: &[u8]) {
    let missing = flags.width.map_or(0, |width| width.saturating_sub(length(text)));
    let fill = if flags.is_zero && !flags.is_minus { b'0' } else { b' ' };
    if flags.is_minus {
        out.extend_from_slice(text);
    }
    out.resize(out.len() + missing, fill);
    if !flags.is_minus {
        out.extend_from_slice(text);
    }
}

/// Returns how many characters a text has; each wrong byte is one.
fn length(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

fn write_int(out: &mut Vec<u8>, flags: Flags, verb: char, int: i64, value: &Value) {
    let size = int.unsigned_abs();
    let mut digits = match verb {
        'v' | 'd' => size.to_string(),
        'b' => format!("{size:b}"),
        'o' | 'O' => format!("{size:o}"),
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        'c' | 'q' | 'U' => return write_rune(out, flags, verb, int),
        _ => return wrong(out, flags, verb, value),
    };
    let has_sign = int < 0 || flags.is_plus || flags.is_space;
    let mut wanted = flags.precision.unwrap_or(0);
    if flags.precision == Some(0) && int == 0 {
        digits.clear();
    } else if let (None, Some(width), true) = (flags.precision, flags.width, flags.is_zero && !flags.is_minus) {
        wanted = width.saturating_sub(usize::from(has_sign));
    }
    let mut text = String::new();
    match int {
        ..0 => text.push('-'),
        _ if digits.is_empty() => {}
        _ if flags.is_plus && !(flags.is_sharp && verb == 'v') => text.push('+'),
        _ if flags.is_space => text.push(' '),
        _ => {}
    }
    let is_padded = wanted > digits.len();
    text.push_str(match verb {
        'O' => "0o",
        'b' if flags.is_sharp => "0b",
        'o' if flags.is_sharp && !is_padded && !digits.starts_with('0') => "0",
        'x' if flags.is_sharp => "0x",
        'X' if flags.is_sharp => "0X",
        _ => "",
    });
    text.extend(std::iter::repeat_n('0', wanted.saturating_sub(digits.len())));
    text.push_str(&digits);
    pad(out, Flags { is_zero: false, ..flags }, text.as_bytes());
}

fn write_rune(out: &mut Vec<u8>, flags: Flags, verb: char, int: i64) {
    let c = u32::try_from(int).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    let text = match verb {
        'c' => c.to_string().into_bytes(),
        'q' => quoted(c.to_string().as_bytes(), b'\'', flags.is_plus),
        _ => {
            let digits = flags.precision.unwrap_or(4).max(4);
            let shown = if flags.is_sharp && super::is_printable(c) { format!(" '{c}'") } else { String::new() };
            format!("U+{int:0digits$X}{shown}").into_bytes()
        }
    };
    pad(out, Flags { is_zero: flags.is_zero && verb != 'U', ..flags }, &text);
}

fn write_float(out: &mut Vec<u8>, flags: Flags, verb: char, float: f64, value: &Value) {
    let precision = flags.precision;
    let mut text = match verb {
        'v' | 'g' => general(float, precision, flags.is_sharp && verb == 'g'),
        'G' => general(float, precision, flags.is_sharp).to_uppercase(),
        'e' => scientific(float, precision.unwrap_or(6)),
        'E' => scientific(float, precision.unwrap_or(6)).to_uppercase(),
        'f' | 'F' => fixed(float, precision.unwrap_or(6)),
        'x' if precision.is_none() => hexadecimal(float),
        'X' if precision.is_none() => hexadecimal(float).to_uppercase(),
        _ => return wrong(out, flags, verb, value),
    };
    if !float.is_finite() {
        if flags.is_plus && !text.starts_with(['+', '-']) {
            text.insert(0, '+');
        } else if !flags.is_plus && text.starts_with('+') && verb != 'v' && flags.is_space {
            text.replace_range(..1, " ");
        }
        return pad(out, Flags { is_zero: false, ..flags }, text.as_bytes());
    }
    if !text.starts_with('-') {
        if flags.is_plus {
            text.insert(0, '+');
        } else if flags.is_space {
            text.insert(0, ' ');
        }
    }
    let has_sign = text.starts_with(['+', '-', ' ']);
    if has_sign && flags.is_zero && !flags.is_minus {
        out.extend_from_slice(&text.as_bytes()[..1]);
        let width = flags.width.map(|width| width.saturating_sub(1));
        return pad(out, Flags { width, ..flags }, &text.as_bytes()[1..]);
    }
    pad(out, flags, text.as_bytes());
}

fn write_string(out: &mut Vec<u8>, flags: Flags, verb: char, text: &[u8], value: &Value) {
    let is_source = verb == 'v' && flags.is_sharp;
    match verb {
        'x' | 'X' => return write_hex(out, flags, verb, text),
        'v' | 's' | 'q' => {}
        _ => return wrong(out, flags, verb, value),
    }
    let kept = match flags.precision {
        Some(precision) => &text[..cut(text, precision)],
        None => text,
    };
    if verb == 'q' || is_source {
        let is_raw = flags.is_sharp && !is_source && can_be_raw(kept);
        if is_raw {
            return pad(out, flags, &[b"`", kept, b"`"].concat());
        }
        return pad(out, flags, &quoted(kept, b'"', flags.is_plus && !is_source));
    }
    pad(out, flags, kept);
}

fn can_be_raw(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_ok_and(|text| text.chars().all(|c| c == '\t' || c != '`' && c != '\u{feff}' && !c.is_control()))
}

/// Returns where so many characters end.
fn cut(text: &[u8], characters: usize) -> usize {
    let mut left = characters;
    let mut at = 0;
    for chunk in text.utf8_chunks() {
        for part in chunk.valid().chars().map(char::len_utf8).chain(chunk.invalid().iter().map(|_| 1)) {
            if left == 0 {
                return at;
            }
            left -= 1;
            at += part;
        }
    }
    at
}

fn write_hex(out: &mut Vec<u8>, flags: Flags, verb: char, text: &[u8]) {
    let kept = &text[..flags.precision.unwrap_or(text.len()).min(text.len())];
    let mut hex = String::new();
    let prefix = if verb == 'x' { "0x" } else { "0X" };
    for (index, byte) in kept.iter().enumerate() {
        if flags.is_space && index > 0 {
            hex.push(' ');
        }
        if flags.is_sharp && (flags.is_space || index == 0) {
            hex.push_str(prefix);
        }
        hex.push_str(&if verb == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") });
    }
    pad(out, flags, hex.as_bytes());
}
