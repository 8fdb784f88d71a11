//! The simulator's clock: it follows Tokio's time, so that a test with paused time also pauses timestamps.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Wall time derived from Tokio's monotonic time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Timestamp,
    started: Instant,
}

impl Clock {
    /// Starts at the given wall time.
    pub fn new(base: Timestamp) -> Self {
        Self { base, started: Instant::now() }
    }

    /// Returns the wall time.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.base.checked_add(passed).unwrap_or(self.base)
    }

    /// Returns the wall time as Kubernetes writes it, in whole seconds.
    pub fn stamp(&self) -> String {
        second(self.now())
    }
}

/// Formats a time as `metav1.Time`: RFC 3339, whole seconds, UTC.
pub fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads a `metav1.Time`.
pub fn parse(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
