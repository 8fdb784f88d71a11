//! A chart on disk: a folder or an archive, read once, with nothing from outside it.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::helm::{self, Chart, ChartFile};
use crate::model::Problem;

/// Most files that a chart folder may have.
const MOST_FILES: usize = 20_000;
/// Largest file that is read, in bytes; helm has the same limit.
const LARGEST_FILE: u64 = 5 * 1024 * 1024;

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
        let bytes =
            fs::read(path).map_err(|error| Problem::new(format!("{} cannot be read: {error}", path.display())))?;
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

/// A chart's folder and the border that no symlink may cross.
struct Folder {
    root: PathBuf,
    border: PathBuf,
    found: Vec<ChartFile>,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, Problem> {
        let root =
            path.canonicalize().map_err(|error| Problem::new(format!("{} cannot be read: {error}", path.display())))?;
        let border = root.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&root).to_owned();
        Ok(Self { root, border, found: Vec::new() })
    }

    fn read(mut self) -> Result<Vec<ChartFile>, Problem> {
        let root = self.root.clone();
        self.walk(&root, "", 0)?;
        Ok(self.found)
    }

    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Problem> {
        if depth > 64 {
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
            let about = fs::metadata(&path)
                .map_err(|error| Problem::new(format!("{} cannot be read: {error}", path.display())))?;
            if about.is_dir() {
                self.walk(&path, &format!("{name}/"), depth + 1)?;
            } else if about.is_file() {
                self.take(name, &path, about.len())?;
            } else {
                return Err(Problem::new(format!(
                    "cannot load irregular file {} as it has file mode type bits set",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    fn inside(&self, link: &Path) -> Result<PathBuf, Problem> {
        let target =
            link.canonicalize().map_err(|error| Problem::new(format!("{} leads nowhere: {error}", link.display())))?;
        if target.starts_with(&self.border) {
            return Ok(target);
        }
        Err(Problem::new(format!("{} is a symlink that leads out of {}", link.display(), self.border.display()))
            .hint("put the file into the chart"))
    }

    fn take(&mut self, name: String, path: &Path, size: u64) -> Result<(), Problem> {
        if size > LARGEST_FILE {
            return Err(Problem::new(format!(
                "chart file {name:?} is larger than the maximum file size {LARGEST_FILE}"
            )));
        }
        if self.found.len() >= MOST_FILES {
            return Err(Problem::new(format!("{} holds more than {MOST_FILES} files", self.root.display())));
        }
        let data = contents(path, size)
            .map_err(|error| Problem::new(format!("{} cannot be read: {error}", path.display())))?;
        self.found.push(ChartFile { name, data });
        Ok(())
    }
}

/// Reads a file of a known size into memory that charts can share, without a copy on the way.
fn contents(path: &Path, size: u64) -> std::io::Result<Arc<[u8]>> {
    let mut data: Arc<[u8]> = std::iter::repeat_n(0, size as usize).collect();
    let mut file = fs::File::open(path)?;
    match Arc::get_mut(&mut data) {
        Some(data) => file.read_exact(data)?,
        None => return Err(std::io::ErrorKind::Other.into()),
    }
    Ok(data)
}
