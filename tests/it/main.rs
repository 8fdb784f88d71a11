//! Everything that is tested from outside the modules, in one binary.

mod corpus;
mod diff;
mod tidy;
