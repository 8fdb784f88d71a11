//! What goes wrong in templates, in the words of Go's text/template.

use std::fmt;

/// An error of parsing or running a template. It prints as Go's single line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Error {
    /// Name of the text that was parsed, usually a file.
    pub template: String,
    /// Line, from 1; 0 if there is no place.
    pub line: usize,
    /// Column in bytes, from 0, of errors at run time.
    pub column: usize,
    /// Name of the template that ran; `None` if this is no error at run time.
    pub executing: Option<String>,
    /// The part of the template that failed.
    pub context: String,
    /// What is wrong. It ends with the text of the cause if there is one.
    pub message: String,
    /// The error of a template that was run by a function, such as `include` or `tpl`.
    pub cause: Option<Box<Error>>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("template: ")?;
        if self.line > 0 {
            write!(f, "{}:{}", self.template, self.line)?;
            if let Some(name) = &self.executing {
                let name = String::from_utf8_lossy(&super::format::quote(name.as_bytes())).into_owned();
                write!(f, ":{}: executing {name} at <{}>", self.column, self.context)?;
            }
            f.write_str(": ")?;
        } else if !self.template.is_empty() {
            write!(f, "{}: ", self.template)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
