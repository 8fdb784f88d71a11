//! Trees at a commit, read from Git objects.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use git2::{ObjectType, Oid};

use super::{Error, Repository, find_commit, object};
use crate::model::CommitId;
use crate::source::{Entry, EntryKind, Tree, TreeError};

/// Largest blob that is read, in bytes.
const LARGEST_BLOB: usize = 64 * 1024 * 1024;

impl Repository {
    /// Returns the folder at a commit.
    ///
    /// # Errors
    /// When the commit is not here.
    pub fn tree(&self, commit: &CommitId) -> Result<Arc<dyn Tree>, Error> {
        let root = {
            let store = self.store();
            let commit = find_commit(&store, commit)?;
            commit.tree_id()
        };
        Ok(Arc::new(CommitTree { repository: self.clone(), root, folders: Mutex::default() }))
    }

    /// Returns the content id of what lies at a path of a commit.
    ///
    /// # Errors
    /// When the commit is not here.
    pub fn content_id(&self, commit: &CommitId, path: &str) -> Result<Option<String>, Error> {
        let store = self.store();
        let tree = find_commit(&store, commit)?.tree().map_err(object("the tree cannot be read"))?;
        if path.is_empty() {
            return Ok(Some(tree.id().to_string()));
        }
        Ok(tree.get_path(std::path::Path::new(path)).ok().map(|entry| entry.id().to_string()))
    }
}

type Listing = Arc<Vec<(String, Entry)>>;

struct CommitTree {
    repository: Repository,
    root: Oid,
    folders: Mutex<HashMap<Oid, Listing>>,
}

impl CommitTree {
    fn listing(&self, id: Oid, path: &str) -> Result<Listing, TreeError> {
        if let Some(known) = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(known.clone());
        }
        let failed = |reason: String| TreeError { path: path.to_owned(), reason };
        let store = self.repository.store();
        let tree = store.find_tree(id).map_err(|error| failed(error.message().to_owned()))?;
        let mut entries = Vec::with_capacity(tree.len());
        for entry in &tree {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            if name.is_empty()
                || name == "."
                || name == ".."
                || name.eq_ignore_ascii_case(".git")
                || name.contains(['/', '\\', '\0'])
            {
                return Err(failed(format!("it holds an entry named {name:?}, which no repository may have")));
            }
            let kind = match (entry.filemode(), entry.kind()) {
                (0o120_000, _) => EntryKind::Symlink,
                (_, Some(ObjectType::Tree)) => EntryKind::Tree,
                (_, Some(ObjectType::Blob)) => EntryKind::Blob,
                _ => EntryKind::Submodule,
            };
            let size = match kind {
                EntryKind::Blob | EntryKind::Symlink => {
                    store.odb().and_then(|odb| odb.read_header(entry.id())).map_or(0, |(size, _)| size as u64)
                }
                EntryKind::Tree | EntryKind::Submodule => 0,
            };
            entries.push((name, Entry { kind, id: entry.id().to_string(), size }));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        drop(tree);
        drop(store);
        let listing = Arc::new(entries);
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(id, listing.clone());
        Ok(listing)
    }
}

impl Tree for CommitTree {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        let mut at = Entry { kind: EntryKind::Tree, id: self.root.to_string(), size: 0 };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if at.kind != EntryKind::Tree {
                return Ok(None);
            }
            let listing = self.listing(parse(&at.id, path)?, path)?;
            match listing.binary_search_by(|(known, _)| known.as_str().cmp(name)) {
                Ok(place) => at = listing[place].1.clone(),
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    fn children(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        match self.entry(path)? {
            Some(entry) if entry.kind == EntryKind::Tree => Ok(self.listing(parse(&entry.id, path)?, path)?.to_vec()),
            Some(_) => Err(TreeError { path: path.to_owned(), reason: "is not a folder".to_owned() }),
            None => Err(TreeError { path: path.to_owned(), reason: "does not exist".to_owned() }),
        }
    }

    fn blob(&self, id: &str) -> Result<Arc<[u8]>, TreeError> {
        let failed = |reason: String| TreeError { path: id.to_owned(), reason };
        let oid = parse(id, id)?;
        let store = self.repository.store();
        // The size is asked first: a blob is in memory as a whole or not at all.
        let size = store.odb().and_then(|odb| odb.read_header(oid)).map(|(size, _)| size);
        if size.map_err(|error| failed(error.message().to_owned()))? > LARGEST_BLOB {
            return Err(failed(format!("is larger than {} MiB", LARGEST_BLOB >> 20)));
        }
        let blob = store.find_blob(oid).map_err(|error| failed(error.message().to_owned()))?;
        Ok(blob.content().into())
    }
}

fn parse(id: &str, path: &str) -> Result<Oid, TreeError> {
    Oid::from_str(id).map_err(|_| TreeError { path: path.to_owned(), reason: format!("{id:?} is not a content id") })
}
