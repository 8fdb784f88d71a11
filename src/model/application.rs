//! What an Argo CD Application asks for, typed. `source::application` reads it from a manifest.

use serde_json::Value;

use super::{AppId, ChartRequest, Gvk};

/// An `argoproj.io/v1alpha1` Application: what to render, where to put it and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Application {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.labels`, sorted.
    pub labels: Vec<(String, String)>,
    /// `metadata.annotations`, sorted.
    pub annotations: Vec<(String, String)>,
    /// `spec.project`; empty became `default`.
    pub project: String,
    /// `spec.sources`, or the one `spec.source`. Never empty.
    pub sources: Vec<Source>,
    /// Where the objects go.
    pub destination: Destination,
    /// `spec.syncPolicy`.
    pub sync_policy: SyncPolicy,
    /// `spec.ignoreDifferences`.
    pub ignore_differences: Vec<IgnoreDifference>,
    /// Wave among its siblings: `argocd.argoproj.io/sync-wave`, else 0.
    pub wave: i64,
}

impl Application {
    /// Returns the instance name used in tracking ids; `control_plane` is the namespace whose Applications carry no prefix.
    pub fn id(&self, control_plane: &str) -> AppId {
        if self.namespace.is_empty() || self.namespace == control_plane {
            AppId::new(self.name.as_str())
        } else {
            AppId::new(format!("{}_{}", self.namespace, self.name))
        }
    }

    /// Returns one label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns one annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Says whether a sync option such as `CreateNamespace=true` is set.
    pub fn has_option(&self, option: &str) -> bool {
        self.sync_policy.options.iter().any(|set| set == option)
    }
}

/// One source of manifests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// Git repository, chart repository or registry.
    pub repo_url: String,
    /// Directory inside the repository; empty for a chart or a pure `ref`.
    pub path: String,
    /// Chart name in a Helm repository; empty for Git.
    pub chart: String,
    /// Branch, tag, commit or version constraint; empty means HEAD.
    pub target_revision: String,
    /// Name under which other sources reach this one's files (`$ref/...`); empty if none.
    pub reference: String,
    /// Prefix of the tags a constraint is matched against.
    pub tag_prefix: String,
    /// The block that says which tool renders it.
    pub tool: Tool,
}

impl Source {
    /// Says whether it is a packed chart from a repository or registry, not a folder in Git.
    pub fn is_chart(&self) -> bool {
        !self.chart.is_empty() || self.repo_url.starts_with("oci://")
    }

    /// Returns the chart's name; empty for a folder in Git.
    pub fn chart_name(&self) -> &str {
        match self.is_chart() {
            true if self.chart.is_empty() => self.repo_url.trim_end_matches('/').rsplit('/').next().unwrap_or_default(),
            _ => &self.chart,
        }
    }

    /// Returns what has to be pulled; nothing for a folder in Git.
    pub fn chart_request(&self) -> Option<ChartRequest> {
        self.is_chart().then(|| ChartRequest {
            repository: self.repo_url.clone(),
            name: self.chart.clone(),
            version: self.target_revision.clone(),
        })
    }
}

/// Which tool renders a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Tool {
    /// No block: found from the files.
    #[default]
    Detect,
    /// `helm:`.
    Helm(Box<HelmBlock>),
    /// `directory:`.
    Directory(DirectoryBlock),
    /// `kustomize:`; not supported yet.
    Kustomize,
    /// `plugin:`; not supported.
    Plugin(String),
}

/// `spec.source.helm`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HelmBlock {
    /// Release name; empty means the Application's name.
    pub release_name: String,
    /// Namespace handed to helm; empty means the destination's.
    pub namespace: String,
    /// Value files in order.
    pub value_files: Vec<String>,
    /// Whether value files that do not exist are left out without an error.
    pub ignore_missing_value_files: bool,
    /// Inline values as YAML text; used when there is no `values_object`.
    pub values: String,
    /// Inline values as an object.
    pub values_object: Option<Value>,
    /// `--set` and `--set-string`.
    pub parameters: Vec<Parameter>,
    /// `--set-file`.
    pub file_parameters: Vec<FileParameter>,
    /// Leaves out `crds/`.
    pub skip_crds: bool,
    /// Leaves out test hooks.
    pub skip_tests: bool,
    /// Does not check `values.schema.json`.
    pub skip_schema_validation: bool,
    /// Overrides the cluster's version; empty if not set.
    pub kube_version: String,
    /// Overrides the cluster's API versions; empty if not set.
    pub api_versions: Vec<String>,
}

/// One `--set` parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameter {
    /// Path in the values.
    pub name: String,
    /// Its text.
    pub value: String,
    /// Whether it stays a string.
    pub force_string: bool,
}

/// One `--set-file` parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileParameter {
    /// Path in the values.
    pub name: String,
    /// File whose text becomes the value.
    pub path: String,
}

/// `spec.source.directory`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DirectoryBlock {
    /// Whether folders below are read too.
    pub recurse: bool,
    /// Glob of files to leave out.
    pub exclude: String,
    /// Glob of files to read; empty means all.
    pub include: String,
    /// Whether files are read whatever they are called (`disableExtensionFilter`).
    pub every_extension: bool,
    /// Whether a `jsonnet:` block with content is present; not supported.
    pub jsonnet: bool,
}

/// `spec.destination`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Destination {
    /// API server URL without a trailing slash; empty if by name.
    pub server: String,
    /// Cluster name; empty if by server.
    pub name: String,
    /// Namespace for objects that name none.
    pub namespace: String,
}

/// `spec.syncPolicy`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncPolicy {
    /// Automation, if on.
    pub automated: Option<Automated>,
    /// `key=value` options.
    pub options: Vec<String>,
    /// Retry of failed operations.
    pub retry: Option<Retry>,
    /// Labels and annotations of a created namespace.
    pub managed_namespace_metadata: Option<Value>,
}

/// `spec.syncPolicy.automated`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Automated {
    /// Deletes what Git no longer has.
    pub prune: bool,
    /// Undoes changes made in the cluster.
    pub self_heal: bool,
    /// Allows an application to become empty.
    pub allow_empty: bool,
}

/// `spec.syncPolicy.retry`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retry {
    /// Number of retries; negative means without end.
    pub limit: i64,
    /// Waiting times.
    pub backoff: Backoff,
    /// Whether each attempt resolves the revision again.
    pub refresh: bool,
}

/// `spec.syncPolicy.retry.backoff`, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// First wait.
    pub duration: f64,
    /// Multiplier.
    pub factor: f64,
    /// Longest wait.
    pub max_duration: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { duration: 5.0, factor: 2.0, max_duration: 180.0 }
    }
}

/// One `spec.ignoreDifferences` entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IgnoreDifference {
    /// Group glob; empty is the core group.
    pub group: String,
    /// Kind glob.
    pub kind: String,
    /// Name; empty matches all.
    pub name: String,
    /// Namespace; empty matches all.
    pub namespace: String,
    /// RFC 6901 pointers.
    pub json_pointers: Vec<String>,
    /// jq paths to delete.
    pub jq_path_expressions: Vec<String>,
    /// Field managers whose fields are left out.
    pub managed_fields_managers: Vec<String>,
}

impl IgnoreDifference {
    /// Says whether this rule may apply to objects of that kind, name and namespace. Globs know `*` and `?`.
    pub fn matches(&self, gvk: &Gvk, namespace: &str, name: &str) -> bool {
        glob(&self.group, &gvk.group)
            && glob(&self.kind, &gvk.kind)
            && (self.name.is_empty() || self.name == name)
            && (self.namespace.is_empty() || self.namespace == namespace)
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs_match_whole_texts() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "apps", false),
            ("*", "", true),
            ("a*s", "apps", true),
            ("a?ps", "apps", true),
            ("app", "apps", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
