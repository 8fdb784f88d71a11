//! How values are laid over each other: files over files, users over charts, parents over subcharts.

use serde_json::{Map, Value};

use super::chart::Node;
use super::profile::Profile;

/// The key under which values go to every subchart.
pub(super) const GLOBAL: &str = "global";

/// Lays values over others: maps are merged, all else is replaced.
pub(super) fn merge(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

/// What becomes of nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nulls {
    /// A null deletes the default (`coalesce`).
    Delete,
    /// A null stays, so that it can still delete something in a subchart (`merge`).
    Keep,
}

/// Lays values over the defaults of a chart and its subcharts.
#[derive(Debug)]
pub(super) struct Coalesce {
    /// Which helm.
    pub profile: Profile,
    /// What did not fit.
    pub warnings: Vec<String>,
    /// How many more charts the dependencies may make of those that there are: each alias is one.
    pub room: usize,
}

/// How many charts a render may have.
const MOST_CHARTS: usize = 5_000;

impl Coalesce {
    pub fn new(profile: Profile) -> Self {
        Coalesce { profile, warnings: Vec::new(), room: MOST_CHARTS }
    }

    /// Returns the values of a chart under these ones; a null removes a default.
    pub fn values(&mut self, chart: &Node<'_>, values: Map<String, Value>) -> Result<Map<String, Value>, String> {
        self.all(chart, values, Nulls::Delete)
    }

    /// Returns the defaults of a chart and its subcharts with their nulls.
    pub fn defaults(&mut self, chart: &Node<'_>) -> Result<Map<String, Value>, String> {
        self.all(chart, Map::new(), Nulls::Keep)
    }

    fn all(
        &mut self,
        chart: &Node<'_>,
        mut values: Map<String, Value>,
        nulls: Nulls,
    ) -> Result<Map<String, Value>, String> {
        self.chart(chart, &mut values, nulls, "")?;
        Ok(values)
    }

    fn chart(
        &mut self,
        chart: &Node<'_>,
        values: &mut Map<String, Value>,
        nulls: Nulls,
        prefix: &str,
    ) -> Result<(), String> {
        let prefix = join(prefix, chart.name());
        self.own(chart, values, nulls, &prefix);
        for inner in &chart.dependencies {
            let name = inner.name();
            let globals = values.get(GLOBAL).cloned();
            let below = values.entry(name).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(below) = below else {
                return Err(format!("type mismatch on {name}: {}", as_truth(below)));
            };
            self.globals(below, globals, &prefix);
            self.chart(inner, below, nulls, &prefix)?;
        }
        Ok(())
    }

    /// Lays values over the defaults of one chart.
    fn own(&mut self, chart: &Node<'_>, values: &mut Map<String, Value>, nulls: Nulls, prefix: &str) {
        for (key, default) in chart.values.iter() {
            let is_subchart = chart.dependencies.iter().any(|inner| inner.name() == key);
            let inner_nulls = if is_subchart { Nulls::Keep } else { nulls };
            match values.get_mut(key) {
                None => self.fill(values, key, default, nulls),
                Some(Value::Null) if nulls == Nulls::Delete => drop(values.remove(key)),
                Some(Value::Object(over)) => match default {
                    Value::Object(under) => self.tables(over, under, inner_nulls, &join(prefix, key)),
                    Value::Null => {}
                    _ => self.warnings.push(format!("warning: skipped value for {prefix}.{key}: Not a table.")),
                },
                Some(_) => {}
            }
        }
    }

    /// Lays a map over another.
    fn tables(&mut self, over: &mut Map<String, Value>, under: &Map<String, Value>, nulls: Nulls, prefix: &str) {
        for (key, default) in under {
            match over.get_mut(key) {
                None => self.fill(over, key, default, nulls),
                Some(Value::Null) if nulls == Nulls::Delete => self.delete(over, key, default),
                Some(Value::Object(over)) => match default {
                    Value::Object(under) => self.tables(over, under, nulls, &join(prefix, key)),
                    Value::Null => {}
                    _ => self.warnings.push(format!(
                        "warning: destination for {} is a table. Ignoring non-table value ({})",
                        join(prefix, key),
                        shown(default)
                    )),
                },
                Some(_) if default.is_object() => self.warnings.push(format!(
                    "warning: cannot overwrite table with non table for {} ({})",
                    join(prefix, key),
                    shown(default)
                )),
                Some(_) => {}
            }
        }
    }

    /// Takes a default that nothing lies over.
    fn fill(&self, values: &mut Map<String, Value>, key: &str, default: &Value, nulls: Nulls) {
        if nulls == Nulls::Delete && self.profile.null_rules().cleans_defaults {
            if !default.is_null() {
                values.insert(key.to_owned(), without_nulls(default));
            }
        } else {
            values.insert(key.to_owned(), default.clone());
        }
    }

    /// Lets a null within a map remove a default.
    fn delete(&self, values: &mut Map<String, Value>, key: &str, default: &Value) {
        if !(default.is_null() && self.profile.null_rules().keeps_unmatched) {
            values.remove(key);
        }
    }

    /// Hands the parent's globals down; the parent's win.
    fn globals(&mut self, values: &mut Map<String, Value>, globals: Option<Value>, prefix: &str) {
        let parent = match globals {
            None => Map::new(),
            Some(Value::Object(globals)) => globals,
            Some(_) => {
                let place = join(prefix, GLOBAL);
                self.warnings.push(format!("warning: skipping globals because source {place} is not a table."));
                return;
            }
        };
        let own = values.entry(GLOBAL).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(own) = own else {
            let place = join(prefix, GLOBAL);
            self.warnings.push(format!("warning: skipping globals because destination {place} is not a table."));
            return;
        };
        for (key, value) in parent {
            match (own.get(&key), value) {
                (Some(Value::Object(under)), Value::Object(mut over)) => {
                    self.tables(&mut over, under, Nulls::Keep, &join(GLOBAL, &key));
                    own.insert(key, Value::Object(over));
                }
                (Some(Value::Object(_)), _) => {
                    self.warnings.push(format!("warning: key {prefix}.{key} is table. Skipping"));
                }
                (None, value @ Value::Object(_)) => drop(own.insert(key, value)),
                (Some(_), Value::Object(_)) => {
                    self.warnings.push(format!("warning: cannot merge map onto non-map {prefix}.{key}. Skipping."));
                }
                (_, value) => drop(own.insert(key, value)),
            }
        }
    }

    /// Lays a map over another and keeps nulls, as imported values are.
    pub fn merge_tables(&mut self, over: &mut Map<String, Value>, under: &Map<String, Value>) {
        self.tables(over, under, Nulls::Keep, "");
    }
}

/// Returns a value without the nulls in its maps.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(entries) => entries
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Returns a value as Go prints one for which a truth was expected, which is how helm shows it.
fn as_truth(value: &Value) -> String {
    let inside = |value: &Value| match value {
        Value::Null => "<nil>".to_owned(),
        value => as_truth(value),
    };
    match value {
        Value::Null => "%!t(<nil>)".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) if number.is_f64() => format!("%!t(float64={})", shown(value)),
        Value::Number(number) => format!("%!t(int64={number})"),
        Value::String(text) => format!("%!t(string={text})"),
        Value::Array(items) => format!("[{}]", items.iter().map(inside).collect::<Vec<_>>().join(" ")),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("%!t(string={key}):{}", inside(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

fn shown(value: &Value) -> String {
    String::from_utf8_lossy(&crate::template::print_value(&super::value::from_json(value))).into_owned()
}

/// Returns the map at a path of keys.
pub(super) fn table<'a>(values: &'a Map<String, Value>, path: &str) -> Option<&'a Map<String, Value>> {
    path.split('.').try_fold(values, |table, key| table.get(key)?.as_object())
}

/// Returns what is at a path of keys, unless it is a map.
pub(super) fn leaf<'a>(values: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (table, key) = match path.rsplit_once('.') {
        Some((above, key)) => (self::table(values, above)?, key),
        None => (values, path),
    };
    table.get(key).filter(|value| !value.is_object())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::chart::Chart;
    use super::super::metadata::Metadata;
    use super::*;

    fn chart(name: &str, values: Value) -> Chart {
        let mut chart = Chart::new(Metadata { name: name.into(), ..Metadata::default() });
        chart.values = vec![values.as_object().cloned().expect("a map")];
        chart
    }

    #[test]
    fn users_parents_and_subcharts() {
        let check = |profile: Profile, user: Value, wanted: Value| {
            let mut parent = chart(
                "parent",
                json!({"a": {"b": 1, "c": null}, "n": null, "l": [1, 2], "global": {"g": 1}, "sub": {"x": 2, "y": null}}),
            );
            let sub = chart("sub", json!({"x": 1, "y": 1, "z": 1, "global": {"h": 1}}));
            parent.dependencies = vec![std::sync::Arc::new(sub)];
            let mut coalesce = Coalesce::new(profile);
            let user = user.as_object().cloned().expect("a map");
            let values = coalesce.values(&Node::new(&parent, profile), user).expect("values");
            assert_eq!(Value::Object(values), wanted, "{profile}");
        };
        check(
            Profile::V3_19,
            json!({"a": {"b": null}, "l": [3]}),
            json!({"a": {"c": null}, "n": null, "l": [3], "global": {"g": 1},
                "sub": {"x": 2, "z": 1, "global": {"g": 1, "h": 1}}}),
        );
        check(
            Profile::V4_3,
            json!({"a": {"b": null, "c": null}, "l": [3], "n": null}),
            json!({"a": {"c": null}, "l": [3], "global": {"g": 1},
                "sub": {"x": 2, "y": 1, "z": 1, "global": {"g": 1, "h": 1}}}),
        );
        check(
            Profile::V4_3,
            json!({"sub": {"z": null}}),
            json!({"a": {"b": 1}, "l": [1, 2], "global": {"g": 1},
                "sub": {"x": 2, "global": {"g": 1, "h": 1}}}),
        );
        check(
            Profile::V4_3,
            json!({}),
            json!({"a": {"b": 1}, "l": [1, 2], "global": {"g": 1},
                "sub": {"x": 2, "y": 1, "z": 1, "global": {"g": 1, "h": 1}}}),
        );
    }
}
