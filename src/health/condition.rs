//! Conditions in an object's status.

use serde_json::Value;

use crate::model::Object;

/// One entry of `status.conditions`.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    /// Its type.
    pub kind: &'a str,
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// The reason, a word.
    pub reason: &'a str,
    /// The message.
    pub message: &'a str,
}

/// Returns the conditions of an object, in their order.
pub fn all(object: &Object) -> impl Iterator<Item = Condition<'_>> {
    in_list(object.value().pointer("/status/conditions"))
}

/// Returns the conditions in a list.
pub fn in_list(list: Option<&Value>) -> impl Iterator<Item = Condition<'_>> {
    list.and_then(Value::as_array).into_iter().flatten().map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        Condition { kind: text("type"), status: text("status"), reason: text("reason"), message: text("message") }
    })
}

/// Returns the condition of a type.
pub fn find<'a>(object: &'a Object, kind: &str) -> Option<Condition<'a>> {
    all(object).find(|condition| condition.kind == kind)
}
