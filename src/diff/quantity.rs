//! Kubernetes quantities: `1000m` and `1` are the same amount.

use serde_json::Value;

/// Says whether two texts or numbers are the same quantity. False if one of them is none.
pub fn is_equal(a: &Value, b: &Value) -> bool {
    match (parse(a), parse(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// An amount as `digits * 10^exponent`, without trailing zeros.
#[derive(PartialEq)]
struct Amount {
    digits: i128,
    exponent: i32,
}

fn parse(value: &Value) -> Option<Amount> {
    match value {
        Value::String(text) => parse_text(text),
        Value::Number(number) => parse_text(&number.to_string()),
        _ => None,
    }
}

fn parse_text(text: &str) -> Option<Amount> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let joined = format!("{whole}{fraction}");
    if !joined.bytes().any(|byte| byte.is_ascii_digit()) || joined.len() > 30 {
        return None;
    }
    let mut digits: i128 = joined.parse().ok()?;
    let mut exponent = -i32::try_from(fraction.len()).ok()?;
    match suffix {
        "" => {}
        "n" => exponent -= 9,
        "u" => exponent -= 6,
        "m" => exponent -= 3,
        "k" => exponent += 3,
        "M" => exponent += 6,
        "G" => exponent += 9,
        "T" => exponent += 12,
        "P" => exponent += 15,
        "E" => exponent += 18,
        "Ki" => digits = digits.checked_mul(1 << 10)?,
        "Mi" => digits = digits.checked_mul(1 << 20)?,
        "Gi" => digits = digits.checked_mul(1 << 30)?,
        "Ti" => digits = digits.checked_mul(1 << 40)?,
        "Pi" => digits = digits.checked_mul(1 << 50)?,
        "Ei" => digits = digits.checked_mul(1 << 60)?,
        _ => exponent = exponent.checked_add(suffix.strip_prefix(['e', 'E'])?.parse().ok()?)?,
    }
    while digits != 0 && digits % 10 == 0 {
        digits /= 10;
        exponent = exponent.checked_add(1)?;
    }
    Some(if digits == 0 { Amount { digits: 0, exponent: 0 } } else { Amount { digits, exponent } })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn equal_amounts_are_equal() {
        for (a, b, expected) in [
            (json!("1000m"), json!("1"), true),
            (json!(0.5), json!("500m"), true),
            (json!("1024Mi"), json!("1Gi"), true),
            (json!("1Gi"), json!("1G"), false),
            (json!("1e3"), json!("1k"), true),
            (json!(2), json!("2"), true),
            (json!("0"), json!("0m"), true),
            (json!("x"), json!("x"), false),
            (json!("1.5Gi"), json!("1536Mi"), true),
            (json!(""), json!("0"), false),
        ] {
            assert_eq!(super::is_equal(&a, &b), expected, "{a} and {b}");
        }
    }
}
