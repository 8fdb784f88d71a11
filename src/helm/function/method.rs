//! The arguments of methods: as many as wanted, and of the right types.

use std::rc::Rc;

use crate::template::{Structure, Value, type_name};

/// Checks that a method was given as many arguments as it takes.
pub(super) fn count(method: &str, wanted: usize, args: &[Value]) -> Result<(), String> {
    match args.len() {
        given if given == wanted => Ok(()),
        given => Err(format!("wrong number of args for {method}: want {wanted} got {given}")),
    }
}

/// Checks that a method was given no arguments.
pub(super) fn none(method: &str, args: &[Value]) -> Result<(), String> {
    count(method, 0, args)
}

/// Returns the one argument of a method that takes a `string`.
pub(super) fn one_text(method: &str, args: &[Value]) -> Result<String, String> {
    count(method, 1, args)?;
    match &args[0] {
        Value::String(text) => Ok(text.text().into_owned()),
        other => Err(mismatch("string", other)),
    }
}

/// Returns the one argument of a method that takes a value of a Go type.
pub(super) fn structure(method: &str, wanted: &str, args: &[Value]) -> Result<Rc<dyn Structure>, String> {
    count(method, 1, args)?;
    match &args[0] {
        Value::Structure(structure) if structure.type_name() == wanted => Ok(Rc::clone(structure)),
        other => Err(mismatch(wanted, other)),
    }
}

/// Returns what is said of an argument of the wrong type.
pub(super) fn mismatch(wanted: &str, value: &Value) -> String {
    format!("wrong type for value; expected {wanted}; got {}", type_name(value))
}
