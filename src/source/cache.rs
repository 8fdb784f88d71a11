//! Charts read from trees, kept by the content of their folder.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::packed::Packed;
use crate::helm::{Chart, Lacking};
use crate::model::ChartArchive;

/// Charts by the content id of their folder. Shared by every render; bounded.
#[derive(Debug)]
pub struct ChartCache {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    turn: u64,
    charts: HashMap<String, (u64, Arc<Chart>)>,
    links: HashMap<String, bool>,
    lacking: HashMap<String, Arc<[Lacking]>>,
    packed: HashMap<String, (u64, Arc<Packed>)>,
}

impl ChartCache {
    /// Makes an empty cache for that many charts.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), kept: Mutex::default() }
    }

    /// Returns the chart with that content id, reading it if it is not kept.
    pub(super) fn chart(&self, id: &str, load: impl FnOnce() -> Result<Chart, String>) -> Result<Arc<Chart>, String> {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.turn += 1;
            let turn = kept.turn;
            if let Some((used, chart)) = kept.charts.get_mut(id) {
                *used = turn;
                return Ok(Arc::clone(chart));
            }
        }
        let chart = Arc::new(load()?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.charts.len() >= self.capacity {
            let oldest = kept.charts.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| id.clone());
            oldest.and_then(|oldest| kept.charts.remove(&oldest));
        }
        let turn = kept.turn;
        kept.charts.insert(id.to_owned(), (turn, Arc::clone(&chart)));
        Ok(chart)
    }

    /// Returns the tree of a packed chart, unpacking it if that was not done lately.
    ///
    /// # Errors
    /// When it cannot be unpacked.
    pub fn packed(&self, archive: &ChartArchive) -> Result<Arc<Packed>, String> {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.turn += 1;
            let turn = kept.turn;
            if let Some((used, tree)) = kept.packed.get_mut(&archive.digest) {
                *used = turn;
                return Ok(Arc::clone(tree));
            }
        }
        let tree = Arc::new(Packed::open(archive)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.packed.len() >= self.capacity {
            let oldest = kept.packed.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| id.clone());
            oldest.and_then(|oldest| kept.packed.remove(&oldest));
        }
        let turn = kept.turn;
        kept.packed.insert(archive.digest.clone(), (turn, Arc::clone(&tree)));
        Ok(tree)
    }

    /// Returns the dependencies that the chart with that id lacks, looking once.
    pub(super) fn lacking(
        &self,
        id: &str,
        look: impl FnOnce() -> Result<Vec<Lacking>, String>,
    ) -> Result<Arc<[Lacking]>, String> {
        if let Some(known) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).lacking.get(id) {
            return Ok(Arc::clone(known));
        }
        let found: Arc<[Lacking]> = look()?.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.lacking.len() >= 100_000 {
            kept.lacking.clear();
        }
        kept.lacking.insert(id.to_owned(), Arc::clone(&found));
        Ok(found)
    }

    /// Says whether the folder with that id holds symlinks, looking once.
    pub(super) fn links(&self, id: &str, look: impl FnOnce() -> Result<bool, String>) -> Result<bool, String> {
        if let Some(known) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).links.get(id) {
            return Ok(*known);
        }
        let found = look()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.links.len() >= 100_000 {
            kept.links.clear();
        }
        kept.links.insert(id.to_owned(), found);
        Ok(found)
    }
}
