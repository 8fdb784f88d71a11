//! The audit chain: one commit per action on `refs/quarterdeck/audit`, each pointing to the one before.

use git2::{Repository as Store, Signature};

use super::{Error, Repository, find_commit, object};
use crate::model::{AuditEntry, CommitId};

/// The reference that holds the chain.
pub const AUDIT: &str = "refs/quarterdeck/audit";

impl Repository {
    /// Returns the chain's newest commit.
    pub fn audit_head(&self) -> Option<CommitId> {
        let store = self.store();
        let commit = store.find_reference(AUDIT).ok()?.peel_to_commit().ok()?;
        Some(CommitId::new(commit.id().to_string()))
    }

    /// Writes the commit that records an action after `parent`. It counts once a push has moved [`AUDIT`] to it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn audit_commit(&self, parent: Option<&CommitId>, entry: &AuditEntry) -> Result<CommitId, Error> {
        let store = self.store();
        let failed = || object("the audit entry cannot be written");
        let text = serde_json::to_vec_pretty(entry).map_err(|error| Error::Object {
            what: format!("the audit entry cannot be written: {error}"),
            source: git2::Error::from_str(""),
        })?;
        let blob = store.blob(&text).map_err(failed())?;
        let mut builder = store.treebuilder(None).map_err(failed())?;
        builder.insert("entry.json", blob, 0o100_644).map_err(failed())?;
        let tree = builder.write().and_then(|id| store.find_tree(id)).map_err(failed())?;
        let parents = parent.map(|id| find_commit(&store, id)).transpose()?;
        let parents: Vec<_> = parents.iter().collect();
        let who = signature(&store).map_err(failed())?;
        let message = format!("{}: {}\n", entry.action, entry.title);
        let id = store.commit(None, &who, &who, &message, &tree, &parents).map_err(failed())?;
        Ok(CommitId::new(id.to_string()))
    }

    /// Returns the chain's entries, newest first; ones that cannot be read are left out.
    pub fn audit_entries(&self, limit: usize) -> Vec<AuditEntry> {
        let Some(head) = self.audit_head() else { return Vec::new() };
        let store = self.store();
        let mut at = find_commit(&store, &head).ok();
        let mut entries = Vec::new();
        while let Some(commit) = at.take().filter(|_| entries.len() < limit) {
            let entry = commit
                .tree()
                .ok()
                .and_then(|tree| tree.get_name("entry.json").map(|entry| entry.id()))
                .and_then(|id| store.find_blob(id).ok())
                .and_then(|blob| serde_json::from_slice(blob.content()).ok());
            entries.extend(entry);
            at = commit.parent(0).ok();
        }
        entries
    }
}

/// Returns who commits: the person that Git knows, else this program.
pub(super) fn signature(store: &Store) -> Result<Signature<'static>, git2::Error> {
    store.signature().or_else(|_| Signature::now("quarterdeck", "quarterdeck@localhost"))
}
