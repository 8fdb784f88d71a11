//! `template`: a chart rendered as `helm template` prints it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::args::{Idle, Template};
use super::lookup::Cluster;
use super::{Reach, pull, unwritable};
use crate::helm::{self, Capabilities, Chart, Form, Options, Profile, ValueInput};
use crate::model::Problem;

/// What helm adds to an error once rendering has begun.
const DEBUG_HINT: &str = "\n\nUse --debug flag to render out invalid YAML";

/// Renders a chart to standard output; warnings go to `notes`. The kubeconfig is read only if a cluster is asked for.
///
/// # Errors
/// With helm's own words when the chart does not render.
pub fn run(args: &Template, reach: &Reach<'_>, out: &mut dyn Write, notes: &mut dyn Write) -> Result<u8, Problem> {
    refuse(&args.idle)?;
    let (name, path) = name_and_chart(args)?;
    let mut options = options(args, name, reach)?;
    let chart = read(args, path, options.profile, reach, notes)?;
    let output_dir = args.output_dir.as_deref().filter(|folder| !folder.is_empty());
    if output_dir.is_some() {
        options.form = Form::Parts;
        options.show_only.clear();
    }
    let rendered = match helm::render(&chart, &options) {
        Ok(rendered) => rendered,
        Err(error) => return Err(failed(&chart, options, args, &error, out)?),
    };
    for warning in &rendered.warnings {
        writeln!(notes, "{}", crate::model::text::block(warning)).map_err(|error| unwritable(&error))?;
    }
    match output_dir {
        Some(folder) => {
            write_files(folder, args, &options.release_name, &rendered.parts, out)?;
            // Files leave nothing that one could be shown of.
            if let Some(wanted) = args.show_only.first() {
                return Err(Problem::new(format!("could not find template {wanted} in chart")));
            }
            writeln!(out).map_err(|error| unwritable(&error))?;
        }
        None => out.write_all(rendered.text.as_bytes()).map_err(|error| unwritable(&error))?,
    }
    // The process ends: taking a big chart apart first would only take time.
    std::mem::forget((chart, rendered));
    Ok(super::FINE)
}

/// Refuses the flags that would run programs, ask the network or read signatures.
fn refuse(idle: &Idle) -> Result<(), Problem> {
    let Some(flag) = idle.refused.first() else { return Ok(()) };
    let (reason, hint) = match *flag {
        "enable-dns" => {
            (": no name is resolved while a chart is rendered", "without the flag, getHostByName gives an empty text")
        }
        "validate" => ("", "use --dry-run=server to ask a cluster for its APIs"),
        "verify" => (": no signatures are checked", "`helm verify` checks an archive"),
        _ => (": no program runs while a chart is rendered", "pipe the output into the program"),
    };
    let flag = flag.trim_end_matches("-args");
    Err(Problem::new(format!("--{flag} is not supported{reason}")).hint(hint))
}

/// Returns the release's name and where the chart is.
fn name_and_chart(args: &Template) -> Result<(String, &str), Problem> {
    let name_template = args.name_template.as_ref().filter(|template| !template.is_empty());
    let asks_for_name = match (args.generate_name, name_template) {
        (Some(true), _) => Some("--generate-name"),
        (_, Some(_)) => Some("--name-template"),
        _ => None,
    };
    match (args.name_and_chart.as_slice(), asks_for_name) {
        ([], _) => Err(Problem::new("\"helm template\" requires at least 1 argument")
            .hint("Usage: quarterdeck template [NAME] CHART [flags]")),
        ([_, _], Some(flag)) => Err(Problem::new(format!("cannot set {flag} and also specify a name"))),
        ([name, path], None) => Ok((name.clone(), path)),
        ([path], _) => {
            let name = match name_template {
                Some(template) => helm::release_name(template).map_err(|error| Problem::new(error.to_string()))?,
                None => "release-name".to_owned(),
            };
            Ok((name, path))
        }
        ([_, _, rest @ ..], _) => {
            Err(Problem::new(format!("expected at most two arguments, unexpected arguments: {}", rest.join(", "))))
        }
    }
}

fn read(
    args: &Template,
    path: &str,
    profile: Profile,
    reach: &Reach<'_>,
    notes: &mut dyn Write,
) -> Result<Chart, Problem> {
    let folder = Path::new(path);
    if profile.is_v4() && folder.is_dir() && !folder.join("Chart.yaml").exists() {
        let file = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).join("Chart.yaml");
        let file = file.display();
        return Err(Problem::new(format!("unable to detect chart at {file}: open {file}: no such file or directory")));
    }
    let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
    if is_yaml && folder.is_file() {
        let file = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let file = file.display();
        return Err(Problem::new(format!("file '{file}' seems to be a YAML file, but expected a gzipped archive")));
    }
    if folder.is_file() && !is_packed(folder) {
        let file = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let file = file.display();
        return Err(Problem::new(format!(
            "file '{file}' does not appear to be a gzipped archive; got 'application/octet-stream'"
        )));
    }
    pull::find(args, path, reach.charts, notes)
}

/// Says whether a file begins as packed ones do; one that cannot be read is left to who reads it.
fn is_packed(file: &Path) -> bool {
    const START: [u8; 3] = [0x1f, 0x8b, 8];
    let mut start = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(START.len() as u64).read_to_end(&mut start));
    read.is_err() || start == START
}

/// Returns the problem of a chart that does not render; with `--debug`, what its templates wrote is printed all the same.
fn failed(
    chart: &Chart,
    mut options: Options,
    args: &Template,
    error: &helm::Error,
    out: &mut dyn Write,
) -> Result<Problem, Problem> {
    let text = error.to_string();
    match text.strip_suffix(DEBUG_HINT) {
        Some(text) if args.debug == Some(true) => {
            options.form = Form::Raw;
            let raw = helm::render(chart, &options).map_or_else(|_| "\n".to_owned(), |rendered| rendered.text);
            out.write_all(raw.as_bytes()).map_err(|error| unwritable(&error))?;
            Ok(Problem::new(text))
        }
        _ => Ok(Problem::new(text)),
    }
}

/// Writes each manifest into the file named as its template, and says so as helm does.
fn write_files(
    folder: &str,
    args: &Template,
    release_name: &str,
    parts: &[(String, String)],
    out: &mut dyn Write,
) -> Result<(), Problem> {
    let mut begun = BTreeSet::new();
    for (path, text) in parts {
        let is_definition = path.contains("/crds/");
        let name = match args.release_name {
            Some(true) if !is_definition => format!("{folder}/{release_name}/{path}"),
            _ => format!("{folder}/{path}"),
        };
        let file = Path::new(&name);
        let unwritten = |error: std::io::Error| Problem::new(format!("open {name}: {}", reason(&error)));
        if let Some(above) = file.parent() {
            fs::create_dir_all(above).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotADirectory => Problem::new(format!("stat {}: not a directory", above.display())),
                _ => unwritten(error),
            })?;
        }
        let is_first = begun.insert(name.clone());
        let mut file = fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(is_first)
            .append(!is_first)
            .open(file)
            .map_err(unwritten)?;
        write!(file, "---\n# Source: {path}\n{text}\n").map_err(unwritten)?;
        writeln!(out, "wrote {name}").map_err(|error| unwritable(&error))?;
    }
    Ok(())
}

fn options(args: &Template, release_name: String, reach: &Reach<'_>) -> Result<Options, Problem> {
    let profile: Profile = args.helm_compat.parse().map_err(|error: String| Problem::new(error))?;
    let is_on = |switch: Option<bool>| switch == Some(true);
    let mut capabilities = Capabilities::default_for(profile);
    let cluster = cluster(args, reach)?;
    if let Some(cluster) = &cluster
        && args.dry_run.as_deref() == Some("server")
    {
        capabilities.kube_version = cluster.discovery().kube_version();
        capabilities.api_versions = cluster.discovery().api_versions();
    }
    if let Some(version) = args.kube_version.as_ref().filter(|version| !version.is_empty()) {
        capabilities
            .set_kube_version(version)
            .map_err(|error| Problem::new(error).hint("write a version such as v1.33.0"))?;
    }
    let added = args.api_versions.iter().filter(|list| !list.is_empty()).flat_map(|list| list.split(','));
    capabilities.api_versions.extend(added.map(str::to_owned));
    let namespace = if args.namespace.is_empty() { "default" } else { &args.namespace };
    Ok(Options {
        capabilities: Arc::new(capabilities),
        is_upgrade: is_on(args.is_upgrade),
        values: values(args)?,
        include_crds: is_on(args.include_crds),
        skip_tests: is_on(args.skip_tests),
        no_hooks: is_on(args.no_hooks),
        show_only: args.show_only.clone(),
        skip_schema_validation: is_on(args.skip_schema_validation),
        lookup: cluster.map(|cluster| cluster as Arc<dyn helm::Lookup>),
        ..Options::new(profile, &release_name, namespace)
    })
}

/// Returns the cluster that the flags ask for.
fn cluster(args: &Template, reach: &Reach<'_>) -> Result<Option<Arc<Cluster>>, Problem> {
    let is_server = match args.dry_run.as_deref() {
        Some("server") => true,
        Some("" | "none" | "true" | "false") if args.helm_compat == "3.19" => false,
        None | Some("client") => false,
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") if args.helm_compat != "3.19" => false,
        Some(_) if args.helm_compat == "3.19" => {
            return Err(Problem::new(
                "Invalid dry-run flag. Flag must one of the following: false, true, none, client, server",
            ));
        }
        Some(other) => {
            let choice = match other {
                "none" | "0" | "f" | "F" | "false" | "FALSE" | "False" => "\"server\" or \"client\"",
                _ => "\"none\", \"server\", or \"client\"",
            };
            return Err(Problem::new(format!("invalid dry-run value ({other:?}). Must be {choice}")));
        }
    };
    if !is_server && args.lookup_context.is_none() {
        return Ok(None);
    }
    let hint = "name a kubeconfig with --kubeconfig or $KUBECONFIG";
    let kubeconfig =
        (reach.kubeconfig)()?.ok_or_else(|| Problem::new("there is no kubeconfig to read from").hint(hint))?;
    if let Some(flag) = args.idle.reach.first() {
        let hint = "put it into a kubeconfig, and name that with --kubeconfig";
        return Err(Problem::new(format!("--{flag} is not supported where a cluster is asked")).hint(hint));
    }
    let named = args.lookup_context.as_deref().or(args.idle.kube_context.as_deref());
    let context = named
        .or(kubeconfig.current())
        .ok_or_else(|| Problem::new("the kubeconfig has no current context").hint("name one with --lookup-context"))?;
    Cluster::connect(&kubeconfig, context).map(Some)
}

/// Returns the values in helm's order: files, JSON, plain, strings, files' texts, literals.
fn values(args: &Template) -> Result<Vec<ValueInput>, Problem> {
    let mut values = Vec::new();
    for name in args.values.iter().filter(|list| !list.is_empty()).flat_map(|list| list.split(',')) {
        let data = file(name).map_err(Problem::new);
        values.push(ValueInput::File { name: name.to_owned(), data: data?.into() });
    }
    values.extend(args.set_json.iter().cloned().map(ValueInput::SetJson));
    values.extend(args.set.iter().cloned().map(ValueInput::Set));
    values.extend(args.set_string.iter().cloned().map(ValueInput::SetString));
    for text in &args.set_file {
        let names = helm::set_file_names(text).map_err(|error| Problem::new(error.to_string()))?;
        let mut files = BTreeMap::new();
        for name in names {
            let data = file(&name).map_err(|error| Problem::new(format!("failed parsing --set-file data: {error}")))?;
            files.insert(name, String::from_utf8_lossy(&data).into_owned());
        }
        values.push(ValueInput::SetFiles { text: text.clone(), files });
    }
    values.extend(args.set_literal.iter().cloned().map(ValueInput::SetLiteral));
    Ok(values)
}

/// Reads a file that an argument names; `-` is standard input.
fn file(name: &str) -> Result<Vec<u8>, String> {
    if name.trim() == "-" {
        let mut data = Vec::new();
        std::io::stdin().read_to_end(&mut data).map_err(|error| format!("standard input cannot be read: {error}"))?;
        return Ok(data);
    }
    if name.contains("://") {
        return Err(format!("{name:?} is a URL, and nothing is fetched while rendering; download it first"));
    }
    fs::read(name).map_err(|error| match error.kind() {
        std::io::ErrorKind::IsADirectory => format!("read {name}: is a directory"),
        _ => format!("open {name}: {}", reason(&error)),
    })
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
