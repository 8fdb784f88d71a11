//! Charts: loading, values, dependencies, functions, hooks and output, byte for byte as helm prints it.

mod budget;
mod capabilities;
mod error;
mod function;
mod options;
mod profile;
mod state;
mod value;

pub use budget::Budget;
pub use capabilities::{Capabilities, HelmVersion};
pub use error::Error;
pub use options::{Options, Rendered, ValueInput};
pub use profile::{NullRules, Profile};
