//! Which subcharts are part of a render, and which of their values their parents take over.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::chart::Node;
use super::merge::{Coalesce, leaf, table};
use super::profile::Profile;
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
            coalesce.room = coalesce.room.checked_sub(node.count()).ok_or("the dependencies make too many charts")?;
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
///
/// In helm the imported tables are not copied: what is merged into one afterwards also shows where it came from.
pub(super) fn import(chart: &mut Node<'_>, coalesce: &mut Coalesce) -> Result<(), String> {
    for node in &mut chart.dependencies {
        import(node, coalesce)?;
    }
    let Some(mut listed) = chart.metadata.dependencies.take() else { return Ok(()) };
    let defaults = Shared::new(coalesce.defaults(chart)?);
    let imported = Shared::default();
    for dependency in &mut listed {
        for import in &mut dependency.import_values {
            let (child, parent) = match import {
                Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                Value::Object(paths) => (shown(paths.get("child")), shown(paths.get("parent"))),
                _ => continue,
            };
            match defaults.table(&format!("{}.{child}", dependency.name)) {
                Some(found) => imported.merge(&nested(&parent, found), coalesce.profile),
                None => {
                    coalesce.warnings.push(format!("Warning: ImportValues missing table: {child:?} is not a table"))
                }
            }
            *import = serde_json::json!({"child": child, "parent": parent});
        }
    }
    let mut defaults = defaults.copy();
    coalesce.merge_tables(&mut defaults, &imported.copy());
    chart.values = Cow::Owned(defaults);
    chart.metadata.dependencies = Some(listed);
    Ok(())
}

/// A table that several others may hold.
#[derive(Clone, Debug, Default)]
struct Shared(Rc<RefCell<BTreeMap<String, Item>>>);

/// What is in one.
#[derive(Clone, Debug)]
enum Item {
    Leaf(Value),
    Table(Shared),
}

impl Shared {
    fn new(values: Map<String, Value>) -> Self {
        let item = |value| match value {
            Value::Object(values) => Item::Table(Shared::new(values)),
            other => Item::Leaf(other),
        };
        Shared(Rc::new(RefCell::new(values.into_iter().map(|(key, value)| (key, item(value))).collect())))
    }

    fn copy(&self) -> Map<String, Value> {
        let value = |item: &Item| match item {
            Item::Leaf(value) => value.clone(),
            Item::Table(table) => table.copy().into(),
        };
        self.0.borrow().iter().map(|(key, item)| (key.clone(), value(item))).collect()
    }

    /// Returns the table at a path of keys.
    fn table(&self, path: &str) -> Option<Shared> {
        path.split('.').try_fold(self.clone(), |table, key| match table.0.borrow().get(key) {
            Some(Item::Table(inner)) => Some(inner.clone()),
            _ => None,
        })
    }

    /// Adds what is missing here, tables and all.
    fn merge(&self, under: &Shared, profile: Profile) {
        if Rc::ptr_eq(&self.0, &under.0) {
            return;
        }
        if profile.is_v4() {
            let is_null = |item: &Item| matches!(item, Item::Leaf(Value::Null));
            let nulls: Vec<String> =
                self.0.borrow().iter().filter(|(_, item)| is_null(item)).map(|(key, _)| key.clone()).collect();
            under.0.borrow_mut().extend(nulls.into_iter().map(|key| (key, Item::Leaf(Value::Null))));
        }
        let items: Vec<(String, Item)> =
            under.0.borrow().iter().map(|(key, item)| (key.clone(), item.clone())).collect();
        for (key, item) in items {
            let known = self.0.borrow().get(&key).cloned();
            match (known, item) {
                (None, item) => drop(self.0.borrow_mut().insert(key, item)),
                (Some(Item::Table(inner)), Item::Table(below)) => inner.merge(&below, profile),
                (Some(_), _) => {}
            }
        }
    }
}

fn shown(path: Option<&Value>) -> String {
    match path {
        Some(Value::String(path)) => path.clone(),
        Some(other) => other.to_string(),
        None => "<nil>".into(),
    }
}

/// Returns a table with this one at a path; `.` is the top.
fn nested(path: &str, values: Shared) -> Shared {
    if path == "." {
        return values;
    }
    path.split('.').rev().fold(values, |inner, key| {
        Shared(Rc::new(RefCell::new(BTreeMap::from([(key.to_owned(), Item::Table(inner))]))))
    })
}
