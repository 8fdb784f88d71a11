//! The engine: one task owns the world; it refreshes, observes, compares and runs operations.

mod message;
mod task;

pub use message::{Detail, Event, EventRow, Handle, Inspect, ObjectDiff, Request, TreeRow};
