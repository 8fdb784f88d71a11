//! What a source needs: which files, which values, which tool. Reads listings and override files, renders nothing.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::render::{Input, tree};
use super::substitute::Variables;
use super::supply::{Supplied, supplied};
use super::{EntryKind, Tree, application, path};
use crate::helm::Capabilities;
use crate::model::version::Version;
use crate::model::{Application, DirectoryBlock, HelmBlock, Source, Tool};
use crate::yaml;

/// What is done for one source. Its `Debug` text is part of the fingerprint, so it names all content by id.
#[derive(Debug)]
pub(super) enum Work {
    Nothing,
    Chart(Box<ChartWork>),
    Directory(DirectoryWork),
}

#[derive(Debug)]
pub(super) struct ChartWork {
    pub(super) path: String,
    pub(super) id: String,
    /// Every file's id, only if symlinks make the folder's own id say too little.
    pub(super) links: Vec<(String, String)>,
    /// Dependencies that are put in.
    pub(super) supplied: Vec<Supplied>,
    pub(super) release: String,
    pub(super) namespace: String,
    pub(super) values: Vec<Inline>,
    pub(super) capabilities: Arc<Capabilities>,
    pub(super) skip_crds: bool,
    pub(super) skip_tests: bool,
    pub(super) skip_schema_validation: bool,
}

#[derive(Debug)]
pub(super) struct DirectoryWork {
    pub(super) path: String,
    pub(super) files: Vec<(String, String)>,
}

/// One value argument, its content named by id where it lies in a tree.
#[derive(Debug)]
pub(super) enum Inline {
    File { source: usize, path: String, id: String },
    Text(String),
    Set(String),
    SetString(String),
    SetFile { name: String, source: usize, id: String },
}

pub(super) fn plan(input: &Input<'_>, index: usize) -> Result<Work, String> {
    let declared = &input.app.sources[index];
    if declared.path.is_empty() && !declared.is_chart() {
        return Ok(Work::Nothing);
    }
    let root = tree(input, index)?;
    if declared.path.starts_with('/') {
        return Err(format!("{}: app path is absolute; write it relative to the repository's root", declared.path));
    }
    let wanted = path::join("", &declared.path)
        .ok_or_else(|| format!("{}: app path leads out of the repository", declared.path))?;
    // A packed chart is a folder of its own; its path, if any, leads further into it.
    let Some((folder, entry)) = path::find(root, &wanted)? else {
        return Err(format!("{}: app path does not exist", declared.path));
    };
    if entry.kind != EntryKind::Tree {
        return Err(format!("{}: app path is not a directory", declared.path));
    }
    let source = overridden(input, root, &folder, declared)?;
    let tool = match &source.tool {
        Tool::Detect if !declared.chart.is_empty() => Tool::Helm(Box::default()),
        Tool::Detect => detect(root, &folder)?,
        tool => tool.clone(),
    };
    match tool {
        Tool::Helm(block) => {
            chart(input, index, &source, &block, folder, entry.id).map(|work| Work::Chart(Box::new(work)))
        }
        Tool::Directory(block) => directory(root, folder, &block).map(Work::Directory),
        Tool::Detect => directory(root, folder, &DirectoryBlock::default()).map(Work::Directory),
        Tool::Kustomize => Err(format!("{}: kustomize is not supported yet", declared.path)),
        Tool::Plugin(name) => Err(format!("{}: config management plugin {name:?} is not supported yet", declared.path)),
    }
}

fn detect(root: &dyn Tree, folder: &str) -> Result<Tool, String> {
    let mut tool = Tool::Detect;
    for (name, entry) in root.children(folder).map_err(|error| error.to_string())? {
        if entry.kind == EntryKind::Tree {
            continue;
        }
        if name.ends_with("Chart.yaml") {
            tool = Tool::Helm(Box::default());
        } else if matches!(name.as_str(), "kustomization.yaml" | "kustomization.yml" | "Kustomization") {
            tool = Tool::Kustomize;
        }
    }
    Ok(tool)
}

/// Applies `.argocd-source.yaml` and `.argocd-source-<app>.yaml` as JSON merge patches.
fn overridden(input: &Input<'_>, root: &dyn Tree, folder: &str, declared: &Source) -> Result<Source, String> {
    let mut source = declared.clone();
    for name in [".argocd-source.yaml".to_owned(), format!(".argocd-source-{}.yaml", input.app.id(input.control_plane))]
    {
        let at = path::join(folder, &name).unwrap_or_default();
        let Some((_, entry)) = path::find(root, &at)? else { continue };
        let bytes = root.blob(&entry.id).map_err(|error| error.to_string())?;
        let patch = yaml::parse(&bytes).map_err(|error| format!("{at}: {error}"))?;
        if patch.is_null() {
            continue;
        }
        let mut block = as_json(&source);
        json_patch::merge(&mut block, &patch);
        source = application::patched(&block, declared).map_err(|wrong| format!("{at}: {wrong}"))?;
    }
    Ok(source)
}

/// Writes a source the way it stands in a manifest, as far as an override file can reach.
fn as_json(source: &Source) -> Value {
    let mut value = json!({"repoURL": source.repo_url, "path": source.path});
    match &source.tool {
        Tool::Helm(helm) => {
            value["helm"] = json!({
                "releaseName": helm.release_name, "namespace": helm.namespace, "valueFiles": helm.value_files,
                "ignoreMissingValueFiles": helm.ignore_missing_value_files, "values": helm.values,
                "skipCrds": helm.skip_crds, "skipTests": helm.skip_tests,
                "skipSchemaValidation": helm.skip_schema_validation, "kubeVersion": helm.kube_version,
                "apiVersions": helm.api_versions,
                "parameters": helm.parameters.iter()
                    .map(|one| json!({"name": one.name, "value": one.value, "forceString": one.force_string}))
                    .collect::<Vec<_>>(),
                "fileParameters": helm.file_parameters.iter()
                    .map(|one| json!({"name": one.name, "path": one.path}))
                    .collect::<Vec<_>>(),
            });
            if let Some(values) = &helm.values_object {
                value["helm"]["valuesObject"] = values.clone();
            }
        }
        Tool::Directory(block) => {
            value["directory"] = json!({
                "recurse": block.recurse, "include": block.include, "exclude": block.exclude,
                "disableExtensionFilter": block.every_extension,
            });
            if block.jsonnet {
                value["directory"]["jsonnet"] = json!({"libs": [""]});
            }
        }
        Tool::Kustomize => value["kustomize"] = json!({"namePrefix": "-"}),
        Tool::Plugin(name) => value["plugin"] = json!({"name": name}),
        Tool::Detect => {}
    }
    value
}

fn chart(
    input: &Input<'_>,
    index: usize,
    source: &Source,
    block: &HelmBlock,
    folder: String,
    id: String,
) -> Result<ChartWork, String> {
    let root = tree(input, index)?;
    let app: &Application = input.app;
    let revision = input.sources[index].revision();
    let variables = Variables::new(app, input.control_plane, source, revision);
    let has_links = input.charts.links(&id, || path::files(root, &folder, true).map(|(_, links)| links))?;
    let links = if has_links { path::files(root, &folder, true)?.0 } else { Vec::new() };

    let supplied = supplied(input, root, &folder, &id, has_links)?;
    let mut values = Vec::new();
    let mut explicit = HashSet::new();
    for text in block.value_files.iter().filter(|text| !path::is_glob(text)) {
        let found = located(input, index, &folder, text, &variables)?;
        explicit.extend(found.into_iter().map(|(source, path, _)| (source, path)));
    }
    let mut seen = HashSet::new();
    for text in &block.value_files {
        for (source, path, found) in located(input, index, &folder, text, &variables)? {
            match found {
                Some(id) => {
                    let elsewhere = path::is_glob(text) && explicit.contains(&(source, path.clone()));
                    if !elsewhere && seen.insert((source, path.clone())) {
                        values.push(Inline::File { source, path, id });
                    }
                }
                None if block.ignore_missing_value_files => {}
                None => return Err(format!("{folder}: value file {text:?} does not exist ({path} in the repository)")),
            }
        }
    }
    match &block.values_object {
        Some(object) => values.push(Inline::Text(yaml::to_string(object))),
        None if !block.values.is_empty() => values.push(Inline::Text(block.values.clone())),
        None => {}
    }
    for (at, parameter) in block.parameters.iter().enumerate() {
        let again = |later: &crate::model::Parameter| {
            later.name == parameter.name && later.force_string == parameter.force_string
        };
        if block.parameters[at + 1..].iter().any(again) {
            continue;
        }
        let text = format!("{}={}", parameter.name, commas(&variables.apply(&parameter.value)));
        values.push(if parameter.force_string { Inline::SetString(text) } else { Inline::Set(text) });
    }
    for parameter in &block.file_parameters {
        for (source, path, found) in located(input, index, &folder, &parameter.path, &variables)? {
            let id = found
                .ok_or_else(|| format!("{folder}: file {path:?} of parameter {:?} does not exist", parameter.name))?;
            values.push(Inline::SetFile { name: parameter.name.clone(), source, id });
        }
    }
    let mut capabilities = input.capabilities.clone();
    if !block.kube_version.is_empty() || !block.api_versions.is_empty() {
        let changed = Arc::make_mut(&mut capabilities);
        if !block.kube_version.is_empty() {
            changed.kube_version = plain_version(&block.kube_version)?;
        }
        if !block.api_versions.is_empty() {
            changed.api_versions.clone_from(&block.api_versions);
        }
    }
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    Ok(ChartWork {
        path: folder,
        id,
        links,
        supplied,
        release: or(&block.release_name, &app.name),
        namespace: or(&block.namespace, &app.destination.namespace),
        values,
        capabilities,
        skip_crds: block.skip_crds,
        skip_tests: block.skip_tests,
        skip_schema_validation: block.skip_schema_validation,
    })
}

type Located = (usize, String, Option<String>);

/// Finds a value file or the files of a glob: `(source, path, blob id if it exists)`.
fn located(
    input: &Input<'_>,
    index: usize,
    folder: &str,
    text: &str,
    variables: &Variables,
) -> Result<Vec<Located>, String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return Err(format!("value file {text:?}: value files from the network are not supported yet"));
    }
    let referenced = text.strip_prefix('$').and_then(|rest| rest.split_once('/')).and_then(|(name, rest)| {
        let at = input.app.sources.iter().position(|source| !name.is_empty() && source.reference == name)?;
        Some((at, format!("/{}", variables.apply(rest))))
    });
    let (source, wanted) = referenced.unwrap_or_else(|| (index, variables.apply(text)));
    let root = tree(input, source)?;
    let full = path::join(folder, &wanted).ok_or_else(|| format!("value file {text:?} leads out of the repository"))?;
    if !path::is_glob(&full) {
        let found = path::find(root, &full)?.filter(|(_, entry)| entry.kind == EntryKind::Blob);
        return Ok(vec![(source, full, found.map(|(_, entry)| entry.id))]);
    }
    let fixed = full.split('/').take_while(|part| !path::is_glob(part)).collect::<Vec<_>>().join("/");
    let glob = path::glob(&full, true)?;
    let mut found = Vec::new();
    if path::find(root, &fixed)?.is_some_and(|(_, entry)| entry.kind == EntryKind::Tree) {
        for (name, id) in path::files(root, &fixed, true)?.0 {
            let name = path::join(&fixed, &name).unwrap_or_default();
            if glob.is_match(&name) {
                found.push((source, name, Some(id)));
            }
        }
    }
    Ok(if found.is_empty() { vec![(source, full, None)] } else { found })
}

/// Returns a Kubernetes version as `vMajor.Minor.Patch`, without what vendors append.
fn plain_version(text: &str) -> Result<String, String> {
    let version = Version::parse(text).ok_or_else(|| format!("helm.kubeVersion: {text:?} is no version"))?;
    Ok(format!("v{}.{}.{}", version.major, version.minor, version.patch))
}

/// Escapes commas that are not escaped, unless the value is a `{a,b}` list.
fn commas(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let (mut out, mut last) = (String::with_capacity(value.len()), ' ');
    for c in value.chars() {
        if c == ',' && last != '\\' {
            out.push('\\');
        }
        out.push(c);
        last = c;
    }
    out
}

fn directory(root: &dyn Tree, folder: String, block: &DirectoryBlock) -> Result<DirectoryWork, String> {
    if block.jsonnet {
        return Err(format!("{folder}: jsonnet is not supported yet"));
    }
    let glob = |text: &str| if text.is_empty() { Ok(None) } else { path::glob(text, false).map(Some) };
    let (include, exclude) = (glob(&block.include)?, glob(&block.exclude)?);
    let mut files = path::files(root, &folder, block.recurse)?.0;
    files.retain(|(name, _)| {
        (block.every_extension || [".yaml", ".yml", ".json", ".jsonnet"].iter().any(|end| name.ends_with(end)))
            && !exclude.as_ref().is_some_and(|glob| glob.is_match(name))
            && include.as_ref().is_none_or(|glob| glob.is_match(name))
    });
    if let Some((name, _)) = files.iter().find(|(name, _)| name.ends_with(".jsonnet")) {
        return Err(format!("{folder}/{name}: jsonnet is not supported yet"));
    }
    Ok(DirectoryWork { path: folder, files })
}
