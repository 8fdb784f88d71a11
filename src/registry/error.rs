//! What can go wrong with chart repositories. Addresses in errors carry no user, password or query.

use std::path::PathBuf;

use super::credential::Helper;

/// A chart could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be used.
    #[error("{url:?} is no chart repository: {reason}")]
    Address {
        /// Which address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server could not be reached, or stopped answering.
    #[error("{url} cannot be reached: {reason}")]
    Network {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The client for an address cannot be made, such as for a certificate that is not there.
    #[error("no connection to {url} can be prepared: {reason}")]
    Trust {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server answered with something else than asked for.
    #[error("{url} answers {status}{}", if said.is_empty() { String::new() } else { format!(": {said}") })]
    Status {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the server said about it; may be empty.
        said: String,
    },
    /// The server wants to know who asks.
    #[error("{url} {}", if *had_credentials { "refuses the credentials" } else { "asks for credentials" })]
    Unauthorized {
        /// Where.
        url: String,
        /// Whether there were any.
        had_credentials: bool,
    },
    /// The server sends elsewhere, where must not be gone.
    #[error("{url} leads to {target}: {reason}")]
    Redirect {
        /// Where.
        url: String,
        /// Where to.
        target: String,
        /// Why not.
        reason: &'static str,
    },
    /// More came than is read.
    #[error("{url} is larger than {limit} bytes")]
    TooLarge {
        /// Which file.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// The index cannot be read.
    #[error("{url} is no chart index: {reason}")]
    Index {
        /// Which file.
        url: String,
        /// Why.
        reason: String,
    },
    /// A registry's answer cannot be read as a chart.
    #[error("{url} is no chart: {reason}")]
    Manifest {
        /// Which manifest.
        url: String,
        /// Why.
        reason: String,
    },
    /// Helm knows no repository of that name.
    #[error("repo {name} not found")]
    NoRepository {
        /// Which name.
        name: String,
    },
    /// The repository has no such chart.
    #[error("chart {chart:?} not found in {url} repository")]
    NoChart {
        /// Which repository.
        url: String,
        /// Which chart.
        chart: String,
    },
    /// The repository has the chart, but no such version.
    #[error("chart {chart:?} version {version:?} not found in {url} repository; {}", if newest.is_empty() { "it has none at all".to_owned() } else { format!("its newest is {newest}") })]
    NoVersion {
        /// Which repository.
        url: String,
        /// Which chart.
        chart: String,
        /// Which version or constraint.
        version: String,
        /// The newest that there is; may be empty.
        newest: String,
    },
    /// A registry's address names another version than the one that is asked for.
    #[error("chart reference and version mismatch: {version} is not {tag}")]
    Mismatch {
        /// Which version is asked for.
        version: String,
        /// Which one the address names.
        tag: String,
    },
    /// Neither a version nor a constraint.
    #[error("{part:?} is neither a version nor a constraint")]
    Constraint {
        /// What it says.
        part: String,
    },
    /// The bytes are not those that were promised.
    #[error("{url} has the digest sha256:{found}, but {expected} was promised")]
    Digest {
        /// Which file.
        url: String,
        /// What the index or manifest says.
        expected: String,
        /// What came.
        found: String,
    },
    /// A file with credentials cannot be read.
    #[error("{} cannot be used: {reason}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A program that keeps credentials failed.
    #[error("{helper} gives no credentials for {server}: {reason}")]
    Helper {
        /// Which program.
        helper: Helper,
        /// For which registry.
        server: String,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// Returns what to do next; empty if there is nothing to say.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address { .. } => "write https://host/path, or oci://host/path",
            Self::Network { .. } => {
                "check the address and the network, or name a mirror under [charts.mirrors] in the settings"
            }
            Self::Trust { .. } => "check the certificate files of this repository",
            Self::Status { status: 404, .. } => "check the address",
            Self::Status { .. } => "try again later, or ask who runs it",
            Self::Unauthorized { .. } => "log in with `helm repo add`, `helm registry login` or `docker login`",
            Self::Redirect { .. } => "use the address that it leads to, if you trust it",
            Self::TooLarge { .. } | Self::Manifest { .. } => "is this the address of a chart?",
            Self::Index { .. } => "is this the address of a chart repository?",
            Self::NoRepository { .. } => "add it with `helm repo add NAME URL`",
            Self::NoChart { .. } | Self::NoVersion { .. } => "correct the chart's name or version",
            Self::Mismatch { .. } => "name the version once",
            Self::Constraint { .. } => "write a version such as 1.2.3, or a constraint such as ^1.2",
            Self::Digest { .. } => "do not use this file; ask who runs the repository",
            Self::File { .. } => "correct the file or remove it",
            Self::Helper { .. } => "try the same program in a shell",
        }
    }

    /// Says whether the network failed, so that what is known already may serve.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}
