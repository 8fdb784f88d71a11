//! What Git wants in a cluster: rendered manifests with their namespace and tracking id.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::cluster::Discovery;
use crate::model::{AppId, Application, Condition, ConditionKind, Gk, Key, Object};

/// Argo CD's annotation that says to which Application an object belongs.
pub const TRACKING: &str = "argocd.argoproj.io/tracking-id";

/// One object that Git wants.
#[derive(Clone, Debug)]
pub struct Desired {
    /// Identity in the cluster.
    pub key: Key,
    /// The manifest as it is applied.
    pub object: Arc<Object>,
    /// Changes when the manifest does.
    pub hash: u64,
}

/// Kinds without a namespace that a cluster need not be asked about.
const CLUSTER_KINDS: [&str; 22] = [
    "APIService",
    "CertificateSigningRequest",
    "ClusterIssuer",
    "ClusterPolicy",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "CSIDriver",
    "CSINode",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// Says whether a child Application is meant, which quarterdeck reads from Git itself.
pub fn is_application(gk: &Gk) -> bool {
    &*gk.group == "argoproj.io" && &*gk.kind == "Application"
}

/// Returns the objects as they are applied, and what is odd about them. Of two with one identity the last one wins, as in Argo CD.
pub fn desired(
    app: &Application,
    id: &AppId,
    manifests: &[Object],
    discovery: Option<&Discovery>,
) -> (Vec<Desired>, Vec<Condition>) {
    let mut found: Vec<Desired> = Vec::with_capacity(manifests.len());
    let mut places: BTreeMap<Key, usize> = BTreeMap::new();
    let mut conditions = Vec::new();
    for manifest in manifests {
        let gvk = manifest.gvk();
        let mut object = manifest.clone();
        let is_namespaced = match discovery.and_then(|discovery| discovery.find_gk(&gvk.gk())) {
            Some(resource) => resource.namespaced,
            None => !CLUSTER_KINDS.contains(&&*gvk.kind),
        };
        if !is_namespaced {
            object.set_namespace("");
        } else if object.namespace().is_empty() {
            object.set_namespace(&app.destination.namespace);
        }
        let key = object.key();
        object.set_annotation(TRACKING, &tracking_id(id, &key));
        let mut hasher = DefaultHasher::new();
        object.value().to_string().hash(&mut hasher);
        let entry = Desired { key: key.clone(), object: Arc::new(object), hash: hasher.finish() };
        match places.get(&key) {
            Some(place) => {
                conditions.push(Condition::new(
                    ConditionKind::RepeatedResourceWarning,
                    format!("{key} is named twice by this application; the last one counts"),
                ));
                found[*place] = entry;
            }
            None => {
                places.insert(key, found.len());
                found.push(entry);
            }
        }
    }
    (found, conditions)
}

/// Returns `APP:GROUP/KIND:NAMESPACE/NAME`.
pub fn tracking_id(id: &AppId, key: &Key) -> String {
    format!("{id}:{}/{}:{}/{}", key.group, key.kind, key.namespace, key.name)
}

/// Returns the application that an object belongs to. A tracking id that names another object is a copy and does not count.
pub fn tracked_by(object: &Object) -> Option<AppId> {
    let text = object.annotation(TRACKING)?;
    let (id, rest) = text.split_once(':')?;
    let key = object.key();
    let same = rest == format!("{}/{}:{}/{}", key.group, key.kind, key.namespace, key.name);
    (same && !id.is_empty()).then(|| AppId::new(id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{desired, tracked_by};
    use crate::model::{AppId, Application, Object};

    fn object(kind: &str, name: &str, namespace: &str) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}))
            .unwrap()
    }

    #[test]
    fn namespaces_and_tracking_are_filled_in() {
        let mut app = Application::default();
        app.destination.namespace = "shop".to_owned();
        let manifests = [object("ConfigMap", "a", ""), object("ConfigMap", "a", "shop"), object("Namespace", "n", "x")];
        let (found, conditions) = desired(&app, &AppId::new("web"), &manifests, None);
        let ids: Vec<_> = found.iter().filter_map(|entry| entry.object.annotation(super::TRACKING)).collect();
        assert_eq!(ids, ["web:/ConfigMap:shop/a", "web:/Namespace:/n"]);
        assert_eq!(conditions.len(), 1, "the config map is named twice");
        assert_eq!(tracked_by(&found[0].object), Some(AppId::new("web")));
    }

    #[test]
    fn a_copied_tracking_id_does_not_count() {
        let mut copy = object("ConfigMap", "copy", "shop");
        copy.set_annotation(super::TRACKING, "web:/ConfigMap:shop/a");
        assert_eq!(tracked_by(&copy), None);
    }
}
