//! Numbers as Go writes them in source.

use super::format::quote_text;
use super::node::Number;

/// Reads a literal number of a template. The error says what is wrong with it.
pub fn parse(text: &str) -> Result<Number, String> {
    let mut number = Number { int: parse_int(text), uint: parse_uint(text), ..Number::default() };
    let looks_float = text.contains(['.', 'e', 'E', 'p', 'P']);
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    number.float = number.int.map(|int| int as f64).or(number.uint.map(|uint| uint as f64));
    if number.float.is_none()
        && let Some(float) = parse_float(text)
    {
        if !looks_float {
            return Err(format!("integer overflow: {}", quote_text(text)));
        }
        number.float = Some(float);
        number.int = (float as i64 as f64 == float).then_some(float as i64);
        number.uint = (float as u64 as f64 == float).then_some(float as u64);
    }
    if number.float.is_none() {
        return Err(format!("illegal number syntax: {}", quote_text(text)));
    }
    let is_hex = text.len() > 2 && (text.starts_with("0x") || text.starts_with("0X")) && !text.contains(['p', 'P']);
    number.is_float = looks_float && !is_hex;
    Ok(number)
}

/// Reads an integer with Go's prefixes and underscores.
pub fn parse_int(text: &str) -> Option<i64> {
    let (is_negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let size = i128::from(parse_uint(rest)?);
    i64::try_from(if is_negative { -size } else { size }).ok()
}

/// Reads an integer without sign, with Go's prefixes and underscores.
pub fn parse_uint(text: &str) -> Option<u64> {
    if !text.bytes().next()?.is_ascii_digit() || !has_good_underscores(text) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (digits, base) = match lower.get(..2) {
        Some("0x") => (&lower[2..], 16),
        Some("0o") => (&lower[2..], 8),
        Some("0b") => (&lower[2..], 2),
        Some(two) if two.starts_with('0') => (&lower[1..], 8),
        _ => (&*lower, 10),
    };
    let digits = digits.replace('_', "");
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(&digits, base).ok()
}

fn has_good_underscores(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(index, byte)| {
        *byte != b'_'
            || index > 0
                && bytes[index - 1].is_ascii_alphanumeric()
                && bytes.get(index + 1).is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// Reads a decimal or hexadecimal number with a fraction or an exponent.
pub fn parse_float(text: &str) -> Option<f64> {
    if !has_good_underscores(text) {
        return None;
    }
    let plain = text.replace('_', "").to_ascii_lowercase();
    let (sign, rest) = match plain.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    if let Some(hex) = rest.strip_prefix("0x") {
        return hex_float(hex).map(|float| sign * float);
    }
    if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    rest.parse::<f64>().ok().filter(|float| float.is_finite()).map(|float| sign * float)
}

fn hex_float(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once('p')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut size = 0.0;
    for c in whole.chars().chain(fraction.chars()) {
        size = size * 16.0 + f64::from(c.to_digit(16)?);
    }
    let exponent = exponent.parse::<i32>().ok()?.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    Some(size * 2f64.powi(exponent)).filter(|float| float.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_go_does() {
        let check = |text: &str, int: Option<i64>, float: Option<f64>, is_float: bool| {
            let number = parse(text).unwrap();
            assert_eq!((number.int, number.float, number.is_float), (int, float, is_float), "{text}");
        };
        check("0x1F", Some(31), Some(31.0), false);
        check("-0b11", Some(-3), Some(-3.0), false);
        check("017", Some(15), Some(15.0), false);
        check("1_000", Some(1000), Some(1000.0), false);
        check("1.5", None, Some(1.5), true);
        check("1e3", Some(1000), Some(1000.0), true);
        check("0x1p4", Some(16), Some(16.0), true);
        check("18446744073709551615", None, Some(18_446_744_073_709_551_615.0), false);
        assert_eq!(parse("08").unwrap_err(), "integer overflow: \"08\"");
        assert_eq!(parse("1__0").unwrap_err(), "illegal number syntax: \"1__0\"");
    }
}
