//! Charts: loading, values, dependencies, functions, hooks and output, byte for byte as helm prints it.
//!
//! A [`Chart`] is [loaded](load()) once from files and shared; each [`render`](render()) lays the user's values over its defaults,
//! switches its subcharts, runs its templates and prints their manifests in helm's order.

mod archive;
mod capabilities;
mod chart;
mod context;
mod dependency;
mod effort;
mod error;
mod failure;
mod fit;
mod function;
mod glob;
mod ignore;
mod input;
mod load;
mod manifest;
mod merge;
mod metadata;
mod options;
mod profile;
mod redact;
mod render;
mod schema;
mod set;
mod state;
mod supply;
mod value;

pub use capabilities::{Capabilities, HelmVersion};
pub use chart::Chart;
pub use error::Error;
pub use input::set_file_names;
pub use load::{ChartFile, load, load_archive};
pub use metadata::{Dependency, Maintainer, Metadata};
pub use options::{Form, Lookup, Options, Rendered, ValueInput};
pub use profile::{NullRules, Profile};
pub use render::{release_name, render};
pub use supply::{Lacking, kept, lacking, load_with, nested, packed, unpack};
