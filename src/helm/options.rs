//! What a render is asked for, the counterpart of helm's command line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::capabilities::Capabilities;
use super::profile::Profile;
use crate::template::Budget;

/// One value argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueInput {
    /// `--values`: a YAML file.
    File {
        /// The name to show in errors.
        name: String,
        /// What the file holds.
        data: Arc<[u8]>,
    },
    /// `--set-json`.
    SetJson(String),
    /// `--set`.
    Set(String),
    /// `--set-string`.
    SetString(String),
    /// `--set-file`: one key path and the file's content.
    SetFile {
        /// Where the content goes, in `--set` syntax without the `=`.
        path: String,
        /// The content.
        data: Arc<[u8]>,
    },
    /// `--set-file` as it is written on a command line, with the texts of the files it names.
    SetFiles {
        /// Such as `a=file,b.c=file`.
        text: String,
        /// What each file holds.
        files: BTreeMap<String, String>,
    },
    /// `--set-literal`.
    SetLiteral(String),
}

/// A cluster that `lookup` asks.
pub trait Lookup: std::fmt::Debug + Send + Sync {
    /// Returns an object, or a list of them where the name is empty; an empty map where there is none.
    ///
    /// # Errors
    /// When the cluster does not know the kind, does not answer, or refuses.
    fn find(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<serde_json::Map<String, serde_json::Value>, String>;
}

/// What a render gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Form {
    /// What helm prints.
    #[default]
    Printed,
    /// The same in parts, one for each manifest, as helm writes them into files.
    Parts,
    /// What the templates wrote, not looked into, as helm shows it of what is no YAML.
    Raw,
}

/// How a chart is rendered.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which helm to reproduce.
    pub profile: Profile,
    /// The cluster to render for.
    pub capabilities: Arc<Capabilities>,
    /// `.Release.Name`.
    pub release_name: String,
    /// `.Release.Namespace`.
    pub namespace: String,
    /// `.Release.IsUpgrade`.
    pub is_upgrade: bool,
    /// Values; classes are applied in helm's order whatever the order here, within a class the later wins.
    pub values: Vec<ValueInput>,
    /// Print the `crds/` folders.
    pub include_crds: bool,
    /// Leave the `crds/` folders out even if they were asked for.
    pub skip_crds: bool,
    /// Leave test hooks out.
    pub skip_tests: bool,
    /// Leave all hooks out.
    pub no_hooks: bool,
    /// Print only the manifests of these templates.
    pub show_only: Vec<String>,
    /// Do not check the values against `values.schema.json`.
    pub skip_schema_validation: bool,
    /// What is made of what the templates wrote.
    pub form: Form,
    /// What `lookup` asks; nothing finds nothing.
    pub lookup: Option<Arc<dyn Lookup>>,
    /// How far ahead of the time charts find the clock.
    pub clock_ahead: Duration,
    /// What the chart may use.
    pub budget: Budget,
}

impl Options {
    /// Returns what `helm template NAME CHART -n NAMESPACE` asks for.
    pub fn new(profile: Profile, release_name: &str, namespace: &str) -> Self {
        Options {
            profile,
            capabilities: Arc::new(Capabilities::default_for(profile)),
            release_name: release_name.to_owned(),
            namespace: namespace.to_owned(),
            is_upgrade: false,
            values: Vec::new(),
            include_crds: false,
            skip_crds: false,
            skip_tests: false,
            no_hooks: false,
            show_only: Vec::new(),
            skip_schema_validation: false,
            form: Form::default(),
            lookup: None,
            clock_ahead: Duration::ZERO,
            budget: Budget::default(),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new(Profile::default(), "release-name", "default")
    }
}

/// What a chart became.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rendered {
    /// Exactly what helm prints.
    pub text: String,
    /// The manifests by path, where [`Form::Parts`] was asked for; the text is then empty.
    pub parts: Vec<(String, String)>,
    /// What helm says on the side.
    pub warnings: Vec<String>,
    /// Functions that were called and give something else every time, e.g. `randAlphaNum`.
    pub nondeterministic: Vec<String>,
}
