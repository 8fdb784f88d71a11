//! Arithmetic and ranges of numbers.

use std::rc::Rc;

use super::argument::{function, int, strval, text, to_float64, to_int64, variadic};
use super::decimal::Decimal;
use crate::template::{Function, Host, List, ListKind, Parameter, Value};

use Parameter::{Any, Float, Int, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    variadic("add", &[Any], |_, args| integers(args, 0, i64::wrapping_add)),
    function("add1", &[Any], |_, args| Ok(Value::Int64(to_int64(&args[0]).wrapping_add(1)))),
    function("add1f", &[Any], |_, args| decimals(&[args[0].clone(), Value::Float(1.0)], Decimal::plus)),
    variadic("addf", &[Any], addf),
    function("atoi", &[Text], |_, args| Ok(Value::Int(text(&args[0]).parse().unwrap_or_default()))),
    variadic("biggest", &[Any, Any], |_, args| integers(&args[1..], to_int64(&args[0]), i64::max)),
    function("ceil", &[Any], |_, args| Ok(Value::Float(to_float64(&args[0]).ceil()))),
    function("div", &[Any, Any], |_, args| divided(args, i64::wrapping_div)),
    variadic("divf", &[Any, Any], |_, args| decimals(args, Decimal::divided_by)),
    function("float64", &[Any], |_, args| Ok(Value::Float(to_float64(&args[0])))),
    function("floor", &[Any], |_, args| Ok(Value::Float(to_float64(&args[0]).floor()))),
    function("int", &[Any], |_, args| Ok(Value::Int(to_int64(&args[0])))),
    function("int64", &[Any], |_, args| Ok(Value::Int64(to_int64(&args[0])))),
    variadic("max", &[Any, Any], |_, args| integers(&args[1..], to_int64(&args[0]), i64::max)),
    variadic("maxf", &[Any, Any], |_, args| floats(args, f64::max)),
    variadic("min", &[Any, Any], |_, args| integers(&args[1..], to_int64(&args[0]), i64::min)),
    variadic("minf", &[Any, Any], |_, args| floats(args, f64::min)),
    function("mod", &[Any, Any], |_, args| divided(args, i64::wrapping_rem)),
    variadic("mul", &[Any, Any], |_, args| integers(&args[1..], to_int64(&args[0]), i64::wrapping_mul)),
    variadic("mulf", &[Any, Any], |_, args| decimals(args, Decimal::times)),
    variadic("round", &[Any, Int, Float], round),
    variadic("seq", &[Int], seq),
    function("sub", &[Any, Any], |_, args| Ok(Value::Int64(to_int64(&args[0]).wrapping_sub(to_int64(&args[1]))))),
    variadic("subf", &[Any, Any], |_, args| decimals(args, Decimal::minus)),
    function("toDecimal", &[Any], |_, args| Ok(octal(&args[0]))),
    function("until", &[Int], until),
    function("untilStep", &[Int, Int, Int], until_step),
];

fn integers(args: &[Value], first: i64, with: fn(i64, i64) -> i64) -> Result<Value, String> {
    Ok(Value::Int64(args.iter().map(to_int64).fold(first, with)))
}

fn divided(args: &[Value], with: fn(i64, i64) -> i64) -> Result<Value, String> {
    match to_int64(&args[1]) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(Value::Int64(with(to_int64(&args[0]), divisor))),
    }
}

fn floats(args: &[Value], with: fn(f64, f64) -> f64) -> Result<Value, String> {
    Ok(Value::Float(args[1..].iter().map(to_float64).fold(to_float64(&args[0]), with)))
}

fn addf(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let args: Vec<Value> = std::iter::once(Value::Float(0.0)).chain(args.iter().cloned()).collect();
    decimals(&args, Decimal::plus)
}

/// Calculates with decimal numbers, so that 0.1 and 0.2 are 0.3.
fn decimals(args: &[Value], with: fn(Decimal, Decimal) -> Result<Decimal, String>) -> Result<Value, String> {
    let mut result = Decimal::new(to_float64(&args[0]));
    for arg in &args[1..] {
        result = with(result, Decimal::new(to_float64(arg)))?;
    }
    Ok(Value::Float(result.float()))
}

/// Rounds to a number of places; up if what is left is at least the third argument, one half if there is none.
fn round(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let up_from = args.get(2).map_or(0.5, to_float64);
    let power = 10_f64.powi(i32::try_from(int(&args[1])).unwrap_or(i32::MAX));
    let digits = power * to_float64(&args[0]);
    let rounded = if digits.fract() >= up_from { digits.ceil() } else { digits.floor() };
    Ok(Value::Float(rounded / power))
}

fn octal(value: &Value) -> Value {
    Value::Int64(i64::from_str_radix(&strval(value).text(), 8).unwrap_or_default())
}

fn until(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let end = int(&args[0]);
    range(host, 0, end, if end < 0 { -1 } else { 1 }).map(list)
}

fn until_step(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    range(host, int(&args[0]), int(&args[1]), int(&args[2])).map(list)
}

fn list(numbers: Vec<i64>) -> Value {
    let items = numbers.into_iter().map(Value::Int).collect();
    Value::List(List { items: Rc::new(items), kind: ListKind::Int })
}

/// Returns the numbers from `start` up or down to `end`, which is not among them.
fn range(host: &mut dyn Host, start: i64, end: i64, step: i64) -> Result<Vec<i64>, String> {
    let is_down = end < start;
    if step == 0 || is_down != (step < 0) {
        return Ok(Vec::new());
    }
    let count = usize::try_from(end.abs_diff(start).div_ceil(step.unsigned_abs())).unwrap_or(usize::MAX);
    host.spend(count.saturating_mul(size_of::<Value>()))?;
    Ok((0..count as i64).map(|index| start + index * step).collect())
}

/// Returns numbers as text: from 1 to the only argument, or from the first to the last by the one between them.
fn seq(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let numbers: Vec<i64> = args.iter().map(int).collect();
    let (start, step, end) = match numbers[..] {
        [end] => (1, None, end),
        [start, end] => (start, None, end),
        [start, step, end] => (start, Some(step), end),
        _ => return Ok("".into()),
    };
    let direction = if end < start { -1 } else { 1 };
    if direction < 0 && step.is_some_and(|step| step > 0) {
        return Ok("".into());
    }
    let numbers = range(host, start, end.saturating_add(direction), step.unwrap_or(direction))?;
    Ok(numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ").into())
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn integers() {
        check(r#"{{ add 1 "2" 3.9 }} {{ add1 1 }} {{ sub 1 2 }} {{ mul 2 3 4 }}"#, "6 2 -1 24");
        check("{{ div 7 2 }} {{ mod 7 3 }} {{ max 1 5 3 }} {{ min 1 5 -3 }}", "3 1 5 -3");
        check_error("{{ div 1 0 }}", "runtime error: integer divide by zero");
        check(
            r#"{{ int "0x1F" }} {{ int nil }} {{ int64 3.99 }} {{ atoi "x" }} {{ toDecimal "0777" }}"#,
            "31 0 3 0 511",
        );
    }

    #[test]
    fn decimals() {
        check(
            "{{ addf 0.1 0.2 }} {{ subf 7.5 2 3 }} {{ mulf 1.5 2 2 }} {{ divf 10 3 2 }}",
            "0.3 2.5 6 1.6666666666666667",
        );
        check_error("{{ divf 1 0 }}", "decimal division by 0");
        check("{{ round 123.5 0 }} {{ round -2.5 0 }} {{ round 3.14159 2 }} {{ round 1.24 1 0.3 }}", "124 -3 3.14 1.3");
        check("{{ ceil 1.1 }} {{ floor -1.1 }} {{ maxf 1.5 3 }} {{ minf 1.5 0.1 }}", "2 -2 3 0.1");
    }

    #[test]
    fn ranges() {
        check(
            "{{ until 3 }} {{ until -2 }} {{ untilStep 3 6 2 }} {{ untilStep 6 3 -2 }} {{ untilStep 1 5 0 }}",
            "[0 1 2] [0 -1] [3 5] [6 4] []",
        );
        check(
            "{{ seq 5 }}|{{ seq 0 }}|{{ seq 2 5 }}|{{ seq 0 -2 -5 }}|{{ seq 5 2 0 }}|{{ seq }}",
            "1 2 3 4 5|1 0|2 3 4 5|0 -2 -4||",
        );
        check_error("{{ until 9000000000000 }}", "allows");
    }
}
