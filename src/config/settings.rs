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
    /// How Git is used.
    pub git: RepositorySettings,
}

/// `[git]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RepositorySettings {
    /// Remote that is pushed to; the default is `origin`.
    pub push_remote: Option<String>,
    /// Work tree to open when no repository is named.
    pub worktree: Option<PathBuf>,
}

const KNOWN: [&str; 9] =
    ["repositories", "kubeconfig", "theme", "ascii", "keys", "contexts", "control_plane", "read_only", "git"];
const KNOWN_GIT: [&str; 2] = ["push_remote", "worktree"];

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
        let git = table.get("git").and_then(toml::Value::as_table);
        let top = table.keys().map(|key| (key, &KNOWN[..]));
        let nested = git.into_iter().flat_map(toml::Table::keys).map(|key| (key, &KNOWN_GIT[..]));
        for (key, known) in top.chain(nested) {
            if !known.contains(&key.as_str()) {
                return Err(refuse(unknown::line_of(text, key), unknown::message(key, known)));
            }
        }
        toml::from_str(text).map_err(|error: toml::de::Error| refuse(line(error.span()), error.message().to_owned()))
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
        check("ascii = true\n[contexts]\nprod = \"p\"\n[keys]\nsync = [\"s\"]\n[git]\npush_remote = \"up\"\n", "fine");
        check("ascii = true\nthem = \"x\"\n", "config.toml:2: unknown key \"them\"; did you mean \"theme\"?");
        check("[git]\nremote = \"x\"\n", "config.toml:2: unknown key \"remote\"; known are push_remote, worktree");
        check("\nascii = 1\n", "config.toml:2: invalid type: integer `1`, expected a boolean");
    }
}
