//! One render: from a chart and options to the text that helm prints.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use serde_json::Value as Json;

use super::chart::{Chart, Node};
use super::error::Error;
use super::manifest::{self, DEBUG_HINT, Written};
use super::merge::Coalesce;
use super::options::{Options, Rendered};
use super::profile::Profile;
use super::redact::Secrets;
use super::state::State;
use super::{context, dependency, failure, function, input, load, schema, value};
use crate::model::version::{Constraint, Version};
use crate::template::{Budget, Executor, Map, Templates, Value, lossy_string, without_no_value};

/// The stack that the deepest nesting which a budget allows may need.
const STACK: usize = 256 << 20;

/// Renders a chart as `helm template` does. No error is longer than 4 KiB, and none shows secrets of the values.
pub fn render(chart: &Chart, options: &Options) -> Result<Rendered, Error> {
    let bounded = |error: Error| error.reworded(|text| failure::bounded(text.to_owned()));
    let user = input::values(&options.values, options.profile).map_err(bounded)?;
    if let Some(words) = chart.fault.as_ref().and_then(|fault| fault.words(options.profile)) {
        return Err(Error::Load(words));
    }
    let unfit = load::other_generation(chart, options.profile)
        .or_else(|| load::not_installable(chart))
        .or_else(|| load::missing(chart, options.profile));
    unfit.map_or(Ok(()), Err).map_err(bounded)?;
    check_release_name(&options.release_name, options.profile).map_err(bounded)?;
    // Any thread may ask: the stack that is needed is made here, and costs nothing before it is used.
    let run = || stacker::grow(STACK, || with_values(chart, user, options));
    std::panic::catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Error::Render("the renderer failed; please report this chart".into())))
}

/// Renders a chart with the values that a person gave.
fn with_values(chart: &Chart, user: serde_json::Map<String, Json>, options: &Options) -> Result<Rendered, Error> {
    let given = Json::Object(user.clone());
    let hide = |error: Error, values: &Json| {
        let mut secrets = Secrets::default();
        chart.values.iter().chain(values.as_object()).for_each(|values| secrets.note(values));
        error.reworded(|text| failure::bounded(secrets.hide(text)))
    };
    let mut coalesce = Coalesce::new(options.profile);
    let mut node = Node::new(chart, options.profile);
    dependency::enable(&mut node, &user, "", &mut coalesce)
        .and_then(|()| dependency::import(&mut node, &mut coalesce))
        .map_err(|error| match options.profile.is_v4() {
            true => Error::Values(format!("chart dependencies processing failed: {error}")),
            false => Error::Values(error),
        })
        .map_err(|error| hide(error, &given))?;
    let mut coalesce = Coalesce::new(options.profile);
    let values = coalesce.values(&node, user).map_err(|error| hide(Error::Values(error), &given))?;
    let values = Json::Object(values);
    let mut rendered = Rendered::default();
    checked(&node, &values, options)
        .and_then(|templates| run(&node, &values, &templates, options, &mut rendered))
        .map_err(|error| hide(error, &values))?;
    if !coalesce.warnings.is_empty() {
        let mut secrets = Secrets::default();
        values.as_object().into_iter().for_each(|values| secrets.note(values));
        rendered.warnings.splice(0..0, coalesce.warnings.iter().map(|text| failure::bounded(secrets.hide(text))));
    }
    Ok(rendered)
}

/// Checks what the chart demands of values and cluster; returns its templates.
fn checked(node: &Node<'_>, values: &Json, options: &Options) -> Result<Templates, Error> {
    if !options.skip_schema_validation {
        schema::check(node, values).map_err(Error::Schema)?;
    }
    check_kube_version(node, options)?;
    parsed(node, options)
}

/// Returns the release name that a template gives (`--name-template`), without values.
pub fn release_name(template: &str) -> Result<String, Error> {
    let find = |name: &str| function::find(Profile::default(), name);
    let known = |name: &str| find(name).is_some();
    let mut templates = Templates::new();
    let bounded = |text: String| Error::Values(failure::bounded(text));
    let parsed = templates.parse("name-template", template.as_bytes(), &known);
    parsed.map_err(|error| bounded(error.to_string()))?;
    let mut state = State::new(Profile::default());
    let budget = Budget { depth: 100, ..Budget::default() };
    let out = Executor::new(&templates, &find, &mut state, budget).execute("name-template", &Value::Nil);
    out.map(lossy_string).map_err(|error| bounded(failure::without_marks(&error.to_string())))
}

fn check_release_name(name: &str, profile: Profile) -> Result<(), Error> {
    const LONGEST: usize = 53;
    let is_label = |part: &str| {
        let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let bytes = part.as_bytes();
        ends(bytes.first().copied())
            && ends(bytes.last().copied())
            && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    };
    let before = if profile.is_v4() { "release name check failed: " } else { "" };
    if name.is_empty() {
        return Err(Error::Values(format!("{before}release name \"\": no name provided")));
    }
    if name.len() <= LONGEST && name.split('.').all(is_label) {
        return Ok(());
    }
    let name = crate::template::format::quote_text(name);
    Err(Error::Values(format!(
        "{before}release name {name}: invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than {LONGEST}"
    )))
}

fn check_kube_version(node: &Node<'_>, options: &Options) -> Result<(), Error> {
    let (wanted, version) = (&node.metadata.kube_version, &options.capabilities.kube_version);
    let numbers = options.capabilities.numbers();
    let fits = || Some(Constraint::parse(wanted)?.matches(&Version::parse(numbers)?));
    if wanted.is_empty() || fits() == Some(true) {
        return Ok(());
    }
    Err(Error::Unsuitable(format!(
        "chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version}{DEBUG_HINT}"
    )))
}

/// What a template sees.
struct Task {
    data: Map,
    base_path: String,
}

/// Parses the templates of a chart and its subcharts, or takes them from an earlier render.
fn parsed(node: &Node<'_>, options: &Options) -> Result<Templates, Error> {
    let mut texts = BTreeMap::new();
    collect(node, node.name().to_owned(), &mut texts);
    let known = |name: &str| function::find(options.profile, name).is_some();
    node.chart.parsed(options.profile, in_order(texts.keys()), |names| {
        let texts: Vec<_> = names.iter().map(|name| (name.as_str(), texts[name])).collect();
        let mut templates = Templates::new();
        templates.parse_all(&texts, &known).map_err(|error| failure::parse(&error))?;
        Ok(templates)
    })
}

/// Collects the texts of the templates that count, by their paths.
fn collect<'a>(node: &'a Node<'_>, path: String, texts: &mut BTreeMap<String, &'a Arc<[u8]>>) {
    for inner in &node.dependencies {
        collect(inner, format!("{path}/charts/{}", inner.name()), texts);
    }
    for file in node.chart.templates.iter().filter(|file| counts(node, &file.name)) {
        texts.insert(format!("{path}/{}", file.name), &file.data);
    }
}

/// Says whether a template counts: of libraries only the partials do.
fn counts(node: &Node<'_>, name: &str) -> bool {
    is_partial(name) || !node.metadata.is_library()
}

fn is_partial(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
}

/// Returns names in the order in which helm parses and renders: the deepest first.
fn in_order<'n>(names: impl Iterator<Item = &'n String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort_by_cached_key(|name| std::cmp::Reverse((name.matches('/').count(), name.clone())));
    names
}

/// Runs the templates, and prints what they wrote.
fn run(
    node: &Node<'_>,
    values: &Json,
    templates: &Templates,
    options: &Options,
    rendered: &mut Rendered,
) -> Result<(), Error> {
    let values = match value::from_json(values) {
        Value::Map(values) => values,
        _ => Map::new(),
    };
    let shared = Shared {
        release: context::release(options),
        capabilities: context::capabilities(&options.capabilities, options.profile),
        options,
    };
    let mut tasks = BTreeMap::new();
    contexts(node, node.name().to_owned(), true, values, &shared, &mut tasks);
    let find = |name: &str| function::find(options.profile, name);
    let mut state = State { lookup: options.lookup.clone(), ..State::new(options.profile) };
    state.now = state.now.checked_add(options.clock_ahead).unwrap_or(state.now);
    let mut executor = Executor::new(templates, &find, &mut state, options.budget);
    let mut written = Vec::new();
    for name in &in_order(tasks.keys()) {
        if is_partial(name) || !templates.lookup(name) {
            continue;
        }
        let task = &tasks[name];
        task.data.insert("Template", context::template(name, &task.base_path, options.profile));
        let out = executor
            .execute(name, &value::values(&task.data, options.profile).into())
            .map_err(|error| failure::execution(&error, options.profile))?;
        if name.ends_with("NOTES.txt") {
            continue;
        }
        written.push(Written::new(name.clone(), without_no_value(out)));
    }
    written.sort_by(|one, other| one.path.cmp(&other.path));
    drop(executor);
    manifest::print(node, &written, options, rendered)?;
    rendered.warnings.append(&mut state.warnings);
    rendered.nondeterministic = state.nondeterministic.iter().map(|name| (*name).to_owned()).collect();
    Ok(())
}

/// What all charts of a render see.
struct Shared<'a> {
    release: Value,
    capabilities: Value,
    options: &'a Options,
}

/// Collects the templates of a chart and its subcharts; returns what the chart's templates see.
fn contexts(
    node: &Node<'_>,
    path: String,
    is_root: bool,
    values: Map,
    shared: &Shared<'_>,
    tasks: &mut BTreeMap<String, Task>,
) -> Map {
    let subcharts = Map::new();
    let data = Map::new();
    data.insert("Chart", context::chart(&node.metadata, is_root, shared.options.profile));
    data.insert("Files", context::Files::value(&node.chart.files, shared.options.profile));
    data.insert("Release", shared.release.clone());
    data.insert("Capabilities", shared.capabilities.clone());
    data.insert("Values", value::values(&values, shared.options.profile));
    data.insert("Subcharts", subcharts.clone());
    for inner in &node.dependencies {
        let values = match values.value(inner.name().as_bytes()) {
            Some(Value::Map(values)) => values,
            _ => Map::new(),
        };
        let path = format!("{path}/charts/{}", inner.name());
        let data = contexts(inner, path, false, values, shared, tasks);
        subcharts.insert(inner.name(), data);
    }
    let base_path = format!("{path}/templates");
    for file in node.chart.templates.iter().filter(|file| counts(node, &file.name)) {
        let task = Task { data: data.clone(), base_path: base_path.clone() };
        tasks.insert(format!("{path}/{}", file.name), task);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_names() {
        for good in ["rel", "a.b-c", "0"] {
            assert!(check_release_name(good, Profile::V4_3).is_ok(), "{good}");
        }
        for bad in ["", "Rel", "a_b", "-a", "a.", &"a".repeat(54)] {
            assert!(check_release_name(bad, Profile::V4_3).is_err(), "{bad}");
        }
    }
}
