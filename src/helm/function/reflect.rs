//! Types of values, and equality by type.

use super::argument::{bytes, function, kind};
use super::json::DEEPEST;
use crate::template::{Function, Host, Parameter, Value, type_name};

use Parameter::{Any, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("deepEqual", &[Any, Any], |host, args| is_equal(host, &args[0], &args[1]).map(Value::from)),
    function("kindIs", &[Text, Any], |_, args| Ok((kind(&args[1]).as_bytes() == bytes(&args[0])).into())),
    function("kindOf", &[Any], |_, args| Ok(kind(&args[0]).into())),
    function("typeIs", &[Text, Any], |_, args| Ok((type_name(&args[1]).as_bytes() == bytes(&args[0])).into())),
    function("typeIsLike", &[Text, Any], |_, args| {
        let (name, wanted) = (type_name(&args[1]), bytes(&args[0]));
        Ok((name.as_bytes() == wanted || format!("*{wanted}", wanted = String::from_utf8_lossy(wanted)) == name).into())
    }),
    function("typeOf", &[Any], |_, args| Ok(type_name(&args[0]).into())),
];

/// Tells whether two values have the same type and hold the same.
pub(super) fn is_equal(host: &mut dyn Host, left: &Value, right: &Value) -> Result<bool, String> {
    equal(host, left, right, 0)
}

fn equal(host: &mut dyn Host, left: &Value, right: &Value, depth: usize) -> Result<bool, String> {
    // Only values that contain themselves are that deep, and Go calls these equal.
    if depth > DEEPEST {
        return Ok(true);
    }
    host.spend(1)?;
    Ok(match (left, right) {
        (Value::Invalid | Value::Nil, Value::Invalid | Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) | (Value::Int64(left), Value::Int64(right)) => left == right,
        (Value::Uint8(left), Value::Uint8(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            if left.kind != right.kind || left.items.len() != right.items.len() {
                return Ok(false);
            }
            for (left, right) in left.items.iter().zip(right.items.iter()) {
                if !equal(host, left, right, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.kind() != right.kind() || left.entries().len() != right.entries().len() {
                return Ok(false);
            }
            if left.is_same(right) {
                return Ok(true);
            }
            for (key, value) in left.entries().iter() {
                match right.entries().get(key) {
                    Some(other) if equal(host, value, other, depth + 1)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::Structure(left), Value::Structure(right)) => {
            left.type_name() == right.type_name() && equal(host, &left.plain(), &right.plain(), depth + 1)?
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::check;

    #[test]
    fn types_are_those_of_go() {
        check(
            r#"{{ typeOf 1 }} {{ typeOf 1.0 }} {{ typeOf (list) }} {{ typeOf (dict) }} {{ typeOf nil }}"#,
            "int float64 []interface {} map[string]interface {} <nil>",
        );
        check(
            r#"{{ kindOf (list) }} {{ kindOf (dict) }} {{ kindOf nil }} {{ kindIs "int" 1 }}"#,
            "slice map invalid true",
        );
        check(
            r#"{{ typeIs "string" "a" }} {{ typeIsLike "int" 1 }} {{ typeOf (split "," "a") }}"#,
            "true true map[string]string",
        );
    }

    #[test]
    fn equality_needs_the_same_type() {
        check(
            r#"{{ deepEqual 1 1 }} {{ deepEqual 1 1.0 }} {{ deepEqual (list 1 (dict "a" nil)) (list 1 (dict "a" nil)) }}"#,
            "true false true",
        );
        check(
            r#"{{ deepEqual (dict "a" 1) (dict "b" 1) }} {{ deepEqual nil nil }} {{ deepEqual "a" nil }}"#,
            "false true false",
        );
    }
}
