//! Files that quarterdeck keeps: journal, caches and where they lie.
