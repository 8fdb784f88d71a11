//! The log: a file, since the screen belongs to the person.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// How big a log may get before it is started anew.
const LARGEST: u64 = 4 << 20;

/// Writes events to a file from now on; `QUARTERDECK_LOG` says which. Without a file there is no log.
pub(super) fn to_file(path: &Path) {
    let Some(folder) = path.parent() else { return };
    if fs::create_dir_all(folder).is_err() {
        return;
    }
    let is_large = fs::metadata(path).is_ok_and(|about| about.len() > LARGEST);
    let mut options = OpenOptions::new();
    options.create(true).write(true).append(!is_large).truncate(is_large);
    let Ok(file) = options.open(path) else { return };
    let filter = EnvFilter::builder()
        .with_env_var("QUARTERDECK_LOG")
        .with_default_directive(tracing::level_filters::LevelFilter::WARN.into())
        .from_env_lossy();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Mutex::new(file)).finish();
    // Only one log can be set per process; a second one is not worth a word.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
