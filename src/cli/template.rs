//! `template`: a chart rendered as `helm template` prints it.

use std::io::Write;
use std::sync::Arc;

use super::args::Template;
use super::pull::{self, Charts};
use crate::helm::{self, Capabilities, Options, Profile, ValueInput};
use crate::model::Problem;

/// Renders a chart to standard output; warnings go to `notes`.
///
/// # Errors
/// With helm's own words when the chart does not render.
pub fn run(args: &Template, charts: Charts<'_>, out: &mut dyn Write, notes: &mut dyn Write) -> Result<u8, Problem> {
    let (name, path) = match args.name_and_chart.as_slice() {
        [name, path] => (name.clone(), path),
        [path] => ("release-name".to_owned(), path),
        _ => {
            return Err(
                Problem::new("\"helm template\" requires at least 1 argument").hint("give a chart's folder or archive")
            );
        }
    };
    let name = match &args.name_template {
        Some(template) => helm::release_name(template).map_err(|error| Problem::new(error.to_string()))?,
        None => name,
    };
    let chart = pull::find(args, path, charts, notes)?;
    let rendered = helm::render(&chart, &options(args, name)?).map_err(|error| Problem::new(error.to_string()))?;
    for warning in &rendered.warnings {
        writeln!(notes, "{}", crate::model::text::block(warning)).map_err(|error| super::unwritable(&error))?;
    }
    out.write_all(rendered.text.as_bytes()).map_err(|error| super::unwritable(&error))?;
    // The process ends: taking a big chart apart first would only take time.
    std::mem::forget((chart, rendered));
    Ok(super::FINE)
}

fn options(args: &Template, release_name: String) -> Result<Options, Problem> {
    let profile: Profile = args.helm_compat.parse().map_err(|error: String| Problem::new(error))?;
    let mut capabilities = Capabilities::default_for(profile);
    if let Some(version) = &args.kube_version {
        capabilities
            .set_kube_version(version)
            .map_err(|error| Problem::new(error).hint("write a version such as v1.33.0"))?;
    }
    capabilities.api_versions.extend(args.api_versions.iter().flat_map(|list| list.split(',')).map(str::to_owned));
    Ok(Options {
        profile,
        capabilities: Arc::new(capabilities),
        release_name,
        namespace: args.namespace.clone(),
        is_upgrade: args.is_upgrade,
        values: values(args)?,
        include_crds: args.include_crds,
        skip_crds: args.skip_crds,
        skip_tests: args.skip_tests,
        no_hooks: args.no_hooks,
        show_only: args.show_only.clone(),
        skip_schema_validation: args.skip_schema_validation,
        ..Options::default()
    })
}

/// Returns the values in helm's order: files, JSON, plain, strings, files' texts, literals.
fn values(args: &Template) -> Result<Vec<ValueInput>, Problem> {
    let mut values = Vec::new();
    for name in args.values.iter().flat_map(|list| list.split(',')) {
        if name.contains("://") {
            return Err(Problem::new(format!("value file {name:?} is a URL"))
                .hint("download it first; nothing is fetched while rendering"));
        }
        let data = std::fs::read(name).map_err(|error| Problem::new(format!("open {name}: {}", reason(&error))))?;
        values.push(ValueInput::File { name: name.to_owned(), data: data.into() });
    }
    values.extend(args.set_json.iter().cloned().map(ValueInput::SetJson));
    values.extend(args.set.iter().cloned().map(ValueInput::Set));
    values.extend(args.set_string.iter().cloned().map(ValueInput::SetString));
    for pair in args.set_file.iter().flat_map(|list| list.split(',')) {
        let (path, file) = pair
            .split_once('=')
            .ok_or_else(|| Problem::new(format!("failed parsing --set-file data: key {pair:?} has no value")))?;
        let data = std::fs::read(file).map_err(|error| {
            Problem::new(format!("failed parsing --set-file data: open {file}: {}", reason(&error)))
        })?;
        values.push(ValueInput::SetFile { path: path.to_owned(), data: data.into() });
    }
    values.extend(args.set_literal.iter().cloned().map(ValueInput::SetLiteral));
    Ok(values)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
