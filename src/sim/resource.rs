//! The table of resource types: the built-in ones, and those that CustomResourceDefinitions add.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

/// Names a resource type within one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

/// Where `scale` reads and writes.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalePaths {
    /// Path of the wanted replicas, as a JSON pointer.
    pub spec: String,
    /// Path of the present replicas, as a JSON pointer.
    pub status: String,
    /// Path of the label selector, as a JSON pointer; empty if there is none.
    pub selector: String,
}

/// One resource type.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceType {
    /// Place in the table.
    pub id: TypeId,
    /// API group, empty for core.
    pub group: String,
    /// Served versions, the preferred one first.
    pub versions: Vec<String>,
    /// Kind.
    pub kind: String,
    /// Plural, as in paths.
    pub plural: String,
    /// Singular.
    pub singular: String,
    /// Short names of kubectl.
    pub short: Vec<String>,
    /// Categories, such as `all`.
    pub categories: Vec<String>,
    /// Whether objects lie in namespaces.
    pub namespaced: bool,
    /// Whether there is a status subresource.
    pub status: bool,
    /// The scale subresource.
    pub scale: Option<ScalePaths>,
    /// Whether `metadata.generation` is kept.
    pub generation: bool,
    /// Whether only `create` is served (reviews).
    pub create_only: bool,
    /// Schemas by version, for custom resources.
    pub custom: Option<Arc<HashMap<String, Value>>>,
    /// `additionalPrinterColumns` by version, for custom resources.
    pub columns: HashMap<String, Vec<Value>>,
}

impl ResourceType {
    /// Returns `plural.group`, or the plural alone in the core group.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// Returns `group/version`, or the version alone in the core group.
    pub fn api_version(&self, version: &str) -> String {
        if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) }
    }

    /// Returns the preferred `apiVersion`.
    pub fn preferred(&self) -> String {
        self.api_version(self.versions.first().map_or("v1", String::as_str))
    }

    /// Returns the verbs served.
    pub fn verbs(&self) -> Vec<&'static str> {
        if self.create_only {
            return vec!["create"];
        }
        vec!["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    }

    /// Says whether this is the given built-in type.
    pub fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }
}

/// All resource types of one cluster.
#[derive(Clone, Debug)]
pub struct Registry {
    types: Vec<Option<Arc<ResourceType>>>,
    by_plural: HashMap<(String, String), TypeId>,
}

impl Registry {
    /// Returns the built-in types.
    pub fn new() -> Self {
        let mut registry = Self { types: Vec::new(), by_plural: HashMap::new() };
        for line in BUILT_IN.lines().filter(|line| !line.trim().is_empty()) {
            registry.insert(parse_row(line));
        }
        registry
    }

    /// Adds a type or replaces the one with the same group and plural; returns its id.
    pub fn insert(&mut self, mut resource: ResourceType) -> TypeId {
        let key = (resource.group.clone(), resource.plural.clone());
        let next = TypeId(u32::try_from(self.types.len()).expect("fewer types than u32 can count"));
        let id = *self.by_plural.entry(key).or_insert(next);
        resource.id = id;
        if id == next {
            self.types.push(Some(Arc::new(resource)));
        } else {
            self.types[id.0 as usize] = Some(Arc::new(resource));
        }
        id
    }

    /// Takes a type away; its id is given out again if the same type comes back.
    pub fn remove(&mut self, id: TypeId) {
        if let Some(slot) = self.types.get_mut(id.0 as usize) {
            *slot = None;
        }
    }

    /// Returns the type with this id.
    pub fn by_id(&self, id: TypeId) -> Option<&Arc<ResourceType>> {
        self.types.get(id.0 as usize)?.as_ref()
    }

    /// Returns the type by group and plural.
    pub fn find(&self, group: &str, plural: &str) -> Option<&Arc<ResourceType>> {
        self.by_id(*self.by_plural.get(&(group.to_owned(), plural.to_owned()))?)
    }

    /// Returns the type by group and kind.
    pub fn find_kind(&self, group: &str, kind: &str) -> Option<&Arc<ResourceType>> {
        self.iter().find(|resource| resource.group == group && resource.kind == kind)
    }

    /// Returns every type.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        self.types.iter().flatten()
    }

    /// Returns the groups with the versions they serve, core first, then in the table's order.
    pub fn groups(&self) -> Vec<(String, Vec<String>)> {
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for resource in self.iter() {
            let at = match groups.iter().position(|(group, _)| *group == resource.group) {
                Some(at) => at,
                None => {
                    groups.push((resource.group.clone(), Vec::new()));
                    groups.len() - 1
                }
            };
            for version in &resource.versions {
                if !groups[at].1.contains(version) {
                    groups[at].1.push(version.clone());
                }
            }
        }
        groups
    }
}

fn parse_row(line: &str) -> ResourceType {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
    let list = |at: usize| cell(at).split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let flags = cell(6);
    let all = flags.contains('a').then(|| "all".to_owned());
    let scale = flags.contains('c').then(|| ScalePaths {
        spec: "/spec/replicas".to_owned(),
        status: "/status/replicas".to_owned(),
        selector: "/spec/selector".to_owned(),
    });
    ResourceType {
        id: TypeId(0),
        group: cell(0).to_owned(),
        versions: list(1),
        plural: cell(2).to_owned(),
        kind: cell(3).to_owned(),
        singular: cell(3).to_lowercase(),
        short: list(4),
        categories: all.into_iter().collect(),
        namespaced: cell(5) == "ns",
        status: flags.contains('s'),
        scale,
        generation: flags.contains('g'),
        create_only: flags.contains('r'),
        custom: None,
        columns: HashMap::new(),
    }
}

/// group | versions | plural | kind | short names | scope | flags: s status, c scale, g generation, a category `all`, r review (create only).
const BUILT_IN: &str = "
|v1|namespaces|Namespace|ns|cluster|s
|v1|nodes|Node|no|cluster|s
|v1|persistentvolumes|PersistentVolume|pv|cluster|s
|v1|pods|Pod|po|ns|sa
|v1|services|Service|svc|ns|sa
|v1|endpoints|Endpoints|ep|ns|
|v1|configmaps|ConfigMap|cm|ns|
|v1|secrets|Secret||ns|
|v1|serviceaccounts|ServiceAccount|sa|ns|
|v1|persistentvolumeclaims|PersistentVolumeClaim|pvc|ns|s
|v1|events|Event|ev|ns|
|v1|resourcequotas|ResourceQuota|quota|ns|s
|v1|limitranges|LimitRange|limits|ns|
|v1|podtemplates|PodTemplate||ns|
|v1|replicationcontrollers|ReplicationController|rc|ns|scga
admissionregistration.k8s.io|v1|mutatingwebhookconfigurations|MutatingWebhookConfiguration||cluster|g
admissionregistration.k8s.io|v1|validatingwebhookconfigurations|ValidatingWebhookConfiguration||cluster|g
admissionregistration.k8s.io|v1|validatingadmissionpolicies|ValidatingAdmissionPolicy||cluster|sg
admissionregistration.k8s.io|v1|validatingadmissionpolicybindings|ValidatingAdmissionPolicyBinding||cluster|
apiextensions.k8s.io|v1|customresourcedefinitions|CustomResourceDefinition|crd,crds|cluster|sg
apiregistration.k8s.io|v1|apiservices|APIService||cluster|s
apps|v1|controllerrevisions|ControllerRevision||ns|
apps|v1|daemonsets|DaemonSet|ds|ns|sga
apps|v1|deployments|Deployment|deploy|ns|scga
apps|v1|replicasets|ReplicaSet|rs|ns|scga
apps|v1|statefulsets|StatefulSet|sts|ns|scga
authorization.k8s.io|v1|selfsubjectaccessreviews|SelfSubjectAccessReview||cluster|r
authorization.k8s.io|v1|selfsubjectrulesreviews|SelfSubjectRulesReview||cluster|r
authorization.k8s.io|v1|subjectaccessreviews|SubjectAccessReview||cluster|r
authentication.k8s.io|v1|selfsubjectreviews|SelfSubjectReview||cluster|r
autoscaling|v2,v1|horizontalpodautoscalers|HorizontalPodAutoscaler|hpa|ns|sa
batch|v1|cronjobs|CronJob|cj|ns|sga
batch|v1|jobs|Job||ns|sga
coordination.k8s.io|v1|leases|Lease||ns|
discovery.k8s.io|v1|endpointslices|EndpointSlice||ns|g
events.k8s.io|v1|events|Event|ev|ns|
networking.k8s.io|v1|ingressclasses|IngressClass||cluster|g
networking.k8s.io|v1|ingresses|Ingress|ing|ns|sg
networking.k8s.io|v1|networkpolicies|NetworkPolicy|netpol|ns|g
policy|v1|poddisruptionbudgets|PodDisruptionBudget|pdb|ns|sg
rbac.authorization.k8s.io|v1|clusterrolebindings|ClusterRoleBinding||cluster|
rbac.authorization.k8s.io|v1|clusterroles|ClusterRole||cluster|
rbac.authorization.k8s.io|v1|rolebindings|RoleBinding||ns|
rbac.authorization.k8s.io|v1|roles|Role||ns|
scheduling.k8s.io|v1|priorityclasses|PriorityClass|pc|cluster|g
storage.k8s.io|v1|csidrivers|CSIDriver||cluster|
storage.k8s.io|v1|storageclasses|StorageClass|sc|cluster|
storage.k8s.io|v1|volumeattachments|VolumeAttachment||cluster|s
";

/// Returns the resource type that a CustomResourceDefinition describes, `None` if it names no served version.
pub fn from_definition(definition: &Value) -> Option<ResourceType> {
    let spec = definition.get("spec")?;
    let text = |pointer: &str| spec.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let words = |pointer: &str| -> Vec<String> {
        let list = spec.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let versions = spec.get("versions")?.as_array()?;
    let served: Vec<&Value> = versions.iter().filter(|version| version["served"] == true).collect();
    let mut names: Vec<String> =
        served.iter().filter_map(|version| version["name"].as_str()).map(str::to_owned).collect();
    names.sort_by(|a, b| version_rank(b).cmp(&version_rank(a)).then_with(|| a.cmp(b)));
    let kind = text("/names/kind");
    let singular = text("/names/singular");
    let mut schemas = HashMap::new();
    let mut columns = HashMap::new();
    for version in &served {
        let name = version["name"].as_str().unwrap_or_default().to_owned();
        if let Some(list) = version["additionalPrinterColumns"].as_array() {
            columns.insert(name.clone(), list.clone());
        }
        schemas.insert(name, version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or(Value::Null));
    }
    let pointer = |value: &Value| value.as_str().unwrap_or_default().replace('.', "/");
    let scale = served.iter().find_map(|version| version.pointer("/subresources/scale")).map(|scale| ScalePaths {
        spec: pointer(&scale["specReplicasPath"]),
        status: pointer(&scale["statusReplicasPath"]),
        selector: pointer(&scale["labelSelectorPath"]),
    });
    if names.is_empty() || kind.is_empty() {
        return None;
    }
    Some(ResourceType {
        id: TypeId(0),
        group: text("/group"),
        versions: names,
        plural: text("/names/plural"),
        singular: if singular.is_empty() { kind.to_lowercase() } else { singular },
        kind,
        short: words("/names/shortNames"),
        categories: words("/names/categories"),
        namespaced: text("/scope") == "Namespaced",
        status: served.iter().any(|version| version.pointer("/subresources/status").is_some()),
        scale,
        generation: true,
        create_only: false,
        custom: Some(Arc::new(schemas)),
        columns,
    })
}

/// Orders versions as Kubernetes does: v2 > v1 > v1beta2 > v1beta1 > v1alpha1 > anything else.
fn version_rank(version: &str) -> (u8, u32, u32) {
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let Ok(major) = rest[..digits].parse() else { return (0, 0, 0) };
    let rest = &rest[digits..];
    if rest.is_empty() {
        return (3, major, 0);
    }
    for (rank, stage) in [(2, "beta"), (1, "alpha")] {
        if let Some(minor) = rest.strip_prefix(stage) {
            return (rank, major, minor.parse().unwrap_or(0));
        }
    }
    (0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_back() {
        let registry = Registry::new();
        let deployments = registry.find("apps", "deployments").unwrap();
        assert_eq!((deployments.kind.as_str(), deployments.namespaced, deployments.status), ("Deployment", true, true));
        assert!(deployments.scale.is_some());
        assert_eq!(registry.find("", "nodes").unwrap().preferred(), "v1");
        assert_eq!(registry.groups()[0], (String::new(), vec!["v1".to_owned()]));
    }

    #[test]
    fn versions_rank_as_in_kubernetes() {
        let mut versions = vec!["v1alpha1", "v1", "foo", "v2", "v1beta1", "v1beta2"];
        versions.sort_by_key(|version| std::cmp::Reverse(version_rank(version)));
        assert_eq!(versions, ["v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "foo"]);
    }
}
