//! The kubeconfig that leads to served clusters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One served cluster.
pub struct Entry<'a> {
    /// Context, cluster and user name.
    pub name: &'a str,
    /// URL.
    pub server: &'a str,
}

/// Writes a kubeconfig; the first entry is the current context.
pub fn write(entries: &[Entry<'_>], authority: &str, token: &str) -> String {
    let authority = STANDARD.encode(authority);
    let mut text = String::from("apiVersion: v1\nkind: Config\nclusters:\n");
    for entry in entries {
        text.push_str(&format!(
            "- name: {}\n  cluster:\n    server: {}\n    certificate-authority-data: {authority}\n",
            entry.name, entry.server
        ));
    }
    text.push_str("contexts:\n");
    for entry in entries {
        text.push_str(&format!("- name: {0}\n  context:\n    cluster: {0}\n    user: {0}\n", entry.name));
    }
    text.push_str("users:\n");
    for entry in entries {
        text.push_str(&format!("- name: {}\n  user:\n    token: {token}\n", entry.name));
    }
    if let Some(first) = entries.first() {
        text.push_str(&format!("current-context: {}\n", first.name));
    }
    text
}
