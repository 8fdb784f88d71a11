//! `Chart.yaml`: what a chart says about itself, read and checked as helm does.

use std::collections::BTreeMap;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::profile::Profile;
use crate::model::version::Version;
use crate::template::format::{is_printable, quote_text};

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
    /// The list that has a null in it, which helm refuses.
    pub(super) null_among: Option<&'static str>,
}

/// The fields that are read.
const FIELDS: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "kubeVersion",
    "type",
    "annotations",
    "maintainers",
    "dependencies",
];

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
    pub(super) fn read(&mut self, document: &Value) -> Result<(), WrongType> {
        if document.is_null() {
            return Ok(());
        }
        let Value::Object(fields) = document else { return Err(WrongType::new(document, "v2.Metadata")) };
        for (key, value) in in_order(fields) {
            let field = name_of(&FIELDS, key);
            let read = match field {
                "name" => text(value, &mut self.name),
                "home" => text(value, &mut self.home),
                "sources" => texts(value, &mut self.sources),
                "version" => text(value, &mut self.version),
                "description" => text(value, &mut self.description),
                "keywords" => texts(value, &mut self.keywords),
                "icon" => text(value, &mut self.icon),
                "apiVersion" => text(value, &mut self.api_version),
                "condition" => text(value, &mut self.condition),
                "tags" => text(value, &mut self.tags),
                "appVersion" => text(value, &mut self.app_version),
                "deprecated" => truth(value, &mut self.deprecated),
                "kubeVersion" => text(value, &mut self.kube_version),
                "type" => text(value, &mut self.kind),
                "annotations" => self.read_annotations(value),
                "maintainers" => self.read_maintainers(value),
                "dependencies" => self.read_dependencies(value),
                _ => continue,
            };
            read.map_err(|wrong| wrong.below(Step::Field(field.to_owned())))?;
        }
        Ok(())
    }

    fn read_annotations(&mut self, value: &Value) -> Result<(), WrongType> {
        let Value::Object(annotations) = value else { return Err(WrongType::new(value, "map[string]string")) };
        for (key, value) in annotations {
            let mut annotation = String::new();
            text(value, &mut annotation).map_err(|wrong| wrong.below(Step::Key(key.clone())))?;
            self.annotations.insert(key.clone(), annotation);
        }
        Ok(())
    }

    fn read_maintainers(&mut self, value: &Value) -> Result<(), WrongType> {
        self.maintainers = items(value, "[]*v2.Maintainer", maintainer)?;
        if value.as_array().is_some_and(|items| items.contains(&Value::Null)) {
            self.null_among = Some("maintainers");
        }
        Ok(())
    }

    fn read_dependencies(&mut self, value: &Value) -> Result<(), WrongType> {
        self.dependencies = Some(items(value, "[]*v2.Dependency", dependency)?);
        if value.as_array().is_some_and(|items| items.contains(&Value::Null)) {
            self.null_among = self.null_among.or(Some("dependencies"));
        }
        Ok(())
    }

    /// Checks what helm checks when it loads a chart, and cleans the texts as it does; the error goes after `validation: `.
    pub(super) fn check(&mut self) -> Result<(), String> {
        self.clean();
        if self.name.is_empty() {
            return Err("chart.metadata.name is required".into());
        }
        if self.name == "." || self.name == ".." {
            return Err(format!("chart.metadata.name {} is not allowed", quote_text(&self.name)));
        }
        if self.name.contains('/') {
            return Err(format!("chart.metadata.name {} is invalid", quote_text(&self.name)));
        }
        if self.version.is_empty() {
            return Err("chart.metadata.version is required".into());
        }
        if Version::parse(&self.version).is_none_or(|version| version.has_zero_before_number()) {
            return Err(format!("chart.metadata.version {} is invalid", quote_text(&self.version)));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return Err("chart.metadata.type must be application or library".into());
        }
        if let Some(list) = self.null_among {
            return Err(format!("{list} must not contain empty or null nodes"));
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

    /// Makes every text one line without characters that cannot be printed.
    fn clean(&mut self) {
        let texts = [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ];
        let maintainers = self.maintainers.iter_mut().flat_map(|of| [&mut of.name, &mut of.email, &mut of.url]);
        let dependencies = self.dependencies.iter_mut().flatten().flat_map(|of| {
            let texts = [&mut of.name, &mut of.version, &mut of.repository, &mut of.condition];
            texts.into_iter().chain(&mut of.tags)
        });
        let lists = self.sources.iter_mut().chain(&mut self.keywords);
        for text in texts.into_iter().chain(lists).chain(maintainers).chain(dependencies) {
            let is_kept = |c: &char| c.is_whitespace() || is_printable(*c);
            *text = text.chars().filter(is_kept).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        }
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

fn maintainer(item: &Value) -> Result<Maintainer, WrongType> {
    let mut maintainer = Maintainer::default();
    for (key, value) in fields(item, "v2.Maintainer")? {
        let field = name_of(&["name", "email", "url"], key);
        let read = match field {
            "name" => text(value, &mut maintainer.name),
            "email" => text(value, &mut maintainer.email),
            "url" => text(value, &mut maintainer.url),
            _ => continue,
        };
        read.map_err(|wrong| wrong.below(Step::Field(field.to_owned())).within("Maintainer"))?;
    }
    Ok(maintainer)
}

fn dependency(item: &Value) -> Result<Dependency, WrongType> {
    const FIELDS: [&str; 8] =
        ["name", "version", "repository", "condition", "tags", "alias", "enabled", "import-values"];
    let mut dependency = Dependency::default();
    for (key, value) in fields(item, "v2.Dependency")? {
        let field = name_of(&FIELDS, key);
        let read = match field {
            "name" => text(value, &mut dependency.name),
            "version" => text(value, &mut dependency.version),
            "repository" => text(value, &mut dependency.repository),
            "condition" => text(value, &mut dependency.condition),
            "tags" => texts(value, &mut dependency.tags),
            "alias" => text(value, &mut dependency.alias),
            "enabled" => truth(value, &mut dependency.enabled),
            "import-values" => match value {
                Value::Array(imports) => {
                    dependency.import_values.clone_from(imports);
                    Ok(())
                }
                other => Err(WrongType::new(other, "[]interface {}")),
            },
            _ => continue,
        };
        read.map_err(|wrong| wrong.below(Step::Field(field.to_owned())).within("Dependency"))?;
    }
    Ok(dependency)
}

/// Returns the fields of an object that has to be a struct.
fn fields<'a>(value: &'a Value, wanted: &'static str) -> Result<Vec<(&'a str, &'a Value)>, WrongType> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(fields) => Ok(in_order(fields)),
        other => Err(WrongType::new(other, wanted)),
    }
}

/// Returns the fields that are there, sorted: of two that mean the same, the later one wins.
fn in_order(fields: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut fields: Vec<_> =
        fields.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.as_str(), value)).collect();
    fields.sort_by_key(|(key, _)| *key);
    fields
}

/// Returns the field that a key names, in whatever case it is written; empty if there is none.
fn name_of(fields: &[&'static str], key: &str) -> &'static str {
    fields.iter().find(|field| field.eq_ignore_ascii_case(key)).copied().unwrap_or_default()
}

fn text(value: &Value, into: &mut String) -> Result<(), WrongType> {
    *into = match value {
        Value::Null => String::new(),
        Value::Bool(truth) => truth.to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            // The YAML library writes such numbers with the precision of 32 bits.
            Some(float) if number.is_f64() => crate::template::format_float(shortest_single(float as f32)),
            _ => number.to_string(),
        },
        Value::Array(_) | Value::Object(_) => return Err(WrongType::new(value, "string")),
    };
    Ok(())
}

fn texts(value: &Value, into: &mut Vec<String>) -> Result<(), WrongType> {
    *into = items(value, "[]string", |item| {
        let mut found = String::new();
        text(item, &mut found).map(|()| found)
    })?;
    Ok(())
}

fn truth(value: &Value, into: &mut bool) -> Result<(), WrongType> {
    *into = value.as_bool().ok_or_else(|| WrongType::new(value, "bool"))?;
    Ok(())
}

fn items<T>(
    value: &Value,
    wanted: &'static str,
    item: impl Fn(&Value) -> Result<T, WrongType>,
) -> Result<Vec<T>, WrongType> {
    let Value::Array(items) = value else { return Err(WrongType::new(value, wanted)) };
    let numbered = items.iter().enumerate();
    numbered.map(|(at, value)| item(value).map_err(|wrong| wrong.below(Step::Item(at)))).collect()
}

/// Returns the double that prints like a single.
fn shortest_single(single: f32) -> f64 {
    single.to_string().parse().unwrap_or(f64::from(single))
}

/// A value that a field cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrongType {
    found: &'static str,
    wanted: &'static str,
    /// From the document to the value, in reverse.
    path: Vec<Step>,
    /// The struct that the field is in.
    owner: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Key(String),
    Item(usize),
}

impl WrongType {
    fn new(value: &Value, wanted: &'static str) -> Self {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        Self { found, wanted, path: Vec::new(), owner: "Metadata" }
    }

    fn below(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    fn within(self, owner: &'static str) -> Self {
        Self { owner, ..self }
    }

    /// Returns what a helm says; its Go decides how the place is named. `is_root` is for the chart that others lie in.
    pub(super) fn words(&self, profile: Profile, is_root: bool) -> String {
        let steps = self.path.iter().rev();
        let is_version = matches!(self.path.as_slice(), [Step::Field(name)] if name == "apiVersion");
        let place = if self.path.is_empty() {
            "Go value".to_owned()
        } else if profile >= Profile::V4_3 {
            let place: String = steps
                .map(|step| match step {
                    Step::Field(name) | Step::Key(name) => format!(".{name}"),
                    Step::Item(at) => format!(".{at}"),
                })
                .collect();
            if matches!(self.path.first(), Some(Step::Item(_))) { place } else { format!("Go struct field {place}") }
        } else {
            let fields = steps.filter_map(|step| match step {
                Step::Field(name) => Some(name.as_str()),
                _ => None,
            });
            let owner = if is_version && is_root && profile.is_v4() { "chartBase" } else { self.owner };
            format!("Go struct field {owner}.{}", fields.collect::<Vec<_>>().join("."))
        };
        let wanted = match self.wanted {
            "v2.Metadata" if is_root && profile.is_v4() => "loader.chartBase".to_owned(),
            wanted if profile.is_v4() => wanted.to_owned(),
            wanted => wanted.replace("v2.", "chart."),
        };
        let found = self.found;
        format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into {place} of type {wanted}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Metadata, String> {
        let mut metadata = Metadata::default();
        let document = crate::yaml::parse(yaml.as_bytes()).expect("YAML");
        metadata.read(&document).map_err(|wrong| wrong.words(Profile::V3_19, true))?;
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
    fn fields_are_found_in_any_case_and_texts_are_one_line() {
        let chart = "{Name: b, name: a, VERSION: 1.0.0, appversion: 3, description: \"x\\ty\\u200b\\nz\"}";
        let metadata = read(chart).expect("a chart");
        assert_eq!((metadata.name.as_str(), metadata.app_version.as_str()), ("a", "3"));
        assert_eq!(metadata.description, "x y z");
    }

    #[test]
    fn each_helm_names_the_place_of_a_wrong_type() {
        let check = |yaml: &str, profile: Profile, place: &str| {
            let document = crate::yaml::parse(yaml.as_bytes()).expect("YAML");
            let wrong = Metadata::default().read(&document).expect_err(yaml).words(profile, true);
            assert!(wrong.ends_with(&format!(" into {place}")), "{yaml}: {wrong}");
        };
        check("keywords: [a, []]", Profile::V4_3, ".keywords.1 of type string");
        check("keywords: [a, []]", Profile::V4_2, "Go struct field Metadata.keywords of type string");
        check("annotations: {a: []}", Profile::V4_3, "Go struct field .annotations.a of type string");
        check("dependencies: [{tags: a}]", Profile::V4_3, "Go struct field .dependencies.0.tags of type []string");
        check(
            "dependencies: [{tags: a}]",
            Profile::V3_19,
            "Go struct field Dependency.dependencies.tags of type []string",
        );
        check("maintainers: [a]", Profile::V3_19, "Go struct field Metadata.maintainers of type chart.Maintainer");
        check("[]", Profile::V4_3, "Go value of type loader.chartBase");
    }

    #[test]
    fn charts_that_helm_refuses() {
        let check = |yaml: &str, error: &str| assert_eq!(read(yaml).expect_err(yaml), error, "{yaml}");
        check("{version: 1.0.0}", "chart.metadata.name is required");
        check("{name: a/b, version: 1.0.0}", "chart.metadata.name \"a/b\" is invalid");
        check("{name: a}", "chart.metadata.version is required");
        check("{name: .., version: 1}", "chart.metadata.name \"..\" is not allowed");
        check("{name: a, version: 1.0.0-01}", "chart.metadata.version \"1.0.0-01\" is invalid");
        check("{name: a, version: 1, maintainers: [~]}", "maintainers must not contain empty or null nodes");
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
