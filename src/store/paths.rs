//! Where our files lie.

use std::path::{Path, PathBuf};

/// Our folders, as the XDG rules place them; the caller reads the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Settings.
    pub config: PathBuf,
    /// What is worth keeping.
    pub data: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
    /// The journal and the log.
    pub state: PathBuf,
}

impl Paths {
    /// Places all folders below one, as tests and the demo do.
    pub fn below(root: &Path) -> Self {
        Self {
            config: root.join("config"),
            data: root.join("data"),
            cache: root.join("cache"),
            state: root.join("state"),
        }
    }

    /// Returns the settings file.
    pub fn settings(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Returns the journal file.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal.jsonl")
    }

    /// Returns the log file.
    pub fn log(&self) -> PathBuf {
        self.state.join("quarterdeck.log")
    }

    /// Returns the folder for repositories that are cloned.
    pub fn repositories(&self) -> PathBuf {
        self.cache.join("git")
    }

    /// Returns the folder for charts that are pulled.
    pub fn charts(&self) -> PathBuf {
        self.cache.join("charts")
    }
}
