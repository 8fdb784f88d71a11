//! The journal: one line of JSON before the first change of an action, one after the last. Lines are only ever added.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::model::{AuditEntry, Outcome};

/// The file that says who did what.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

/// What the journal held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// Actions, newest first. One without an outcome is [`Outcome::Interrupted`].
    pub entries: Vec<AuditEntry>,
    /// Lines that are not ours or were cut off; they stay in the file.
    pub unreadable: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
enum Line {
    Intent(AuditEntry),
    Outcome(AuditEntry),
}

impl Journal {
    /// Opens or makes the file. A last line that was cut off is moved to `<name>.torn`, so that new lines stand alone.
    ///
    /// # Errors
    /// When the file or its folder cannot be made or read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed(folder, "the folder cannot be made"))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed(path, "the journal cannot be opened"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed(path, "the journal cannot be read"))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let torn = &bytes[whole..];
        if !torn.is_empty() {
            if serde_json::from_slice::<Line>(torn).is_ok() {
                file.write_all(b"\n").map_err(failed(path, "the journal cannot be written"))?;
            } else {
                set_aside(path, torn)?;
                file.set_len(whole as u64).map_err(failed(path, "the journal cannot be mended"))?;
            }
            file.sync_all().map_err(failed(path, "the journal cannot be written"))?;
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Writes down what is about to be done, and returns once it is on disk. `outcome` of the entry is not looked at.
    ///
    /// # Errors
    /// When it cannot be written; then nothing may be changed.
    pub fn intent(&self, entry: &AuditEntry) -> Result<(), Error> {
        let entry = AuditEntry { outcome: Outcome::Interrupted, ..entry.clone() };
        self.append(&Line::Intent(entry))
    }

    /// Writes down how it ended.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn outcome(&self, entry: &AuditEntry) -> Result<(), Error> {
        self.append(&Line::Outcome(entry.clone()))
    }

    /// Returns the last actions, newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last(&self, count: usize) -> Result<Recorded, Error> {
        Self::read(&self.path, count)
    }

    /// Returns the last actions in a file, newest first, without opening it to write; none if there is no file yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path, count: usize) -> Result<Recorded, Error> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(failed(path, "the journal cannot be read"))?,
        };
        let mut recorded = Recorded::default();
        let mut places = std::collections::HashMap::new();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let Ok(line) = serde_json::from_slice::<Line>(line) else {
                recorded.unreadable += 1;
                continue;
            };
            let (Line::Intent(entry) | Line::Outcome(entry)) = line;
            match places.get(&entry.id) {
                Some(&place) => recorded.entries[place] = entry,
                None => {
                    places.insert(entry.id.clone(), recorded.entries.len());
                    recorded.entries.push(entry);
                }
            }
        }
        recorded.entries.reverse();
        recorded.entries.truncate(count);
        Ok(recorded)
    }

    /// Returns where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn append(&self, line: &Line) -> Result<(), Error> {
        let mut bytes = serde_json::to_vec(line)
            .map_err(|error| failed(&self.path, "the entry cannot be written as JSON")(std::io::Error::other(error)))?;
        bytes.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&bytes).map_err(failed(&self.path, "the journal cannot be written"))?;
        file.sync_data().map_err(failed(&self.path, "the journal cannot be written"))
    }
}

fn set_aside(path: &Path, torn: &[u8]) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".torn");
    let aside = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&aside)?;
        file.write_all(torn)?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(failed(&aside, "a line that was cut off cannot be kept"))
}

fn failed(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error { path, what, source, next: "check the folder's permissions and free space" }
}
