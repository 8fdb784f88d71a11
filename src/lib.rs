//! quarterdeck: a terminal control plane for multi-cluster GitOps.
//!
//! One process reads a Git repository in Argo CD's app-of-apps form, renders it, compares it with live clusters, shows the
//! result, and changes clusters and references when a person confirms a plan. This page walks one commit to a frame, and one
//! key to the journal, through the modules that they pass.
//!
//! # A commit becomes a frame
//!
//! 1. [`git`] resolves an Application's revision to a commit and offers its tree. Bytes come from Git objects; a work tree is
//!    never looked at.
//! 2. [`source`] reads what the Application asks for and plans what has to be read. Plain folders are parsed with [`yaml`];
//!    charts go to [`helm`], which runs their templates with [`template`]; packed charts and dependencies were brought by
//!    [`registry`] before. The result is kept under a fingerprint of everything
//!    that went into it.
//! 3. [`engine`] keeps the catalog of Applications at any depth and watches their clusters through [`cluster`]: one connection
//!    each, one watch per managed kind.
//! 4. [`diff`] compares what is wanted with what is live, and what looks different is confirmed by a dry run of the server.
//!    [`health`] says how each live object does.
//! 5. The engine publishes a [`model::Fleet`]: one immutable snapshot, the newest of which replaces the last.
//! 6. [`tui`] works rows out of it and draws a frame; [`cli`] prints the same snapshot.
//!
//! # A key becomes a line in the journal
//!
//! 1. [`tui`] finds the key's action in its table, and its pure `update` asks the engine for a plan.
//! 2. [`engine`] renders and compares at the references as they would be and lets [`gate`] say what has to hold first. The
//!    [`model::Plan`] is shown in full.
//! 3. What the person confirms becomes a [`model::Approved`]: the only thing that the engine changes anything for.
//! 4. The engine makes the plan again and refuses if it is another one by now. [`store`] writes the intent to the journal
//!    before the first change.
//! 5. [`git`] moves references in one atomic push; [`cluster`] applies objects, wave after wave.
//! 6. The outcome goes to the journal and to the screen. Then clusters and references are looked at again, as after any
//!    other change.
//!
//! # The rest
//!
//! [`config`] reads settings, a repository's policy and the environment; [`sim`] simulates clusters behind a real API for the
//! demo and the tests; [`wire`] joins everything to the program.
//!
//! # What always holds
//!
//! - Imports point down only: [`model`]; then [`yaml`], [`template`], [`helm`], [`source`], [`diff`], [`health`], [`gate`],
//!   which do no I/O; then [`git`], [`registry`], [`cluster`], [`store`], [`config`]; then [`engine`]; then [`tui`], [`cli`], [`sim`].
//! - Nothing is written to a cluster or a repository but through a plan that a person saw and confirmed.
//! - A secret's value never enters a snapshot, the journal, a log or an error.
//! - What does not work is said where it does not work, and hides nothing else.

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
pub mod registry;
pub mod store;

pub mod engine;

pub mod cli;
pub mod sim;
pub mod tui;

pub mod wire;
