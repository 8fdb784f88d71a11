//! Where a value stands in an object, for people and for looking up who wrote it.

use std::fmt;

use serde_json::Value;

/// One step down into an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A field of a map.
    Field(String),
    /// An item of a list, found by its key fields.
    Item {
        /// The key fields with their values, as managedFields writes them (`{"name":"api"}`).
        key: Value,
    },
    /// An item of a list without keys, by its place.
    Index(usize),
}

/// Steps from the top of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(Vec<Step>);

impl Path {
    /// Returns the steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Goes down one step.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Goes back up.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Returns the names of the fields on the way, items left out: `["spec", "template", "containers"]`.
    pub fn fields(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter_map(|step| match step {
                Step::Field(name) => Some(name.as_str()),
                Step::Item { .. } | Step::Index(_) => None,
            })
            .collect()
    }
}

impl fmt::Display for Path {
    /// Writes `spec.template.spec.containers[api].image`; a name with dots stands in brackets and quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if name.contains(['.', '/', '[', ' ']) => write!(f, "[{name}]")?,
                Step::Field(name) if place == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item { key } => write!(f, "[{}]", label(key))?,
                Step::Index(place) => write!(f, "[{place}]")?,
            }
        }
        Ok(())
    }
}

fn label(key: &Value) -> String {
    let Some(map) = key.as_object() else { return key.to_string() };
    let values: Vec<String> =
        map.values().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
    values.join("/")
}
