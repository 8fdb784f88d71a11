//! Everything that is tested from outside the modules, in one binary.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on should say so and stop"
)]

mod api;
mod attacks;
mod charts;
mod cli;
mod cluster;
mod corpus;
mod diff;
mod differential;
mod functions;
mod git;
mod health;
mod kube;
mod operations;
mod platform;
mod pulled;
mod readme;
mod registry;
mod scenarios;
mod sim;
mod source;
mod store;
mod template;
mod terminal;
mod tidy;
mod tui;
mod yaml;
