//! A chart on disk: a folder or an archive, read once, with nothing from outside it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::helm::{self, Chart, ChartFile};
use crate::model::Problem;

/// Most files that a chart folder may have, and most folders.
const MOST_FILES: usize = 20_000;
/// Largest file that is read, in bytes; helm has the same limit.
const LARGEST_FILE: u64 = 5 * 1024 * 1024;
/// Largest archive that is read, and most that a folder may hold, in bytes.
const LARGEST_CHART: u64 = 100 * 1024 * 1024;

/// Reads a chart from a folder or a `.tgz`.
///
/// # Errors
/// When there is none, or it is not a chart.
pub fn read(path: &Path) -> Result<Chart, Problem> {
    let about =
        fs::metadata(path).map_err(|_| Problem::new(format!("path {:?} not found", path.display().to_string())))?;
    if about.is_dir() {
        helm::load(files(path)?).map_err(|error| Problem::new(error.to_string()))
    } else {
        let bytes = contents(path, &about, LARGEST_CHART)?;
        helm::load_archive(&bytes).map_err(|error| Problem::new(error.to_string()))
    }
}

/// Reads all files of a chart's folder.
///
/// # Errors
/// When there is none, or a symlink leads out of it.
pub fn files(path: &Path) -> Result<Vec<ChartFile>, Problem> {
    if !path.is_dir() {
        return Err(Problem::new(format!("path {:?} not found", path.display().to_string())));
    }
    Folder::open(path)?.read()
}

/// Returns what a regular file holds, if it is still the one that was looked at, in memory that charts can share.
fn contents(path: &Path, seen: &Metadata, largest: u64) -> Result<Arc<[u8]>, Problem> {
    let unreadable = |error: std::io::Error| Problem::new(format!("{} cannot be read: {error}", path.display()));
    if !seen.is_file() {
        return Err(Problem::new(format!(
            "cannot load irregular file {} as it has file mode type bits set",
            path.display()
        )));
    }
    let mut file = open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !is_same(seen, &about) {
        return Err(Problem::new(format!("{} became another file while it was read", path.display()))
            .hint("try again when nothing changes the chart"));
    }
    if about.len() > largest {
        let name = path.display();
        return Err(Problem::new(format!("chart file {name} is larger than the maximum file size {largest}")));
    }
    let mut data: Arc<[u8]> = std::iter::repeat_n(0, about.len() as usize).collect();
    if let Some(data) = Arc::get_mut(&mut data) {
        file.read_exact(data).map_err(unreadable)?;
    }
    Ok(data)
}

/// Opens a file to read, without waiting for whoever may write to what it has become since.
#[cfg(target_os = "linux")]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    const NONBLOCK: i32 = 0o4000;
    OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path)
}

#[cfg(not(target_os = "linux"))]
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn is_same(seen: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    opened.is_file() && (seen.dev(), seen.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

/// A chart's folder, out of which no symlink may lead.
struct Folder {
    root: PathBuf,
    found: Vec<ChartFile>,
    folders: usize,
    left: u64,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, Problem> {
        let root =
            path.canonicalize().map_err(|error| Problem::new(format!("{} cannot be read: {error}", path.display())))?;
        Ok(Self { root, found: Vec::new(), folders: 0, left: LARGEST_CHART })
    }

    fn read(mut self) -> Result<Vec<ChartFile>, Problem> {
        let root = self.root.clone();
        self.walk(&root, "", 0)?;
        Ok(self.found)
    }

    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Problem> {
        self.folders += 1;
        if depth > 64 || self.folders > MOST_FILES {
            return Err(Problem::new(format!("{} is nested too deeply", folder.display()))
                .hint("is there a symlink that leads in a circle?"));
        }
        let unreadable = |error: std::io::Error| Problem::new(format!("{} cannot be read: {error}", folder.display()));
        let mut entries: Vec<_> =
            fs::read_dir(folder).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let mut path = entry.path();
            if entry.file_type().map_err(unreadable)?.is_symlink() {
                path = self.inside(&path)?;
            }
            // Links are resolved by now: what is one since then is no regular file.
            let about = fs::symlink_metadata(&path)
                .map_err(|error| Problem::new(format!("{} cannot be read: {error}", path.display())))?;
            if about.is_dir() {
                self.walk(&path, &format!("{name}/"), depth + 1)?;
            } else {
                self.take(name, &path, &about)?;
            }
        }
        Ok(())
    }

    fn inside(&self, link: &Path) -> Result<PathBuf, Problem> {
        let target =
            link.canonicalize().map_err(|error| Problem::new(format!("{} leads nowhere: {error}", link.display())))?;
        if target.starts_with(&self.root) && self.stays(link) {
            return Ok(target);
        }
        Err(Problem::new(format!("{} is a symlink that leads out of {}", link.display(), self.root.display()))
            .hint("put the file into the chart"))
    }

    /// Says whether a link leads to its target without leaving the chart on the way.
    fn stays(&self, link: &Path) -> bool {
        let (Ok(to), Some(folder)) = (fs::read_link(link), link.parent()) else { return false };
        let mut at = folder.to_owned();
        for part in to.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(at.pop()),
                Component::Normal(name) => at.push(name),
                Component::RootDir | Component::Prefix(_) => return false,
            }
            if !at.starts_with(&self.root) {
                return false;
            }
        }
        true
    }

    fn take(&mut self, name: String, path: &Path, about: &Metadata) -> Result<(), Problem> {
        if self.found.len() >= MOST_FILES {
            return Err(Problem::new(format!("{} holds more than {MOST_FILES} files", self.root.display())));
        }
        let data = contents(path, about, LARGEST_FILE)?;
        self.left = self
            .left
            .checked_sub(data.len() as u64)
            .ok_or_else(|| Problem::new(format!("{} holds more than {LARGEST_CHART} bytes", self.root.display())))?;
        self.found.push(ChartFile { name, data });
        Ok(())
    }
}
