//! Argo CD's repository Secrets in a cluster, which know who may pull charts.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cluster::{Connection, Discovery};
use crate::model::{Gk, Object};
use crate::registry::{ArgoCredentials, SECRET_TYPE, SECRETS};

/// Reads the credentials that lie in these namespaces. What may not be read is as if it were not there.
pub(super) async fn of_argo(api: &Connection, discovery: &Discovery, namespaces: BTreeSet<String>) -> ArgoCredentials {
    let mut found = ArgoCredentials::default();
    let Some(secrets) = discovery.find_gk(&Gk { group: "".into(), kind: "Secret".into() }) else { return found };
    for namespace in namespaces {
        if let Ok(page) = api.list(secrets, &namespace, SECRETS).await {
            page.objects.iter().for_each(|secret| add(secret, &mut found));
        }
    }
    found
}

fn add(secret: &Object, found: &mut ArgoCredentials) {
    let value = secret.value();
    let kind = value.pointer("/metadata/labels").and_then(|labels| labels.get(SECRET_TYPE)?.as_str());
    let Some(entries) = value.get("data").and_then(|data| data.as_object()) else { return };
    let decoded = |text: &serde_json::Value| STANDARD.decode(text.as_str()?).ok();
    // What one cluster keeps must not weaken the connection that charts for another one come through.
    let data: BTreeMap<String, Vec<u8>> = entries
        .iter()
        .filter(|(key, _)| key.as_str() != "insecure")
        .filter_map(|(key, text)| Some((key.clone(), decoded(text)?)))
        .collect();
    found.add(kind.unwrap_or_default(), &data);
}
