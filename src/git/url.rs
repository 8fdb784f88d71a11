//! Repository URLs: which spellings mean the same, and which may be used at all.

use super::Error;

/// Returns a URL in one spelling: `host/path` in lower case, without scheme, user, port of the scheme, `.git` or a trailing slash.
pub fn normalise(url: &str) -> String {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = match rest.split_once('@') {
        Some((user, rest)) if !user.contains('/') => rest,
        _ => rest,
    };
    // `host:path` is ssh in short; `host:22/path` is a port.
    let rest = match rest.split_once(':') {
        Some((host, path)) if !host.contains('/') => {
            let port: String = path.chars().take_while(char::is_ascii_digit).collect();
            let after = path[port.len()..].trim_start_matches('/');
            match scheme {
                "" => format!("{host}/{}", path.trim_start_matches('/')),
                "ssh" if port == "22" => format!("{host}/{after}"),
                "https" if port == "443" => format!("{host}/{after}"),
                _ => rest.to_owned(),
            }
        }
        _ => rest.to_owned(),
    };
    let rest = rest.trim_end_matches('/').to_lowercase();
    rest.strip_suffix(".git").unwrap_or(&rest).to_owned()
}

/// Checks that a URL can be handed to git: a known scheme and nothing that could be taken for an option or another command.
///
/// # Errors
/// When it may not be used.
pub fn check(url: &str) -> Result<(), Error> {
    let refuse = |reason| Err(Error::Url { url: without_credentials(url), reason });
    let lower = url.to_lowercase();
    if url.chars().any(char::is_control) || lower.contains("%0a") || lower.contains("%0d") || lower.contains("%00") {
        return refuse("it holds a control character");
    }
    if url.starts_with('-') || url.contains("://-") || url.contains("@-") {
        return refuse("it looks like an option");
    }
    match url.split_once("://") {
        Some(("https" | "ssh" | "git+ssh" | "file" | "http" | "git", _)) => Ok(()),
        Some(_) => refuse("its scheme is not https, ssh, git or file"),
        None if url.contains("::") => refuse("it names a remote helper"),
        None => Ok(()),
    }
}

/// Returns a URL without user and password.
pub fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, normalise, without_credentials};

    #[test]
    fn spellings_of_one_repository_are_equal() {
        for url in [
            "git@github.com:Acme/Platform.git",
            "ssh://git@github.com/acme/platform",
            "ssh://git@github.com:22/acme/platform.git",
            "https://github.com/acme/platform.git",
            "https://user:secret@github.com/acme/platform/",
            "https://github.com:443/acme/platform",
        ] {
            assert_eq!(normalise(url), "github.com/acme/platform", "{url}");
        }
        assert_ne!(normalise("https://github.com/acme/other"), normalise("https://github.com/acme/platform"));
        assert_ne!(normalise("ssh://git@host:2222/a"), normalise("ssh://git@host/a"));
    }

    #[test]
    fn urls_that_could_run_something_are_refused() {
        for url in [
            "ext::sh -c x",
            "--upload-pack=x",
            "ssh://-oProxyCommand=x/y",
            "https://h/%0d%0a",
            "fd::3",
            "ftp://h/x",
            "a\nb",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
        for url in ["https://h/x.git", "git@h:x/y.git", "/srv/git/x.git", "file:///srv/x", "ssh://git@h/x"] {
            assert!(check(url).is_ok(), "{url}");
        }
        assert_eq!(without_credentials("https://u:p@h/x"), "https://h/x");
    }
}
