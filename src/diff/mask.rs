//! Secrets' values as runs of `+`: equal values look equal, different ones different, nothing else can be told.

use serde_json::Value;

use crate::model::Object;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Returns a Secret with its values masked; any other object as it is.
pub fn mask_secret(object: &Object) -> Object {
    let mut masked = [object.clone()];
    mask_secrets(&mut masked);
    let [object] = masked;
    object
}

/// Masks the values of Secrets that belong together, such as one object in Git and in the cluster: what is equal among them stays equal.
pub fn mask_secrets(objects: &mut [Object]) {
    let mut seen: Vec<(String, Vec<String>)> = Vec::new();
    for object in objects.iter_mut().filter(|object| object.is_secret()) {
        let value = object.value_mut();
        for field in ["data", "stringData"] {
            if let Some(map) = value.get_mut(field).and_then(Value::as_object_mut) {
                for (name, value) in map.iter_mut() {
                    *value = Value::String(mask(&mut seen, name, value));
                }
            }
        }
        let annotations = value.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
        if let Some(annotations) = annotations
            && let Some(text) = annotations.get_mut(LAST_APPLIED)
        {
            *text = Value::String("++++++++".to_owned());
        }
    }
}

fn mask(seen: &mut Vec<(String, Vec<String>)>, name: &str, value: &Value) -> String {
    let text = value.to_string();
    let place = seen.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        seen.push((name.to_owned(), Vec::new()));
        seen.len() - 1
    });
    let values = &mut seen[place].1;
    let number = values.iter().position(|known| *known == text).unwrap_or_else(|| {
        values.push(text);
        values.len() - 1
    });
    "+".repeat(8 + 4 * number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::mask_secrets;
    use crate::model::Object;

    #[test]
    fn equality_is_all_that_can_be_seen() {
        let secret = |a: &str, b: &str| {
            Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": a}}, "data": {"a": a, "b": b}}))
            .unwrap()
        };
        let mut pair = [secret("canary", "same"), secret("other", "same")];
        mask_secrets(&mut pair);
        assert_eq!(pair[0].value()["data"], json!({"a": "++++++++", "b": "++++++++"}));
        assert_eq!(pair[1].value()["data"], json!({"a": "++++++++++++", "b": "++++++++"}));
        assert!(!format!("{pair:?}").contains("canary"));
    }
}
