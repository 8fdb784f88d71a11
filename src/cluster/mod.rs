//! Clusters: kubeconfig, connections, discovery, watches and writes.
//!
//! Everything is JSON: no kind is decoded into a type of its own. One client per cluster, with its own limits, so that one cluster that does
//! not answer slows nobody else.

mod connection;
mod discovery;
mod error;
mod kubeconfig;
mod read;
mod watch;
mod way;
mod write;

pub use self::connection::{Connection, Stats};
pub use self::discovery::{Discovery, ResourceType};
pub use self::error::{Error, ErrorKind};
pub use self::kubeconfig::{Context, Kubeconfig};
pub use self::read::Page;
pub use self::watch::WatchEvent;
pub use self::write::{ApplyOptions, Propagation};

/// The field manager of everything that quarterdeck applies.
pub const FIELD_MANAGER: &str = "quarterdeck";
