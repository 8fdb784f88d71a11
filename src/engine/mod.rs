//! The engine: one task owns the world; it refreshes, observes, compares and runs operations.
