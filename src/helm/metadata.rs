//! `Chart.yaml`: what a chart says about itself, read and checked as helm does.

use std::collections::BTreeMap;
use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::model::version::Version;
use crate::template::format::quote_text;

/// What `Chart.yaml` holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The chart's name.
    pub name: String,
    /// Its home page.
    pub home: String,
    /// Where its sources are.
    pub sources: Vec<String>,
    /// Its semantic version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who keeps it.
    pub maintainers: Vec<Maintainer>,
    /// URL of a picture.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// The condition of the chart as a dependency; not used by helm itself.
    pub condition: String,
    /// Tags of the chart as a dependency; not used by helm itself.
    pub tags: String,
    /// Version of what it installs.
    pub app_version: String,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// Free text by key.
    pub annotations: BTreeMap<String, String>,
    /// Which Kubernetes it works on, a constraint.
    pub kube_version: String,
    /// Charts it needs; `None` if it has no such list.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application`, `library` or empty.
    pub kind: String,
}

/// Who keeps a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// A name.
    pub name: String,
    /// An address.
    pub email: String,
    /// A page.
    pub url: String,
}

/// A chart that a chart needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Which versions fit.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths in the values that switch it, by commas.
    pub condition: String,
    /// Tags that switch it.
    pub tags: Vec<String>,
    /// Values that the parent takes over: a string, or a map with `child` and `parent`.
    pub import_values: Vec<Value>,
    /// The name it has in this chart.
    pub alias: String,
    /// Whether conditions and tags left it in.
    pub enabled: bool,
}

impl Metadata {
    /// Reads the fields of a document over those that are already there.
    pub(super) fn read(&mut self, document: &Value) -> Result<(), String> {
        let fields = match document {
            Value::Null => return Ok(()),
            Value::Object(fields) => fields,
            other => return Err(wrong_type(other, "value", "chart.Metadata")),
        };
        let fields = Fields { owner: "Metadata", fields };
        fields.text("name", &mut self.name)?;
        fields.text("home", &mut self.home)?;
        fields.texts("sources", &mut self.sources)?;
        fields.text("version", &mut self.version)?;
        fields.text("description", &mut self.description)?;
        fields.texts("keywords", &mut self.keywords)?;
        fields.text("icon", &mut self.icon)?;
        fields.text("apiVersion", &mut self.api_version)?;
        fields.text("condition", &mut self.condition)?;
        fields.text("tags", &mut self.tags)?;
        fields.text("appVersion", &mut self.app_version)?;
        fields.truth("deprecated", &mut self.deprecated)?;
        fields.text("kubeVersion", &mut self.kube_version)?;
        fields.text("type", &mut self.kind)?;
        if let Some(annotations) = fields.map("annotations")? {
            for key in annotations.keys() {
                let mut value = String::new();
                Fields { owner: "Metadata", fields: annotations }.text(key, &mut value)?;
                self.annotations.insert(key.clone(), value);
            }
        }
        if let Some(maintainers) = fields.list("maintainers")? {
            self.maintainers = maintainers.iter().map(maintainer).collect::<Result<_, _>>()?;
        }
        if let Some(dependencies) = fields.list("dependencies")? {
            self.dependencies = Some(dependencies.iter().map(dependency).collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Checks what helm checks when it loads a chart; the error goes after `validation: `.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("chart.metadata.name is required".into());
        }
        if self.name.contains('/') || self.name == "." || self.name == ".." {
            return Err(format!("chart.metadata.name {} is invalid", quote_text(&self.name)));
        }
        if self.version.is_empty() {
            return Err("chart.metadata.version is required".into());
        }
        if Version::parse(&self.version).is_none() {
            return Err(format!("chart.metadata.version {} is invalid", quote_text(&self.version)));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return Err("chart.metadata.type must be application or library".into());
        }
        let mut names = HashSet::new();
        for dependency in self.dependencies.iter().flatten() {
            if !is_alias(&dependency.alias) {
                let name = quote_text(&dependency.name);
                return Err(format!("dependency {name} has disallowed characters in the alias"));
            }
            if !names.insert(dependency.name_here()) {
                let name = quote_text(dependency.name_here());
                return Err(format!("more than one dependency with name or alias {name}"));
            }
        }
        Ok(())
    }

    /// Says whether the chart only offers templates to others.
    pub(super) fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }
}

impl Dependency {
    /// Returns the name it has in the chart that needs it.
    pub(super) fn name_here(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}

fn is_alias(alias: &str) -> bool {
    alias.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn maintainer(item: &Value) -> Result<Maintainer, String> {
    let mut maintainer = Maintainer::default();
    if let Some(fields) = Fields::of("Metadata.maintainers", "chart.Maintainer", item)? {
        fields.text("name", &mut maintainer.name)?;
        fields.text("email", &mut maintainer.email)?;
        fields.text("url", &mut maintainer.url)?;
    }
    Ok(maintainer)
}

fn dependency(item: &Value) -> Result<Dependency, String> {
    let mut dependency = Dependency::default();
    if let Some(fields) = Fields::of("Metadata.dependencies", "chart.Dependency", item)? {
        fields.text("name", &mut dependency.name)?;
        fields.text("version", &mut dependency.version)?;
        fields.text("repository", &mut dependency.repository)?;
        fields.text("condition", &mut dependency.condition)?;
        fields.texts("tags", &mut dependency.tags)?;
        fields.text("alias", &mut dependency.alias)?;
        fields.truth("enabled", &mut dependency.enabled)?;
        if let Some(imports) = fields.list("import-values")? {
            dependency.import_values = imports.clone();
        }
    }
    Ok(dependency)
}

/// The fields of an object, and what it is called in errors.
struct Fields<'a> {
    owner: &'static str,
    fields: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn of(owner: &'static str, kind: &str, value: &'a Value) -> Result<Option<Self>, String> {
        match value {
            Value::Null => Ok(None),
            Value::Object(fields) => Ok(Some(Fields { owner, fields })),
            other => Err(wrong_type(other, &format!("Go struct field {owner}"), kind)),
        }
    }

    fn present(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, value: &Value, wanted: &str) -> String {
        wrong_type(value, &format!("Go struct field {}.{name}", self.owner), wanted)
    }

    fn text(&self, name: &str, into: &mut String) -> Result<(), String> {
        if let Some(value) = self.present(name) {
            *into = text(value).ok_or_else(|| self.wrong(name, value, "string"))?;
        }
        Ok(())
    }

    fn texts(&self, name: &str, into: &mut Vec<String>) -> Result<(), String> {
        if let Some(items) = self.list(name)? {
            *into = items
                .iter()
                .map(|item| text(item).ok_or_else(|| self.wrong(name, item, "string")))
                .collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    fn truth(&self, name: &str, into: &mut bool) -> Result<(), String> {
        match self.present(name) {
            None => {}
            Some(Value::Bool(truth)) => *into = *truth,
            Some(other) => return Err(self.wrong(name, other, "bool")),
        }
        Ok(())
    }

    fn list(&self, name: &str) -> Result<Option<&'a Vec<Value>>, String> {
        match self.present(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(self.wrong(name, other, "[]string")),
        }
    }

    fn map(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, String> {
        match self.present(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(other) => Err(self.wrong(name, other, "map[string]string")),
        }
    }
}

/// Returns a scalar as text: YAML's numbers and truths become strings where a string is wanted.
fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => String::new(),
        Value::Bool(truth) => truth.to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            // The YAML library writes such numbers with the precision of 32 bits.
            crate::template::format_float(shortest_single(number.as_f64()? as f32))
        }
        Value::Number(number) => number.to_string(),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Returns the double that prints like a single.
fn shortest_single(single: f32) -> f64 {
    single.to_string().parse().unwrap_or(f64::from(single))
}

fn wrong_type(value: &Value, place: &str, wanted: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let into = if place == "value" { "Go value" } else { place };
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into {into} of type {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Metadata, String> {
        let mut metadata = Metadata::default();
        metadata.read(&crate::yaml::parse(yaml.as_bytes()).expect("YAML"))?;
        metadata.check()?;
        Ok(metadata)
    }

    #[test]
    fn numbers_become_texts() {
        let metadata = read("{name: a, version: 1.0.0, appVersion: 1.20, keywords: [1, true]}").expect("a chart");
        assert_eq!(metadata.app_version, "1.2");
        assert_eq!(metadata.keywords, ["1", "true"]);
        // A name that YAML takes for a truth.
        assert_eq!(read("{name: n, version: 1}").expect("a chart").name, "false");
    }

    #[test]
    fn charts_that_helm_refuses() {
        let check = |yaml: &str, error: &str| assert_eq!(read(yaml).expect_err(yaml), error, "{yaml}");
        check("{version: 1.0.0}", "chart.metadata.name is required");
        check("{name: a/b, version: 1.0.0}", "chart.metadata.name \"a/b\" is invalid");
        check("{name: a}", "chart.metadata.version is required");
        check("{name: a, version: x}", "chart.metadata.version \"x\" is invalid");
        check("{name: a, version: 1, type: other}", "chart.metadata.type must be application or library");
        check(
            "{name: a, version: 1, dependencies: [{name: b}, {name: c, alias: b}]}",
            "more than one dependency with name or alias \"b\"",
        );
        check(
            "{name: {}, version: 1}",
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal object into Go struct field Metadata.name of type string",
        );
    }
}
