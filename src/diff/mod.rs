//! Comparison of what Git says with what a cluster holds.
