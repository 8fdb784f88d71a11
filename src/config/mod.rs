//! Files to typed settings: the user's own, and the policy that lies in a repository.

mod environments;
mod policy;
mod settings;
mod surroundings;
mod unknown;

use std::path::PathBuf;

pub use environments::environments;
pub use policy::{Freeze, Policy, Stage};
pub use settings::{Charts, Settings};
pub use surroundings::{ChartFiles, Surroundings};

/// A file of settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Error {
    /// Which file.
    pub path: PathBuf,
    /// Which line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub what: String,
}
