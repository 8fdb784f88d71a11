//! Packed charts.

use std::cell::Cell;
use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::Arc;

use flate2::read::GzDecoder;
use tar::Archive;

use super::load::ChartFile;

/// How much an archive, with all archives in it, may unpack to; one alone has the same limit in helm.
pub(super) const LARGEST_ARCHIVE: u64 = 100 << 20;

/// How much one file in an archive may unpack to, as in helm.
const LARGEST_FILE: u64 = 5 << 20;

/// How much of an archive may be anything but the contents of files.
const LARGEST_REST: u64 = 20 << 20;

/// How many files an archive may hold.
const MOST_FILES: usize = 20_000;

/// How long the name of a file may be.
const LONGEST_NAME: usize = 4096;

/// Returns the files of a `.tgz`, without their first folder. What they unpack to is taken from `left`.
///
/// Nothing is ever written to a disk, so names that only some file systems take for the same are different here.
pub(super) fn unpack(bytes: &[u8], left: &mut u64) -> Result<Vec<ChartFile>, String> {
    let foreseen = Cell::new(LARGEST_REST);
    let stream = Limited { inner: GzDecoder::new(bytes), left: &foreseen };
    let mut archive = Archive::new(stream);
    let mut files = Vec::new();
    let mut names = HashSet::new();
    for entry in archive.entries().map_err(|error| said(&error))? {
        let entry = entry.map_err(|error| said(&error))?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if path.len() > LONGEST_NAME {
            return Err(format!("a file name in the chart archive is longer than {LONGEST_NAME} bytes"));
        }
        if !kind.is_file() {
            return Err(format!("chart archive entry {path:?} is no regular file: links and devices are refused"));
        }
        let name = inner_name(&path)?;
        let size = entry.size();
        if entry.header().entry_size().is_ok_and(|other| other != size) {
            return Err(format!("chart archive entry {path:?} has two different sizes"));
        }
        if size > LARGEST_FILE {
            return Err(format!(
                "decompressed chart file {path:?} is larger than the maximum file size {LARGEST_FILE}"
            ));
        }
        *left = left.checked_sub(size).ok_or_else(too_large)?;
        foreseen.set(foreseen.get() + size);
        if files.len() >= MOST_FILES {
            return Err(format!("chart archive holds more than {MOST_FILES} files"));
        }
        if !names.insert(name.clone()) {
            return Err(format!("chart archive holds {name:?} twice"));
        }
        let mut data = Vec::new();
        entry.take(LARGEST_FILE + 1).read_to_end(&mut data).map_err(|error| said(&error))?;
        if data.len() as u64 != size {
            return Err(format!("chart archive ends in the middle of {path:?}"));
        }
        files.push(ChartFile { name, data: Arc::from(data) });
    }
    if files.is_empty() {
        return Err("no files in chart archive".into());
    }
    Ok(files)
}

/// Returns what Go says where an archive is cut off or no archive.
fn said(error: &io::Error) -> String {
    let text = error.to_string();
    let is_cut = error.kind() == io::ErrorKind::UnexpectedEof
        || ["incomplete deflate stream", "failed to read entire block"].iter().any(|cut| text.contains(cut));
    if is_cut { "unexpected EOF".to_owned() } else { text }
}

fn too_large() -> String {
    format!("decompressed chart is larger than the maximum size {LARGEST_ARCHIVE}")
}

/// A reader that fails when more comes out of it than was foreseen.
struct Limited<'a, R> {
    inner: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = self.left.get().checked_sub(read as u64);
        self.left.set(left.ok_or_else(|| io::Error::other(too_large()))?);
        Ok(read)
    }
}

/// Returns the path in the chart.
fn inner_name(path: &str) -> Result<String, String> {
    let is_drive = |part: &str| part.as_bytes().get(1) == Some(&b':');
    let path = path.replace('\\', "/");
    let (folder, name) = path.split_once('/').unwrap_or((&path, ""));
    if path.starts_with('/') || name.starts_with('/') {
        return Err("chart illegally contains absolute paths".into());
    }
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err("chart illegally references parent directory".into()),
            part => parts.push(part),
        }
    }
    if folder == ".." {
        return Err("chart illegally references parent directory".into());
    }
    if is_drive(folder) || parts.first().is_some_and(|part| is_drive(part)) || path.contains('\0') {
        return Err("chart contains illegally named files".into());
    }
    if parts.is_empty() {
        return Err(format!("chart illegally contains content outside the base directory: {path:?}"));
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_are_refused() {
        assert_eq!(inner_name("a/templates/./b.yaml"), Ok("templates/b.yaml".into()));
        assert_eq!(inner_name("./Chart.yaml"), Ok("Chart.yaml".into()));
        for bad in
            ["a", "a/../../etc/passwd", "../x", "/etc/passwd", "a//etc/passwd", "a/C:/b", "C:\\x", "a/.", "a/b\0c"]
        {
            assert!(inner_name(bad).is_err(), "{bad}");
        }
    }
}
