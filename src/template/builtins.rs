//! The functions that every Go template has.

use super::format::{print, print_value, printf, println, type_name};
use super::function::{Function, Host, Parameter};
use super::value::{List, Str, Value};

/// Returns the built-in functions, by name in order.
pub fn builtins() -> &'static [Function] {
    &BUILTINS
}

/// Returns a built-in function.
pub(super) fn find(name: &str) -> Option<Function> {
    BUILTINS.binary_search_by(|function| function.name.cmp(name)).ok().map(|index| BUILTINS[index])
}

type Run = fn(&mut dyn Host, &[Value]) -> Result<Value, String>;

const ONE: &[Parameter] = &[Parameter::Reflect];
const TWO: &[Parameter] = &[Parameter::Reflect, Parameter::Reflect];
const ANY: &[Parameter] = &[Parameter::Any];

const fn function(name: &'static str, parameters: &'static [Parameter], is_variadic: bool, run: Run) -> Function {
    Function { name, parameters, is_variadic, run }
}

static BUILTINS: [Function; 19] = [
    // `and` and `or` end early: the executor sees to them.
    function("and", TWO, true, last),
    function("call", TWO, true, call),
    function("eq", TWO, true, |_, args| equal(args).map(Value::Bool)),
    function("ge", TWO, false, |_, args| less(&args[0], &args[1]).map(|is_less| Value::Bool(!is_less))),
    function("gt", TWO, false, |_, args| less_or_equal(args).map(|is_less| Value::Bool(!is_less))),
    function("html", ANY, true, |host, args| made(host, html(&text(args)))),
    function("index", TWO, true, index),
    function("js", ANY, true, |host, args| made(host, js(&text(args)))),
    function("le", TWO, false, |_, args| less_or_equal(args).map(Value::Bool)),
    function("len", ONE, false, length),
    function("lt", TWO, false, |_, args| less(&args[0], &args[1]).map(Value::Bool)),
    function("ne", TWO, false, |_, args| equal(args).map(|is_equal| Value::Bool(!is_equal))),
    function("not", ONE, false, |_, args| Ok(Value::Bool(!is_true(&args[0])))),
    function("or", TWO, true, last),
    function("print", ANY, true, |host, args| made(host, print(args))),
    function("printf", &[Parameter::String, Parameter::Any], true, format),
    function("println", ANY, true, |host, args| made(host, println(args))),
    function("slice", TWO, true, slice),
    function("urlquery", ANY, true, |host, args| made(host, urlquery(&text(args)))),
];

fn last(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(args.last().cloned().unwrap_or_default())
}

/// Returns a text that a function made, and counts it.
fn made(host: &mut dyn Host, text: impl Into<Str>) -> Result<Value, String> {
    let text = text.into();
    host.spend(super::format::cost(&text))?;
    Ok(text.into())
}

fn call(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Err(if args[0].is_nil() { "call of nil".into() } else { format!("non-function of type {}", type_name(&args[0])) })
}

fn format(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let Value::String(format) = &args[0] else { return Err("the format is no string".into()) };
    made(host, printf(format, &args[1..]))
}

/// Tells whether a value counts as true: it is not the zero value of its type and not empty.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Invalid | Value::Nil => false,
        Value::Bool(value) => *value,
        Value::Int(value) | Value::Int64(value) => *value != 0,
        Value::Uint8(value) => *value != 0,
        Value::Float(value) => *value != 0.0,
        Value::String(value) => !value.is_empty(),
        Value::List(list) => !list.items.is_empty(),
        Value::Map(map) => !map.entries().is_empty(),
        Value::Structure(structure) => match structure.kind() {
            "struct" | "ptr" => true,
            _ => is_true(&structure.plain()),
        },
    }
}

/// A basic kind that values can be compared by.
#[derive(PartialEq)]
enum Kind {
    Bool,
    Int,
    Uint,
    Float,
    String,
    None,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) | Value::Int64(_) => Kind::Int,
        Value::Uint8(_) => Kind::Uint,
        Value::Float(_) => Kind::Float,
        Value::String(_) => Kind::String,
        Value::Structure(_) if int(value).is_some() => Kind::Int,
        _ => Kind::None,
    }
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) | Value::Int64(value) => Some(*value),
        Value::Uint8(value) => Some(i64::from(*value)),
        Value::Structure(structure) if structure.kind().starts_with("int") => int(&structure.plain()),
        _ => None,
    }
}

fn incompatible(left: &Value, right: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", type_name(left), type_name(right))
}

fn equal(args: &[Value]) -> Result<bool, String> {
    if args.len() < 2 {
        return Err("missing argument for comparison".into());
    }
    for other in &args[1..] {
        if equal_two(&args[0], other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal_two(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        _ if int(left).is_some() && int(right).is_some() => int(left) == int(right),
        _ if left.is_nil() || right.is_nil() => left.is_nil() == right.is_nil(),
        _ if kind(left) != Kind::None || kind(right) != Kind::None => return Err(incompatible(left, right)),
        (Value::Structure(left), Value::Structure(right)) if !matches!(right.kind(), "map" | "slice") => {
            let is_alike = || left.type_name() == right.type_name() && left.print() == right.print();
            std::rc::Rc::ptr_eq(left, right) || left.kind() != "ptr" && is_alike()
        }
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) | (Value::Structure(_), _) => {
            let shown = shown(right);
            return Err(format!("non-comparable type {shown}: {}", type_name(right)));
        }
        _ => {
            let shown_right = print_value(right);
            let (shown_left, shown_right) = (shown(left), String::from_utf8_lossy(&shown_right));
            let (left, right) = (type_name(left), type_name(right));
            return Err(format!("non-comparable types {shown_left}: {left}, {right}: {shown_right}"));
        }
    })
}

fn shown(value: &Value) -> String {
    String::from_utf8_lossy(&printf(b"%s", std::slice::from_ref(value))).into_owned()
}

fn less(left: &Value, right: &Value) -> Result<bool, String> {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => Ok(left < right),
        (Value::String(left), Value::String(right)) => Ok(left < right),
        (Value::Bool(_), Value::Bool(_)) => Err("invalid type for comparison".into()),
        _ if kind(left) == Kind::None || kind(right) == Kind::None => Err("invalid type for comparison".into()),
        _ => match (int(left), int(right)) {
            (Some(left), Some(right)) => Ok(left < right),
            _ => Err(incompatible(left, right)),
        },
    }
}

fn less_or_equal(args: &[Value]) -> Result<bool, String> {
    Ok(less(&args[0], &args[1])? || equal_two(&args[0], &args[1])?)
}

/// Returns the number that an index is, up to `most`.
fn position(index: &Value, most: usize) -> Result<usize, String> {
    let Some(number) = int(index) else {
        let with = if index.is_nil() { "nil".into() } else { format!("type {}", type_name(index)) };
        return Err(format!("cannot index slice/array with {with}"));
    };
    usize::try_from(number).ok().filter(|number| *number <= most).ok_or_else(|| format!("index out of range: {number}"))
}

fn index(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let mut item = args[0].clone();
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    for index in &args[1..] {
        if let Value::Structure(structure) = &item
            && matches!(structure.kind(), "map" | "slice")
        {
            item = structure.plain();
        }
        item = match &item {
            Value::Invalid | Value::Nil => return Err("index of nil pointer".into()),
            Value::List(list) => {
                let at = position(index, list.items.len())?;
                list.items.get(at).cloned().ok_or("reflect: slice index out of range")?
            }
            Value::String(text) => {
                let at = position(index, text.len())?;
                Value::Uint8(*text.get(at).ok_or("reflect: string index out of range")?)
            }
            Value::Map(map) => match index {
                Value::String(key) => map.value(key).unwrap_or_else(|| super::call::zero(map)),
                Value::Invalid | Value::Nil => return Err("value is nil; should be of type string".into()),
                _ => return Err(format!("value has type {}; should be string", type_name(index))),
            },
            _ => return Err(format!("can't index item of type {}", type_name(&item).trim_start_matches('*'))),
        };
    }
    // An element that is nil is still a value.
    Ok(if let Value::Invalid = item { Value::Nil } else { item })
}

fn slice(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let (item, indexes) = (&args[0], &args[1..]);
    if item.is_nil() {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match item {
        Value::String(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::String(text) => text.len(),
        Value::List(list) => list.items.len(),
        _ => return Err(format!("can't slice item of type {}", type_name(item))),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length)?;
    }
    let [from, to, most] = bounds;
    for (low, high) in [(from, to), (to, most)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}"));
        }
    }
    Ok(match item {
        Value::List(list) => Value::List(List::new(list.items[from..to].to_vec(), list.kind)),
        Value::String(text) => Str::from(&text[from..to]).into(),
        _ => Value::Nil,
    })
}

fn length(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let length = match &args[0] {
        Value::Invalid => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        Value::Nil => return Err("len of nil pointer".into()),
        Value::String(text) => text.len(),
        Value::List(list) => list.items.len(),
        Value::Map(map) => map.entries().len(),
        Value::Structure(structure) => match structure.plain() {
            Value::List(list) if structure.kind() == "slice" => list.items.len(),
            Value::Map(map) if structure.kind() == "map" => map.entries().len(),
            _ => return Err(format!("len of type {}", structure.type_name())),
        },
        other => return Err(format!("len of type {}", type_name(other))),
    };
    Ok(Value::Int(length as i64))
}

/// Returns the arguments of an escaping function as one text.
fn text(args: &[Value]) -> Vec<u8> {
    let args: Vec<Value> =
        args.iter().map(|arg| if arg.is_nil() { "<no value>".into() } else { arg.clone() }).collect();
    print(&args)
}

fn html(text: &[u8]) -> Str {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(*byte),
        }
    }
    out.into()
}

fn js(text: &[u8]) -> Str {
    let mut out = String::with_capacity(text.len());
    for c in String::from_utf8_lossy(text).chars() {
        match c {
            '\\' | '\'' | '"' => out.extend(['\\', c]),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", c as u32)),
            ' '.. if super::format::is_printable(c) => out.push(c),
            _ => out.push_str(&format!("\\u{:04X}", c as u32)),
        }
    }
    out.into()
}

fn urlquery(text: &[u8]) -> Str {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            _ if byte.is_ascii_alphanumeric() => out.push(*byte),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out.into()
}
