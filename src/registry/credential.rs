//! Who asks: user and password for a repository, from wherever a person keeps them.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::HeaderValue;

use super::argo::ArgoCredentials;
use super::docker::DockerConfig;
use super::error::Error;
use super::repositories::Repositories;

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for the one place that sends it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "\"***\"" })
    }
}

/// What a connection trusts, and what it shows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Trust {
    /// Authorities besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, PEM.
    pub cert_file: Option<PathBuf>,
    /// Its key, PEM.
    pub key_file: Option<PathBuf>,
    /// Whether any certificate is good enough.
    pub insecure: bool,
}

/// Who asks at one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credential {
    /// User; empty if none.
    pub username: String,
    /// Password.
    pub password: Secret,
    /// Token that a registry gives other tokens for; empty if none.
    pub identity_token: Secret,
    /// Token that is sent as it is; empty if none.
    pub registry_token: Secret,
    /// Certificates.
    pub trust: Trust,
    /// Whether other hosts that an index names get user and password too.
    pub for_all_hosts: bool,
}

impl Credential {
    /// Makes one of user and password.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), password: Secret::new(password), ..Self::default() }
    }

    /// Says whether there is nothing to send.
    pub fn is_anonymous(&self) -> bool {
        self.username.is_empty()
            && self.password.is_empty()
            && self.identity_token.is_empty()
            && self.registry_token.is_empty()
    }

    /// Returns the header for user and password; nothing without them.
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        if self.username.is_empty() && self.password.is_empty() {
            return None;
        }
        let pair = STANDARD.encode(format!("{}:{}", self.username, self.password.reveal()));
        sensitive(&format!("Basic {pair}"))
    }
}

/// Returns a header value that is left out of debug output.
pub(super) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The name of a program that keeps credentials: `docker-credential-NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper(String);

impl Helper {
    /// Takes a name from docker's settings; nothing if it could name anything else than such a program.
    pub(super) fn new(name: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        (!name.is_empty() && name.chars().all(is_plain)).then(|| Self(format!("docker-credential-{name}")))
    }

    pub(super) fn program(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where credentials come from, the strongest first.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// What a person gave with the command: for the repository that the command names, or for its registry.
    pub given: Option<(String, Credential)>,
    /// Argo CD's repository Secrets, as far as clusters showed them.
    pub argo: Arc<Mutex<ArgoCredentials>>,
    /// Helm's `repositories.yaml`.
    pub repositories: Repositories,
    /// Helm's registry settings and docker's, in this order.
    pub registries: Vec<DockerConfig>,
}

impl Credentials {
    fn of_argo(&self, address: &str) -> Option<Credential> {
        self.argo.lock().unwrap_or_else(PoisonError::into_inner).find(address).cloned()
    }

    /// Returns who asks at a classic repository.
    pub(super) fn classic(&self, base: &Url) -> Credential {
        let address = base.as_str();
        if let Some((repository, credential)) = &self.given
            && is_same(repository, address)
        {
            return credential.clone();
        }
        let own = from_url(base);
        let known = || self.repositories.by_url(address).map(|one| one.credential.clone());
        let found = self.of_argo(address).or_else(known);
        match (own, found) {
            (Some(own), found) => Credential { trust: found.map(|found| found.trust).unwrap_or_default(), ..own },
            (None, found) => found.unwrap_or_default(),
        }
    }

    /// Returns who asks at a registry, for a repository in it.
    ///
    /// # Errors
    /// When a program that keeps credentials fails.
    pub(super) async fn registry(&self, host: &str, path: &str) -> Result<Credential, Error> {
        let address = format!("oci://{host}/{path}");
        if let Some((repository, credential)) = &self.given
            && spelled(repository).split('/').nth(2) == Some(host)
        {
            return Ok(credential.clone());
        }
        if let Some(found) = self.of_argo(&address) {
            return Ok(found);
        }
        for config in &self.registries {
            if let Some(found) = config.find(host, path).await? {
                return Ok(found);
            }
        }
        Ok(Credential::default())
    }
}

/// Returns the user and password that an address carries.
pub(super) fn from_url(url: &Url) -> Option<Credential> {
    let plain = |text: &str| percent_decoded(text);
    let (user, password) = (plain(url.username()), plain(url.password().unwrap_or_default()));
    (!user.is_empty() || !password.is_empty()).then(|| Credential::new(user, password))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match (first, tail) {
            (b'%', [a, b, ..]) => std::str::from_utf8(&[*a, *b]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns an address in one spelling: no user, no slash at its end, scheme and host in lower case; without a scheme it is a registry.
pub(super) fn spelled(address: &str) -> String {
    let address = crate::model::chart::without_secrets(address.trim());
    let (scheme, rest) = address.split_once("://").unwrap_or(("oci", &address));
    let rest = rest.trim_end_matches('/');
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("{}://{}{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
}

pub(super) fn is_same(a: &str, b: &str) -> bool {
    spelled(a) == spelled(b)
}

/// Says whether an address lies below another: equal, or longer behind a `/`.
pub(super) fn is_below(prefix: &str, address: &str) -> bool {
    let (prefix, address) = (spelled(prefix), spelled(address));
    address.strip_prefix(&prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::{Credential, Helper, Url, from_url, is_below, is_same};

    #[test]
    fn secrets_are_not_shown() {
        let credential = Credential::new("ana", "hunter2");
        assert!(!format!("{credential:?} {:?}", credential.basic()).contains("hunter2"));
        assert!(!format!("{:?}", credential.basic()).contains("YW5h"));
    }

    #[test]
    fn addresses_carry_credentials() {
        let url = Url::parse("https://a%40b:p%3Aq%25@h/x").unwrap();
        assert_eq!(from_url(&url), Some(Credential::new("a@b", "p:q%")));
        assert_eq!(from_url(&Url::parse("https://h/x").unwrap()), None);
    }

    #[test]
    fn spellings_of_one_repository_are_equal() {
        assert!(is_same("HTTPS://Charts.example.org/x/", "https://u:p@charts.example.org/x"));
        assert!(is_same("registry.example.org/x", "oci://registry.example.org/x"));
        assert!(!is_same("https://h/x", "https://h/X"));
        assert!(is_below("https://h/x", "https://h/x/y") && !is_below("https://h/x", "https://h/xy"));
    }

    #[test]
    fn helpers_are_named_plainly() {
        assert!(Helper::new("ecr-login").is_some());
        for bad in ["", "../x", "a b", "x;y"] {
            assert!(Helper::new(bad).is_none(), "{bad}");
        }
    }
}
