//! A packed chart as a tree, so that it is read like a folder of a repository.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Entry, EntryKind, Tree, TreeError};
use crate::helm;
use crate::model::{ChartArchive, ChartRequest};

/// Charts from repositories. Whoever answers has them already or says why not: nothing waits here.
pub trait Archives: Sync {
    /// Returns a chart's archive.
    ///
    /// # Errors
    /// Why it is not there.
    fn archive(&self, request: &ChartRequest) -> Result<ChartArchive, String>;
}

/// Has no charts.
#[derive(Clone, Copy, Debug)]
pub struct NoArchives;

impl Archives for NoArchives {
    fn archive(&self, request: &ChartRequest) -> Result<ChartArchive, String> {
        Err(format!("{request}: chart repositories are not asked here"))
    }
}

/// An unpacked archive. Its content ids are made of the archive's digest and the path.
#[derive(Debug)]
pub struct Packed {
    digest: String,
    files: BTreeMap<String, Arc<[u8]>>,
}

impl Packed {
    /// Unpacks an archive.
    ///
    /// # Errors
    /// When it is none, too large, or names files outside of it.
    pub fn open(archive: &ChartArchive) -> Result<Self, String> {
        let files = helm::unpack(&archive.bytes).map_err(|error| error.to_string())?;
        let files = files.into_iter().map(|file| (file.name, file.data)).collect();
        Ok(Self { digest: archive.digest.clone(), files })
    }

    fn is_folder(&self, path: &str) -> bool {
        let prefix = below(path);
        self.files.range(prefix.clone()..).next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    fn id(&self, path: &str) -> String {
        format!("{}:{path}", self.digest)
    }
}

fn below(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}/") }
}

impl Tree for Packed {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        Ok(match self.files.get(path) {
            Some(data) => Some(Entry { kind: EntryKind::Blob, id: self.id(path), size: data.len() as u64 }),
            None if self.is_folder(path) => Some(Entry { kind: EntryKind::Tree, id: self.id(path), size: 0 }),
            None => None,
        })
    }

    fn children(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        let prefix = below(path);
        let mut found: Vec<(String, Entry)> = Vec::new();
        for (name, _) in self.files.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix)) {
            let child = name[prefix.len()..].split('/').next().unwrap_or_default();
            if found.iter().all(|(known, _)| known != child) {
                let entry = self.entry(&format!("{prefix}{child}"))?;
                found.extend(entry.map(|entry| (child.to_owned(), entry)));
            }
        }
        if found.is_empty() {
            return Err(TreeError { path: path.to_owned(), reason: "there is no such folder in the chart".to_owned() });
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    fn blob(&self, id: &str) -> Result<Arc<[u8]>, TreeError> {
        let path = id.strip_prefix(&self.digest).and_then(|rest| rest.strip_prefix(':'));
        let missing = || TreeError { path: id.to_owned(), reason: "there is no such file in the chart".to_owned() };
        path.and_then(|path| self.files.get(path)).cloned().ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::{Packed, Tree};

    #[test]
    fn archives_read_like_folders() {
        let names = ["Chart.yaml", "templates/a.yaml", "templates/sub/b.yaml", "templates-x/c.yaml", "values.yaml"];
        let files = names.iter().map(|name| ((*name).to_owned(), name.as_bytes().into())).collect();
        let tree = Packed { digest: "d".into(), files };
        let children =
            |path: &str| tree.children(path).map(|found| found.into_iter().map(|(name, _)| name).collect::<Vec<_>>());
        assert_eq!(children("").unwrap(), ["Chart.yaml", "templates", "templates-x", "values.yaml"]);
        assert_eq!(children("templates").unwrap(), ["a.yaml", "sub"]);
        assert!(children("Chart.yaml").is_err() && tree.entry("temp").unwrap().is_none());
        let entry = tree.entry("templates/sub/b.yaml").unwrap().unwrap();
        assert_eq!(&*tree.blob(&entry.id).unwrap(), b"templates/sub/b.yaml");
        assert!(tree.blob("other:Chart.yaml").is_err());
    }
}
