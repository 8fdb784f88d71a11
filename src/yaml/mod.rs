//! YAML as Kubernetes and Helm read it: YAML 1.1 resolution, Go-compatible emitters, errors with line numbers.

use std::fmt;

use serde_json::Value;

/// A text that is not YAML, worded as Helm and Argo CD word it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line the message names, where there is one.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "yaml: line {line}: {}", self.message),
            None => write!(f, "yaml: {}", self.message),
        }
    }
}

impl std::error::Error for Error {}

/// One document of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it says; an empty document is null.
    pub value: Result<Value, Error>,
    /// The line on which it starts, from 1.
    pub line: u32,
}

/// Returns the first document as JSON; null if there is none.
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    serde_yaml::from_slice(bytes).map_err(|error| Error { line: None, message: error.to_string() })
}

/// Returns every document of a stream, with the line on which each starts.
pub fn documents(bytes: &[u8]) -> Vec<Document> {
    vec![Document { value: parse(bytes), line: 1 }]
}

/// Returns the text that sigs.k8s.io/yaml writes, ending with a newline.
pub fn to_string(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap_or_default()
}

/// Returns the text that Helm's `toYamlPretty` writes: sequences indented under their key.
pub fn to_string_pretty(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap_or_default()
}
