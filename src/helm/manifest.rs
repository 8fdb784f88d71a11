//! What templates wrote, as manifests: split, told apart from hooks, sorted and printed.

use std::borrow::Cow;

use serde_json::Value;

use super::chart::Node;
use super::error::Error;
use super::options::{Form, Options, Rendered};
use super::profile::Profile;
use crate::template::lossy;
use crate::yaml;

/// Kinds in the order in which helm installs them. Kinds that are not here come last, by name.
const INSTALL_ORDER: &[&str] = &[
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// How many of the kinds above Helm 3 knows.
const KNOWN_TO_V3: usize = 36;

/// Events at which hooks run.
const HOOK_EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// What one template wrote.
pub(super) struct Written {
    /// Path of the template.
    pub path: String,
    pub text: String,
    /// Why it cannot be YAML, known already where it is no text.
    wrong: Option<String>,
}

impl Written {
    pub fn new(path: String, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Written { path, text, wrong: None },
            Err(error) => Written {
                path,
                text: lossy(error.as_bytes()).into_owned(),
                wrong: yaml::parse(error.as_bytes()).err().map(|error| error.to_string()),
            },
        }
    }
}

/// One object in what a template wrote.
struct Manifest<'t> {
    path: &'t str,
    text: &'t str,
    kind: String,
    /// Whether a hook event is `test`.
    is_test: bool,
}

/// Notes what helm prints for these texts, which are sorted by path.
pub(super) fn print(
    chart: &Node<'_>,
    written: &[Written],
    options: &Options,
    rendered: &mut Rendered,
) -> Result<(), Error> {
    if options.form == Form::Raw {
        let texts = written.iter().filter(|file| !file.text.trim().is_empty());
        texts.for_each(|file| push(&mut rendered.text, &file.path, &file.text));
        rendered.text.truncate(rendered.text.trim_end().len());
        rendered.text.push('\n');
        return Ok(());
    }
    let (mut manifests, mut hooks) = sorted_out(written, options.profile, &mut rendered.warnings)?;
    sort(&mut manifests, options.profile);
    sort(&mut hooks, options.profile);
    if options.no_hooks {
        hooks.clear();
    }
    if options.skip_tests {
        hooks.retain(|hook| !hook.is_test);
    }
    let crds = if options.include_crds && !options.skip_crds { crds(chart) } else { Vec::new() };
    if options.form == Form::Parts {
        let printed = manifests.iter().chain(&hooks).map(|part| (part.path.to_owned(), part.text.to_owned()));
        rendered.parts = crds.into_iter().map(|(path, text)| (path, text.into_owned())).chain(printed).collect();
        return Ok(());
    }
    let all = print_all(&crds, &manifests, &hooks);
    rendered.text =
        if options.show_only.is_empty() { all } else { print_some(&all, &options.show_only, options.profile)? };
    Ok(())
}

/// Returns manifests and hooks, in the order of their files.
fn sorted_out<'t>(
    written: &'t [Written],
    profile: Profile,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Manifest<'t>>, Vec<Manifest<'t>>), Error> {
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for file in written.iter().filter(|file| !file.text.trim().is_empty()) {
        let wrong = |error| Error::Render(format!("YAML parse error on {}: {error}{DEBUG_HINT}", file.path));
        if let Some(error) = &file.wrong {
            return Err(wrong(format!("error converting YAML to JSON: {error}")));
        }
        for text in split(&file.text, profile) {
            let head = Head::read(text, profile).map_err(wrong)?;
            let Some(events) = head.hook else {
                manifests.push(Manifest { path: &file.path, text, kind: head.kind, is_test: false });
                continue;
            };
            let events: Vec<String> = events.split(',').map(|event| event.trim().to_lowercase()).collect();
            match events.iter().find(|event| !HOOK_EVENTS.contains(&event.as_str())) {
                Some(unknown) => {
                    warnings.push(format!("{}: {unknown:?} is no hook that helm knows; left out", file.path))
                }
                None => {
                    let is_test = events.iter().any(|event| event.starts_with("test"));
                    hooks.push(Manifest { path: &file.path, text, kind: head.kind, is_test });
                }
            }
        }
    }
    Ok((manifests, hooks))
}

/// What helm adds when it has begun to render.
pub(super) const DEBUG_HINT: &str = "\n\nUse --debug flag to render out invalid YAML";

fn print_all(crds: &[Definition<'_>], manifests: &[Manifest<'_>], hooks: &[Manifest<'_>]) -> String {
    let of_crds = crds.iter().map(|(path, text)| path.len() + text.len());
    let of_others = manifests.iter().chain(hooks).map(|manifest| manifest.path.len() + manifest.text.len());
    let mut out = String::with_capacity(of_crds.chain(of_others).map(|size| size + HEAD + 2).sum());
    for (path, text) in crds {
        push(&mut out, path, text);
    }
    for manifest in manifests {
        push(&mut out, manifest.path, manifest.text);
    }
    // What comes first is a dash.
    out.truncate(out.trim_end().len());
    out.push('\n');
    for hook in hooks {
        push(&mut out, hook.path, hook.text);
    }
    out
}

/// Prints the manifests of these templates only, whose names go without the chart's. As in helm, they are found by their
/// headers in what would be printed.
fn print_some(all: &str, show_only: &[String], profile: Profile) -> Result<String, Error> {
    const HEADER: &str = "# Source: ";
    let name = |manifest: &str| {
        let (_, path) = manifest.split_once(HEADER)?;
        let (chart, rest) = path.split_once('/')?;
        let name = rest.lines().next().filter(|name| !name.is_empty() && !chart.is_empty())?;
        Some(name.to_owned())
    };
    let parts: Vec<(String, &str)> =
        split(all, profile).into_iter().filter_map(|part| Some((name(part)?, part))).collect();
    let mut out = String::new();
    for wanted in show_only {
        let mut found = false;
        for (_, text) in parts.iter().filter(|(name, _)| super::glob::file_matches(wanted, name)) {
            out.push_str(&format!("---\n{text}\n"));
            found = true;
        }
        if !found {
            return Err(Error::Render(format!("could not find template {wanted} in chart")));
        }
    }
    Ok(out)
}

/// How long is what stands before a path.
const HEAD: usize = "---\n# Source: ".len();

/// The path of a definition in `crds/` and its text.
type Definition<'c> = (String, Cow<'c, str>);

fn push(out: &mut String, path: &str, text: &str) {
    out.push_str("---\n# Source: ");
    out.push_str(path);
    out.push('\n');
    out.push_str(text);
    out.push('\n');
}

/// Returns the definitions in `crds/`, those of a chart before those of its subcharts.
fn crds<'c>(chart: &Node<'c>) -> Vec<Definition<'c>> {
    fn walk<'c>(chart: &Node<'c>, path: &str, found: &mut Vec<Definition<'c>>) {
        for file in &chart.chart.files {
            let name = file.name.to_ascii_lowercase();
            let is_manifest = [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
            if file.name.starts_with("crds/") && is_manifest {
                found.push((format!("{path}/{}", file.name), lossy(&file.data)));
            }
        }
        for inner in &chart.dependencies {
            walk(inner, &format!("{path}/charts/{}", inner.name()), found);
        }
    }
    let mut found = Vec::new();
    walk(chart, chart.name(), &mut found);
    found
}

/// Sorts by kind; what is of one kind keeps its order.
fn sort(manifests: &mut [Manifest<'_>], profile: Profile) {
    let known = if profile.is_v4() { INSTALL_ORDER } else { &INSTALL_ORDER[..KNOWN_TO_V3] };
    let place = |kind: &str| known.iter().position(|known| *known == kind).unwrap_or(known.len());
    manifests.sort_by_cached_key(|manifest| {
        let place = place(&manifest.kind);
        (place, if place == known.len() { manifest.kind.clone() } else { String::new() })
    });
}

/// What sorting needs to know of a manifest.
#[derive(Default)]
struct Head {
    kind: String,
    hook: Option<String>,
}

impl Head {
    fn read(text: &str, profile: Profile) -> Result<Self, String> {
        let value = yaml::parse_keys(text.as_bytes(), &["apiVersion", "kind", "metadata"])
            .map_err(|error| format!("error converting YAML to JSON: {error}"))?;
        let object = match &value {
            Value::Null => return Ok(Head::default()),
            Value::Object(object) => object,
            other => {
                let name = if profile.is_v4() { "util.SimpleHead" } else { "releaseutil.SimpleHead" };
                return Err(mismatch(other, &format!("Go value of type {name}")));
            }
        };
        // Go 1.27, which built Helm 4.3, leaves the type out and says which entry it is.
        let is_new = profile >= Profile::V4_3;
        let head = if is_new { "" } else { "SimpleHead" };
        let kind = text_at(object, "kind", head);
        text_at(object, "apiVersion", head)?;
        let kind = kind?;
        let metadata = match object.get("metadata") {
            None | Some(Value::Null) => return Ok(Head { kind, hook: None }),
            Some(Value::Object(metadata)) => metadata,
            Some(other) => {
                let wanted = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }";
                return Err(mismatch(other, &format!("Go struct field {head}.metadata of type {wanted}")));
            }
        };
        let wrong_name = text_at(metadata, "name", ".metadata").err();
        let annotations = match metadata.get("annotations") {
            None | Some(Value::Null) => None,
            Some(Value::Object(annotations)) => Some(annotations),
            Some(other) => {
                return Err(mismatch(other, "Go struct field .metadata.annotations of type map[string]string"));
            }
        };
        for (key, value) in annotations.into_iter().flatten() {
            if scalar(value).is_none() && !value.is_null() {
                let place = if is_new { format!(".{key}") } else { String::new() };
                let place = format!("Go struct field .metadata.annotations{place} of type string");
                return Err(mismatch(value, &place));
            }
        }
        match wrong_name {
            Some(error) => Err(error),
            None => Ok(Head { kind, hook: annotations.and_then(|all| all.get("helm.sh/hook")).and_then(scalar) }),
        }
    }
}

/// Returns the text under a key; empty if there is none.
fn text_at(object: &serde_json::Map<String, Value>, key: &str, place: &str) -> Result<String, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(value) => {
            scalar(value).ok_or_else(|| mismatch(value, &format!("Go struct field {place}.{key} of type string")))
        }
    }
}

/// Returns Go's words for a value of the wrong type.
fn mismatch(value: &Value, place: &str) -> String {
    let found = match value {
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    };
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into {place}")
}

/// Returns a scalar as the text that it becomes where a string is wanted.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

const BLANKS: [char; 5] = [' ', '\t', '\n', '\u{c}', '\r'];

/// Splits what a template wrote at its `---` lines.
fn split(text: &str, profile: Profile) -> Vec<&str> {
    let parts = match profile {
        Profile::V3_19 => split_loosely(text.trim()).into_iter().map(str::trim).collect(),
        Profile::V4_2 => split_loosely(text.trim_start()),
        Profile::V4_3 => split_lines(text.trim_start()),
    };
    parts.into_iter().filter(|part| !part.trim().is_empty()).map(str::trim_start).collect()
}

/// Splits at every line that begins with `---`, with all blanks around it, unless what is before it belongs to the last such
/// line.
fn split_loosely(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut from = 0;
    let dashes = memchr::memmem::Finder::new("---");
    while let Some(found) = dashes.find(&text.as_bytes()[from..]).map(|at| at + from) {
        from = found + 3;
        if found != 0 && !text[start..found].ends_with('\n') {
            continue;
        }
        parts.push(text[start..found].trim_end_matches(BLANKS));
        let rest = &text[from..];
        from += rest.len() - rest.trim_start_matches(BLANKS).len();
        start = from;
    }
    parts.push(&text[start..]);
    parts
}

/// Splits at every line that begins with `---`; the parts keep the newlines at their ends.
fn split_lines(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut from = 0;
    let dashes = memchr::memmem::Finder::new("---");
    while let Some(found) = dashes.find(&text.as_bytes()[from..]).map(|at| at + from) {
        from = found + 3;
        if found != 0 && !text[..found].ends_with('\n') {
            continue;
        }
        parts.push(&text[start..found]);
        let rest = &text[from..];
        from += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        start = from;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_as_each_helm_does() {
        let check = |text: &str, v3: &[&str], v4_2: &[&str], v4_3: &[&str]| {
            assert_eq!(split(text, Profile::V3_19), v3, "{text:?}");
            assert_eq!(split(text, Profile::V4_2), v4_2, "{text:?}");
            assert_eq!(split(text, Profile::V4_3), v4_3, "{text:?}");
        };
        check("a: 1\n\n---\nb: 2\n", &["a: 1", "b: 2"], &["a: 1", "b: 2\n"], &["a: 1\n\n", "b: 2\n"]);
        check("---\na: 1\n---\n\n---\n", &["a: 1", "---"], &["a: 1", "---\n"], &["a: 1\n"]);
        let parts = ["a: |\n  ---", "# c\nb: 1"];
        check("a: |\n  ---\n--- # c\nb: 1", &parts, &parts, &["a: |\n  ---\n", "# c\nb: 1"]);
    }

    #[test]
    fn kinds_in_order() {
        let kinds = |profile| {
            let names = ["ValidatingWebhookConfiguration", "Zebra", "Deployment", "", "Namespace", "Apple"];
            let mut manifests: Vec<Manifest<'_>> = names
                .iter()
                .map(|kind| Manifest { path: "", text: "", kind: (*kind).to_owned(), is_test: false })
                .collect();
            sort(&mut manifests, profile);
            manifests.into_iter().map(|manifest| manifest.kind).collect::<Vec<_>>().join(",")
        };
        assert_eq!(kinds(Profile::V3_19), "Namespace,Deployment,,Apple,ValidatingWebhookConfiguration,Zebra");
        assert_eq!(kinds(Profile::V4_3), "Namespace,Deployment,ValidatingWebhookConfiguration,,Apple,Zebra");
    }
}
