//! Docker's `config.json`, which helm's registry login writes too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use super::credential::{Credential, Helper, Secret};
use super::error::Error;

/// How long a program that keeps credentials may think.
const PATIENCE: Duration = Duration::from_secs(10);
/// What docker calls its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Credentials for registries.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DockerConfig {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Kept {
    username: String,
    secret: String,
}

impl std::fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DockerConfig").field("registries", &self.auths.keys()).finish_non_exhaustive()
    }
}

impl DockerConfig {
    /// Reads the file; without one there are none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let refuse = |reason: String| Error::File { path: PathBuf::from(path), reason };
        match std::fs::read(path) {
            // The parser's own words could quote a password.
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| refuse(format!("line {} is not what docker writes", error.line()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(refuse(error.to_string())),
        }
    }

    /// Returns who asks at a registry.
    ///
    /// # Errors
    /// When a program that keeps credentials fails.
    pub(super) async fn find(&self, host: &str, path: &str) -> Result<Option<Credential>, Error> {
        let server = if is_docker_hub(host) { DOCKER_HUB } else { host };
        let own = self.cred_helpers.iter().find(|(name, _)| registry(name) == registry(server)).map(|(_, name)| name);
        let helper = own.or(Some(&self.creds_store)).filter(|name| !name.is_empty());
        if let Some(name) = helper {
            let Some(helper) = Helper::new(name) else {
                return Err(Error::Address {
                    url: server.to_owned(),
                    reason: format!("{name:?} names no credential program"),
                });
            };
            if let Some(found) = kept(&helper, server).await? {
                return Ok(Some(found));
            }
        }
        let address = format!("{}/{path}", registry(server));
        let fitting = self.auths.iter().filter(|(name, _)| {
            let name = registry(name);
            address.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let found = fitting.max_by_key(|(name, _)| registry(name).len()).map(|(_, auth)| auth.credential());
        Ok(found.filter(|credential| !credential.is_anonymous()))
    }
}

impl Auth {
    fn credential(&self) -> Credential {
        let pair = STANDARD.decode(self.auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (username, password) = match pair.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((username, password)) => (username.to_owned(), password.trim_end_matches('\0').to_owned()),
            None => (self.username.clone(), self.password.clone()),
        };
        Credential {
            username,
            password: Secret::new(password),
            identity_token: Secret::new(self.identitytoken.as_str()),
            registry_token: Secret::new(self.registrytoken.as_str()),
            ..Credential::default()
        }
    }
}

/// Says whether a host is docker's own registry under one of its names.
pub(super) fn is_docker_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

/// Returns a registry's name without scheme and the version that docker appends.
fn registry(name: &str) -> String {
    let name = name.split_once("://").map_or(name, |(_, rest)| rest).trim_end_matches('/');
    let name = name.strip_suffix("/v1").or_else(|| name.strip_suffix("/v2")).unwrap_or(name);
    let (host, rest) = name.split_at(name.find('/').unwrap_or(name.len()));
    let host = if is_docker_hub(host) { "index.docker.io" } else { host };
    format!("{}{rest}", host.to_ascii_lowercase())
}

#[expect(clippy::disallowed_methods, reason = "docker's settings name programs that keep credentials")]
async fn kept(helper: &Helper, server: &str) -> Result<Option<Credential>, Error> {
    let failed = |reason: String| Error::Helper { helper: helper.clone(), server: server.to_owned(), reason };
    let mut child = tokio::process::Command::new(helper.program())
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => failed("it is not installed".to_owned()),
            _ => failed(error.to_string()),
        })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input says why in its exit code.
        let _ = stdin.write_all(format!("{server}\n").as_bytes()).await;
    }
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .map_err(|_| failed(format!("no answer for {} seconds", PATIENCE.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        // What it prints is shown only in the one case whose words are known: it may be anything.
        return match said.contains("credentials not found") {
            true => Ok(None),
            false => Err(failed(format!("it ends with {}", output.status))),
        };
    }
    let found: Kept = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its answer is not what docker expects".to_owned()))?;
    Ok(Some(match found.username.as_str() {
        "<token>" => Credential { identity_token: Secret::new(found.secret), ..Credential::default() },
        _ => Credential::new(found.username, found.secret),
    }))
}

#[cfg(test)]
mod tests {
    use super::DockerConfig;

    async fn user(config: &str, host: &str, path: &str) -> Option<String> {
        let config: DockerConfig = serde_json::from_str(config).unwrap();
        config.find(host, path).await.unwrap().map(|found| found.username)
    }

    #[tokio::test]
    async fn registries_are_found_by_host_and_path() {
        // ana:hunter2
        let config = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "YW5hOmh1bnRlcjI="},
            "r.example.org": {"username": "all", "password": "x"}, "r.example.org/team": {"username": "team", "password": "x"},
            "https://old.example.org/v2/": {"username": "old", "password": "x"}}}"#;
        for (host, path, expected) in [
            ("registry-1.docker.io", "library/x", Some("ana")),
            ("docker.io", "library/x", Some("ana")),
            ("r.example.org", "charts/web", Some("all")),
            ("r.example.org", "team/web", Some("team")),
            ("r.example.org", "teams/web", Some("all")),
            ("old.example.org", "x", Some("old")),
            ("r.example.org.evil", "x", None),
        ] {
            assert_eq!(user(config, host, path).await.as_deref(), expected, "{host}/{path}");
        }
        let config: DockerConfig = serde_json::from_str(config).unwrap();
        assert!(!format!("{config:?}").contains("YW5h"));
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_is_said() {
        let config: DockerConfig =
            serde_json::from_str(r#"{"credHelpers": {"r.example.org": "quarterdeck-is-not-there"}}"#).unwrap();
        let error = config.find("r.example.org", "x").await.unwrap_err().to_string();
        assert!(
            error.contains("docker-credential-quarterdeck-is-not-there") && error.contains("not installed"),
            "{error}"
        );
        assert!(config.find("other.example.org", "x").await.unwrap().is_none());
    }
}
