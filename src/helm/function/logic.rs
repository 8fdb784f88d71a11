//! Defaults and choices.

use super::argument::{function, items, variadic};
use crate::template::{Function, Host, Parameter, Value, is_true};

use Parameter::{Any, Bool};

pub(super) static FUNCTIONS: &[Function] = &[
    variadic("all", &[Any], |_, args| Ok(args.iter().all(is_true).into())),
    variadic("any", &[Any], |_, args| Ok(args.iter().any(is_true).into())),
    variadic("coalesce", &[Any], |_, args| Ok(args.iter().find(|arg| is_true(arg)).cloned().unwrap_or(Value::Nil))),
    function("compact", &[Any], compact),
    variadic("default", &[Any, Any], default),
    function("empty", &[Any], |_, args| Ok((!is_true(&args[0])).into())),
    function("mustCompact", &[Any], compact),
    function("ternary", &[Any, Any, Bool], |_, args| Ok(args[usize::from(!is_true(&args[2]))].clone())),
];

fn compact(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let items = items(&args[0], "Cannot compact on")?;
    Ok(Value::list(items.iter().filter(|item| is_true(item)).cloned().collect()))
}

fn default(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(args.get(1).filter(|given| is_true(given)).unwrap_or(&args[0]).clone())
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::check;

    #[test]
    fn choices() {
        check(r#"{{ default "d" 0 }} {{ default "d" "x" }} {{ default "d" nil }}"#, "d x d");
        check(r#"{{ coalesce 0 "" (list) "x" }} {{ coalesce }}"#, "x <no value>");
        check(r#"{{ all 1 "" }} {{ any 0 "x" }} {{ empty dict }}"#, "false true true");
        check(r#"{{ compact (list 0 1 "" "a" nil false) }}"#, "[1 a]");
        check(r#"{{ ternary "yes" "no" true }} {{ false | ternary "yes" "no" }}"#, "yes no");
    }
}
