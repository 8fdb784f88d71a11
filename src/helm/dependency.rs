//! Which subcharts are part of a render, and which of their values their parents take over.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::chart::Node;
use super::merge::{Coalesce, leaf, table};
use crate::model::version::{Constraint, Version};

/// Leaves in the subcharts that tags and conditions switch on, under their aliases.
pub(super) fn enable(
    chart: &mut Node<'_>,
    values: &Map<String, Value>,
    path: &str,
    coalesce: &mut Coalesce,
) -> Result<(), String> {
    let Some(mut listed) = chart.metadata.dependencies.take() else { return Ok(()) };
    let found = std::mem::take(&mut chart.dependencies);
    let fits = |node: &Node<'_>, name: &str, version: &str| {
        node.name() == name && is_in_range(version, &node.metadata.version)
    };
    let mut charts: Vec<Node<'_>> = found
        .iter()
        .filter(|node| !listed.iter().any(|dependency| fits(node, &dependency.name, &dependency.version)))
        .cloned()
        .collect();
    for dependency in &mut listed {
        if let Some(node) = found.iter().find(|node| fits(node, &dependency.name, &dependency.version)) {
            let mut node = node.clone();
            dependency.name_here().clone_into(&mut node.metadata.name);
            charts.push(node);
        }
        dependency.name = dependency.name_here().to_owned();
        dependency.enabled = true;
    }
    chart.dependencies = charts;
    let values = coalesce.values(chart, values.clone())?;
    if let Some(tags) = table(&values, "tags") {
        for dependency in &mut listed {
            let mut tagged = dependency.tags.iter().filter_map(|tag| tags.get(tag)?.as_bool()).peekable();
            dependency.enabled = tagged.peek().is_none() || tagged.any(|on| on);
        }
    }
    for dependency in &mut listed {
        let mut conditions = dependency.condition.trim().split(',').filter(|condition| !condition.is_empty());
        if let Some(on) = conditions.find_map(|condition| leaf(&values, &format!("{path}{condition}"))?.as_bool()) {
            dependency.enabled = on;
        }
    }
    let off: Vec<String> =
        listed.iter().filter(|dependency| !dependency.enabled).map(|dependency| dependency.name.clone()).collect();
    listed.retain(|dependency| !off.contains(&dependency.name));
    chart.dependencies.retain(|node| !off.iter().any(|name| name == node.name()));
    chart.metadata.dependencies = Some(listed);
    for node in &mut chart.dependencies {
        let path = format!("{path}{}.", node.name());
        enable(node, &values, &path, coalesce)?;
    }
    Ok(())
}

fn is_in_range(constraint: &str, version: &str) -> bool {
    match (Constraint::parse(constraint), Version::parse(version)) {
        (Some(constraint), Some(version)) => constraint.matches(&version),
        _ => false,
    }
}

/// Takes over what charts import from their subcharts (`import-values`), from the bottom up.
pub(super) fn import(chart: &mut Node<'_>, coalesce: &mut Coalesce) -> Result<(), String> {
    for node in &mut chart.dependencies {
        import(node, coalesce)?;
    }
    let Some(mut listed) = chart.metadata.dependencies.take() else { return Ok(()) };
    let mut defaults = coalesce.defaults(chart)?;
    let mut imported = Map::new();
    for dependency in &mut listed {
        for import in &mut dependency.import_values {
            let (child, parent) = match import {
                Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                Value::Object(paths) => (shown(paths.get("child")), shown(paths.get("parent"))),
                _ => continue,
            };
            match table(&defaults, &format!("{}.{child}", dependency.name)) {
                Some(found) => coalesce.merge_tables(&mut imported, &nested(&parent, found.clone())),
                None => {
                    coalesce.warnings.push(format!("Warning: ImportValues missing table: {child:?} is not a table"))
                }
            }
            *import = serde_json::json!({"child": child, "parent": parent});
        }
    }
    coalesce.merge_tables(&mut defaults, &imported);
    chart.values = Cow::Owned(defaults);
    chart.metadata.dependencies = Some(listed);
    Ok(())
}

fn shown(path: Option<&Value>) -> String {
    match path {
        Some(Value::String(path)) => path.clone(),
        Some(other) => other.to_string(),
        None => "<nil>".into(),
    }
}

/// Returns a map with this one at a path; `.` is the top.
fn nested(path: &str, values: Map<String, Value>) -> Map<String, Value> {
    if path == "." {
        return values;
    }
    path.split('.').rev().fold(values, |inner, key| Map::from_iter([(key.to_owned(), Value::Object(inner))]))
}
