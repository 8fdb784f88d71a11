//! What the Kubernetes API knows about its built-in kinds and a comparison has to know too: keys of lists, atomic maps, quantities, defaults.
//!
//! Facts from the API's own structural annotations (`x-kubernetes-list-type`, `x-kubernetes-map-type`) and its defaulting functions.

use serde_json::{Value, json};

use crate::model::Gvk;

/// How a list is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Replaced as a whole.
    Atomic,
    /// Items are found by these fields.
    Map(&'static [&'static str]),
    /// Items are found by themselves.
    Set,
}

/// What is known about one kind.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    built_in: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Service,
    ServiceAccount,
    Webhook,
    Workload,
    Other,
}

impl Schema {
    /// Returns what is known about a kind. Of custom kinds nothing is known but what holds for every object.
    pub fn of(gvk: &Gvk) -> Self {
        let group = &*gvk.group;
        let built_in = !group.contains('.') || group.ends_with(".k8s.io") && !is_custom(group);
        let kind = match (group, &*gvk.kind) {
            ("", "Service") => Kind::Service,
            ("", "ServiceAccount") => Kind::ServiceAccount,
            ("admissionregistration.k8s.io", _) => Kind::Webhook,
            ("apps" | "batch" | "extensions", _) | ("", "Pod" | "PodTemplate" | "ReplicationController") => {
                Kind::Workload
            }
            _ => Kind::Other,
        };
        Self { built_in, kind }
    }

    /// Returns how the list at these fields is merged.
    pub fn list(self, fields: &[&str]) -> ListKind {
        match fields {
            ["metadata", "finalizers"] => return ListKind::Set,
            ["metadata", "ownerReferences"] => return ListKind::Map(&["uid"]),
            _ => {}
        }
        if !self.built_in {
            return ListKind::Atomic;
        }
        let (Some(last), parent) = (fields.last(), fields.iter().rev().nth(1)) else { return ListKind::Atomic };
        match (self.kind, *last, parent.copied()) {
            (Kind::Service, "ports", Some("spec")) => ListKind::Map(&["port", "protocol"]),
            (Kind::ServiceAccount, "secrets", None) => ListKind::Map(&["name"]),
            (Kind::Webhook, "webhooks" | "validations", _) => ListKind::Map(&["name"]),
            (Kind::Workload, ..) => pod_list(last, parent.copied()),
            _ => ListKind::Atomic,
        }
    }

    /// Says whether the map at these fields is replaced as a whole.
    pub fn is_atomic_map(self, fields: &[&str]) -> bool {
        if !self.built_in {
            return false;
        }
        match fields.last() {
            Some(&"selector") => self.kind == Kind::Service || fields.len() > 1,
            Some(
                &("labelSelector" | "namespaceSelector" | "podSelector" | "objectSelector" | "nodeSelectorTerms"
                | "scopeSelector" | "configMapKeyRef" | "secretKeyRef" | "fieldRef" | "resourceFieldRef" | "roleRef"
                | "claimRef" | "targetRef" | "scaleTargetRef"),
            ) => {
                !matches!(fields.last(), Some(&"scaleTargetRef" | &"objectSelector"))
                    || fields.len() > 2 && fields.last() != Some(&"scaleTargetRef")
            }
            Some(&"requiredDuringSchedulingIgnoredDuringExecution") => fields.contains(&"nodeAffinity"),
            _ => false,
        }
    }

    /// Says whether the value at these fields is a quantity.
    pub fn is_quantity(self, fields: &[&str]) -> bool {
        if !self.built_in {
            return false;
        }
        let parent = fields.iter().rev().nth(1).copied();
        matches!(
            parent,
            Some(
                "limits"
                    | "requests"
                    | "hard"
                    | "capacity"
                    | "allocatable"
                    | "default"
                    | "defaultRequest"
                    | "max"
                    | "min"
                    | "maxLimitRequestRatio"
                    | "overhead"
                    | "podFixed"
            )
        ) || matches!(fields.last(), Some(&("sizeLimit" | "averageValue" | "divisor")))
            || (fields.last() == Some(&"value") && parent == Some("target"))
    }

    /// Says whether the server puts this value in when Git does not name the field; `map` is the live map that it stands in.
    pub fn is_default(self, fields: &[&str], live: &Value, map: Option<&Value>) -> bool {
        if !self.built_in {
            return false;
        }
        let Some(last) = fields.last() else { return false };
        let in_map = |name: &str| map.and_then(|map| map.get(name)).cloned().unwrap_or(Value::Null);
        match *last {
            "imagePullPolicy" => {
                let image = in_map("image").as_str().unwrap_or_default().to_owned();
                let latest = !image.contains('@')
                    && (image.ends_with(":latest") || !image.rsplit('/').next().unwrap_or_default().contains(':'));
                *live == json!(if latest { "Always" } else { "IfNotPresent" })
            }
            // A claim template carries a status of its own.
            "status" => true,
            "defaultRequest" => in_map("default").is_object(),
            "policyTypes" => {
                live.as_array().is_some_and(|types| types.iter().all(|name| name == "Ingress" || name == "Egress"))
            }
            "targetPort" => *live == in_map("port"),
            "hostPort" => *live == in_map("containerPort"),
            name => DEFAULTS.iter().any(|(default, value)| *default == name && value_is(live, value)),
        }
    }

    /// Says whether an empty list or map at these fields is the same as none: the API drops it when it writes the object.
    pub fn drops_empty(self, fields: &[&str]) -> bool {
        self.built_in && fields != ["rules"]
    }

    /// Says whether the server gives this field a value of its own when Git does not name it.
    pub fn is_allocated(self, fields: &[&str]) -> bool {
        match (self.kind, fields) {
            (
                Kind::Service,
                ["spec", "clusterIP" | "clusterIPs" | "ipFamilies" | "ipFamilyPolicy" | "healthCheckNodePort"],
            ) => true,
            (Kind::Service, ["spec", "ports", "nodePort"]) => true,
            (_, ["spec", "volumeName" | "nodeName"]) => self.built_in,
            _ => false,
        }
    }
}

/// Groups under `k8s.io` that are custom resources all the same.
fn is_custom(group: &str) -> bool {
    group.ends_with(".x-k8s.io")
        || matches!(group, "gateway.networking.k8s.io" | "snapshot.storage.k8s.io" | "policy.networking.k8s.io")
}

fn pod_list(last: &str, parent: Option<&str>) -> ListKind {
    match (last, parent) {
        (
            "containers"
            | "initContainers"
            | "ephemeralContainers"
            | "volumes"
            | "imagePullSecrets"
            | "schedulingGates"
            | "resourceClaims",
            Some("spec"),
        )
        | ("env", _)
        | ("claims", Some("resources")) => ListKind::Map(&["name"]),
        ("ports", Some("containers" | "initContainers" | "ephemeralContainers")) => {
            ListKind::Map(&["containerPort", "protocol"])
        }
        ("volumeMounts", _) => ListKind::Map(&["mountPath"]),
        ("volumeDevices", _) => ListKind::Map(&["devicePath"]),
        ("hostAliases", Some("spec")) => ListKind::Map(&["ip"]),
        ("topologySpreadConstraints", Some("spec")) => ListKind::Map(&["topologyKey", "whenUnsatisfiable"]),
        _ => ListKind::Atomic,
    }
}

/// A default in a form that can stand in a table.
#[derive(Clone, Copy, Debug)]
enum Default {
    Text(&'static str),
    Number(i64),
    Bool(bool),
    Empty,
}

fn value_is(value: &Value, default: &Default) -> bool {
    match default {
        Default::Text(text) => value.as_str() == Some(text),
        Default::Number(number) => value.as_i64() == Some(*number),
        Default::Bool(bool) => value.as_bool() == Some(*bool),
        Default::Empty => is_empty(value),
    }
}

/// Says whether a value says nothing: null, an empty map or an empty list.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// Fields and the values that the API server gives them when they are left out.
const DEFAULTS: &[(&str, Default)] = &[
    ("protocol", Default::Text("TCP")),
    ("type", Default::Text("ClusterIP")),
    ("type", Default::Text("RollingUpdate")),
    ("type", Default::Text("")),
    ("type", Default::Text("Opaque")),
    ("sessionAffinity", Default::Text("None")),
    ("internalTrafficPolicy", Default::Text("Cluster")),
    ("externalTrafficPolicy", Default::Text("Cluster")),
    ("ipFamilyPolicy", Default::Text("SingleStack")),
    ("allocateLoadBalancerNodePorts", Default::Bool(true)),
    ("failureThreshold", Default::Number(3)),
    ("successThreshold", Default::Number(1)),
    ("periodSeconds", Default::Number(10)),
    ("timeoutSeconds", Default::Number(1)),
    ("timeoutSeconds", Default::Number(10)),
    ("scheme", Default::Text("HTTP")),
    ("terminationGracePeriodSeconds", Default::Number(30)),
    ("terminationMessagePath", Default::Text("/dev/termination-log")),
    ("terminationMessagePolicy", Default::Text("File")),
    ("restartPolicy", Default::Text("Always")),
    ("dnsPolicy", Default::Text("ClusterFirst")),
    ("schedulerName", Default::Text("default-scheduler")),
    ("enableServiceLinks", Default::Bool(true)),
    ("securityContext", Default::Empty),
    ("resources", Default::Empty),
    ("strategy", Default::Empty),
    ("serviceAccount", Default::Text("default")),
    ("replicas", Default::Number(1)),
    ("minReplicas", Default::Number(1)),
    ("revisionHistoryLimit", Default::Number(10)),
    ("progressDeadlineSeconds", Default::Number(600)),
    ("maxSurge", Default::Text("25%")),
    ("maxUnavailable", Default::Text("25%")),
    ("maxSurge", Default::Number(0)),
    ("maxUnavailable", Default::Number(1)),
    ("partition", Default::Number(0)),
    ("podManagementPolicy", Default::Text("OrderedReady")),
    ("whenDeleted", Default::Text("Retain")),
    ("whenScaled", Default::Text("Retain")),
    ("volumeMode", Default::Text("Filesystem")),
    ("defaultMode", Default::Number(420)),
    ("phase", Default::Text("Pending")),
    ("concurrencyPolicy", Default::Text("Allow")),
    ("suspend", Default::Bool(false)),
    ("successfulJobsHistoryLimit", Default::Number(3)),
    ("failedJobsHistoryLimit", Default::Number(1)),
    ("backoffLimit", Default::Number(6)),
    ("completions", Default::Number(1)),
    ("parallelism", Default::Number(1)),
    ("completionMode", Default::Text("NonIndexed")),
    ("manualSelector", Default::Bool(false)),
    ("podReplacementPolicy", Default::Text("TerminatingOrFailed")),
    ("apiGroup", Default::Text("rbac.authorization.k8s.io")),
    ("apiVersion", Default::Text("v1")),
    ("kind", Default::Text("PersistentVolumeClaim")),
    ("fieldPath", Default::Text("metadata.name")),
    ("pathType", Default::Text("ImplementationSpecific")),
    ("failurePolicy", Default::Text("Fail")),
    ("matchPolicy", Default::Text("Equivalent")),
    ("reinvocationPolicy", Default::Text("Never")),
    ("namespaceSelector", Default::Empty),
    ("objectSelector", Default::Empty),
    ("scope", Default::Text("*")),
    ("scope", Default::Text("Cluster")),
    ("reclaimPolicy", Default::Text("Delete")),
    ("volumeBindingMode", Default::Text("Immediate")),
    ("allowVolumeExpansion", Default::Bool(false)),
    ("preemptionPolicy", Default::Text("PreemptLowerPriority")),
    ("globalDefault", Default::Bool(false)),
    ("readOnly", Default::Bool(false)),
    ("fsType", Default::Text("ext4")),
    ("divisor", Default::Text("0")),
    ("expirationSeconds", Default::Number(3600)),
    ("procMount", Default::Text("Default")),
    ("operator", Default::Text("Equal")),
    ("nodeAffinityPolicy", Default::Text("Honor")),
    ("nodeTaintsPolicy", Default::Text("Ignore")),
    ("targetCPUUtilizationPercentage", Default::Number(80)),
    ("conversion", Default::Empty),
    ("hostNetwork", Default::Bool(false)),
    ("hostPID", Default::Bool(false)),
    ("hostIPC", Default::Bool(false)),
];
