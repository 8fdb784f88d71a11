//! The engine: one task owns the world; it refreshes, observes, compares and runs operations.

mod message;

pub use message::{Detail, Event, EventRow, Handle, Inspect, ObjectDiff, Request, TreeRow};
