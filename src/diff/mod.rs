//! Comparison of what Git says with what a cluster holds.
//!
//! An object is out of sync exactly if applying it would change something besides bookkeeping. [`compare()`] answers that from the two objects
//! alone, by the rules of server-side apply: a field that Git names has to be there and equal, lists of items with keys are matched by key, and a
//! field that an earlier apply owned and Git no longer names has to go. [`confirm`] does the same with the server's own answer to a dry run.

mod compare;
mod hunk;
mod ignore;
mod mask;
mod normalise;
mod owner;
mod path;
mod quantity;
mod schema;

pub use compare::{Comparison, Options, Ownership, compare, confirm};
pub use hunk::{Hunk, Line, LineKind, hunks, unified};
pub use ignore::{Ignore, IgnoreError};
pub use mask::{mask_secret, mask_secrets};
pub use normalise::{normalise, without_bookkeeping};
pub use path::{Path, Step};
