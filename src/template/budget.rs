//! How much a run of templates may do, since charts are not trusted.

use std::time::Duration;

/// Limits of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Steps and bytes of output, together.
    pub steps: usize,
    /// How deep blocks, pipelines and templates may be nested. A level takes up to 4 KiB of stack without optimisation.
    pub depth: usize,
    /// Wall time.
    pub time: Duration,
}

impl Default for Budget {
    /// Returns limits far above what charts need. The depth fits a thread with a stack of 256 MiB.
    fn default() -> Self {
        Self { steps: 1 << 26, depth: 40_000, time: Duration::from_secs(30) }
    }
}
