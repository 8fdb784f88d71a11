//! Merge patch, strategic merge patch and JSON patch.

use serde_json::{Map, Value};

use super::schema::Schema;
use super::status::Status;

/// Applies a JSON merge patch (RFC 7386).
pub fn merge(target: &mut Value, patch: &Value) {
    json_patch::merge(target, patch);
}

/// Applies a JSON patch (RFC 6902).
pub fn json(target: &mut Value, patch: &Value) -> Result<(), Status> {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone())
        .map_err(|err| Status::bad_request(format!("error decoding patch: {err}")))?;
    json_patch::patch(target, &patch).map_err(|err| {
        let mut status =
            Status::bad_request(format!("the server rejected our request due to an error in our request: {err}"));
        status.code = 422;
        status.reason = "Invalid";
        status
    })
}

/// Applies a strategic merge patch: keyed lists merge, `$patch`, `$retainKeys`, `$setElementOrder` and
/// `$deleteFromPrimitiveList` are obeyed.
pub fn strategic(schema: Schema<'_>, target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let mut replaced = patch.clone();
            replaced.remove("$patch");
            *target = Value::Object(replaced);
            return;
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return;
        }
        _ => {}
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    if let Some(keys) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|name, _| keys.iter().any(|key| key == name));
    }
    for (name, value) in patch {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(Value::Array(items)) = map.get_mut(list) {
                items.retain(|item| !gone.contains(item));
            }
        }
    }
    for (name, value) in patch.iter().filter(|(name, _)| !name.starts_with('$')) {
        let child = schema.child(name);
        match value {
            Value::Null => {
                map.remove(name);
            }
            Value::Object(_) => strategic(child, map.entry(name.clone()).or_insert(Value::Null), value),
            Value::Array(items) => {
                let slot = map.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if let Some(key) = child.patch_key() {
                    merge_keyed(child, slot, items, &key);
                } else if child.is_set() {
                    let mut merged = slot.as_array().cloned().unwrap_or_default();
                    merged.extend(items.iter().filter(|item| !merged.contains(item)).cloned().collect::<Vec<_>>());
                    *slot = Value::Array(merged);
                } else {
                    *slot = value.clone();
                }
            }
            _ => {
                map.insert(name.clone(), value.clone());
            }
        }
    }
    for (name, order) in patch {
        let (Some(list), Some(order)) = (name.strip_prefix("$setElementOrder/"), order.as_array()) else { continue };
        let key = schema.child(list).patch_key();
        if let Some(Value::Array(items)) = map.get_mut(list) {
            let place = |item: &Value| {
                order
                    .iter()
                    .position(|wanted| match &key {
                        Some(key) => wanted.get(key) == item.get(key),
                        None => wanted == item,
                    })
                    .unwrap_or(usize::MAX)
            };
            items.sort_by_key(place);
        }
    }
}

fn merge_keyed(schema: Schema<'_>, slot: &mut Value, items: &[Value], key: &str) {
    if items.iter().any(|item| item["$patch"] == "replace") {
        let left = items.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
        *slot = Value::Array(left);
        return;
    }
    let mut merged = slot.as_array().cloned().unwrap_or_default();
    for item in items {
        let at = merged.iter().position(|known| known.get(key) == item.get(key));
        match (item["$patch"] == "delete", at) {
            (true, Some(at)) => {
                merged.remove(at);
            }
            (true, None) => {}
            (false, Some(at)) => strategic(schema.item(), &mut merged[at], item),
            (false, None) => {
                let mut fresh = Value::Object(Map::new());
                strategic(schema.item(), &mut fresh, item);
                merged.push(fresh);
            }
        }
    }
    *slot = Value::Array(merged);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(target: Value, patch: Value, expected: Value) {
        let mut result = target;
        strategic(Schema::built_in("Deployment"), &mut result, &patch);
        assert_eq!(result, expected, "{patch}");
    }

    #[test]
    fn strategic_patches_merge_lists_by_key() {
        let containers = |list: Value| json!({"spec": {"containers": list}});
        check(
            containers(json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}])),
            containers(json!([{"name": "b", "image": "2"}, {"name": "c", "image": "3"}])),
            containers(json!([{"name": "a", "image": "1"}, {"name": "b", "image": "2"}, {"name": "c", "image": "3"}])),
        );
        check(
            containers(json!([{"name": "a"}, {"name": "b"}])),
            containers(json!([{"name": "a", "$patch": "delete"}])),
            containers(json!([{"name": "b"}])),
        );
        check(
            json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}),
            json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}),
            json!({"spec": {"containers": [{"name": "b"}, {"name": "a"}]}}),
        );
    }

    #[test]
    fn strategic_patches_obey_directives() {
        check(json!({"a": {"b": 1, "c": 2}}), json!({"a": {"$patch": "replace", "d": 3}}), json!({"a": {"d": 3}}));
        check(
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"$retainKeys": ["c", "d"], "d": 3}}),
            json!({"a": {"c": 2, "d": 3}}),
        );
        check(
            json!({"metadata": {"finalizers": ["a", "b"]}}),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}),
            json!({"metadata": {"finalizers": ["b"]}}),
        );
        check(json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2}));
    }
}
