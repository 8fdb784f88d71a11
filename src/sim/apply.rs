//! Server-side apply: the merge, the conflicts, and the removal of what is no longer applied.

use serde_json::{Map, Value};

use super::managed_fields::{self, Entry, FieldSet, compare};
use super::schema::{Schema, Shape, item_key};
use super::status::Status;

/// Merges an applied configuration into the live object and returns it with the new owners.
pub fn apply(schema: Schema<'_>, live: &Value, config: &Value, applier: Entry, force: bool) -> Result<Value, Status> {
    let set = FieldSet::of(schema, config).without_system_fields();
    let mut merged = merge(schema, live, config);
    let mut entries = managed_fields::read(live);
    let changed = compare(schema, live, &merged).all();

    let mut conflicts: Vec<(Entry, FieldSet)> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.is_same(&applier) && !same_applier(entry, &applier)) {
        let conflict = entry.fields.intersection(&changed).intersection(&set);
        if !conflict.is_empty() {
            conflicts.push((entry.clone(), conflict));
        }
    }
    if !force && !conflicts.is_empty() {
        return Err(refuse(&conflicts));
    }
    for (entry, conflict) in &conflicts {
        for own in entries.iter_mut().filter(|own| own.is_same(entry)) {
            own.fields.subtract(conflict);
        }
    }

    let mut previous = FieldSet::default();
    entries.retain(|entry| {
        let same = same_applier(entry, &applier);
        if same {
            previous.add(&entry.fields);
        }
        !same
    });
    let mut gone = previous;
    gone.subtract(&set);
    let mut kept = set.clone();
    for entry in &entries {
        kept.add(&entry.fields);
    }
    // What somebody else owns too stays.
    for entry in &entries {
        gone.subtract(&entry.fields);
    }
    if !gone.is_empty() {
        remove(schema, &mut merged, &gone, &kept);
    }
    entries.push(Entry { fields: set, ..applier });
    managed_fields::write(&mut merged, entries);
    Ok(merged)
}

/// An applier stays the same when only the version of the API changed.
fn same_applier(entry: &Entry, applier: &Entry) -> bool {
    entry.applies && entry.manager == applier.manager && entry.subresource == applier.subresource
}

fn refuse(conflicts: &[(Entry, FieldSet)]) -> Status {
    let mut parts = Vec::new();
    let mut causes = Vec::new();
    for (entry, set) in conflicts {
        let paths = set.paths();
        let who = if entry.applies || entry.time.is_empty() {
            entry.printed()
        } else {
            format!("{} at {}", entry.printed(), entry.time)
        };
        match paths.as_slice() {
            [one] => parts.push(format!("conflict with {who}: {one}")),
            many => parts.push(format!("conflicts with {who}:\n- {}", many.join("\n- "))),
        }
        causes.extend(paths.into_iter().map(|path| (format!("conflict with {who}"), path)));
    }
    let count = causes.len();
    let noun = if count == 1 { "conflict" } else { "conflicts" };
    Status::apply_conflict(format!("Apply failed with {count} {noun}: {}", parts.join("\n")), &causes)
}

/// Lays the second value over the first.
pub fn merge(schema: Schema<'_>, live: &Value, config: &Value) -> Value {
    match (schema.shape(config), live, config) {
        (Shape::Map, Value::Object(before), Value::Object(after)) => {
            let mut merged = before.clone();
            for (name, child) in after {
                let value = match before.get(name) {
                    Some(was) => merge(schema.child(name), was, child),
                    None => child.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Shape::ListMap(keys), Value::Array(before), Value::Array(after)) => {
            if !matches!(schema.shape(live), Shape::ListMap(_)) {
                return config.clone();
            }
            let key = |item: &Value| item_key(item, &keys);
            let mut merged: Vec<Value> = Vec::with_capacity(after.len().max(before.len()));
            // The applied order counts; live items that are not applied keep their place before their successor.
            let mut rest = before.iter().peekable();
            for item in after {
                let wanted = key(item);
                if before.iter().any(|was| key(was) == wanted) {
                    while let Some(was) = rest.peek() {
                        if after.iter().any(|other| key(other) == key(was)) {
                            break;
                        }
                        merged.push((*was).clone());
                        rest.next();
                    }
                    rest.next();
                }
                let value = match before.iter().find(|was| key(was) == wanted) {
                    Some(was) => merge(schema.item(), was, item),
                    None => item.clone(),
                };
                merged.push(value);
            }
            let left: Vec<Value> =
                before.iter().filter(|was| merged.iter().all(|item| key(item) != key(was))).cloned().collect();
            merged.extend(left);
            Value::Array(merged)
        }
        (Shape::Set, Value::Array(before), Value::Array(after)) => {
            let mut merged = before.clone();
            merged.extend(after.iter().filter(|item| !before.contains(item)).cloned());
            Value::Array(merged)
        }
        _ => config.clone(),
    }
}

/// Removes a set of fields, and what is empty afterwards, unless someone still owns something below.
fn remove(schema: Schema<'_>, value: &mut Value, gone: &FieldSet, kept: &FieldSet) {
    let none = FieldSet::default();
    match (schema.shape(value), &mut *value) {
        (Shape::Map, Value::Object(map)) => {
            let steps: Vec<(&String, &FieldSet)> = gone.children.iter().collect();
            for (step, below) in steps {
                let Some(name) = step.strip_prefix("f:") else { continue };
                let still = kept.children.get(step).unwrap_or(&none);
                let Some(child) = map.get_mut(name) else { continue };
                if drop_or_descend(schema.child(name), child, below, still) {
                    map.remove(name);
                }
            }
        }
        (Shape::ListMap(keys), Value::Array(items)) => {
            let mut left = Vec::with_capacity(items.len());
            for mut item in std::mem::take(items) {
                let key = item_key(&item, &keys).unwrap_or_default();
                let dropped = gone.children.get(&key).is_some_and(|below| {
                    let still = kept.children.get(&key).unwrap_or(&none);
                    drop_or_descend(schema.item(), &mut item, below, still)
                });
                if !dropped {
                    left.push(item);
                }
            }
            *items = left;
        }
        (Shape::Set, Value::Array(items)) => {
            items.retain(|item| !gone.children.get(&format!("v:{item}")).is_some_and(|below| below.member));
        }
        _ => {}
    }
}

fn drop_or_descend(schema: Schema<'_>, child: &mut Value, below: &FieldSet, still: &FieldSet) -> bool {
    if below.member && still.is_empty() {
        return true;
    }
    remove(schema, child, below, still);
    still.is_empty() && (child.as_object().is_some_and(Map::is_empty) || child.as_array().is_some_and(Vec::is_empty))
}

/// Drops null fields, which mean "not set" in an applied configuration.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, child| !child.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applier(name: &str) -> Entry {
        Entry {
            manager: name.into(),
            applies: true,
            api_version: "v1".into(),
            subresource: String::new(),
            time: "t".into(),
            fields: FieldSet::default(),
        }
    }

    #[test]
    fn a_field_no_longer_applied_goes() {
        let schema = Schema::built_in("ConfigMap");
        let one = apply(schema, &json!({}), &json!({"data": {"a": "1", "b": "1"}}), applier("q"), false).unwrap();
        let two = apply(schema, &one, &json!({"data": {"a": "1"}}), applier("q"), false).unwrap();
        assert_eq!(two["data"], json!({"a": "1"}));
        let three = apply(schema, &two, &json!({}), applier("q"), false).unwrap();
        assert_eq!(three.get("data"), None);
    }

    #[test]
    fn a_shared_field_stays_until_the_last_owner_leaves() {
        let schema = Schema::built_in("ConfigMap");
        let config = json!({"data": {"a": "1"}});
        let one = apply(schema, &json!({}), &config, applier("q"), false).unwrap();
        let two = apply(schema, &one, &config, applier("r"), false).unwrap();
        let three = apply(schema, &two, &json!({}), applier("q"), false).unwrap();
        assert_eq!(three["data"], json!({"a": "1"}));
    }

    #[test]
    fn another_value_conflicts_and_force_wins() {
        let schema = Schema::built_in("ConfigMap");
        let one = apply(schema, &json!({}), &json!({"data": {"a": "1"}}), applier("q"), false).unwrap();
        let err = apply(schema, &one, &json!({"data": {"a": "2"}}), applier("r"), false).unwrap_err();
        assert_eq!(err.message, "Apply failed with 1 conflict: conflict with \"q\": .data.a");
        let two = apply(schema, &one, &json!({"data": {"a": "2"}}), applier("r"), true).unwrap();
        assert_eq!(two["data"]["a"], "2");
        assert_eq!(managed_fields::read(&two).len(), 1);
    }

    #[test]
    fn keyed_lists_merge_by_key() {
        let schema = Schema::built_in("Service");
        let live = json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 3}, {"port": 81, "protocol": "TCP"}]}});
        let config = json!({"spec": {"ports": [{"port": 80, "name": "http"}]}});
        let merged = apply(schema, &live, &config, applier("q"), false).unwrap();
        assert_eq!(
            merged["spec"]["ports"],
            json!([{"port": 80, "protocol": "TCP", "nodePort": 3, "name": "http"}, {"port": 81, "protocol": "TCP"}])
        );
    }
}
