//! Values between their two homes: JSON, where they are read and merged, and templates, where they are used.

use serde_json::Number;

use super::profile::Profile;
use crate::template::{Map, MapKind, Value};

/// Returns a JSON value as Go's decoder gives it to templates: every number that is not marked as an integer is a `float64`.
///
/// Values are read with [`floats`]; what is an integer by then came from `--set`, and is an `int64`.
pub(super) fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(int) => Value::Int64(int),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => Value::list(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            let map = Map::new();
            for (key, value) in entries {
                map.insert(key.as_str(), from_json(value));
            }
            map.into()
        }
    }
}

/// Returns a map as a template's `.Values`: the same map, by the type that this helm has for it.
pub(super) fn values(map: &Map, profile: Profile) -> Map {
    map.converted(if profile.is_v4() { MapKind::Values } else { MapKind::ChartutilValues })
}

/// Turns every number into a `float64`, as reading JSON into Go's `interface {}` does.
pub(super) fn floats(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(floats),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(floats),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::format::print_value;

    #[test]
    fn numbers_are_floats_unless_they_were_set() {
        let mut read = serde_json::json!({"a": 1_000_000, "b": [9_007_199_254_740_993_i64]});
        floats(&mut read);
        assert_eq!(print_value(&from_json(&read)), b"map[a:1e+06 b:[9.007199254740992e+15]]");
        assert_eq!(print_value(&from_json(&serde_json::json!({"a": 1_000_000}))), b"map[a:1000000]");
    }
}
