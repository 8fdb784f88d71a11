//! Gates: whether a plan may run, and why not.
