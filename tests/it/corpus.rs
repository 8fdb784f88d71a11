//! The corpus of real inputs, where it is there.

use std::fs::File;
use std::path::{Path, PathBuf};

/// Returns the corpus folder, or says why the test is skipped. On CI it has to be there.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("QUARTERDECK_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is not there, and CI must not skip what needs it", folder.display());
    println!("skipped: {} is not there; QUARTERDECK_CORPUS can name it", folder.display());
    None
}

/// Opens a file of the corpus, or says why the test is skipped.
pub fn open(name: &str) -> Option<File> {
    let path = folder()?.join(name);
    Some(File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
