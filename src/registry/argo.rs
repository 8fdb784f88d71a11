//! Argo CD's repository Secrets as credentials.

use std::collections::BTreeMap;

use super::credential::{Credential, is_below, is_same};

/// Credentials from repository Secrets.
#[derive(Clone, Debug, Default)]
pub struct ArgoCredentials {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    url: String,
    /// Whether it holds for everything below its URL (`repo-creds`).
    is_template: bool,
    credential: Credential,
}

/// The Secrets that hold credentials for charts, as a label selector.
pub const SECRETS: &str = "argocd.argoproj.io/secret-type in (repository,repo-creds)";

/// The label that says what a Secret is for.
pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";

impl ArgoCredentials {
    /// Takes in one Secret: the label's value and its decoded data. What is no Helm or OCI repository is left out.
    pub fn add(&mut self, secret_type: &str, data: &BTreeMap<String, Vec<u8>>) {
        let text = |key: &str| data.get(key).map(|value| String::from_utf8_lossy(value).trim().to_owned());
        let is = |key: &str| text(key).is_some_and(|value| value == "true");
        let is_template = match secret_type {
            "repository" => false,
            "repo-creds" => true,
            _ => return,
        };
        let kind = text("type").unwrap_or_default();
        let Some(url) = text("url").filter(|url| !url.is_empty()) else { return };
        // Credentials for a prefix need not say what they are for.
        if !(matches!(kind.as_str(), "helm" | "oci") || is_template && kind.is_empty()) {
            return;
        }
        let url = if !url.contains("://") && (is("enableOCI") || kind == "oci") { format!("oci://{url}") } else { url };
        let mut credential =
            Credential::new(text("username").unwrap_or_default(), text("password").unwrap_or_default());
        credential.trust.insecure = is("insecure");
        credential.for_all_hosts = is("forcePassCredentials");
        self.entries.push(Entry { url, is_template, credential });
    }

    /// Takes in others; what was known of a URL is replaced.
    pub fn extend(&mut self, new: ArgoCredentials) {
        self.entries
            .retain(|old| !new.entries.iter().any(|new| new.url == old.url && new.is_template == old.is_template));
        self.entries.extend(new.entries);
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the credentials for an address: of its own Secret, else of the longest prefix.
    pub(super) fn find(&self, address: &str) -> Option<&Credential> {
        let holds = |entry: &&Entry| match entry.is_template {
            true => is_below(&entry.url, address),
            // A registry's Secret names the folder that its charts lie in.
            false => is_same(&entry.url, address) || address.starts_with("oci://") && is_below(&entry.url, address),
        };
        let best = |wanted: bool| {
            let fitting = self.entries.iter().filter(move |entry| entry.is_template == wanted).filter(holds);
            fitting.max_by_key(|entry| entry.url.len()).map(|entry| &entry.credential)
        };
        let own = best(false);
        own.filter(|credential| !credential.is_anonymous()).or_else(|| best(true)).or(own)
    }
}

#[cfg(test)]
mod tests {
    use super::{ArgoCredentials, BTreeMap};

    fn secret(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn what_is_new_replaces_what_was_known() {
        let user = |name| secret(&[("url", "https://charts.example.org"), ("type", "helm"), ("username", name)]);
        let (mut argo, mut new) = (ArgoCredentials::default(), ArgoCredentials::default());
        argo.add("repository", &user("old"));
        new.add("repository", &user("new"));
        argo.extend(new);
        assert_eq!(argo.find("https://charts.example.org").map(|found| found.username.as_str()), Some("new"));
        assert_eq!(argo.entries.len(), 1);
    }

    #[test]
    fn the_closest_secret_wins() {
        let mut argo = ArgoCredentials::default();
        let user = |url, name| secret(&[("url", url), ("type", "helm"), ("username", name), ("password", "p")]);
        argo.add("repo-creds", &user("https://charts.example.org", "prefix"));
        argo.add("repo-creds", &user("https://charts.example.org/team", "longer"));
        argo.add("repository", &user("https://charts.example.org/team/a", "own"));
        argo.add("repository", &secret(&[("url", "https://charts.example.org/b"), ("type", "helm")]));
        argo.add("repository", &secret(&[("url", "https://git.example.org/x"), ("type", "git"), ("username", "git")]));
        let mut oci = user("registry.example.org/charts", "oci");
        oci.insert("enableOCI".into(), b"true".to_vec());
        argo.add("repository", &oci);
        for (address, expected) in [
            ("https://charts.example.org/team/a/", Some("own")),
            ("https://charts.example.org/team/c", Some("longer")),
            ("https://charts.example.org/b", Some("prefix")),
            ("https://charts.example.org.evil/b", None),
            ("https://git.example.org/x", None),
            ("oci://registry.example.org/charts/web", Some("oci")),
            ("oci://registry.example.org/other/web", None),
        ] {
            assert_eq!(argo.find(address).map(|found| found.username.as_str()), expected, "{address}");
        }
        assert!(!format!("{argo:?}").contains("\"p\""));
    }
}
