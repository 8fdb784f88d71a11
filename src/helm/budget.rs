//! How much a chart may use before it is stopped.

use std::time::Duration;

/// Limits on one render; charts are input from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Template steps: actions, function calls, loop turns.
    pub steps: u64,
    /// Bytes that templates and functions may produce in all.
    pub output: u64,
    /// Wall time.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { steps: 200_000_000, output: 512 << 20, time: Duration::from_secs(60) }
    }
}
