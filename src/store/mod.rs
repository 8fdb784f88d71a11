//! What is kept on disk: where files lie, and the journal of what was done.

mod journal;
mod paths;

use std::path::PathBuf;

pub use journal::{Journal, Recorded};
pub use paths::Paths;

/// A file of ours could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}: {source}; {next}", path.display())]
pub struct Error {
    /// Which file or folder.
    pub path: PathBuf,
    /// What was tried.
    pub what: &'static str,
    /// Why it failed.
    #[source]
    pub source: std::io::Error,
    /// What to do next.
    pub next: &'static str,
}
