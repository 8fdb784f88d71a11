//! What can be read of an Application that is refused, so that people still see which one it is.

use serde_json::Value;

use crate::model::{Application, Destination, Object, Source};

/// Reads names, labels, destination and the first source, leaving out whatever has the wrong type.
pub fn outline(object: &Object) -> Application {
    let map = |name: &str| -> Vec<(String, String)> {
        let entries = object.value().pointer(&format!("/metadata/{name}")).and_then(Value::as_object);
        entries
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    };
    let text = |pointer: &str| object.text(pointer).to_owned();
    let place = if object.value().pointer("/spec/source").is_some() { "/spec/source" } else { "/spec/sources/0" };
    let wave = object.annotation("argocd.argoproj.io/sync-wave").and_then(|wave| wave.trim().parse().ok());
    Application {
        name: object.name().to_owned(),
        namespace: object.namespace().to_owned(),
        labels: map("labels"),
        annotations: map("annotations"),
        project: text("/spec/project"),
        sources: vec![Source {
            repo_url: text(&format!("{place}/repoURL")),
            path: text(&format!("{place}/path")),
            chart: text(&format!("{place}/chart")),
            target_revision: text(&format!("{place}/targetRevision")),
            ..Source::default()
        }],
        destination: Destination {
            server: text("/spec/destination/server"),
            name: text("/spec/destination/name"),
            namespace: text("/spec/destination/namespace"),
        },
        wave: wave.unwrap_or(0),
        ..Application::default()
    }
}
