//! The modules that are fuzzed, without the rest of the program.

#[path = "../src/helm/mod.rs"]
pub mod helm;
#[path = "../src/model/mod.rs"]
pub mod model;
pub mod registry;
#[path = "../src/template/mod.rs"]
pub mod template;
#[path = "../src/yaml/mod.rs"]
pub mod yaml;
