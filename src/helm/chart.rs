//! A loaded chart, and the same chart as one render sees it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

use super::load::{ChartFile, Fault};
use super::metadata::Metadata;
use super::profile::Profile;
use super::schema::Schema;
use crate::template::Templates;

/// How many orders of parsed templates a chart keeps: its subcharts can be switched in several ways.
const KEPT_SETS: usize = 8;

/// A chart with its subcharts. Rendering does not change it, so that threads can share it.
#[derive(Debug)]
pub struct Chart {
    pub(super) metadata: Metadata,
    /// Files under `templates/`.
    pub(super) templates: Vec<ChartFile>,
    /// Everything that `.Files` offers.
    pub(super) files: Vec<ChartFile>,
    /// The documents of `values.yaml`.
    pub(super) values: Vec<Map<String, Value>>,
    /// What Helm 3 reads there, where it is not the only document.
    pub(super) values_in_v3: Option<Map<String, Value>>,
    pub(super) schema: Option<Arc<[u8]>>,
    /// The same, read when it is needed first.
    pub(super) read_schema: OnceLock<Result<Schema, String>>,
    pub(super) dependencies: Vec<Arc<Chart>>,
    /// Why it cannot be rendered: each helm has its own words for it.
    pub(super) fault: Option<Fault>,
    parsed: Mutex<HashMap<(Profile, Vec<String>), Templates>>,
}

impl Chart {
    pub(super) fn new(metadata: Metadata) -> Self {
        Chart {
            metadata,
            templates: Vec::new(),
            files: Vec::new(),
            values: Vec::new(),
            values_in_v3: None,
            schema: None,
            read_schema: OnceLock::new(),
            dependencies: Vec::new(),
            fault: None,
            parsed: Mutex::default(),
        }
    }

    /// Returns what `Chart.yaml` says.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns the default values, by the rules of a helm release: Helm 3 reads only the first document.
    pub(super) fn defaults(&self, profile: Profile) -> Cow<'_, Map<String, Value>> {
        match (self.values.as_slice(), &self.values_in_v3) {
            (_, Some(values)) if !profile.is_v4() => Cow::Borrowed(values),
            ([], _) => Cow::Owned(Map::new()),
            ([only], _) => Cow::Borrowed(only),
            ([first, rest @ ..], _) => {
                let mut merged = first.clone();
                rest.iter().for_each(|document| super::merge::merge(&mut merged, document.clone()));
                Cow::Owned(merged)
            }
        }
    }

    /// Returns the templates of these names parsed in this order with the functions of a profile, from an earlier render if there was one.
    pub(super) fn parsed<E>(
        &self,
        profile: Profile,
        names: Vec<String>,
        parse: impl FnOnce(&[String]) -> Result<Templates, E>,
    ) -> Result<Templates, E> {
        let key = (profile, names);
        if let Some(known) = self.parsed.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let templates = parse(&key.1)?;
        let mut kept = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_SETS {
            kept.clear();
        }
        kept.insert(key, templates.clone());
        Ok(templates)
    }
}

/// A chart in one render: under an alias, with the subcharts that are switched on, with imported values.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub chart: &'a Chart,
    pub metadata: Metadata,
    pub values: Cow<'a, Map<String, Value>>,
    pub dependencies: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// Returns a chart with all its subcharts.
    pub fn new(chart: &'a Chart, profile: Profile) -> Self {
        Node {
            chart,
            metadata: chart.metadata.clone(),
            values: chart.defaults(profile),
            dependencies: chart.dependencies.iter().map(|inner| Node::new(inner, profile)).collect(),
        }
    }

    /// Returns how many charts it is, with its subcharts.
    pub fn count(&self) -> usize {
        1 + self.dependencies.iter().map(Node::count).sum::<usize>()
    }

    /// Returns its name here.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }
}
