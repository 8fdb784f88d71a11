//! Charts from files, as helm's loader takes them apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::archive::{self, LARGEST_ARCHIVE};
use super::chart::Chart;
use super::error::Error;
use super::failure;
use super::metadata::{Metadata, WrongType};
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
    finished(files.map_err(Fault::from).and_then(|files| chart(files, 0, &mut left)))
}

/// Returns a chart; where the words of its fault depend on the helm, they are said when it is rendered.
pub(super) fn finished(loaded: Result<Chart, Fault>) -> Result<Chart, Error> {
    loaded.or_else(|fault| {
        if fault.wrong.is_none() && fault.in_v3.is_none() {
            return Err(Error::Load(failure::bounded(fault.text)));
        }
        let mut chart = Chart::new(Metadata::default());
        chart.fault = Some(fault);
        Ok(chart)
    })
}

/// Why files are no chart.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// Where it is, and what it is unless that follows.
    text: String,
    wrong: Option<Box<WrongType>>,
    /// What it is to Helm 3 where that has other words; empty where it is no fault there.
    in_v3: Option<String>,
    is_nested: bool,
}

impl Fault {
    /// Returns what a helm says of it; nothing if that has no fault to find.
    pub fn words(&self, profile: Profile) -> Option<String> {
        let text = match &self.in_v3 {
            Some(text) if !profile.is_v4() => Some(text).filter(|text| !text.is_empty())?,
            _ => &self.text,
        };
        let wrong = self.wrong.as_ref().map(|wrong| wrong.words(profile, !self.is_nested));
        Some(failure::bounded(format!("{text}{}", wrong.unwrap_or_default())))
    }

    fn in_subchart(self, name: &str, chart: &str) -> Self {
        let within = |text: String| format!("error unpacking subchart {name} in {chart}: {text}");
        let in_v3 = self.in_v3.map(|text| if text.is_empty() { text } else { within(text) });
        Self { text: within(self.text), in_v3, is_nested: true, ..self }
    }
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Self { text, wrong: None, in_v3: None, is_nested: false }
    }
}

/// Returns the chart in these files. What the archives among them unpack to is taken from `left`.
pub(super) fn chart(mut files: Vec<ChartFile>, depth: usize, left: &mut u64) -> Result<Chart, Fault> {
    if depth > DEEPEST {
        return Err(format!("charts lie more than {DEEPEST} deep in each other").into());
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
            "values.yaml" => read_values(&mut chart, &file.data)?,
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
        return Err("Chart.yaml file is missing".to_owned().into());
    }
    chart.metadata.check().map_err(|error| format!("validation: {error}"))?;
    for (name, files) in nested {
        if name.starts_with(['_', '.']) {
            continue;
        }
        match subchart(&name, files, depth, left) {
            Ok(mut inner) => {
                if let Some(fault) = inner.fault.take() {
                    chart.fault.get_or_insert(fault.in_subchart(&name, &chart.metadata.name));
                }
                chart.dependencies.push(Arc::new(inner));
            }
            Err(fault) => return Err(fault.in_subchart(&name, &chart.metadata.name)),
        }
    }
    Ok(chart)
}

/// Returns the chart under one name in `charts/`; a lone file there is one without a `Chart.yaml`, as it is to helm.
fn subchart(name: &str, files: Vec<ChartFile>, depth: usize, left: &mut u64) -> Result<Chart, Fault> {
    if name.ends_with(".tgz") {
        return match files.into_iter().find(|file| file.name == name) {
            Some(file) => chart(archive::unpack(&file.data, left)?, depth + 1, left),
            None => Err(format!("error unpacking subchart tar in {name}: it is a folder").into()),
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

/// Reads `values.yaml` by the rules of Helm 4, and by those of Helm 3 where these find something else.
fn read_values(chart: &mut Chart, data: &[u8]) -> Result<(), Fault> {
    let named = |error: String| format!("cannot load values.yaml: {error}");
    match values(data, true) {
        Ok(documents) => {
            chart.values = documents;
            if streamed(data).len() > 1 {
                chart.values_in_v3 = values(data, false).map_err(named)?.pop();
            }
            Ok(())
        }
        Err(error) => match values(data, false) {
            Err(in_v3) => Err(Fault { in_v3: Some(named(in_v3)), ..Fault::from(named(error)) }),
            Ok(mut documents) => {
                chart.values_in_v3 = documents.pop();
                chart.fault.get_or_insert(Fault { in_v3: Some(String::new()), ..Fault::from(named(error)) });
                Ok(())
            }
        },
    }
}

fn read_into(metadata: &mut Metadata, file: &ChartFile) -> Result<(), Fault> {
    let document = document(file)?;
    let place = format!("cannot load {}: ", file.name);
    metadata.read(&document).map_err(|wrong| Fault { wrong: Some(Box::new(wrong)), ..Fault::from(place) })
}

/// Reads values: Helm 4 every document of a file, Helm 3 only the first.
pub(super) fn values(data: &[u8], is_v4: bool) -> Result<Vec<Map<String, Value>>, String> {
    if !is_v4 {
        return document_of_values(data).map(|document| vec![document]);
    }
    let mut documents = Vec::new();
    for text in streamed(data) {
        let text = text.map_err(|error| format!("error reading yaml document: {error}"))?;
        let document = document_of_values(text).map_err(|error| format!("cannot unmarshal yaml document: {error}"))?;
        documents.push(document);
    }
    Ok(documents)
}

fn document_of_values(text: &[u8]) -> Result<Map<String, Value>, String> {
    let mut value = yaml::parse(text).map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    floats(&mut value);
    let found = match value {
        Value::Null => return Ok(Map::new()),
        Value::Object(map) => return Ok(map),
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
    };
    Err(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
    ))
}

/// Returns the pieces of a stream as the reader of Kubernetes does: a `---` before which there is nothing stays in its
/// piece, and one with more than a comment behind it is an error.
fn streamed(data: &[u8]) -> Vec<Result<&[u8], String>> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = rest.trim_ascii();
            if !rest.is_empty() && rest[0] != b'#' {
                pieces.push(Err(format!("invalid Yaml document separator: {}", String::from_utf8_lossy(rest))));
                return pieces;
            }
            if at > start {
                pieces.push(Ok(&data[start..at]));
                start = at + line.len();
            }
        }
        at += line.len();
    }
    if data.len() > start {
        pieces.push(Ok(&data[start..]));
    }
    pieces
}

/// Returns the error that helm has for a dependency that is listed but not there.
pub(super) fn missing(chart: &Chart, profile: Profile) -> Option<Error> {
    let listed = chart.metadata.dependencies.iter().flatten();
    let missing: Vec<String> = listed
        .filter(|listed| !chart.dependencies.iter().any(|found| found.metadata.name == listed.name))
        .map(|listed| listed.name.clone())
        .collect();
    if missing.is_empty() {
        return None;
    }
    Some(match profile.is_v4() {
        true => Error::MissingDependencies(missing),
        false => Error::Load(format!(
            "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
            missing.join(", ")
        )),
    })
}

/// Returns the error that Helm 4 has for a chart of another generation; Helm 3 takes any.
pub(super) fn other_generation(chart: &Chart, profile: Profile) -> Option<Error> {
    let text = match chart.metadata.api_version.as_str() {
        "v1" | "v2" => return None,
        _ if !profile.is_v4() => return None,
        "v3" => "invalid chart apiVersion",
        _ => "unsupported chart version",
    };
    Some(Error::Unsuitable(text.into()))
}

/// Returns the error that helm has for a kind of chart that cannot be installed.
pub(super) fn not_installable(chart: &Chart) -> Option<Error> {
    match chart.metadata.kind.as_str() {
        "" | "application" => None,
        kind => Some(Error::Unsuitable(format!("{kind} charts are not installable"))),
    }
}
