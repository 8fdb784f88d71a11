//! What can stop a chart, worded as helm words it.

use thiserror::Error;

/// Why a chart was not loaded or rendered; the text is what helm prints after `Error: `.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The files are not a chart.
    #[error("{0}")]
    Load(String),
    /// The values that were given cannot be read or do not fit together.
    #[error("{0}")]
    Values(String),
    /// Dependencies are listed but not in `charts/`.
    #[error(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        .0.join(", ")
    )]
    MissingDependencies(Vec<String>),
    /// The values do not follow the chart's schema.
    #[error("{0}")]
    Schema(String),
    /// The chart refuses the Kubernetes version, or is not one that can be rendered.
    #[error("{0}")]
    Unsuitable(String),
    /// A template failed, or what it wrote is not YAML.
    #[error("{0}")]
    Render(String),
    /// A chart wanted more than it is given.
    #[error("{0}")]
    Budget(String),
}

impl Error {
    /// Returns the same error with another text.
    pub(super) fn reworded(self, words: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Load(text) => Self::Load(words(&text)),
            Self::Values(text) => Self::Values(words(&text)),
            Self::MissingDependencies(names) => Self::MissingDependencies(names),
            Self::Schema(text) => Self::Schema(words(&text)),
            Self::Unsuitable(text) => Self::Unsuitable(words(&text)),
            Self::Render(text) => Self::Render(words(&text)),
            Self::Budget(text) => Self::Budget(words(&text)),
        }
    }
}
