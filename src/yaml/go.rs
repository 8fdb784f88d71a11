//! Numbers and values as Go writes them, which error texts and emitted YAML show.

use std::fmt::Write;

use serde_json::Value;

/// Returns how Go names a float that JSON has no number for.
pub(super) fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// Returns a float as a map key: it goes through 32 bits.
pub(super) fn float_key(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let single = value as f32;
    if single.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    general_form(&format!("{single:e}"))
}

/// Returns a float as `strconv.FormatFloat(f, 'g', -1, 64)` writes it.
pub(super) fn float_g(value: f64) -> String {
    general_form(&format!("{value:e}"))
}

/// Returns a finite float as JSON has it.
pub(super) fn float_json(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = exponent_form(&format!("{value:e}"));
        // JSON drops the zero of `e-07`.
        return match text.find("e-0") {
            Some(at) => format!("{}{}", &text[..at + 2], &text[at + 3..]),
            None => text,
        };
    }
    format!("{value}")
}

/// Takes Rust's shortest `d.ddde±x`, and writes it with an exponent only if that is below -4 or at least 6.
fn general_form(shortest: &str) -> String {
    let (mantissa, exponent) = shortest.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    if !(-4..6).contains(&exponent) {
        return exponent_form(shortest);
    }
    let negative = mantissa.starts_with('-');
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let mut text = String::from(if negative { "-" } else { "" });
    if exponent < 0 {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
        text.push_str(&digits);
    } else {
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            text.push_str(&digits);
            text.extend(std::iter::repeat_n('0', whole - digits.len()));
        } else {
            text.push_str(&digits[..whole]);
            text.push('.');
            text.push_str(&digits[whole..]);
        }
    }
    text
}

fn exponent_form(shortest: &str) -> String {
    let (mantissa, exponent) = shortest.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Returns a value in Go syntax, as `%#v` shows what a YAML text decoded to.
pub(super) fn syntax(value: &Value) -> String {
    if value.is_null() {
        return "<nil>".into();
    }
    let mut text = String::new();
    write_syntax(value, &mut text);
    text
}

fn write_syntax(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("interface {}(nil)"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() => out.push_str(&float_g(value)),
            _ => {
                let _ = write!(out, "{number}");
            }
        },
        Value::String(text) => quote(text, out),
        Value::Array(items) => {
            out.push_str("[]interface {}{");
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write_syntax(item, out);
            }
            out.push('}');
        }
        Value::Object(map) => {
            out.push_str("map[interface {}]interface {}{");
            for (at, (key, value)) in map.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                quote(key, out);
                out.push(':');
                write_syntax(value, out);
            }
            out.push('}');
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0b' => out.push_str("\\v"),
            '\x0c' => out.push_str("\\f"),
            c if c.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
