//! Dependencies that a chart lists and does not carry: from its own repository, or from chart repositories.

use super::render::Input;
use super::{EntryKind, Tree, path};
use crate::helm::{self, ChartFile, Lacking};
use crate::model::{ChartArchive, ChartRequest};

/// Largest file of a chart, in bytes, as in helm.
const LARGEST_FILE: usize = 5 << 20;

/// Most that the files of a chart may have together, in bytes.
const LARGEST_CHART: usize = 100 << 20;

/// A dependency that is put into a chart, named by its content.
#[derive(Debug)]
pub(super) enum Supplied {
    Folder { lacking: Lacking, path: String, id: String, links: Vec<(String, String)> },
    Archive { lacking: Lacking, archive: ChartArchive },
}

/// Finds what a chart lacks. What no one offers is left to helm's own error.
pub(super) fn supplied(
    input: &Input<'_>,
    root: &dyn Tree,
    folder: &str,
    id: &str,
    has_links: bool,
) -> Result<Vec<Supplied>, String> {
    let look = || {
        // A chart that cannot be read is said where it is rendered.
        Ok(files(root, folder)
            .and_then(|files| helm::lacking(&files).map_err(|error| error.to_string()))
            .unwrap_or_default())
    };
    let lacking = if has_links { look()?.into() } else { input.charts.lacking(id, look)? };
    lacking
        .iter()
        .filter(|lacking| !lacking.repository.is_empty())
        .map(|lacking| supply(input, root, folder, lacking))
        .collect()
}

fn supply(input: &Input<'_>, root: &dyn Tree, folder: &str, lacking: &Lacking) -> Result<Supplied, String> {
    let name = &lacking.name;
    if let Some(relative) = lacking.repository.strip_prefix("file://") {
        let outside = || format!("{folder}: dependency {name} leads out of the repository: {:?}", lacking.repository);
        if relative.starts_with('/') {
            return Err(outside());
        }
        let wanted = path::join(folder, relative).ok_or_else(outside)?;
        let found = path::find(root, &wanted)?.filter(|(_, entry)| entry.kind == EntryKind::Tree);
        let (path, entry) = found.ok_or_else(|| format!("{folder}: dependency {name} is not in {wanted}"))?;
        let (all, has_links) = path::files(root, &path, true)?;
        let links = if has_links { all } else { Vec::new() };
        return Ok(Supplied::Folder { lacking: lacking.clone(), path, id: entry.id, links });
    }
    let request = ChartRequest::of_dependency(&lacking.repository, name, &lacking.version);
    let archive = input.archives.archive(&request).map_err(|problem| format!("{folder}: dependency {problem}"))?;
    Ok(Supplied::Archive { lacking: lacking.clone(), archive })
}

impl Supplied {
    /// Returns the files that are put in.
    pub fn files(&self, root: &dyn Tree) -> Result<Vec<ChartFile>, String> {
        match self {
            Self::Folder { lacking, path, .. } => {
                helm::nested(lacking, files(root, path)?).map_err(|error| error.to_string())
            }
            Self::Archive { lacking, archive } => Ok(vec![helm::packed(lacking, &archive.version, &archive.bytes)]),
        }
    }

    /// Returns what changes when the content does.
    pub fn key(&self) -> String {
        match self {
            Self::Folder { lacking, id, links, .. } => format!("{} {id} {links:?}", lacking.name),
            Self::Archive { lacking, archive } => format!("{} {} {}", lacking.name, archive.version, archive.digest),
        }
    }
}

/// Reads all files of a folder.
pub(super) fn files(root: &dyn Tree, folder: &str) -> Result<Vec<ChartFile>, String> {
    let mut left = LARGEST_CHART;
    let read = |(name, id): (String, String)| {
        let data = root.blob(&id).map_err(|error| error.to_string())?;
        if data.len() > LARGEST_FILE {
            return Err(format!("chart file {name:?} is larger than the maximum file size {LARGEST_FILE}"));
        }
        left = left
            .checked_sub(data.len())
            .ok_or_else(|| format!("the chart in {folder:?} is larger than {LARGEST_CHART} bytes"))?;
        Ok(ChartFile { name, data })
    };
    path::files(root, folder, true)?.0.into_iter().map(read).collect()
}
