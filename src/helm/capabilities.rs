//! What a cluster offers, as charts see it under `.Capabilities`.

use super::profile::Profile;
use crate::template::format::quote_text;

/// The version and API versions of the cluster that a chart is rendered for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// The Kubernetes version, e.g. `v1.35.0`.
    pub kube_version: String,
    /// Group/versions, and where known group/version/kinds, in helm's order.
    pub api_versions: Vec<String>,
}

impl Capabilities {
    /// Returns what helm assumes when it is told nothing.
    pub fn default_for(profile: Profile) -> Self {
        let (kube_version, api_versions) = match profile {
            Profile::V3_19 => ("v1.34.0", API_VERSIONS_1_34),
            Profile::V4_2 => ("v1.36.0", API_VERSIONS_1_36),
            Profile::V4_3 => ("v1.37.0", API_VERSIONS_1_37),
        };
        Capabilities {
            kube_version: kube_version.to_owned(),
            api_versions: api_versions.iter().map(|version| (*version).to_owned()).collect(),
        }
    }

    /// Replaces the Kubernetes version by what `--kube-version` says.
    pub fn set_kube_version(&mut self, text: &str) -> Result<(), String> {
        let numbers = numbers(text);
        let wrong = |reason: String| Err(format!("invalid kube version '{text}': {reason}"));
        if numbers.is_empty() {
            return wrong(format!("could not parse {} as version", quote_text(text)));
        }
        if !numbers.contains('.') {
            return wrong(format!("illegal version string {}", quote_text(text)));
        }
        if let Some(part) = numbers.split('.').find(|part| part.len() > 1 && part.starts_with('0')) {
            let (part, text) = (quote_text(part), quote_text(text));
            return wrong(format!("illegal zero-prefixed version component {part} in {text}"));
        }
        self.kube_version = if text.starts_with('v') { text.to_owned() } else { format!("v{text}") };
        Ok(())
    }

    /// Returns the Kubernetes version without what follows its numbers.
    pub(super) fn numbers(&self) -> &str {
        let text = self.kube_version.trim_start();
        let length = usize::from(text.starts_with('v')) + numbers(text).len();
        &text[..length]
    }
}

/// Returns the numbers and dots with which a version begins.
fn numbers(text: &str) -> &str {
    let text = text.trim_start();
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let mut numbers = &text[..end];
    if let Some(at) = numbers.find("..") {
        numbers = &numbers[..at];
    }
    if numbers.starts_with('.') { "" } else { numbers.trim_end_matches('.') }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::default_for(Profile::default())
    }
}

/// The program that a chart is told it runs under, `.Capabilities.HelmVersion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelmVersion {
    /// `v4.3.1`.
    pub version: &'static str,
    /// The commit of that release.
    pub git_commit: &'static str,
    /// The Go release that built it.
    pub go_version: &'static str,
    /// The client library's Kubernetes version; empty in Helm 3.
    pub kube_client_version: &'static str,
}

impl HelmVersion {
    /// Returns the release that a profile stands for.
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::V3_19 => HelmVersion {
                version: "v3.19.0",
                git_commit: "3d8990f0836691f0229297773f3524598f46bda6",
                go_version: "go1.24.7",
                kube_client_version: "",
            },
            Profile::V4_2 => HelmVersion {
                version: "v4.2.3",
                git_commit: "43e8b7feece8beb0fcba47059ec9b522fd929a64",
                go_version: "go1.26.5",
                kube_client_version: "v1.36",
            },
            Profile::V4_3 => HelmVersion {
                version: "v4.3.1",
                git_commit: "c0d08d0d6d9424d4a14febb5e8a3e51b0dd00dff",
                go_version: "go1.27.2",
                kube_client_version: "v1.37",
            },
        }
    }
}

/// What the client library of Kubernetes 1.34 registers, in its order.
const API_VERSIONS_1_34: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "autoscaling/v2beta1",
    "autoscaling/v2beta2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha1",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1alpha1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// What the client library of Kubernetes 1.36 registers, in its order.
const API_VERSIONS_1_36: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha2",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// What the client library of Kubernetes 1.37 registers, in its order.
const API_VERSIONS_1_37: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubernetes_versions() {
        let mut capabilities = Capabilities::default();
        for (text, version, numbers) in [
            ("1.29", "v1.29", "v1.29"),
            ("v1.29.3-gke.1", "v1.29.3-gke.1", "v1.29.3"),
            ("1.2.3.4", "v1.2.3.4", "v1.2.3.4"),
        ] {
            assert_eq!(capabilities.set_kube_version(text), Ok(()), "{text}");
            assert_eq!((capabilities.kube_version.as_str(), capabilities.numbers()), (version, numbers));
        }
        for text in ["", "x", "1", "01.2", "1.02"] {
            assert!(capabilities.set_kube_version(text).is_err(), "{text}");
        }
    }
}
