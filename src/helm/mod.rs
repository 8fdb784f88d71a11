//! Charts: loading, values, dependencies, functions, hooks and output, byte for byte as helm prints it.
