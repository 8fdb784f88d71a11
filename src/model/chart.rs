//! Packed charts: which one is wanted, and what was had.

use std::fmt;
use std::sync::Arc;

use super::version::{Constraint, Version};

/// A chart that is wanted from a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChartRequest {
    /// The repository: `https://…`, `oci://…`, or a registry without a scheme.
    pub repository: String,
    /// The chart's name; empty if an `oci://` address ends with it.
    pub name: String,
    /// A version or a constraint; empty means the newest that is no pre-release.
    pub version: String,
}

impl ChartRequest {
    /// Makes the request for a dependency: a version with parts left out is a range there, never the name of a tag.
    pub fn of_dependency(repository: &str, name: &str, version: &str) -> Self {
        let is_range = Version::parse(version).is_some() && !is_exact(version);
        let version = if is_range { format!("={version}") } else { version.to_owned() };
        Self { repository: repository.to_owned(), name: name.to_owned(), version }
    }

    /// Says whether only one version can be meant, so that what was had once need not be asked for again.
    pub fn is_exact(&self) -> bool {
        is_exact(&self.version)
    }

    /// Returns the repository's address without user, password and query.
    pub fn shown_repository(&self) -> String {
        without_secrets(&self.repository)
    }
}

impl fmt::Display for ChartRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            write!(f, "{}", self.shown_repository())?;
        } else {
            write!(f, "{} from {}", self.name, self.shown_repository())?;
        }
        if self.version.is_empty() { Ok(()) } else { write!(f, " at {:?}", self.version) }
    }
}

/// A chart's archive, checked against its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct ChartArchive {
    /// The version that was chosen.
    pub version: String,
    /// SHA-256 of the bytes in hexadecimal.
    pub digest: String,
    /// The `.tgz`.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for ChartArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChartArchive").field("version", &self.version).field("digest", &self.digest).finish()
    }
}

/// Says whether a text names one version: three numbers and no operator.
pub fn is_exact(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    core.split('.').count() == 3 && Version::parse(version).is_some()
}

/// Returns the places of the versions that a text asks for, the best first: the one that is spelled like it, else by precedence.
///
/// # Errors
/// With the part that is neither a version nor a constraint.
pub fn choose<'a>(wanted: &str, versions: impl Iterator<Item = &'a str> + Clone) -> Result<Vec<usize>, String> {
    if let Some(at) = versions.clone().position(|version| version == wanted && !wanted.is_empty()) {
        return Ok(vec![at]);
    }
    let constraint = Constraint::read(if wanted.is_empty() { "*" } else { wanted })?;
    let mut fitting: Vec<(usize, Version)> = versions
        .enumerate()
        .filter_map(|(at, version)| Some((at, Version::parse(version)?)))
        .filter(|(_, version)| constraint.matches(version))
        .collect();
    fitting.sort_by(|(_, a), (_, b)| b.cmp(a));
    Ok(fitting.into_iter().map(|(at, _)| at).collect())
}

/// Returns an address without user, password and query, which may all hold secrets.
pub fn without_secrets(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    super::text::line(&format!("{scheme}{host}{path}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{choose, is_exact, without_secrets};

    #[test]
    fn versions_are_chosen_as_helm_does() {
        let versions = ["1.0.0", "1.1.0-rc.1", "v1.0.5", "1.2", "0.9.0+a", "broken"];
        let check = |wanted: &str, expected: Option<&str>| {
            let found = choose(wanted, versions.into_iter()).unwrap();
            assert_eq!(found.first().map(|at| versions[*at]), expected, "{wanted}");
        };
        check("", Some("1.2"));
        check("1.2", Some("1.2"));
        check("1.0.5", Some("v1.0.5"));
        check("~1.0", Some("v1.0.5"));
        check(">1.0.5-0 <1.2", Some("1.1.0-rc.1"));
        check("<1", Some("0.9.0+a"));
        check("0.9.0", Some("0.9.0+a"));
        check("2.x", None);
        assert!(choose("master", versions.into_iter()).is_err());
    }

    #[test]
    fn only_full_versions_are_exact() {
        assert!(is_exact("1.2.3") && is_exact("v1.2.3-rc.1+b.2"));
        for open in ["", "1.2", "1.x.x", "^1.2.3", "1.2.3 || 2.0.0", ">=1.0.0"] {
            assert!(!is_exact(open), "{open}");
        }
    }

    #[test]
    fn dependencies_name_ranges() {
        let version = |text: &str| super::ChartRequest::of_dependency("r", "n", text).version;
        assert_eq!([version("1.2"), version("1.2.3"), version("^1"), version("")], ["=1.2", "1.2.3", "^1", ""]);
    }

    #[test]
    fn secrets_are_left_out_of_addresses() {
        assert_eq!(without_secrets("https://u:p@h:8/x/y?token=1#z"), "https://h:8/x/y");
        assert_eq!(without_secrets("h/x@sha256:1"), "h/x@sha256:1");
        assert_eq!(without_secrets("u:p@h"), "h");
    }
}
