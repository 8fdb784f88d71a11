//! What was had once: archives by their content, and which version of which chart is which content.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::index::Offer;
use crate::model::ChartArchive;

/// Largest record that is read, in bytes.
const LARGEST_RECORD: u64 = 64 << 20;

/// A folder that every application and every process of a person shares. What is broken in it counts as not there.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    root: PathBuf,
}

/// The versions of a chart that a repository offered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Versions {
    pub place: String,
    pub chart: String,
    /// Seconds since 1970.
    pub asked_at: i64,
    pub offers: Vec<Offer>,
}

/// Which content a version is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pulled {
    pub place: String,
    pub chart: String,
    pub version: String,
    pub digest: String,
    /// Seconds since 1970.
    pub at: i64,
}

impl Cache {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Returns the archive with a digest, if it is here and unharmed.
    pub fn blob(&self, digest: &str) -> Option<Arc<[u8]>> {
        let path = self.blob_path(digest)?;
        let bytes = fs::read(&path).ok()?;
        if hex(&Sha256::digest(&bytes)) == digest {
            return Some(bytes.into());
        }
        // A disk may lose bytes; the next pull brings them back.
        let _ = fs::remove_file(path);
        None
    }

    /// Keeps an archive and returns its digest.
    pub fn keep_blob(&self, bytes: &[u8]) -> (String, io::Result<()>) {
        let digest = hex(&Sha256::digest(bytes));
        let kept = match self.blob_path(&digest) {
            Some(path) if path.exists() && self.blob(&digest).is_some() => Ok(()),
            Some(path) => write(&path, bytes),
            None => Ok(()),
        };
        (digest, kept)
    }

    pub fn versions(&self, place: &str, chart: &str) -> Option<Versions> {
        let found: Versions = record(&self.record_path("versions", &[place, chart]))?;
        (found.place == place && found.chart == chart).then_some(found)
    }

    pub fn keep_versions(&self, versions: &Versions) -> io::Result<()> {
        let path = self.record_path("versions", &[&versions.place, &versions.chart]);
        write(&path, &serde_json::to_vec(versions)?)
    }

    pub fn pulled(&self, place: &str, chart: &str, version: &str) -> Option<(Pulled, ChartArchive)> {
        let found: Pulled = record(&self.record_path("pulled", &[place, chart, version]))?;
        if found.place != place || found.chart != chart {
            return None;
        }
        let bytes = self.blob(&found.digest)?;
        let archive = ChartArchive { version: found.version.clone(), digest: found.digest.clone(), bytes };
        Some((found, archive))
    }

    /// Keeps which content a version is, under the version as it was asked for.
    pub fn keep_pulled(&self, asked: &str, pulled: &Pulled) -> io::Result<()> {
        let path = self.record_path("pulled", &[&pulled.place, &pulled.chart, asked]);
        write(&path, &serde_json::to_vec(pulled)?)
    }

    fn blob_path(&self, digest: &str) -> Option<PathBuf> {
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| self.root.join("blobs").join("sha256").join(digest))
    }

    fn record_path(&self, kind: &str, parts: &[&str]) -> PathBuf {
        let name = hex(&Sha256::digest(parts.join("\n")));
        self.root.join(kind).join(format!("{name}.json"))
    }
}

/// Returns how long ago a record was made, in seconds; one from the future is as old as can be.
pub(super) fn age(at: i64, now: Timestamp) -> u64 {
    u64::try_from(now.as_second() - at).unwrap_or(u64::MAX)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |hex, byte| hex + &format!("{byte:02x}"))
}

fn record<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LARGEST_RECORD).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Writes a file so that others see all of it or nothing.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = format!(".{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let aside = folder.join(name);
    let done = fs::write(&aside, bytes).and_then(|()| fs::rename(&aside, path));
    if done.is_err() {
        let _ = fs::remove_file(&aside);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::{Cache, Pulled, Timestamp, age};

    #[test]
    fn what_is_broken_is_not_there() {
        let folder = tempfile::TempDir::new().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        let (digest, kept) = cache.keep_blob(b"chart");
        kept.unwrap();
        let pulled = Pulled { place: "p".into(), chart: "c".into(), version: "1.0.0".into(), digest, at: 1 };
        cache.keep_pulled("1.0.0", &pulled).unwrap();
        assert_eq!(&*cache.pulled("p", "c", "1.0.0").unwrap().1.bytes, b"chart");
        assert!(cache.pulled("p", "c", "1.0.1").is_none());
        std::fs::write(folder.path().join("blobs/sha256").join(&pulled.digest), b"chars").unwrap();
        assert!(cache.pulled("p", "c", "1.0.0").is_none());
        assert!(cache.keep_blob(b"chart").1.is_ok() && cache.pulled("p", "c", "1.0.0").is_some());
        assert!(cache.blob("../../etc/passwd").is_none());
    }

    #[test]
    fn records_from_the_future_are_old() {
        let now = Timestamp::from_second(100).unwrap();
        assert_eq!((age(40, now), age(101, now)), (60, u64::MAX));
    }
}
