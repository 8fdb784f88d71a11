//! Merges in memory; no work tree is touched and no reference moves.

use super::{Error, Repository, find_commit, object};
use crate::model::CommitId;

impl Repository {
    /// Merges `theirs` into `ours` and returns the commit: `theirs` itself if that is a fast-forward, `ours` if there is nothing to merge.
    ///
    /// # Errors
    /// When files conflict; they are named.
    pub fn merge(&self, ours: &CommitId, theirs: &CommitId, message: &str) -> Result<CommitId, Error> {
        let (ahead, behind) = self.ahead_behind(ours, theirs)?;
        if behind == 0 {
            return Ok(ours.clone());
        }
        if ahead == 0 {
            return Ok(theirs.clone());
        }
        let store = self.store();
        let (our, their) = (find_commit(&store, ours)?, find_commit(&store, theirs)?);
        let failed = || object(format!("{} and {} cannot be merged", ours.short(), theirs.short()));
        let mut index = store.merge_commits(&our, &their, None).map_err(failed())?;
        if index.has_conflicts() {
            let mut paths: Vec<String> = index
                .conflicts()
                .map_err(failed())?
                .flatten()
                .filter_map(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor))
                .map(|entry| crate::model::text::line(&String::from_utf8_lossy(&entry.path)).into_owned())
                .collect();
            paths.sort_unstable();
            paths.dedup();
            return Err(Error::Conflict { paths });
        }
        let tree = index.write_tree_to(&store).and_then(|id| store.find_tree(id)).map_err(failed())?;
        let who = super::audit::signature(&store).map_err(failed())?;
        let id = store.commit(None, &who, &who, message, &tree, &[&our, &their]).map_err(failed())?;
        Ok(CommitId::new(id.to_string()))
    }

    /// Makes a commit on top of `on` whose content is that of `content`: how a branch goes back without losing its history.
    ///
    /// # Errors
    /// When one of them is not here.
    pub fn restore(&self, on: &CommitId, content: &CommitId, message: &str) -> Result<CommitId, Error> {
        let store = self.store();
        let (parent, wanted) = (find_commit(&store, on)?, find_commit(&store, content)?);
        let failed = || object(format!("the content of {} cannot be restored", content.short()));
        let tree = wanted.tree().map_err(failed())?;
        let who = super::audit::signature(&store).map_err(failed())?;
        let id = store.commit(None, &who, &who, message, &tree, &[&parent]).map_err(failed())?;
        Ok(CommitId::new(id.to_string()))
    }
}
