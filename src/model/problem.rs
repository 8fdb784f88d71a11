//! What went wrong, in words: what, where, what next.

use std::fmt;

/// A failure for people. Never holds a secret's value or a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What and where, one sentence without a full stop.
    pub what: String,
    /// What to do next; empty if there is nothing to do.
    pub hint: String,
}

impl Problem {
    /// Makes a problem without a hint.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: String::new() }
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
