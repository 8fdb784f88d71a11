//! What values are, and whether two are the same.

use super::argument::{function, kind, text, type_of};
use crate::template::{Function, Host, Parameter, Value, type_name};

use Parameter::{Any, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("deepEqual", &[Any, Any], |_, args| Ok(deep_equal(&args[0], &args[1]).into())),
    function("kindIs", &[Text, Any], |_, args| Ok((text(&args[0]) == kind(&args[1])).into())),
    function("kindOf", &[Any], |_, args| Ok(kind(&args[0]).into())),
    function("typeIs", &[Text, Any], |host, args| Ok((text(&args[0]) == type_of(host, &args[1])).into())),
    function("typeIsLike", &[Text, Any], type_is_like),
    function("typeOf", &[Any], |host, args| Ok(type_of(host, &args[0]).into())),
];

fn type_is_like(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let found = type_of(host, &args[1]);
    let wanted = text(&args[0]);
    Ok((wanted == found || found.strip_prefix('*').is_some_and(|found| found == wanted)).into())
}

/// Compares values with their types, as Go's `reflect.DeepEqual` does.
pub(super) fn deep_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Nil | Value::Invalid, Value::Nil | Value::Invalid) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Int(one), Value::Int(other)) | (Value::Int64(one), Value::Int64(other)) => one == other,
        (Value::Uint8(one), Value::Uint8(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::String(one), Value::String(other)) => one == other,
        (Value::List(one), Value::List(other)) => {
            one.kind == other.kind
                && one.items.len() == other.items.len()
                && one.items.iter().zip(other.items.iter()).all(|(one, other)| deep_equal(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.is_same(other) || {
                let (one, other) = (one.entries(), other.entries());
                let same = |key, value| other.get(key).is_some_and(|other| deep_equal(value, other));
                one.len() == other.len() && one.iter().all(|(key, value)| same(key, value))
            }
        }
        (Value::Structure(a), Value::Structure(b)) => type_name(one) == type_name(other) && a.print() == b.print(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::check;

    #[test]
    fn types_and_kinds() {
        check(
            r#"{{ typeOf 1 }} {{ typeOf "a" }} {{ typeOf nil }} {{ typeOf list }}"#,
            "int string <nil> []interface {}",
        );
        check(r#"{{ kindOf 1.5 }} {{ kindOf dict }} {{ kindOf nil }}"#, "float64 map invalid");
        check(r#"{{ typeIs "string" "a" }} {{ kindIs "map" "a" }} {{ typeIsLike "int" 1 }}"#, "true false true");
    }

    #[test]
    fn equal_values_have_equal_types() {
        check("{{ deepEqual (list 1) (list 1) }} {{ deepEqual (list 1) (list 1.0) }}", "true false");
        check(r#"{{ deepEqual (dict "a" (list)) (dict "a" (list)) }} {{ deepEqual dict (dict "a" 1) }}"#, "true false");
    }
}
