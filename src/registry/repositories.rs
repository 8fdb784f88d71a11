//! Helm's `repositories.yaml`: names of chart repositories and who asks there.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::credential::{Credential, Secret, Trust, is_same};
use super::error::Error;
use crate::yaml;

/// The repositories that a person added with `helm repo add`.
#[derive(Clone, Debug, Default)]
pub struct Repositories {
    entries: Vec<Repository>,
}

/// One repository.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Short name.
    pub name: String,
    /// Address.
    pub url: String,
    /// Who asks there.
    pub credential: Credential,
}

impl Repositories {
    /// Reads the file; without one there are none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let refuse = |reason: String| Error::File { path: path.to_owned(), reason };
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&bytes).map_err(refuse),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(refuse(error.to_string())),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let document = yaml::parse(bytes).map_err(|error| error.to_string())?;
        let listed = document.get("repositories").and_then(Value::as_array);
        Ok(Self { entries: listed.into_iter().flatten().filter_map(entry).collect() })
    }

    /// Returns the repository of that name.
    pub fn by_name(&self, name: &str) -> Option<&Repository> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Returns the repository at that address.
    pub fn by_url(&self, url: &str) -> Option<&Repository> {
        self.entries.iter().find(|entry| is_same(&entry.url, url))
    }
}

fn entry(value: &Value) -> Option<Repository> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or_default();
    let file = |key: &str| Some(text(key)).filter(|path| !path.is_empty()).map(PathBuf::from);
    let (name, url) = (text("name"), text("url"));
    (!name.is_empty() && !url.is_empty()).then(|| Repository {
        name,
        url,
        credential: Credential {
            username: text("username"),
            password: Secret::new(text("password")),
            trust: Trust {
                ca_file: file("caFile"),
                cert_file: file("certFile"),
                key_file: file("keyFile"),
                insecure: is("insecure_skip_tls_verify"),
            },
            for_all_hosts: is("pass_credentials_all"),
            ..Credential::default()
        },
    })
}

#[cfg(test)]
mod tests {
    use super::Repositories;

    #[test]
    fn repositories_are_found_by_name_and_address() {
        let text = "apiVersion: \"\"\nrepositories:\n- name: team\n  url: https://charts.example.org/\n  username: ana\n  password: hunter2\n  \
                    pass_credentials_all: true\n- name: broken\n";
        let found = Repositories::parse(text.as_bytes()).unwrap();
        let team = found.by_name("team").unwrap();
        assert!(team.credential.for_all_hosts && team.credential.username == "ana");
        assert!(found.by_url("https://charts.example.org").is_some());
        assert!(found.by_name("broken").is_none());
        assert!(!format!("{found:?}").contains("hunter2"));
        assert!(Repositories::parse(b"a: [").is_err());
    }
}
