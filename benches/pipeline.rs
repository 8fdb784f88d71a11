//! Benchmarks of the pipeline: render, compare, frame.

fn main() {}
