//! Scripted faults: what a cluster does wrong, and for how long is up to the script.

use std::time::Duration;

/// Something that a cluster does wrong until it is told otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fault {
    /// Nothing; clears what was set before.
    #[default]
    None,
    /// Every request waits first.
    Latency(Duration),
    /// A share (0 to 1) of the requests fails with this HTTP status.
    Error {
        /// HTTP status.
        status: u16,
        /// Share of the requests, 0 to 1.
        share: f64,
    },
    /// Watches that are open end at once; new ones work. Acts once.
    DropWatches,
    /// The history is forgotten: open watches get 410, and so do those that resume from an old resourceVersion. Acts once.
    Gone410,
    /// Every request is refused with 429 and a Retry-After of one second.
    TooManyRequests,
    /// Connections are refused, open ones break.
    Dead,
    /// Requests are taken and never answered; open watches go silent.
    Hang,
    /// Lists and gets show the state at the moment when the fault was set; watches stay silent.
    Stale,
}
