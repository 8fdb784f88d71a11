//! What of a chart's manifests is different every time they are rendered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{IgnoreDifference, Object};

/// Places that a message names; the rest is counted.
const MOST_NAMED: usize = 8;

/// What two renders of the same do not have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Unstable {
    /// Fields by object, as rules that leave them out of a comparison.
    pub rules: Vec<IgnoreDifference>,
    /// The same for people: kind, name and path, never a value, which may be a password.
    places: Vec<String>,
}

impl Unstable {
    /// Compares two renders.
    pub fn between(first: &[Object], second: &[Object]) -> Self {
        let mut others: BTreeMap<_, &Object> = second.iter().map(|object| (object.key(), object)).collect();
        let mut found = Self::default();
        for object in first {
            let Some(other) = others.remove(&object.key()) else {
                found.places.push(format!("{} (is named or there only sometimes)", name(object)));
                continue;
            };
            let mut pointers = Vec::new();
            collect(object.value(), other.value(), "", &mut pointers);
            if pointers.is_empty() {
                continue;
            }
            found.places.extend(pointers.iter().map(|pointer| format!("{} {}", name(object), dotted(pointer))));
            // Of a list, what is behind goes first, so that places stay what they are.
            pointers.reverse();
            let gvk = object.gvk();
            found.rules.push(IgnoreDifference {
                group: gvk.group.to_string(),
                kind: gvk.kind.to_string(),
                name: object.name().to_owned(),
                json_pointers: pointers,
                ..IgnoreDifference::default()
            });
        }
        found
    }

    /// Names what differs, if anything does; bounded.
    pub fn text(&self) -> String {
        let mut text = self.places[..self.places.len().min(MOST_NAMED)].join(", ");
        if self.places.len() > MOST_NAMED {
            text += &format!(" and {} more", self.places.len() - MOST_NAMED);
        }
        text
    }
}

fn name(object: &Object) -> String {
    format!("{}/{}", object.kind(), object.name())
}

/// Collects the pointers to what differs, in order.
fn collect(one: &Value, other: &Value, path: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => collect(one, other, &path, found),
                    _ => found.push(path),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (place, (one, other)) in one.iter().zip(other).enumerate() {
                collect(one, other, &format!("{path}/{place}"), found);
            }
        }
        (one, other) if one == other => {}
        _ => found.push(path.to_owned()),
    }
}

/// Returns a pointer as people write paths: `spec.ports[0].name`.
fn dotted(pointer: &str) -> String {
    let mut text = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            text += &format!("[{part}]");
        } else if part.contains(['.', '/']) {
            text += &format!("[{part:?}]");
        } else {
            text += if text.is_empty() { "" } else { "." };
            text += &part;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::new(value).expect("an object")
    }

    #[test]
    fn fields_that_differ_are_named_without_their_values() {
        let secret = |password: &str, name: &str| {
            vec![
                object(json!({"kind": "Secret", "metadata": {"name": name}, "data": {"pw": password, "user": "ana"}})),
                object(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec":
                    {"args": ["a", password, password], "note": {"sum/of": password}}})),
            ]
        };
        assert_eq!(Unstable::between(&secret("a", "s"), &secret("a", "s")).text(), "");
        let unstable = Unstable::between(&secret("a", "s"), &secret("b", "s"));
        assert_eq!(
            unstable.text(),
            "Secret/s data.pw, Deployment/web spec.args[1], Deployment/web spec.args[2], Deployment/web spec.note[\"sum/of\"]"
        );
        assert_eq!(unstable.rules[1].json_pointers, ["/spec/note/sum~1of", "/spec/args/2", "/spec/args/1"]);
        assert_eq!((unstable.rules[1].group.as_str(), unstable.rules[1].name.as_str()), ("apps", "web"));
        let renamed = Unstable::between(&secret("a", "s"), &secret("a", "t"));
        assert_eq!((renamed.text().as_str(), renamed.rules.len()), ("Secret/s (is named or there only sometimes)", 0));
    }
}
