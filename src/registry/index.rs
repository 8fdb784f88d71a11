//! `index.yaml` of an HTTP repository: which charts and versions it has, and where their archives lie.

use std::collections::HashMap;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::yaml;

/// One version that a repository offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    pub version: String,
    /// Where the archive lies, absolute or relative to the index; empty for a registry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// SHA-256 in hexadecimal, if the index names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What an index offers, by chart.
#[derive(Debug, Default)]
pub(super) struct Index {
    charts: HashMap<String, Vec<Offer>>,
}

impl Index {
    /// Reads an index. An entry that is broken is left out, as in helm: it must not hide the others.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let document = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => serde_json::from_slice(bytes).or_else(|_| yaml::parse(bytes)),
            _ => yaml::parse(bytes),
        };
        let document: Value = document.map_err(|error| error.to_string())?;
        if document.get("apiVersion").and_then(Value::as_str).unwrap_or_default().is_empty() {
            return Err("it names no apiVersion".to_owned());
        }
        let entries = match document.get("entries") {
            Some(Value::Object(entries)) => entries,
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(_) => return Err("its entries are no map".to_owned()),
        };
        let offers = |listed: &Value| listed.as_array().into_iter().flatten().filter_map(offer).collect();
        Ok(Self { charts: entries.iter().map(|(name, listed)| (name.clone(), offers(listed))).collect() })
    }

    /// Returns what is offered of a chart, in the order of the index.
    pub fn offers(&self, chart: &str) -> Option<&[Offer]> {
        self.charts.get(chart).map(Vec::as_slice)
    }
}

fn offer(entry: &Value) -> Option<Offer> {
    let version = entry.get("version")?.as_str()?;
    let urls: Vec<String> =
        entry.get("urls")?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let digest = match entry.get("digest") {
        None | Some(Value::Null) => None,
        // Without quotes it may be a number by chance; then nothing could be checked.
        Some(digest) => Some(plain_digest(digest.as_str()?)).filter(|digest| !digest.is_empty()),
    };
    (!urls.is_empty()).then(|| Offer { version: version.to_owned(), urls, digest })
}

/// Returns a SHA-256 digest without its prefix, in lower case.
pub(super) fn plain_digest(digest: &str) -> String {
    let digest = digest.trim();
    digest.strip_prefix("sha256:").unwrap_or(digest).to_ascii_lowercase()
}

/// Returns where an archive lies; `base` is the repository.
pub(super) fn archive_url(base: &Url, url: &str) -> Option<Url> {
    let mut folder = base.clone();
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", base.path()));
    }
    let query = folder.query().map(str::to_owned);
    folder.set_query(None);
    let mut found = folder.join(url).ok()?;
    // A repository whose address carries a query wants it for its archives too.
    if super::http::is_same_origin(base, &found) && found.query().is_none() && !url.contains("://") {
        found.set_query(query.as_deref());
    }
    matches!(found.scheme(), "http" | "https").then_some(found)
}

#[cfg(test)]
mod tests {
    use super::{Index, Url, archive_url};

    #[test]
    fn broken_entries_hide_nothing() {
        let text = "apiVersion: v1\nentries:\n  web:\n  - {version: 1.0.0, urls: [web-1.0.0.tgz], digest: 'sha256:AB', created: 2020-01-01, deprecated: true}\n  \
                    - {version: 1.1.0}\n  - {urls: [x]}\n  - 7\n  - {version: 2.0, urls: [x]}\n  - {version: 3.0.0, urls: [x], digest: 12}\n  api: null\n";
        let index = Index::parse(text.as_bytes()).unwrap();
        let offers = index.offers("web").unwrap();
        assert_eq!(offers.len(), 1);
        assert_eq!(offers[0].digest.as_deref(), Some("ab"));
        assert_eq!(index.offers("api"), Some(&[][..]));
        assert!(index.offers("none").is_none());
        for bad in ["<html>", "a: [", "entries: {}", "apiVersion: v1\nentries: []"] {
            assert!(Index::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(
            Index::parse(br#" {"apiVersion": "v1", "entries": {"a": [{"version": "1.0.0", "urls": ["a.tgz"]}]}}"#)
                .is_ok()
        );
    }

    #[test]
    fn archives_lie_beside_the_index_or_elsewhere() {
        let check = |base: &str, url: &str, expected: Option<&str>| {
            let found = archive_url(&Url::parse(base).unwrap(), url);
            assert_eq!(found.as_ref().map(Url::as_str), expected, "{base} {url}");
        };
        check("https://h/charts", "web-1.tgz", Some("https://h/charts/web-1.tgz"));
        check("https://h/charts/", "a/web-1.tgz", Some("https://h/charts/a/web-1.tgz"));
        check("https://h/charts", "/web-1.tgz", Some("https://h/web-1.tgz"));
        check("https://h/charts?token=1", "web-1.tgz", Some("https://h/charts/web-1.tgz?token=1"));
        check("https://h/charts?token=1", "https://cdn/web-1.tgz", Some("https://cdn/web-1.tgz"));
        check("https://h/charts", "file:///etc/passwd", None);
    }
}
