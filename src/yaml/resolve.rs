//! What a plain scalar means in YAML 1.1 as Kubernetes reads it: null, boolean, number, timestamp or text.

use std::borrow::Cow;

/// The meaning of a plain scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Timestamp,
    Text,
}

impl Scalar {
    /// Returns the name of the type's tag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Unsigned(_) => "int",
            Self::Float(_) => "float",
            Self::Timestamp => "timestamp",
            Self::Text => "str",
        }
    }
}

/// Says what a plain scalar means.
pub(super) fn resolve(text: &str) -> Scalar {
    match text.as_bytes().first() {
        None => Scalar::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'.') => match infinity(text) {
            Some(value) => Scalar::Float(value),
            None => dotted(text).map_or(Scalar::Text, Scalar::Float),
        },
        Some(b'+' | b'-' | b'0'..=b'9') => match infinity(text) {
            Some(value) => Scalar::Float(value),
            None => number(text),
        },
        Some(_) => Scalar::Text,
    }
}

fn word(text: &str) -> Scalar {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => Scalar::Text,
    }
}

fn infinity(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Reads `.5`; an underscore may stand between digits.
fn dotted(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| digit(at.checked_sub(1)) && digit(Some(at + 1));
    if bytes.iter().enumerate().any(|(at, byte)| *byte == b'_' && !separates(at)) {
        return None;
    }
    float(&without_underscores(text))
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) }
}

fn number(text: &str) -> Scalar {
    if is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let plain = without_underscores(text);
    if let Some(value) = integer(&plain) {
        return value;
    }
    float(&plain).map_or(Scalar::Text, Scalar::Float)
}

fn integer(text: &str) -> Option<Scalar> {
    let (negative, signed, digits) = match text.as_bytes()[..] {
        [b'-', ..] => (true, true, &text[1..]),
        [b'+', ..] => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` would take another sign.
    if !digits.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (negative, signed) {
        (true, _) => 0i64.checked_sub_unsigned(magnitude).map(Scalar::Int),
        (false, true) => i64::try_from(magnitude).ok().map(Scalar::Int),
        (false, false) => Some(i64::try_from(magnitude).map_or(Scalar::Unsigned(magnitude), Scalar::Int)),
    }
}

/// Reads a decimal float; one too big for a float is none.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_is_fine = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => !mantissa.is_empty() && is_digits(mantissa),
    };
    let exponent_is_fine = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && is_digits(digits)
    });
    if !mantissa_is_fine || !exponent_is_fine {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Says whether a text is a date, or a date and time in one of the forms that Go's parser takes.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    timestamp(bytes).is_some()
}

fn timestamp(bytes: &[u8]) -> Option<()> {
    let year: u32 = std::str::from_utf8(&bytes[..4]).ok()?.parse().ok()?;
    let mut rest = &bytes[5..];
    let month = short_number(&mut rest)?;
    expect(&mut rest, b"-")?;
    let day = short_number(&mut rest)?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    if rest.is_empty() {
        return Some(());
    }
    let spaced = rest[0] == b' ';
    if spaced {
        while let [b' ', more @ ..] = rest {
            rest = more;
        }
    } else {
        expect(&mut rest, b"Tt")?;
    }
    let hour = short_number(&mut rest)?;
    expect(&mut rest, b":")?;
    let minute = short_number(&mut rest)?;
    expect(&mut rest, b":")?;
    let second = short_number(&mut rest)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if let [b'.' | b',', digit, ..] = rest
        && digit.is_ascii_digit()
    {
        rest = &rest[1..];
        while let [b'0'..=b'9', more @ ..] = rest {
            rest = more;
        }
    }
    if spaced {
        return rest.is_empty().then_some(());
    }
    match rest {
        [b'Z'] => Some(()),
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            let zone = [h1, h2, m1, m2];
            let in_range = zone.iter().all(|digit| digit.is_ascii_digit()) && (*h1, *h2) <= (b'2', b'4') && *m1 <= b'6';
            in_range.then_some(())
        }
        _ => None,
    }
}

fn short_number(rest: &mut &[u8]) -> Option<u32> {
    let count = rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    let value = std::str::from_utf8(&rest[..count]).ok()?.parse().ok()?;
    *rest = &rest[count..];
    Some(value)
}

fn expect(rest: &mut &[u8], any: &[u8]) -> Option<()> {
    let (first, more) = rest.split_first()?;
    *rest = more;
    any.contains(first).then_some(())
}

/// Says whether YAML 1.1 may read a text as a number of base 60, such as `12:30`. It is written quoted.
pub(super) fn is_base_60(text: &str) -> bool {
    if !text.starts_with(['+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) || !text.contains(':') {
        return false;
    }
    let mut parts = text.strip_prefix(['+', '-']).unwrap_or(text).split(':');
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if !parts.next().is_some_and(|first| first.starts_with(|c: char| c.is_ascii_digit()) && digits(first)) {
        return false;
    }
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let whole = match part.split_once('.') {
            Some((whole, fraction)) if parts.peek().is_none() && digits(fraction) => whole,
            Some(_) => return false,
            None => part,
        };
        let fits = match whole.as_bytes() {
            [one] => one.is_ascii_digit(),
            [ten, one] => (b'0'..=b'5').contains(ten) && one.is_ascii_digit(),
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_scalars_as_yaml_1_1() {
        fn check(text: &str, meaning: Scalar) {
            assert_eq!(resolve(text), meaning, "{text}");
        }
        for text in ["y", "Yes", "on", "TRUE"] {
            check(text, Scalar::Bool(true));
        }
        for text in ["n", "No", "off", "False"] {
            check(text, Scalar::Bool(false));
        }
        for text in ["", "~", "null", "Null", "NULL"] {
            check(text, Scalar::Null);
        }
        for text in [
            "tRUE", "nUll", "a", "<<", "=", "-", "+", ".", "1.2.3", "1e", "0x1p4", "1e400", "12:30", "--1", "0x",
            "0x+1",
        ] {
            check(text, Scalar::Text);
        }
        check("0644", Scalar::Int(420));
        check("0o644", Scalar::Int(420));
        check("0x1F", Scalar::Int(31));
        check("-0b11", Scalar::Int(-3));
        check("1_000", Scalar::Int(1000));
        check("0", Scalar::Int(0));
        check("-9223372036854775808", Scalar::Int(i64::MIN));
        check("18446744073709551615", Scalar::Unsigned(u64::MAX));
        check("18446744073709551616", Scalar::Float(18446744073709551616.0));
        check("+9223372036854775808", Scalar::Float(9223372036854775808.0));
        check("089", Scalar::Float(89.0));
        check("1e3", Scalar::Float(1000.0));
        check(".5", Scalar::Float(0.5));
        check(".5_0", Scalar::Float(0.5));
        check("._5", Scalar::Text);
        check("5.", Scalar::Float(5.0));
        check("1_0.5", Scalar::Float(10.5));
        check("-.inf", Scalar::Float(f64::NEG_INFINITY));
        for text in ["2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-15 2:59:43", "2024-02-29"] {
            check(text, Scalar::Timestamp);
        }
        for text in ["2001-13-01", "2001-02-29", "2001-12-14 21:59:43.10 -5", "2001-12-14T21:59:43"] {
            check(text, Scalar::Text);
        }
    }

    #[test]
    fn knows_base_60() {
        for text in ["12:30", "1:2", "190:20:30.15", "-1:00"] {
            assert!(is_base_60(text), "{text}");
        }
        for text in ["12:60", "a:1", "1:", ":1", "1:2.3:4", "80:80:80"] {
            assert!(!is_base_60(text), "{text}");
        }
    }
}
