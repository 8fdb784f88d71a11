//! The user's settings file, TOML.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Error, unknown};

/// What a person set for themselves.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Repositories to open; the first one is the default.
    pub repositories: Vec<PathBuf>,
    /// Kubeconfig files; empty means `KUBECONFIG` or the usual place.
    pub kubeconfig: Vec<PathBuf>,
    /// Theme's name.
    pub theme: Option<String>,
    /// Whether only ASCII signs are drawn.
    pub ascii: bool,
    /// Action to its keys.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Destination name or server to kubeconfig context.
    pub contexts: BTreeMap<String, String>,
    /// The context that `in-cluster` means.
    pub control_plane: Option<String>,
    /// Environments that must not be changed from here.
    pub read_only: Vec<String>,
    /// Where charts come from.
    pub charts: Charts,
}

/// Where charts come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Charts {
    /// Address to what is asked instead of it and everything below it.
    pub mirrors: BTreeMap<String, String>,
    /// Registries, `host` or `host:port`, that are spoken to without encryption.
    pub plain_http: Vec<String>,
}

const KNOWN: [&str; 9] =
    ["repositories", "kubeconfig", "theme", "ascii", "keys", "contexts", "control_plane", "read_only", "charts"];
const KNOWN_OF_CHARTS: [&str; 2] = ["mirrors", "plain_http"];

impl Settings {
    /// Reads the text of a settings file; `path` is only named in errors.
    ///
    /// # Errors
    /// When it is not TOML, or a key is unknown or has the wrong type.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let refuse = |line, what| Error { path: path.to_owned(), line, what };
        let line = |span: Option<std::ops::Range<usize>>| {
            span.and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1)
        };
        let table: toml::Table = toml::from_str(text)
            .map_err(|error: toml::de::Error| refuse(line(error.span()), error.message().to_owned()))?;
        if let Some(key) = table.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(refuse(unknown::line_of(text, key), unknown::message(key, &KNOWN)));
        }
        let charts = table.get("charts").and_then(toml::Value::as_table);
        if let Some(key) = charts.and_then(|charts| charts.keys().find(|key| !KNOWN_OF_CHARTS.contains(&key.as_str())))
        {
            return Err(refuse(unknown::line_of(text, key), unknown::message(key, &KNOWN_OF_CHARTS)));
        }
        let settings: Self = toml::from_str(text)
            .map_err(|error: toml::de::Error| refuse(line(error.span()), error.message().to_owned()))?;
        let is_address = |text: &str| {
            let rest = ["https://", "http://", "oci://"].iter().find_map(|scheme| text.strip_prefix(scheme));
            rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        };
        for address in settings.charts.mirrors.iter().flat_map(|(from, to)| [from, to]) {
            if !is_address(address) {
                let what = format!("mirror {address:?} is no address; write https://host/path or oci://host/path");
                return Err(refuse(unknown::line_of(text, address), what));
            }
            // The file lies where others may read it, and its text ends up in errors.
            if address.split('/').nth(2).is_some_and(|host| host.contains('@')) {
                let what = "a mirror carries a user; log in with helm or docker instead".to_owned();
                return Err(refuse(unknown::line_of(text, address), what));
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Settings;

    #[test]
    fn settings_are_read_or_refused_with_a_line() {
        fn check(text: &str, expected: &str) {
            let result = Settings::parse(text, Path::new("config.toml"));
            assert_eq!(result.map_or_else(|error| error.to_string(), |_| "fine".to_owned()), expected, "{text}");
        }
        check("", "fine");
        check("ascii = true\n[contexts]\nprod = \"p\"\n[keys]\nsync = [\"s\"]\n", "fine");
        check("ascii = true\nthem = \"x\"\n", "config.toml:2: unknown key \"them\"; did you mean \"theme\"?");
        check("[charts]\nplain_http = [\"r:5000\"]\n[charts.mirrors]\n\"https://a\" = \"oci://b/c\"\n", "fine");
        check("[charts]\nmirror = {}\n", "config.toml:2: unknown key \"mirror\"; did you mean \"mirrors\"?");
        check(
            "[charts.mirrors]\n\"https://a\" = \"b/c\"\n",
            "config.toml: mirror \"b/c\" is no address; write https://host/path or oci://host/path",
        );
        check(
            "[charts.mirrors]\n\"https://u:p@a\" = \"https://b\"\n",
            "config.toml:2: a mirror carries a user; log in with helm or docker instead",
        );
        check("\nascii = 1\n", "config.toml:2: invalid type: integer `1`, expected a boolean");
    }
}
