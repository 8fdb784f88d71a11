//! The reconcile engine: one task owns the world, reads Git, watches clusters, compares, and carries out what was confirmed.

mod assess;
mod catalog;
mod confirm;
mod credential;
mod desired;
mod environment;
mod inspect;
mod message;
mod observe;
mod operation;
mod place;
mod plan;
mod reason;
mod snapshot;
mod sync;
mod task;
mod world;

pub use message::{Detail, Event, EventRow, Handle, Inspect, ObjectDiff, Request, TreeRow};
pub use place::Places;
pub use world::{Setup, start};
