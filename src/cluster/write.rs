//! Writing objects. Nothing here is tried twice: the caller decides what a failure means.

use http::{Method, Request};
use serde_json::{Value, json};

use super::discovery::ResourceType;
use super::{Connection, Error, ErrorKind, FIELD_MANAGER};
use crate::model::Object;

/// The largest request that a cluster's store takes unless it was told otherwise, in bytes.
const LARGEST_BODY: usize = 1_572_864;

/// How an object is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// The server answers what it would do, and does nothing.
    pub dry_run: bool,
}

/// What happens to the objects that belong to a deleted one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They go first.
    #[default]
    Foreground,
    /// They go afterwards.
    Background,
    /// They stay.
    Orphan,
}

impl Propagation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Foreground => "Foreground",
            Self::Background => "Background",
            Self::Orphan => "Orphan",
        }
    }
}

fn request(method: Method, path: &str, content: &str, body: &Value) -> Result<Request<Vec<u8>>, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))?;
    if body.len() > LARGEST_BODY {
        let message = format!("{path}: {} bytes are more than the {LARGEST_BODY} that a cluster can keep", body.len());
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::CONTENT_TYPE, content)
        .header(http::header::ACCEPT, "application/json")
        .body(body)
        .map_err(|error| Error::new(ErrorKind::Invalid, format!("{path}: {error}")))
}

fn dry(dry_run: bool) -> &'static str {
    if dry_run { "&dryRun=All" } else { "" }
}

fn object(value: Value) -> Result<Object, Error> {
    Object::new(value).ok_or_else(|| Error::new(ErrorKind::Other, "the answer is no object"))
}

impl Connection {
    /// Applies an object server-side, taking over fields that others own, and returns it as the server has it then.
    ///
    /// # Errors
    /// When the server refuses it or does not answer.
    pub async fn apply(
        &self,
        resource: &ResourceType,
        wanted: &Object,
        options: ApplyOptions,
    ) -> Result<Object, Error> {
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}&force=true{}",
            resource.path(wanted.namespace(), wanted.name()),
            dry(options.dry_run)
        );
        object(self.send(request(Method::PATCH, &path, "application/apply-patch+yaml", wanted.value())?).await?)
    }

    /// Creates an object.
    ///
    /// # Errors
    /// When it exists, or the server refuses it or does not answer.
    pub async fn create(
        &self,
        resource: &ResourceType,
        wanted: &Object,
        options: ApplyOptions,
    ) -> Result<Object, Error> {
        let path =
            format!("{}?fieldManager={FIELD_MANAGER}{}", resource.path(wanted.namespace(), ""), dry(options.dry_run));
        object(self.send(request(Method::POST, &path, "application/json", wanted.value())?).await?)
    }

    /// Replaces an object that has not changed since `live` was read.
    ///
    /// # Errors
    /// When it has changed, or the server refuses it or does not answer.
    pub async fn replace(
        &self,
        resource: &ResourceType,
        wanted: &Object,
        live: &Object,
        options: ApplyOptions,
    ) -> Result<Object, Error> {
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}{}",
            resource.path(wanted.namespace(), wanted.name()),
            dry(options.dry_run)
        );
        let mut wanted = wanted.clone();
        if let Some(metadata) = wanted.value_mut().get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".to_owned(), Value::String(live.resource_version().to_owned()));
        }
        object(self.send(request(Method::PUT, &path, "application/json", wanted.value())?).await?)
    }

    /// Changes an object with a JSON patch.
    ///
    /// # Errors
    /// When the server refuses it or does not answer.
    pub async fn patch_json(
        &self,
        resource: &ResourceType,
        live: &Object,
        operations: &Value,
    ) -> Result<Object, Error> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", resource.path(live.namespace(), live.name()));
        object(self.send(request(Method::PATCH, &path, "application/json-patch+json", operations)?).await?)
    }

    /// Deletes exactly the object that was seen; one that is gone already is fine.
    ///
    /// # Errors
    /// When another object has its name now, or the server refuses or does not answer.
    pub async fn delete(
        &self,
        resource: &ResourceType,
        live: &Object,
        propagation: Propagation,
        options: ApplyOptions,
    ) -> Result<(), Error> {
        let path = resource.path(live.namespace(), live.name());
        let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation.as_str()});
        if !live.uid().is_empty() {
            body["preconditions"] = json!({"uid": live.uid()});
        }
        if options.dry_run {
            body["dryRun"] = json!(["All"]);
        }
        match self.send(request(Method::DELETE, &path, "application/json", &body)?).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes what a client-side apply or Argo CD owned ours, so that fields which Git no longer names go with the next apply. Returns whether
    /// there was anything to take over.
    ///
    /// # Errors
    /// When the object has changed in between, or the server refuses or does not answer.
    pub async fn take_over(&self, resource: &ResourceType, live: &Object) -> Result<bool, Error> {
        let Some(entries) = migrated(live) else { return Ok(false) };
        let mut operations = vec![
            json!({"op": "replace", "path": "/metadata/managedFields", "value": entries}),
            json!({"op": "replace", "path": "/metadata/resourceVersion", "value": live.resource_version()}),
        ];
        if live.annotation(LAST_APPLIED).is_some() {
            operations.push(json!({"op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"}));
        }
        self.patch_json(resource, live, &Value::Array(operations)).await.map(|_| true)
    }
}

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const BEFORE_US: [(&str, &str); 4] = [
    ("kubectl-client-side-apply", "Update"),
    ("argocd-controller", "Apply"),
    ("argocd-controller", "Update"),
    ("argocd", "Update"),
];

/// Returns the managed fields with the entries of earlier appliers merged into ours; `None` if there are none.
fn migrated(live: &Object) -> Option<Vec<Value>> {
    let entries = live.value().pointer("/metadata/managedFields")?.as_array()?;
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_before = |entry: &Value| {
        entry.get("subresource").is_none()
            && BEFORE_US.iter().any(|(manager, operation)| {
                text(entry, "manager") == *manager && text(entry, "operation") == *operation
            })
    };
    if !entries.iter().any(is_before) {
        return None;
    }
    let mut fields = json!({});
    let mut kept = Vec::new();
    let mut ours: Option<Value> = None;
    for entry in entries {
        if is_before(entry) {
            merge(&mut fields, entry.get("fieldsV1").unwrap_or(&Value::Null));
            ours.get_or_insert_with(|| entry.clone());
        } else if text(entry, "manager") == FIELD_MANAGER && text(entry, "operation") == "Apply" {
            merge(&mut fields, entry.get("fieldsV1").unwrap_or(&Value::Null));
        } else {
            kept.push(entry.clone());
        }
    }
    let mut ours = ours?;
    if let Some(annotations) = fields.pointer_mut("/f:metadata/f:annotations").and_then(Value::as_object_mut) {
        annotations.remove(&format!("f:{LAST_APPLIED}"));
    }
    ours["manager"] = json!(FIELD_MANAGER);
    ours["operation"] = json!("Apply");
    ours["fieldsV1"] = fields;
    kept.push(ours);
    Some(kept)
}

fn merge(into: &mut Value, from: &Value) {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else { return };
    for (name, below) in from {
        merge(into.entry(name.clone()).or_insert_with(|| json!({})), below);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LARGEST_BODY, Method, migrated, request};
    use crate::model::Object;

    /// Attack 40 of those that `tests/it/attacks.rs` has by number.
    #[test]
    fn what_no_cluster_can_keep_is_not_sent() {
        let send = |length: usize| request(Method::PATCH, "/x", "application/json", &json!({"a": "x".repeat(length)}));
        assert!(send(LARGEST_BODY - 8).is_ok());
        assert!(send(1_600_000).unwrap_err().to_string().contains("more than the 1572864"));
    }

    #[test]
    fn earlier_appliers_become_us_and_others_stay() {
        let entry = |manager: &str, operation: &str, fields: serde_json::Value| json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields});
        let live = Object::new(json!({"metadata": {"managedFields": [
            entry("kubectl-client-side-apply", "Update", json!({"f:data": {"f:a": {}}})),
            entry("kube-controller-manager", "Update", json!({"f:status": {}})),
            entry("quarterdeck", "Apply", json!({"f:data": {"f:b": {}}})),
        ]}}))
        .unwrap();
        let entries = migrated(&live).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0]["manager"], "kube-controller-manager");
        assert_eq!((&entries[1]["manager"], &entries[1]["operation"]), (&json!("quarterdeck"), &json!("Apply")));
        assert_eq!(entries[1]["fieldsV1"], json!({"f:data": {"f:a": {}, "f:b": {}}}));
        let ours =
            Object::new(json!({"metadata": {"managedFields": [entry("quarterdeck", "Apply", json!({}))]}})).unwrap();
        assert!(migrated(&ours).is_none());
    }
}
