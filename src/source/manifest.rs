//! From text to objects: documents split, lists opened, nulls and tests left out.

use serde_json::Value;

use crate::model::Object;
use crate::yaml;

/// Reads a stream of documents.
pub(super) fn read(bytes: &[u8], out: &mut Vec<Object>) -> Result<(), String> {
    for document in yaml::documents(bytes) {
        let value = document.value.map_err(|error| format!("document at line {}: {error}", document.line))?;
        add(value, out).map_err(|error| format!("document at line {}: {error}", document.line))?;
    }
    Ok(())
}

/// Reads a file of a plain folder. A file that does not look like manifests is passed over.
pub(super) fn read_file(name: &str, bytes: &[u8], out: &mut Vec<Object>) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    if text.contains("+argocd:skip-file-rendering") {
        return Ok(());
    }
    if name.ends_with(".json") {
        let value = serde_json::from_slice(bytes).map_err(|error| format!("{name}: {error}"))?;
        return add(value, out).map_err(|error| format!("{name}: {error}"));
    }
    if !["apiVersion:", "kind:", "metadata:"].iter().all(|part| text.contains(part)) {
        return Ok(());
    }
    read(bytes, out).map_err(|error| format!("{name}: {error}"))
}

fn add(value: Value, out: &mut Vec<Object>) -> Result<(), String> {
    match value {
        Value::Null => Ok(()),
        Value::Object(map) if map.is_empty() => Ok(()),
        Value::Object(mut map) => {
            let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            if kind.is_empty() {
                return Err("an object has no kind".to_owned());
            }
            if map.get("apiVersion").and_then(Value::as_str).unwrap_or_default().is_empty() {
                return Err(format!("a {kind} has no apiVersion"));
            }
            if kind.ends_with("List")
                && let Some(Value::Array(items)) = map.get_mut("items").filter(|items| items.is_array())
            {
                return std::mem::take(items).into_iter().try_for_each(|item| add(item, out));
            }
            out.extend(Object::new(Value::Object(map)).filter(|object| !is_only_a_test(object)));
            Ok(())
        }
        _ => Err("it is not an object".to_owned()),
    }
}

/// Says whether an object is a Helm hook of kinds that are never applied, such as tests.
fn is_only_a_test(object: &Object) -> bool {
    const APPLIED: [&str; 7] =
        ["pre-install", "pre-upgrade", "post-install", "post-upgrade", "pre-delete", "post-delete", "crd-install"];
    object.annotation("argocd.argoproj.io/hook").is_none()
        && object
            .annotation("helm.sh/hook")
            .is_some_and(|hooks| !hooks.split(',').any(|hook| APPLIED.contains(&hook.trim())))
}

#[cfg(test)]
mod tests {
    use super::{read, read_file};

    #[test]
    fn documents_become_objects() {
        fn check(text: &str, expected: Result<&[&str], &str>) {
            let mut objects = Vec::new();
            let result = read(text.as_bytes(), &mut objects);
            let names: Vec<_> = objects.iter().map(crate::model::Object::name).collect();
            match (result, expected) {
                (Ok(()), Ok(expected)) => assert_eq!(names, expected, "{text}"),
                (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
                (result, _) => panic!("{result:?} for {text}"),
            }
        }
        let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
        check(&format!("{}---\n# nothing\n---\n{{}}\n---\n{}", map("a"), map("b")), Ok(&["a", "b"]));
        check(
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n- null\n",
            Ok(&["s"]),
        );
        check("apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n", Ok(&[]));
        check(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: 'test, pre-install'}}\n",
            Ok(&["t"]),
        );
        check("apiVersion: v1\nmetadata: {name: t}\n", Err("no kind"));
        check("kind: Pod\n", Err("no apiVersion"));
        check("- a\n", Err("not an object"));
        let mut objects = Vec::new();
        read_file("values.yaml", b"a: {b", &mut objects).unwrap();
        read_file("a.json", br#"{"apiVersion": "v1", "kind": "Pod"}"#, &mut objects).unwrap();
        assert_eq!(objects.len(), 1);
        assert!(read_file("a.yaml", b"apiVersion: v1\nkind: {\nmetadata: \n", &mut objects).is_err());
    }
}
