//! Floating-point numbers as Go's `strconv` writes them.

/// Returns a number in the shortest way that reads back the same, as `%v` prints it.
pub fn format_float(float: f64) -> String {
    general(float, None, false)
}

/// Returns `%g`: an exponent if the number is very small or needs more digits than `precision`.
pub(super) fn general(float: f64, precision: Option<usize>, keeps_zeros: bool) -> String {
    if let Some(name) = special(float) {
        return name.into();
    }
    let (sign, digits, exponent) = decimal(float, precision.map(|digits| digits.max(1) - 1));
    let mut wanted = precision.map_or(6, |digits| digits.max(1)) as i32;
    let digits = if keeps_zeros { &*digits } else { digits.trim_end_matches('0') };
    if precision.is_some() && wanted > digits.len() as i32 && digits.len() as i32 > exponent {
        wanted = digits.len() as i32;
    }
    let digits = if digits.is_empty() { "0" } else { digits };
    if exponent < -4 || exponent >= wanted {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}e{}", exponent_text(exponent));
    }
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// Returns `%e`.
pub(super) fn scientific(float: f64, precision: usize) -> String {
    if let Some(name) = special(float) {
        return name.into();
    }
    let (sign, digits, exponent) = decimal(float, Some(precision));
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}e{}", exponent_text(exponent))
}

/// Returns a float with a hexadecimal mantissa and a binary exponent: `0x1.8p+01`.
pub(super) fn hexadecimal(float: f64) -> String {
    if !float.is_finite() {
        return general(float, None, false);
    }
    let sign = if float.is_sign_negative() { "-" } else { "" };
    let size = float.abs();
    if size == 0.0 {
        return format!("{sign}0x0p+00");
    }
    // Numbers too small to have a leading one are scaled up first.
    let (scaled, shift) = if size < f64::MIN_POSITIVE { (size * 2_f64.powi(64), 64) } else { (size, 0) };
    let bits = scaled.to_bits();
    let exponent = (bits >> 52) as i32 - 1023 - shift;
    let digits = format!("{:013x}", bits & ((1 << 52) - 1));
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    let direction = if exponent < 0 { '-' } else { '+' };
    format!("{sign}0x1{point}{digits}p{direction}{:02}", exponent.abs())
}

/// Returns `%f`.
pub(super) fn fixed(float: f64, precision: usize) -> String {
    special(float).map_or_else(|| format!("{float:.precision$}"), Into::into)
}

fn special(float: f64) -> Option<&'static str> {
    if float.is_nan() {
        Some("NaN")
    } else if float.is_infinite() {
        Some(if float > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

fn exponent_text(exponent: i32) -> String {
    format!("{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Returns sign, digits and the exponent of the first digit, with so many digits after it or the fewest that do.
fn decimal(float: f64, precision: Option<usize>) -> (&'static str, String, i32) {
    let text = match precision {
        Some(precision) => format!("{:.precision$e}", float.abs()),
        None => format!("{:e}", float.abs()),
    };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let sign = if float.is_sign_negative() { "-" } else { "" };
    (sign, digits.replace('.', ""), exponent.parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_form_is_that_of_go() {
        let check = |float: f64, text: &str| assert_eq!(format_float(float), text);
        check(0.0, "0");
        check(-0.0, "-0");
        check(2.5, "2.5");
        check(8_080_000.0, "8.08e+06");
        check(100_000.0, "100000");
        check(1_234_567.0, "1.234567e+06");
        check(0.000_01, "1e-05");
        check(0.000_1, "0.0001");
        check(1e21, "1e+21");
        check(f64::INFINITY, "+Inf");
    }
}
