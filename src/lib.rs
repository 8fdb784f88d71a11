//! quarterdeck: a terminal control plane for multi-cluster GitOps.

pub mod model;

pub mod diff;
pub mod gate;
pub mod health;
pub mod helm;
pub mod source;
pub mod template;
pub mod yaml;

pub mod cluster;
pub mod config;
pub mod git;
pub mod store;

pub mod engine;

pub mod cli;
pub mod sim;
pub mod tui;

pub mod wire;
