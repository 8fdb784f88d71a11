//! From an Application's sources to manifests: helm, plain directory.

mod application;
mod cache;
mod manifest;
mod outline;
mod packed;
mod path;
mod plan;
mod render;
mod schema;
mod substitute;
mod supply;
mod unstable;

use std::sync::Arc;

pub use application::application;
pub use cache::ChartCache;
pub use outline::outline;
pub use packed::{Archives, NoArchives, Packed};
pub use render::{ChartRender, Input, Manifests, SourceInput, chart, fingerprint, origins, render};

/// A folder of files at one commit. Paths are relative, separated by `/`, without `.` or `..`; the root is the empty path.
pub trait Tree: Send + Sync {
    /// Returns what lies at a path, `None` if nothing does. Does not follow symlinks.
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError>;

    /// Returns a folder's children by name, in byte order; an error if it is no folder.
    fn children(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError>;

    /// Returns a blob's bytes (for a symlink: its target).
    fn blob(&self, id: &str) -> Result<Arc<[u8]>, TreeError>;
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Content id: equal ids mean equal content (for a folder, all that lies in it).
    pub id: String,
    /// Size in bytes of a blob; 0 for a folder.
    pub size: u64,
}

/// What a tree entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Tree,
    /// A file.
    Blob,
    /// A symbolic link.
    Symlink,
    /// A submodule, which is never entered.
    Submodule,
}

/// A tree could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct TreeError {
    /// Where.
    pub path: String,
    /// Why.
    pub reason: String,
}
