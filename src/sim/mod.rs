//! Simulated Kubernetes clusters: an API server in memory with small controllers, and the demo that runs on them.

mod apply;
mod clock;
mod cluster;
mod controllers;
mod cron;
mod defaults;
mod discovery;
mod fault;
mod finish;
mod garbage;
mod handler;
mod kubeconfig;
mod list_watch;
mod logs;
mod managed_fields;
mod patch;
mod resource;
mod schema;
mod selector;
mod serve;
mod status;
mod store;
mod table;
mod typed;
mod validate;
mod write;

pub mod demo;

pub use cluster::{Cluster, Options, Service, WriteRecord};
pub use fault::Fault;
pub use serve::{Served, serve};
