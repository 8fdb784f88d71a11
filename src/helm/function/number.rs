//! Numbers. Integers wrap around as Go's do; fractions are counted in decimal.

use super::argument::{bytes, function, int, strval, to_float64, to_int64, variadic};
use super::decimal::Decimal;
use crate::template::{Function, Host, List, ListKind, Parameter, Value};

use Parameter::{Any, Float, Int, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    variadic("add", &[Any], |_, args| Ok(Value::Int64(args.iter().map(to_int64).fold(0, i64::wrapping_add)))),
    function("add1", &[Any], |_, args| Ok(Value::Int64(to_int64(&args[0]).wrapping_add(1)))),
    function("add1f", &[Any], |host, args| in_decimal(host, &args[0], &[Value::Int(1)], Decimal::add)),
    variadic("addf", &[Any], |host, args| in_decimal(host, &Value::Int(0), args, Decimal::add)),
    function("atoi", &[Text], |_, args| Ok(Value::Int(decimal_int(bytes(&args[0]))))),
    variadic("biggest", &[Any, Any], max),
    function("ceil", &[Any], |_, args| Ok(Value::Float(to_float64(&args[0]).ceil()))),
    function("div", &[Any, Any], |_, args| divided(args, i64::wrapping_div)),
    variadic("divf", &[Any, Any], |host, args| in_decimal(host, &args[0], &args[1..], Decimal::divide)),
    function("float64", &[Any], |_, args| Ok(Value::Float(to_float64(&args[0])))),
    function("floor", &[Any], |_, args| Ok(Value::Float(to_float64(&args[0]).floor()))),
    function("int", &[Any], |_, args| Ok(Value::Int(to_int64(&args[0])))),
    function("int64", &[Any], |_, args| Ok(Value::Int64(to_int64(&args[0])))),
    variadic("max", &[Any, Any], max),
    variadic("maxf", &[Any, Any], |_, args| Ok(float_extreme(args, |one, other| one > other))),
    variadic("min", &[Any, Any], |_, args| Ok(Value::Int64(args.iter().map(to_int64).min().unwrap_or_default()))),
    variadic("minf", &[Any, Any], |_, args| Ok(float_extreme(args, |one, other| one < other))),
    function("mod", &[Any, Any], |_, args| divided(args, i64::wrapping_rem)),
    variadic("mul", &[Any, Any], |_, args| Ok(Value::Int64(args.iter().map(to_int64).fold(1, i64::wrapping_mul)))),
    variadic("mulf", &[Any, Any], |host, args| in_decimal(host, &args[0], &args[1..], Decimal::multiply)),
    variadic("round", &[Any, Int, Float], round),
    variadic("seq", &[Int], seq),
    function("sub", &[Any, Any], |_, args| Ok(Value::Int64(to_int64(&args[0]).wrapping_sub(to_int64(&args[1]))))),
    variadic("subf", &[Any, Any], |host, args| in_decimal(host, &args[0], &args[1..], Decimal::subtract)),
    function("toDecimal", &[Any], to_decimal),
    function("until", &[Int], until),
    function("untilStep", &[Int, Int, Int], |host, args| {
        Ok(ints(steps(host, int(&args[0]), int(&args[1]), int(&args[2]))?))
    }),
];

/// Reads a decimal integer; 0 if it is none. One that is too great is the nearest that fits, whatever follows it.
pub(super) fn decimal_int(text: &[u8]) -> i64 {
    let (limit, digits) = match text {
        [b'-', digits @ ..] => (i64::MIN, digits),
        [b'+', digits @ ..] => (i64::MAX, digits),
        digits => (i64::MAX, digits),
    };
    let mut size = 0_u64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return 0;
        }
        match size.checked_mul(10).and_then(|size| size.checked_add(u64::from(byte - b'0'))) {
            Some(greater) => size = greater,
            None => return limit,
        }
    }
    let number = if limit < 0 { 0_i64.checked_sub_unsigned(size) } else { 0_i64.checked_add_unsigned(size) };
    number.unwrap_or(limit)
}

fn divided(args: &[Value], divide: fn(i64, i64) -> i64) -> Result<Value, String> {
    match to_int64(&args[1]) {
        0 => Err("runtime error: integer divide by zero".into()),
        by => Ok(Value::Int64(divide(to_int64(&args[0]), by))),
    }
}

fn max(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(Value::Int64(args.iter().map(to_int64).max().unwrap_or_default()))
}

/// Returns the number that wins against all before it; one that is no number wins against all.
fn float_extreme(args: &[Value], wins: fn(f64, f64) -> bool) -> Value {
    let numbers = args.iter().map(to_float64);
    Value::Float(
        numbers
            .reduce(|best, number| if number.is_nan() || !best.is_nan() && wins(number, best) { number } else { best })
            .unwrap_or_default(),
    )
}

fn in_decimal(
    host: &mut dyn Host,
    first: &Value,
    others: &[Value],
    operation: fn(&Decimal, &Decimal) -> Result<Decimal, String>,
) -> Result<Value, String> {
    let mut total = Decimal::new(to_float64(first))?;
    for other in others {
        host.spend(total.digit_count())?;
        total = operation(&total, &Decimal::new(to_float64(other))?)?;
    }
    Ok(Value::Float(total.to_float()))
}

fn round(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let up_from = args.get(2).map_or(0.5, to_float64);
    let scale = 10f64.powi(i32::try_from(int(&args[1])).unwrap_or(i32::MAX));
    let scaled = scale * to_float64(&args[0]);
    let whole = if scaled.fract() >= up_from { scaled.ceil() } else { scaled.floor() };
    Ok(Value::Float(whole / scale))
}

/// Reads the digits of a value as octal, whatever the name says.
fn to_decimal(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(Value::Int64(i64::from_str_radix(&strval(host, &args[0])?.text(), 8).unwrap_or_default()))
}

fn ints(numbers: Vec<i64>) -> Value {
    Value::List(List::new(numbers.into_iter().map(Value::Int).collect(), ListKind::Int))
}

fn until(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let end = int(&args[0]);
    Ok(ints(steps(host, 0, end, if end < 0 { -1 } else { 1 })?))
}

/// Returns the numbers from `start` to before `stop`; none if the step leads away.
fn steps(host: &mut dyn Host, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, String> {
    let is_down = stop < start;
    if step == 0 || is_down != (step < 0) {
        return Ok(Vec::new());
    }
    let count = start.abs_diff(stop).div_ceil(step.unsigned_abs());
    // An item takes several bytes of memory.
    host.spend(usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(16))?;
    Ok((0..count).map(|index| start.wrapping_add((index as i64).wrapping_mul(step))).collect())
}

fn seq(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let numbers: Vec<i64> = args.iter().map(int).collect();
    let (start, end, step) = match numbers[..] {
        [end] => (1, end, None),
        [start, end] => (start, end, None),
        [start, step, end] => (start, end, Some(step)),
        _ => return Ok("".into()),
    };
    let towards = if end < start { -1 } else { 1 };
    if towards < 0 && step.is_some_and(|step| step > 0) {
        return Ok("".into());
    }
    let numbers = steps(host, start, end.wrapping_add(towards), step.unwrap_or(towards))?;
    Ok(numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ").into())
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn integers() {
        check(
            r#"{{ add 1 "2" 3.9 nil true }} {{ sub 5 7 }} {{ mul 2 3 4 }} {{ div 7 2 }} {{ mod 7 3 }} {{ add1 1 }}"#,
            "7 -2 24 3 1 2",
        );
        check(
            r#"{{ int "0x1F" }} {{ int64 3.99 }} {{ atoi "12" }} {{ atoi "0x1" }} {{ toDecimal 777 }}"#,
            "31 3 12 0 511",
        );
        check("{{ max 1 5 3 }} {{ min 4 2 }} {{ kindOf (add 1) }} {{ kindOf (int 1.0) }}", "5 2 int64 int");
        check_error("{{ div 1 0 }}", "runtime error: integer divide by zero");
        check("{{ div (sub -9223372036854775807 1) -1 }}", "-9223372036854775808");
    }

    #[test]
    fn floats() {
        check(
            r#"{{ ceil 1.2 }} {{ floor "1.8" }} {{ round 123.5555 3 }} {{ round 2.5 0 }} {{ round 2.4 0 0.3 }}"#,
            "2 1 123.556 3 3",
        );
        check(
            "{{ addf 0.1 0.2 }} {{ subf 1 0.9 }} {{ mulf 1.1 1.1 }} {{ divf 1 3 }}",
            "0.3 0.1 1.21 0.3333333333333333",
        );
        check("{{ maxf 1 2.5 }} {{ minf 1 2.5 }} {{ add1f 0.1 }}", "2.5 1 1.1");
        check_error("{{ divf 1 0 }}", "decimal division by 0");
    }

    #[test]
    fn ranges() {
        check(
            "{{ until 3 }} {{ until -2 }} {{ untilStep 0 7 3 }} {{ untilStep 5 0 1 }} {{ untilStep 5 0 -2 }}",
            "[0 1 2] [0 -1] [0 3 6] [] [5 3 1]",
        );
        check(
            "{{ seq 3 }}|{{ seq -1 }}|{{ seq 2 4 }}|{{ seq 0 2 5 }}|{{ seq 5 -2 0 }}|{{ seq }}|{{ seq 5 2 0 }}",
            "1 2 3|1 0 -1|2 3 4|0 2 4|5 3 1||",
        );
        check_error("{{ until 9000000000 }}", "steps allows");
        check_error("{{ until 3.5 }}", "expected integer; found 3.5");
    }
}
