//! What templates see besides values: `.Chart`, `.Files`, `.Release`, `.Capabilities`.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::capabilities::{Capabilities, HelmVersion};
use super::glob;
use super::load::ChartFile;
use super::metadata::Metadata;
use super::options::Options;
use super::profile::Profile;
use crate::template::format::print_value;
use crate::template::{List, ListKind, Map, MapKind, Structure, Value, is_true};

/// The type of `.Capabilities.KubeVersion` in Helm 3.
const CHARTUTIL_KUBE_VERSION: &str = "chartutil.KubeVersion";

/// The same since Helm 4.
const COMMON_KUBE_VERSION: &str = "common.KubeVersion";

/// A Go struct: fields under their Go names, and under the names that JSON gives them.
#[derive(Debug)]
pub(super) struct Record {
    type_name: &'static str,
    is_pointer: bool,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: &'static str,
    json: &'static str,
    /// Whether JSON leaves it out when it is empty.
    is_optional: bool,
    value: Value,
}

impl Record {
    fn new(type_name: &'static str) -> Self {
        Record { type_name, is_pointer: false, fields: Vec::new() }
    }

    fn pointer(mut self) -> Self {
        self.is_pointer = true;
        self
    }

    fn with(mut self, name: &'static str, json: &'static str, is_optional: bool, value: impl Into<Value>) -> Self {
        self.fields.push(Field { name, json, is_optional, value: value.into() });
        self
    }

    fn value(self) -> Value {
        Value::Structure(Rc::new(self))
    }

    /// Returns a map with the Go names.
    fn map(&self) -> Map {
        let map = Map::new();
        for field in &self.fields {
            map.insert(field.name, field.value.clone());
        }
        map
    }
}

impl Structure for Record {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn kind(&self) -> &'static str {
        if self.is_pointer { "ptr" } else { "struct" }
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.clone())
    }

    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let result = match (self.type_name, method) {
            (CHARTUTIL_KUBE_VERSION, "String" | "GitVersion") | (COMMON_KUBE_VERSION, "GitVersion") => {
                self.field("Version")?
            }
            (COMMON_KUBE_VERSION, "String") => self.field("")?,
            _ => return None,
        };
        Some(no_arguments(method, args).map(|()| result))
    }

    fn print(&self) -> String {
        let fields: Vec<String> = self.fields.iter().map(|field| shown(&field.value)).collect();
        format!("{}{{{}}}", if self.is_pointer { "&" } else { "" }, fields.join(" "))
    }

    fn display(&self) -> String {
        match self.type_name {
            CHARTUTIL_KUBE_VERSION => self.field("Version").map_or_else(String::new, |version| shown(&version)),
            COMMON_KUBE_VERSION => self.field("").map_or_else(String::new, |version| shown(&version)),
            _ => self.print().trim_start_matches('&').to_owned(),
        }
    }

    fn members(&self) -> Option<Vec<(&'static str, Value)>> {
        let is_member = |field: &&Field| !field.json.is_empty() && (!field.is_optional || is_true(&field.value));
        Some(self.fields.iter().filter(is_member).map(|field| (field.json, field.value.clone())).collect())
    }

    fn plain(&self) -> Value {
        let map = Map::new();
        for (name, value) in self.members().unwrap_or_default() {
            map.insert(name, value);
        }
        map.into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn shown(value: &Value) -> String {
    String::from_utf8_lossy(&print_value(value)).into_owned()
}

fn no_arguments(method: &str, args: &[Value]) -> Result<(), String> {
    if args.is_empty() {
        return Ok(());
    }
    Err(format!("wrong number of args for {method}: want 0 got {}", args.len()))
}

/// Returns `.Chart`: a struct in Helm 3, a map of the same names since Helm 4.
pub(super) fn chart(metadata: &Metadata, is_root: bool, profile: Profile) -> Value {
    let maintainers = metadata.maintainers.iter().map(|maintainer| {
        Record::new("*chart.Maintainer")
            .pointer()
            .with("Name", "name", true, maintainer.name.as_str())
            .with("Email", "email", true, maintainer.email.as_str())
            .with("URL", "url", true, maintainer.url.as_str())
    });
    let dependencies = metadata.dependencies.iter().flatten().map(|dependency| {
        let imports = dependency.import_values.iter().map(super::value::from_json).collect();
        Record::new("*chart.Dependency")
            .pointer()
            .with("Name", "name", false, dependency.name.as_str())
            .with("Version", "version", true, dependency.version.as_str())
            .with("Repository", "repository", false, dependency.repository.as_str())
            .with("Condition", "condition", true, dependency.condition.as_str())
            .with("Tags", "tags", true, texts(&dependency.tags))
            .with("Enabled", "enabled", true, dependency.enabled)
            .with("ImportValues", "import-values", true, Value::list(imports))
            .with("Alias", "alias", true, dependency.alias.as_str())
    });
    let records = |records: Vec<Record>| {
        let form = |record: Record| if profile.is_v4() { record.map().into() } else { record.value() };
        Value::list(records.into_iter().map(form).collect())
    };
    let annotations: BTreeMap<_, _> =
        metadata.annotations.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect();
    let kind = if annotations.is_empty() { MapKind::NilString } else { MapKind::String };
    let record = Record::new("struct { chart.Metadata; IsRoot bool }")
        .with("Name", "name", true, metadata.name.as_str())
        .with("Home", "home", true, metadata.home.as_str())
        .with("Sources", "sources", true, texts(&metadata.sources))
        .with("Version", "version", true, metadata.version.as_str())
        .with("Description", "description", true, metadata.description.as_str())
        .with("Keywords", "keywords", true, texts(&metadata.keywords))
        .with("Maintainers", "maintainers", true, records(maintainers.collect()))
        .with("Icon", "icon", true, metadata.icon.as_str())
        .with("APIVersion", "apiVersion", true, metadata.api_version.as_str())
        .with("Condition", "condition", true, metadata.condition.as_str())
        .with("Tags", "tags", true, metadata.tags.as_str())
        .with("AppVersion", "appVersion", true, metadata.app_version.as_str())
        .with("Deprecated", "deprecated", true, metadata.deprecated)
        .with("Annotations", "annotations", true, Map::from_entries(kind, annotations))
        .with("KubeVersion", "kubeVersion", true, metadata.kube_version.as_str())
        .with("Dependencies", "dependencies", true, records(dependencies.collect()))
        .with("Type", "type", true, metadata.kind.as_str())
        .with("IsRoot", "IsRoot", false, is_root);
    if profile.is_v4() { record.map().into() } else { record.value() }
}

fn texts(items: &[String]) -> Value {
    Value::strings(items.iter().map(String::as_str))
}

/// Returns `.Release`.
pub(super) fn release(options: &Options) -> Value {
    let map = Map::new();
    map.insert("Name", options.release_name.as_str());
    map.insert("Namespace", options.namespace.as_str());
    map.insert("IsUpgrade", options.is_upgrade);
    map.insert("IsInstall", !options.is_upgrade);
    map.insert("Revision", Value::Int(1));
    map.insert("Service", "Helm");
    map.into()
}

/// Returns `.Capabilities`.
pub(super) fn capabilities(capabilities: &Capabilities, profile: Profile) -> Value {
    let version = capabilities.kube_version.as_str();
    let numbers = capabilities.numbers();
    let mut parts = numbers.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let kube = match profile.is_v4() {
        // The second field is for helm itself.
        true => Record::new(COMMON_KUBE_VERSION).with("Version", "Version", false, version).with("", "", true, numbers),
        false => Record::new(CHARTUTIL_KUBE_VERSION).with("Version", "Version", false, numbers),
    };
    let kube = kube.with("Major", "Major", false, major).with("Minor", "Minor", false, minor);
    let versions = VersionSet {
        versions: capabilities.api_versions.clone(),
        type_name: if profile.is_v4() { "common.VersionSet" } else { "chartutil.VersionSet" },
    };
    let helm = HelmVersion::of(profile);
    let mut build = Record::new("version.BuildInfo")
        .with("Version", "version", true, helm.version)
        .with("GitCommit", "git_commit", true, helm.git_commit)
        .with("GitTreeState", "git_tree_state", true, "clean")
        .with("GoVersion", "go_version", true, helm.go_version);
    if profile.is_v4() {
        build = build.with("KubeClientVersion", "kube_client_version", true, helm.kube_client_version);
    }
    Record::new(if profile.is_v4() { "*common.Capabilities" } else { "*chartutil.Capabilities" })
        .pointer()
        .with("KubeVersion", "KubeVersion", false, kube.value())
        .with("APIVersions", "APIVersions", false, Value::Structure(Rc::new(versions)))
        .with("HelmVersion", "HelmVersion", false, build.value())
        .value()
}

/// `.Capabilities.APIVersions`.
#[derive(Debug)]
struct VersionSet {
    versions: Vec<String>,
    type_name: &'static str,
}

impl Structure for VersionSet {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn kind(&self) -> &'static str {
        "slice"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>> {
        if method != "Has" {
            return None;
        }
        Some(one_text(method, args).map(|wanted| self.versions.contains(&wanted).into()))
    }

    fn print(&self) -> String {
        format!("[{}]", self.versions.join(" "))
    }

    fn plain(&self) -> Value {
        Value::list(self.versions.iter().map(|version| version.as_str().into()).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn one_text(method: &str, args: &[Value]) -> Result<String, String> {
    match args {
        [Value::String(text)] => Ok(text.text().into_owned()),
        [other] => Err(format!("wrong type for value; expected string; got {}", crate::template::type_name(other))),
        _ => Err(format!("wrong number of args for {method}: want 1 got {}", args.len())),
    }
}

/// `.Files`, or what a glob of it found.
#[derive(Debug)]
pub(super) struct Files(Rc<Vec<ChartFile>>, Profile);

impl Files {
    /// Returns `.Files` of a chart.
    pub fn value(files: &[ChartFile], profile: Profile) -> Value {
        let mut files = files.to_vec();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Value::Structure(Rc::new(Files(Rc::new(files), profile)))
    }

    fn find(&self, name: &str) -> Option<&ChartFile> {
        self.0.iter().find(|file| file.name == name)
    }

    /// Returns a map of base names to contents, as YAML without its last newline.
    fn as_yaml(&self, encode: impl Fn(&[u8]) -> String) -> String {
        let entries: serde_json::Map<_, _> = self
            .0
            .iter()
            .map(|file| {
                let name = file.name.rsplit('/').next().unwrap_or(&file.name);
                (name.to_owned(), encode(&file.data).into())
            })
            .collect();
        if entries.is_empty() {
            return String::new();
        }
        crate::yaml::to_string(&entries.into()).trim_end_matches('\n').to_owned()
    }

    fn method(&self, method: &str, args: &[Value]) -> Result<Value, String> {
        Ok(match method {
            "Get" => {
                let name = one_text(method, args)?;
                self.find(&name).map_or_else(|| "".into(), |file| Value::String((&*file.data).into()))
            }
            "GetBytes" => {
                let name = one_text(method, args)?;
                Bytes::value(self.find(&name).map_or_else(|| Arc::from([]), |file| Arc::clone(&file.data)))
            }
            "Glob" => {
                let pattern = glob::glob(&one_text(method, args)?);
                let found = self.0.iter().filter(|file| pattern.is_match(file.name.as_bytes())).cloned().collect();
                Value::Structure(Rc::new(Files(Rc::new(found), self.1)))
            }
            "Lines" => {
                let name = one_text(method, args)?;
                let data = self.find(&name).map_or(&[][..], |file| &file.data);
                if self.find(&name).is_some() && data.is_empty() && self.1 < Profile::V4_3 {
                    return Err("runtime error: index out of range [-1]".into());
                }
                let data = data.strip_suffix(b"\n").unwrap_or(data);
                match self.find(&name).filter(|file| !file.data.is_empty()) {
                    None => Value::strings(std::iter::empty::<&str>()),
                    Some(_) => Value::strings(data.split(|byte| *byte == b'\n')),
                }
            }
            "AsConfig" => {
                no_arguments(method, args)?;
                self.as_yaml(|data| String::from_utf8_lossy(data).into_owned()).into()
            }
            _ => {
                use base64::Engine as _;
                no_arguments(method, args)?;
                self.as_yaml(|data| base64::engine::general_purpose::STANDARD.encode(data)).into()
            }
        })
    }
}

impl Structure for Files {
    fn type_name(&self) -> &str {
        "engine.files"
    }

    fn kind(&self) -> &'static str {
        "map"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.find(name).map(|file| Bytes::value(Arc::clone(&file.data)))
    }

    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let is_method = matches!(method, "Get" | "GetBytes" | "Glob" | "Lines" | "AsConfig" | "AsSecrets");
        is_method.then(|| self.method(method, args))
    }

    fn print(&self) -> String {
        shown(&self.plain())
    }

    fn plain(&self) -> Value {
        let map = Map::new();
        for file in self.0.iter() {
            map.insert(file.name.as_str(), Bytes::value(Arc::clone(&file.data)));
        }
        map.into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A `[]byte` that is a file: taken apart only when somebody looks at single bytes.
#[derive(Debug)]
pub(super) struct Bytes(pub Arc<[u8]>);

impl Bytes {
    fn value(data: Arc<[u8]>) -> Value {
        Value::Structure(Rc::new(Bytes(data)))
    }
}

impl Structure for Bytes {
    fn type_name(&self) -> &str {
        "[]uint8"
    }

    fn kind(&self) -> &'static str {
        "slice"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn print(&self) -> String {
        let bytes: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        format!("[{}]", bytes.join(" "))
    }

    fn plain(&self) -> Value {
        let items = self.0.iter().map(|byte| Value::Uint8(*byte)).collect();
        Value::List(List::new(items, ListKind::Uint8))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Returns what `.Template` says of a template.
pub(super) fn template(name: &str, base_path: &str, profile: Profile) -> Value {
    let map = Map::new();
    map.insert("Name", name);
    map.insert("BasePath", base_path);
    super::value::values(&map, profile).into()
}
