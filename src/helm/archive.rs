//! Packed charts.

use std::io::Read;
use std::sync::Arc;

use super::load::ChartFile;

/// How much an archive may unpack to, as in helm.
const LARGEST_ARCHIVE: u64 = 100 << 20;

/// How much one file in an archive may unpack to, as in helm.
const LARGEST_FILE: u64 = 5 << 20;

/// Returns the files of a `.tgz`, without their first folder.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<ChartFile>, String> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let mut files = Vec::new();
    let mut left = LARGEST_ARCHIVE;
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).replace('\\', "/");
        let Some(name) = inner_name(&path)? else { continue };
        let size = entry.size();
        if size > LARGEST_FILE {
            return Err(format!(
                "decompressed chart file {path:?} is larger than the maximum file size {LARGEST_FILE}"
            ));
        }
        if size > left {
            return Err(format!("decompressed chart is larger than the maximum size {LARGEST_ARCHIVE}"));
        }
        left -= size;
        let mut data = Vec::new();
        entry.take(LARGEST_FILE + 1).read_to_end(&mut data).map_err(|error| error.to_string())?;
        files.push(ChartFile { name, data: Arc::from(data) });
    }
    if files.is_empty() {
        return Err("no files in chart archive".into());
    }
    Ok(files)
}

/// Returns the path in the chart; nothing for what lies beside it.
fn inner_name(path: &str) -> Result<Option<String>, String> {
    let Some((_, name)) = path.split_once('/') else { return Ok(None) };
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
    let drive = parts.first().is_some_and(|part| part.as_bytes().get(1) == Some(&b':'));
    if drive {
        return Err("chart contains illegally named files".into());
    }
    if parts.is_empty() {
        return Err("chart illegally contains content outside the base directory".into());
    }
    Ok(Some(parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_are_refused() {
        assert_eq!(inner_name("a/templates/./b.yaml"), Ok(Some("templates/b.yaml".into())));
        assert_eq!(inner_name("a"), Ok(None));
        for bad in ["a/../../etc/passwd", "/etc/passwd", "a//etc/passwd", "a/C:/b", "a/."] {
            assert!(inner_name(bad).is_err(), "{bad}");
        }
    }
}
