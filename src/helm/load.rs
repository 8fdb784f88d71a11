//! Charts from files, as helm's loader takes them apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::archive::{self, LARGEST_ARCHIVE};
use super::chart::Chart;
use super::error::Error;
use super::failure;
use super::metadata::Metadata;
use super::profile::Profile;
use super::supply;
use super::value::floats;
use crate::yaml;

/// A file of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    /// Path in the chart's folder, with `/`.
    pub name: String,
    /// What it holds.
    pub data: Arc<[u8]>,
}

/// How deep charts may lie in charts.
const DEEPEST: usize = 64;

/// Returns the chart in a folder's files; what `.helmignore` leaves out is left out.
pub fn load(files: Vec<ChartFile>) -> Result<Chart, Error> {
    supply::load_with(files, Vec::new())
}

/// Returns the chart in a `.tgz`.
pub fn load_archive(bytes: &[u8]) -> Result<Chart, Error> {
    let mut left = LARGEST_ARCHIVE;
    let files = archive::unpack(bytes, &mut left);
    files.and_then(|files| chart(files, 0, &mut left)).map_err(|error| Error::Load(failure::bounded(error)))
}

/// Returns the chart in these files. What the archives among them unpack to is taken from `left`.
pub(super) fn chart(mut files: Vec<ChartFile>, depth: usize, left: &mut u64) -> Result<Chart, String> {
    if depth > DEEPEST {
        return Err(format!("charts lie more than {DEEPEST} deep in each other"));
    }
    for file in &mut files {
        if let Some(rest) = file.data.strip_prefix(b"\xef\xbb\xbf") {
            file.data = Arc::from(rest);
        }
    }
    let mut metadata = Metadata::default();
    let described = files.iter().find(|file| file.name == "Chart.yaml");
    if let Some(file) = described {
        read_into(&mut metadata, file)?;
        if metadata.api_version.is_empty() {
            metadata.api_version = "v1".into();
        }
    }
    let is_described = described.is_some();
    let mut chart = Chart::new(metadata);
    let mut nested: BTreeMap<String, Vec<ChartFile>> = BTreeMap::new();
    for file in files {
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => drop(document(&file)?),
            "values.yaml" => {
                chart.values = values(&file.data).map_err(|error| format!("cannot load values.yaml: {error}"))?
            }
            "values.schema.json" => chart.schema = Some(file.data),
            "requirements.yaml" => {
                read_into(&mut chart.metadata, &file)?;
                if chart.metadata.api_version == "v1" {
                    chart.files.push(file);
                }
            }
            "requirements.lock" => {
                if chart.metadata.api_version == "v1" {
                    chart.files.push(file);
                }
            }
            name if name.starts_with("templates/") => chart.templates.push(file),
            name => match name.strip_prefix("charts/") {
                Some(_) if name.ends_with(".prov") => chart.files.push(file),
                Some(inner) => {
                    let folder = inner.split('/').next().unwrap_or(inner).to_owned();
                    nested.entry(folder).or_default().push(ChartFile { name: inner.to_owned(), data: file.data });
                }
                None => chart.files.push(file),
            },
        }
    }
    if !is_described {
        return Err("Chart.yaml file is missing".into());
    }
    chart.metadata.check().map_err(|error| format!("validation: {error}"))?;
    for (name, files) in nested {
        if name.starts_with(['_', '.']) {
            continue;
        }
        match subchart(&name, files, depth, left) {
            Ok(inner) => chart.dependencies.push(Arc::new(inner)),
            Err(error) => return Err(format!("error unpacking subchart {name} in {}: {error}", chart.metadata.name)),
        }
    }
    Ok(chart)
}

/// Returns the chart under one name in `charts/`; a lone file there is one without a `Chart.yaml`, as it is to helm.
fn subchart(name: &str, files: Vec<ChartFile>, depth: usize, left: &mut u64) -> Result<Chart, String> {
    if name.ends_with(".tgz") {
        return match files.into_iter().find(|file| file.name == name) {
            Some(file) => chart(archive::unpack(&file.data, left)?, depth + 1, left),
            None => Err(format!("error unpacking subchart tar in {name}: it is a folder")),
        };
    }
    let inner: Vec<ChartFile> = files
        .into_iter()
        .filter_map(|file| {
            let (_, name) = file.name.split_once('/')?;
            Some(ChartFile { name: name.to_owned(), data: file.data.clone() })
        })
        .collect();
    chart(inner, depth + 1, left)
}

fn document(file: &ChartFile) -> Result<Value, String> {
    yaml::parse(&file.data)
        .map_err(|error| format!("cannot load {}: error converting YAML to JSON: {error}", file.name))
}

fn read_into(metadata: &mut Metadata, file: &ChartFile) -> Result<(), String> {
    let document = document(file)?;
    metadata.read(&document).map_err(|error| format!("cannot load {}: {error}", file.name))
}

/// Reads values: every document of a file, the first of them apart, since Helm 3 reads no other.
pub(super) fn values(data: &[u8]) -> Result<Vec<Map<String, Value>>, String> {
    let mut documents = Vec::new();
    for (_, text) in yaml::split(data) {
        let problem = |error: String| format!("cannot unmarshal yaml document: {error}");
        let mut value =
            yaml::parse(text).map_err(|error| problem(format!("error converting YAML to JSON: {error}")))?;
        floats(&mut value);
        match value {
            Value::Null => {}
            Value::Object(map) => documents.push(map),
            other => {
                let found = match other {
                    Value::Array(_) => "array",
                    Value::String(_) => "string",
                    Value::Bool(_) => "bool",
                    _ => "number",
                };
                return Err(problem(format!(
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
                )));
            }
        }
    }
    Ok(documents)
}

/// Returns the error that helm has for a dependency that is listed but not there.
pub(super) fn missing(chart: &Chart, profile: Profile) -> Option<Error> {
    let listed = chart.metadata.dependencies.iter().flatten();
    let missing: Vec<String> = listed
        .filter(|listed| !chart.dependencies.iter().any(|found| found.metadata.name == listed.name))
        .map(|listed| listed.name.clone())
        .collect();
    match missing.join(", ") {
        names if names.is_empty() => None,
        _ if profile.is_v4() => Some(Error::MissingDependencies(missing)),
        names => Some(Error::Load(format!(
            "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {names}"
        ))),
    }
}

/// Returns the error that helm has for a kind of chart that cannot be installed.
pub(super) fn not_installable(chart: &Chart) -> Option<Error> {
    match chart.metadata.kind.as_str() {
        "" | "application" => None,
        kind => Some(Error::Unsuitable(format!("{kind} charts are not installable"))),
    }
}
