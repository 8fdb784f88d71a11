//! Spans of time.

use std::any::Any;
use std::rc::Rc;

use super::argument::{function, text};
use super::method;
use super::number::decimal_int;
use crate::template::format::quote_text;
use crate::template::{Function, Host, Parameter, Structure, Value, parse_float, type_name};

use Parameter::Any as Anything;

pub(super) static FUNCTIONS: &[Function] = &[function("duration", &[Anything], of_seconds)];

/// The functions that came with helm 4.3.
pub(super) static SINCE_V4_3: &[Function] = &[
    function("durationDays", &[Anything], |_, args| Ok(Value::Float(lenient(&args[0]).hours() / 24.0))),
    function("durationHours", &[Anything], |_, args| Ok(Value::Float(lenient(&args[0]).hours()))),
    function("durationMicroseconds", &[Anything], |_, args| Ok(Value::Int64(lenient(&args[0]).0 / 1_000))),
    function("durationMilliseconds", &[Anything], |_, args| Ok(Value::Int64(lenient(&args[0]).0 / 1_000_000))),
    function("durationMinutes", &[Anything], |_, args| Ok(Value::Float(lenient(&args[0]).in_units(60)))),
    function("durationNanoseconds", &[Anything], |_, args| Ok(Value::Int64(lenient(&args[0]).0))),
    function("durationRoundTo", &[Anything, Anything], |_, args| Ok(to_multiple(args, Duration::rounded).value())),
    function("durationSeconds", &[Anything], |_, args| Ok(Value::Float(lenient(&args[0]).in_units(1)))),
    function("durationTruncateTo", &[Anything, Anything], |_, args| Ok(to_multiple(args, Duration::truncated).value())),
    function("durationWeeks", &[Anything], |_, args| Ok(Value::Float(lenient(&args[0]).hours() / 24.0 / 7.0))),
    function("mustToDuration", &[Anything], |_, args| Ok(read(&args[0])?.value())),
];

const SECOND: i64 = 1_000_000_000;

/// A span in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Duration(pub i64);

impl Duration {
    pub(super) fn value(self) -> Value {
        Value::Structure(Rc::new(self))
    }

    fn in_units(self, seconds: i64) -> f64 {
        let unit = seconds * SECOND;
        (self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64
    }

    fn hours(self) -> f64 {
        self.in_units(3600)
    }

    fn clamped(nanoseconds: i128) -> Self {
        Self(nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    fn truncated(self, unit: Duration) -> Duration {
        if unit.0 > 0 { Duration(self.0 - self.0 % unit.0) } else { self }
    }

    /// Rounds to a multiple; half of one goes away from zero.
    pub(super) fn rounded(self, unit: Duration) -> Duration {
        if unit.0 <= 0 {
            return self;
        }
        let (span, unit) = (i128::from(self.0), i128::from(unit.0));
        let rest = (span % unit).abs();
        let towards_zero = span - span % unit;
        Self::clamped(if rest * 2 < unit { towards_zero } else { towards_zero + unit * span.signum() })
    }

    /// Returns it as Go writes it: `1h30m0s`, `1.5ms`.
    fn text(self) -> String {
        let size = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let (nanoseconds, seconds) = (size % SECOND as u64, size / SECOND as u64);
        match size {
            0 => "0s".into(),
            1..1_000 => format!("{sign}{size}ns"),
            1_000..1_000_000 => format!("{sign}{}µs", fraction(size, 3)),
            1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(size, 6)),
            _ => {
                let last = fraction((seconds % 60) * SECOND as u64 + nanoseconds, 9);
                match seconds {
                    0..60 => format!("{sign}{last}s"),
                    60..3600 => format!("{sign}{}m{last}s", seconds / 60),
                    _ => format!("{sign}{}h{}m{last}s", seconds / 3600, seconds / 60 % 60),
                }
            }
        }
    }

    /// Reads what Go writes, also with fractions of any unit.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("time: invalid duration {}", quoted(text));
        let (is_negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0_u128;
        while !rest.is_empty() {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let whole = &rest[..rest.len() - after.len()];
            let (fraction, after) = match after.strip_prefix('.') {
                Some(fraction) => {
                    let after = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
                    (&fraction[..fraction.len() - after.len()], after)
                }
                None => ("", after),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid());
            }
            let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
            if whole > 1 << 63 {
                return Err(invalid());
            }
            let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            let unit: u64 = match name {
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => SECOND as u64,
                "m" => 60 * SECOND as u64,
                "h" => 3600 * SECOND as u64,
                "" => return Err(format!("time: missing unit in duration {}", quoted(text))),
                _ => return Err(format!("time: unknown unit {} in duration {}", quoted(name), quoted(text))),
            };
            let digits = &fraction[..fraction.len().min(18)];
            let part =
                digits.parse::<u64>().unwrap_or_default() as f64 * (unit as f64 / 10_f64.powi(digits.len() as i32));
            total += u128::from(whole) * u128::from(unit) + part as u128;
            if total > 1 << 63 {
                return Err(invalid());
            }
            rest = after;
        }
        let total = total as i128;
        i64::try_from(if is_negative { -total } else { total }).map(Self).map_err(|_| invalid())
    }
}

/// Returns a text in quotes as errors about times show it: what is not ASCII is shown byte by byte.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' | 0x7f => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// Returns a number with so many decimal places, without zeros at its end.
fn fraction(number: u64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let fraction = format!("{:01$}", number % unit, places as usize);
    match fraction.trim_end_matches('0') {
        "" => (number / unit).to_string(),
        fraction => format!("{}.{fraction}", number / unit),
    }
}

impl Structure for Duration {
    fn type_name(&self) -> &str {
        "time.Duration"
    }

    fn kind(&self) -> &'static str {
        "int64"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let property = match method {
            "Abs" => Self(self.0.saturating_abs()).value(),
            "Hours" => Value::Float(self.hours()),
            "Microseconds" => Value::Int64(self.0 / 1_000),
            "Milliseconds" => Value::Int64(self.0 / 1_000_000),
            "Minutes" => Value::Float(self.in_units(60)),
            "Nanoseconds" => Value::Int64(self.0),
            "Round" => return Some(argument(method, args).map(|unit| self.rounded(unit).value())),
            "Seconds" => Value::Float(self.in_units(1)),
            "String" => self.text().into(),
            "Truncate" => return Some(argument(method, args).map(|unit| self.truncated(unit).value())),
            _ => return None,
        };
        Some(method::none(method, args).map(|()| property))
    }

    fn print(&self) -> String {
        self.text()
    }

    fn plain(&self) -> Value {
        Value::Int64(self.0)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Returns a value that is a span.
fn as_duration(value: &Value) -> Option<Duration> {
    match value {
        Value::Structure(structure) => structure.as_any().downcast_ref().copied(),
        _ => None,
    }
}

/// Returns the one argument of a method that takes a span; a literal number is one of nanoseconds.
pub(super) fn argument(method: &str, args: &[Value]) -> Result<Duration, String> {
    method::count(method, 1, args)?;
    match &args[0] {
        Value::Int(nanoseconds) => Ok(Duration(*nanoseconds)),
        other => as_duration(other).ok_or_else(|| method::mismatch("time.Duration", other)),
    }
}

/// `duration`: a number of seconds as text; Go's `int` is none of those that it knows.
fn of_seconds(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let seconds = match &args[0] {
        Value::String(text) => decimal_int(text),
        Value::Int64(seconds) => *seconds,
        _ => 0,
    };
    Ok(Duration(seconds.wrapping_mul(SECOND)).text().into())
}

/// Reads any value as a span: numbers are seconds.
fn read(value: &Value) -> Result<Duration, String> {
    let seconds = |seconds: i64| {
        let span = seconds.checked_mul(SECOND).ok_or_else(|| format!("duration seconds overflow: {seconds}"))?;
        Ok(Duration(span))
    };
    match value {
        Value::String(_) => {
            let whole = text(value);
            let trimmed = whole.trim();
            if trimmed.is_empty() {
                return Err("empty duration".into());
            }
            if let Ok(duration) = Duration::parse(trimmed) {
                return Ok(duration);
            }
            match parse_float(trimmed) {
                Some(float) => of_float(float),
                None => Err(format!("could not parse duration {}", quote_text(&whole))),
            }
        }
        Value::Int(number) | Value::Int64(number) => seconds(*number),
        Value::Uint8(number) => seconds(i64::from(*number)),
        Value::Float(float) => of_float(*float),
        Value::Invalid | Value::Nil => Err("invalid duration".into()),
        other => as_duration(other).ok_or_else(|| format!("unsupported duration type {}", type_name(other))),
    }
}

fn of_float(seconds: f64) -> Result<Duration, String> {
    let shown = || crate::template::format_float(seconds);
    if !seconds.is_finite() {
        return Err(format!("invalid duration seconds: {}", shown()));
    }
    let nanoseconds = seconds * SECOND as f64;
    // The greatest integer is no float: the first one beyond it is 2^63.
    match (-(2_f64.powi(63))..2_f64.powi(63)).contains(&nanoseconds) {
        true => Ok(Duration(nanoseconds as i64)),
        false => Err(format!("duration seconds overflow: {}", shown())),
    }
}

/// Reads any value as a span; what is none is no time at all.
fn lenient(value: &Value) -> Duration {
    read(value).unwrap_or(Duration(0))
}

fn to_multiple(args: &[Value], round: fn(Duration, Duration) -> Duration) -> Duration {
    let span = lenient(&args[0]);
    read(&args[1]).map_or(span, |unit| round(span, unit))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};
    use super::Duration;

    #[test]
    fn spans_are_written_as_go_writes_them() {
        let check = |nanoseconds: i64, text: &str| {
            assert_eq!(Duration(nanoseconds).text(), text);
            assert_eq!(Duration::parse(text), Ok(Duration(nanoseconds)));
        };
        check(0, "0s");
        check(-1, "-1ns");
        check(1_100, "1.1µs");
        check(2_200_000, "2.2ms");
        check(61_000_000_001, "1m1.000000001s");
        check(3_600_000_000_000, "1h0m0s");
        check(i64::MIN, "-2562047h47m16.854775808s");
        check(i64::MAX, "2562047h47m16.854775807s");
    }

    #[test]
    fn what_is_no_span_is_named() {
        let check = |text: &str, error: &str| assert_eq!(Duration::parse(text), Err(error.to_owned()));
        check("", r#"time: invalid duration """#);
        check("1", r#"time: missing unit in duration "1""#);
        check("1d", r#"time: unknown unit "d" in duration "1d""#);
        check(".s", r#"time: invalid duration ".s""#);
        check("99999999999999999999", r#"time: invalid duration "99999999999999999999""#);
        check("1é", r#"time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9""#);
        check("2562047h48m", r#"time: invalid duration "2562047h48m""#);
    }

    #[test]
    fn sprig_counts_seconds() {
        check(
            r#"{{ duration "95" }} {{ duration 95 }} {{ duration (int64 95) }} {{ duration "x" }}"#,
            "1m35s 0s 1m35s 0s",
        );
    }

    #[test]
    fn helm_4_3_knows_more() {
        check(r#"{{ durationSeconds "1m" }} {{ durationSeconds " 2.5 " }} {{ durationSeconds "x" }}"#, "60 2.5 0");
        check(r#"{{ durationMilliseconds 2 }} {{ durationDays "36h" }} {{ durationWeeks "252h" }}"#, "2000 1.5 1.5");
        check(
            r#"{{ durationRoundTo 93 60 }} {{ durationTruncateTo "93s" "1m" }} {{ durationRoundTo "93s" 0 }}"#,
            "2m0s 1m0s 1m33s",
        );
        check(r#"{{ (mustToDuration "1h30m").Minutes }} {{ typeOf (mustToDuration 1) }}"#, "90 time.Duration");
        check_error(r#"{{ mustToDuration "x" }}"#, r#"error calling mustToDuration: could not parse duration "x""#);
    }
}
