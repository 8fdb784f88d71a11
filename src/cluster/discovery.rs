//! Which kinds a cluster has.

use http::Request;
use serde_json::Value;

use super::{Connection, Error, ErrorKind};
use crate::model::{Gk, Gvk};

/// A kind that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceType {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// Name in URLs, such as `deployments`.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What can be done with it: `get`, `list`, `watch`, `create`, `patch`, `delete`, …
    pub verbs: Vec<String>,
}

impl ResourceType {
    /// Returns the path of a collection, or of one object.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        let mut path = if self.gvk.group.is_empty() {
            format!("/api/{}", self.gvk.version)
        } else {
            format!("/apis/{}/{}", self.gvk.group, self.gvk.version)
        };
        if self.namespaced && !namespace.is_empty() {
            path.push_str(&format!("/namespaces/{}", escape(namespace)));
        }
        path.push_str(&format!("/{}", self.plural));
        if !name.is_empty() {
            path.push_str(&format!("/{}", escape(name)));
        }
        path
    }

    /// Says whether it can be listed and watched.
    pub fn is_watchable(&self) -> bool {
        ["list", "watch"].iter().all(|verb| self.verbs.iter().any(|known| known == verb))
    }
}

/// Escapes a path segment or a query value.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// What a cluster has.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Server version, such as `v1.33.2`.
    pub version: String,
    /// Kinds, each group's preferred version first.
    pub resources: Vec<ResourceType>,
    /// API groups that did not answer.
    pub problems: Vec<String>,
}

impl Discovery {
    /// Returns the kind in exactly this version.
    pub fn find(&self, gvk: &Gvk) -> Option<&ResourceType> {
        self.resources.iter().find(|resource| &resource.gvk == gvk)
    }

    /// Returns the kind in the version that its group prefers.
    pub fn find_gk(&self, gk: &Gk) -> Option<&ResourceType> {
        self.resources.iter().find(|resource| resource.gvk.kind == gk.kind && resource.gvk.group == gk.group)
    }

    /// Returns what charts see as `.Capabilities.APIVersions`: each `group/version` and `group/version/Kind` that can be watched, sorted.
    pub fn api_versions(&self) -> Vec<String> {
        let mut versions: Vec<String> = self
            .resources
            .iter()
            .filter(|resource| resource.is_watchable())
            .flat_map(|resource| {
                let version = resource.gvk.api_version();
                [format!("{version}/{}", resource.gvk.kind), version]
            })
            .collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// Returns the version as `Major.Minor.Patch`, without a vendor's suffix.
    pub fn kube_version(&self) -> String {
        let end = self.version.find(['-', '+']).unwrap_or(self.version.len());
        self.version[..end].to_owned()
    }
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

impl Connection {
    /// Asks for the version and the kinds: three requests where the server knows aggregated discovery, one per group version elsewhere.
    ///
    /// # Errors
    /// When the server does not answer. A single group that does not is named in `problems`.
    pub async fn discover(&self) -> Result<Discovery, Error> {
        let version = self.read(|| get("/version", "application/json")).await?;
        let version = version.get("gitVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut found = Discovery { version, ..Discovery::default() };
        for root in ["/api", "/apis"] {
            let answer = self.read(|| get(root, AGGREGATED)).await?;
            if answer.get("kind").and_then(Value::as_str) == Some("APIGroupDiscoveryList") {
                aggregated(&answer, &mut found);
            } else {
                self.plain(root, &answer, &mut found).await;
            }
        }
        Ok(found)
    }

    async fn plain(&self, root: &str, answer: &Value, found: &mut Discovery) {
        let mut versions: Vec<String> = texts(answer.get("versions")).collect();
        for group in answer.get("groups").and_then(Value::as_array).into_iter().flatten() {
            let preferred = group.pointer("/preferredVersion/groupVersion").and_then(Value::as_str).unwrap_or_default();
            versions.push(preferred.to_owned());
            let all = group.get("versions").and_then(Value::as_array).into_iter().flatten();
            versions.extend(
                all.filter_map(|version| version.get("groupVersion")?.as_str())
                    .filter(|name| *name != preferred)
                    .map(str::to_owned),
            );
        }
        for version in versions {
            match self.read(|| get(&format!("{root}/{version}"), "application/json")).await {
                Ok(list) => {
                    for resource in list.get("resources").and_then(Value::as_array).into_iter().flatten() {
                        let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
                        if !text("name").contains('/') {
                            found.resources.push(ResourceType {
                                gvk: Gvk::from_api_version(&version, text("kind")),
                                plural: text("name").to_owned(),
                                namespaced: resource.get("namespaced").and_then(Value::as_bool).unwrap_or(false),
                                verbs: texts(resource.get("verbs")).collect(),
                            });
                        }
                    }
                }
                Err(error) => found.problems.push(format!("{version}: {error}")),
            }
        }
    }
}

fn aggregated(answer: &Value, found: &mut Discovery) {
    for group in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
        let name = group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        for version in group.get("versions").and_then(Value::as_array).into_iter().flatten() {
            let version_name = version.get("version").and_then(Value::as_str).unwrap_or_default();
            if version.get("freshness").and_then(Value::as_str) == Some("Stale") {
                found.problems.push(format!("{name}/{version_name}: its server does not answer"));
            }
            for resource in version.get("resources").and_then(Value::as_array).into_iter().flatten() {
                let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                found.resources.push(ResourceType {
                    gvk: Gvk {
                        group: name.into(),
                        version: version_name.into(),
                        kind: text("/responseKind/kind").into(),
                    },
                    plural: text("/resource").to_owned(),
                    namespaced: text("/scope") == "Namespaced",
                    verbs: texts(resource.get("verbs")).collect(),
                });
            }
        }
    }
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

/// Makes a GET request.
pub(super) fn get(path: &str, accept: &str) -> Result<Request<Vec<u8>>, Error> {
    Request::get(path)
        .header(http::header::ACCEPT, accept)
        .body(Vec::new())
        .map_err(|error| Error::new(ErrorKind::Invalid, format!("{path}: {error}")))
}
