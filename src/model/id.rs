//! Identities: small, cheap to clone, never mixed up with one another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }
    };
}

name! {
    /// An Application's instance name as Argo CD's tracking writes it: `name`, or `namespace_name` outside the control-plane namespace.
    AppId
}
name! {
    /// The name under which a cluster is shown: the destination's name, else the context's.
    ClusterName
}
name! {
    /// A stage of the promotion chain, such as `staging`.
    EnvironmentName
}
name! {
    /// A full commit id: 40 hexadecimal digits.
    CommitId
}
name! {
    /// A plan's fingerprint: two plans with one id would do exactly the same.
    PlanId
}

impl CommitId {
    /// Returns the first seven digits, as people write commits.
    pub fn short(&self) -> &str {
        self.as_str().get(..7).unwrap_or(self.as_str())
    }
}

/// Counts operations within one run of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationId(pub u64);

/// A group and kind; the core group is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gk {
    /// API group, empty for core.
    pub group: Arc<str>,
    /// Kind, such as `Deployment`.
    pub kind: Arc<str>,
}

/// A group, version and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// API group, empty for core.
    pub group: Arc<str>,
    /// Version, such as `v1`.
    pub version: Arc<str>,
    /// Kind, such as `Deployment`.
    pub kind: Arc<str>,
}

impl Gvk {
    /// Splits `group/version` and adds the kind.
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// Returns `group/version`, or the bare version for core.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Drops the version.
    pub fn gk(&self) -> Gk {
        Gk { group: self.group.clone(), kind: self.kind.clone() }
    }
}

impl fmt::Display for Gk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() { f.write_str(&self.kind) } else { write!(f, "{}.{}", self.kind, self.group) }
    }
}

/// What identifies an object in a cluster. The version takes no part in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// API group, empty for core.
    pub group: Arc<str>,
    /// Kind, such as `Deployment`.
    pub kind: Arc<str>,
    /// Namespace, empty for cluster scope.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl Key {
    /// Makes a key from its four parts.
    pub fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self { group: group.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// Returns the group and kind.
    pub fn gk(&self) -> Gk {
        Gk { group: self.group.clone(), kind: self.kind.clone() }
    }
}

impl fmt::Display for Key {
    /// Writes `Deployment payments/api`, or `Namespace payments` for cluster scope.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}
