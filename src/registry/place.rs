//! Where a chart lies: an address as a person writes it, after mirrors, taken apart.

use reqwest::Url;

use super::credential::{is_below, spelled};
use super::error::Error;
use super::http::is_loopback;
use crate::model::ChartRequest;
use crate::model::chart::without_secrets;

/// Where a chart lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In an HTTP repository with an index.
    Classic { base: Url, chart: String },
    /// In a registry.
    Oci(Repository),
}

/// One repository in a registry: all versions of one chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    pub host: String,
    /// Path with the chart's name.
    pub path: String,
    /// A tag or digest that the address itself names.
    pub pinned: Option<String>,
    pub is_plain: bool,
}

/// What is asked instead of an address.
#[derive(Clone, Debug, Default)]
pub struct Mirrors {
    entries: Vec<(String, String)>,
}

impl Mirrors {
    /// Takes pairs of an address and what is asked instead of it and everything below it.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { entries: pairs.into_iter().collect() }
    }

    /// Returns the address to ask; the longest prefix wins.
    pub(super) fn apply(&self, address: &str) -> String {
        let fitting = self.entries.iter().filter(|(prefix, _)| is_below(prefix, address));
        match fitting.max_by_key(|(prefix, _)| spelled(prefix).len()) {
            Some((prefix, target)) => {
                let rest = spelled(address)[spelled(prefix).len()..].to_owned();
                let query = address.find('?').map_or("", |at| &address[at..]);
                format!("{}{rest}{query}", target.trim_end_matches('/'))
            }
            None => address.to_owned(),
        }
    }
}

impl Place {
    /// Finds the place of a chart. `plain_http` names registries that are not encrypted.
    pub fn of(request: &ChartRequest, mirrors: &Mirrors, plain_http: &[String]) -> Result<Self, Error> {
        let written = request.repository.trim();
        let address = if written.contains("://") { written.to_owned() } else { format!("oci://{written}") };
        let is_registry = address.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("oci://"));
        if !is_registry {
            let address = mirrors.apply(&address);
            return match address.strip_prefix("oci://") {
                Some(rest) => registry(rest, &request.name, plain_http),
                None => classic(&address, &request.name),
            };
        }
        // A mirror may stand for the folder of the chart or for the chart itself.
        let whole = match request.name.as_str() {
            "" => address,
            name => format!("{}/{name}", address.trim_end_matches('/')),
        };
        let address = mirrors.apply(&whole);
        match address.get(..6) {
            Some(scheme) if scheme.eq_ignore_ascii_case("oci://") => registry(&address[6..], "", plain_http),
            _ => match address.rsplit_once('/') {
                Some((base, name)) => classic(base, name),
                None => Err(refused(&address, "it names no chart")),
            },
        }
    }

    /// Returns what the place is called in caches and errors.
    pub fn shown(&self) -> String {
        match self {
            Self::Classic { base, .. } => without_secrets(base.as_str()).trim_end_matches('/').to_owned(),
            Self::Oci(repository) => format!("oci://{}/{}", repository.host, repository.path),
        }
    }

    /// Returns the chart's name.
    pub fn chart(&self) -> &str {
        match self {
            Self::Classic { chart, .. } => chart,
            Self::Oci(repository) => repository.path.rsplit('/').next().unwrap_or_default(),
        }
    }
}

impl Repository {
    /// Returns the address of an API call below `/v2/PATH/`.
    pub fn url(&self, call: &str) -> Result<Url, Error> {
        let scheme = if self.is_plain { "http" } else { "https" };
        let host = if super::docker::is_docker_hub(&self.host) { "registry-1.docker.io" } else { &self.host };
        let text = format!("{scheme}://{host}/v2/{}/{call}", self.path);
        Url::parse(&text).map_err(|error| refused(&text, &error.to_string()))
    }
}

fn refused(address: &str, reason: &str) -> Error {
    Error::Address { url: without_secrets(address), reason: reason.to_owned() }
}

fn classic(address: &str, chart: &str) -> Result<Place, Error> {
    let base = Url::parse(address).map_err(|error| refused(address, &error.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        return Err(refused(address, "its scheme is not http, https or oci"));
    }
    if chart.is_empty() {
        return Err(refused(address, "no chart is named"));
    }
    Ok(Place::Classic { base, chart: chart.to_owned() })
}

fn registry(rest: &str, name: &str, plain_http: &[String]) -> Result<Place, Error> {
    let address = format!("oci://{rest}");
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host).to_ascii_lowercase();
    let (path, pinned) = pinned(path);
    let path = match (path, name) {
        (path, "") => path.to_owned(),
        ("", name) => name.to_owned(),
        (path, name) => format!("{path}/{name}"),
    };
    if path.is_empty() {
        return Err(refused(&address, "no chart is named"));
    }
    let is_name = |part: &str| {
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        part.chars().all(fine) && edge(part.chars().next()) && edge(part.chars().next_back())
    };
    if !path.split('/').all(is_name) {
        return Err(refused(&address, "a registry's names have only a-z, 0-9, '.', '_' and '-'"));
    }
    let probe = Url::parse(&format!("http://{host}/")).map_err(|error| refused(&address, &error.to_string()))?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(refused(&address, "its host is no name"));
    }
    let is_plain = is_loopback(&probe) || plain_http.iter().any(|plain| plain.eq_ignore_ascii_case(&host));
    Ok(Place::Oci(Repository { host, path, pinned: pinned.map(str::to_owned), is_plain }))
}

/// Splits a tag or digest off a path: a digest counts more.
fn pinned(path: &str) -> (&str, Option<&str>) {
    let (path, digest) = path.split_once('@').map_or((path, None), |(path, digest)| (path, Some(digest)));
    let last = path.rfind('/').map_or(0, |at| at + 1);
    match path[last..].find(':') {
        Some(at) => (&path[..last + at], digest.or(Some(&path[last + at + 1..]))),
        None => (path, digest),
    }
}

#[cfg(test)]
mod tests {
    use super::{ChartRequest, Mirrors, Place, Repository};

    fn place(repository: &str, name: &str, mirrors: &[(&str, &str)]) -> Result<Place, String> {
        let request = ChartRequest { repository: repository.into(), name: name.into(), version: String::new() };
        let mirrors = Mirrors::new(mirrors.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())));
        Place::of(&request, &mirrors, &["plain.example.org:5000".to_owned()]).map_err(|error| error.to_string())
    }

    fn shown(repository: &str, name: &str, mirrors: &[(&str, &str)]) -> String {
        match place(repository, name, mirrors) {
            Ok(place) => format!("{} {}", place.shown(), place.chart()),
            Err(error) => error,
        }
    }

    #[test]
    fn a_scheme_tells_what_a_repository_is() {
        assert_eq!(shown("https://u:p@h/charts/", "web", &[]), "https://h/charts web");
        assert_eq!(shown("oci://H/charts", "web", &[]), "oci://h/charts/web web");
        assert_eq!(shown("h/charts/web", "", &[]), "oci://h/charts/web web");
        for bad in ["ftp://h/x", "https://", "oci://h", "oci://h/UPPER", "oci://h/../x", "oci://h x/y", "/x"] {
            assert!(place(bad, if bad.starts_with("oci") { "" } else { "c" }, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_of_registries_may_name_a_version() {
        let check = |address: &str, expected: Option<&str>| match place(address, "", &[]) {
            Ok(Place::Oci(Repository { path, pinned, .. })) => {
                assert_eq!((path.as_str(), pinned.as_deref()), ("c/web", expected), "{address}");
            }
            other => panic!("{address}: {other:?}"),
        };
        check("oci://h:5000/c/web", None);
        check("oci://h:5000/c/web:1.2.3", Some("1.2.3"));
        check("oci://h/c/web:1.2.3@sha256:ab", Some("sha256:ab"));
    }

    #[test]
    fn only_near_or_named_registries_are_not_encrypted() {
        let is_plain = |address: &str| match place(address, "", &[]) {
            Ok(Place::Oci(repository)) => repository.is_plain,
            other => panic!("{other:?}"),
        };
        assert!(is_plain("oci://localhost:5000/x") && is_plain("oci://[::1]:5000/x"));
        assert!(is_plain("oci://plain.example.org:5000/x") && !is_plain("oci://plain.example.org/x"));
    }

    #[test]
    fn the_longest_mirror_wins() {
        let mirrors = [
            ("https://charts.example.org", "https://mirror.corp/charts"),
            ("https://charts.example.org/team/", "oci://mirror.corp/team/"),
            ("registry.example.org", "oci://mirror.corp/r"),
            ("oci://registry.example.org/old/web", "https://mirror.corp/old/web"),
        ];
        assert_eq!(
            shown("https://charts.example.org/stable/", "web", &mirrors),
            "https://mirror.corp/charts/stable web"
        );
        assert_eq!(shown("https://charts.example.org/team/a", "web", &mirrors), "oci://mirror.corp/team/a/web web");
        assert_eq!(shown("https://charts.example.organic", "web", &mirrors), "https://charts.example.organic web");
        assert_eq!(shown("oci://registry.example.org/x/web:1.0.0", "", &mirrors), "oci://mirror.corp/r/x/web web");
        assert_eq!(shown("registry.example.org/old", "web", &mirrors), "https://mirror.corp/old web");
    }
}
