//! One HTTP client for repositories: bounded, patient for so long, and careful about where it is sent.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Certificate, Identity, StatusCode, Url};
use tokio::sync::Semaphore;
use tokio_rustls::rustls::crypto;

use super::credential::{Secret, Trust};
use super::error::Error;
use crate::model::chart::without_secrets;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest wait for the next bytes.
const SILENCE: Duration = Duration::from_secs(30);
/// Longest time for one request as a whole.
const WHOLE: Duration = Duration::from_secs(300);
/// Redirects that are followed.
const HOPS: usize = 10;
/// Requests at once.
const AT_ONCE: usize = 8;
/// How much of an answer that is an error is read.
const LARGEST_REFUSAL: u64 = 16 << 10;

/// What is asked for.
pub(super) struct Get<'a> {
    pub url: Url,
    pub accept: Option<&'static str>,
    /// Is not sent to another host than the first one.
    pub authorization: Option<HeaderValue>,
    pub trust: &'a Trust,
    /// Largest answer in bytes.
    pub limit: u64,
}

/// What came.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Where it came from in the end.
    pub url: Url,
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns the body of a success, or the error that the status means.
    pub fn success(self, had_credentials: bool) -> Result<Self, Error> {
        let url = || without_secrets(self.url.as_str());
        match self.status.as_u16() {
            200..=299 => Ok(self),
            401 | 403 => Err(Error::Unauthorized { url: url(), had_credentials }),
            status => Err(Error::Status { url: url(), status, said: String::new() }),
        }
    }
}

/// Clients by what they trust. They keep connections open between requests.
pub(super) struct Client {
    made: Mutex<HashMap<Kind, reqwest::Client>>,
    slots: Semaphore,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    is_encrypted: bool,
    is_near: bool,
    trust: Trust,
}

impl Client {
    pub fn new() -> Self {
        Self { made: Mutex::default(), slots: Semaphore::new(AT_ONCE) }
    }

    /// Gets a file, following redirects: never from https to http, and without credentials to another host.
    pub async fn get(&self, get: Get<'_>) -> Result<Answer, Error> {
        let _slot = self.slots.acquire().await;
        let (mut url, mut authorization) = (get.url.clone(), get.authorization.clone());
        for _ in 0..HOPS {
            let mut request = self.client(&url, get.trust)?.get(url.clone());
            if let Some(accept) = get.accept {
                request = request.header(ACCEPT, accept);
            }
            if let Some(value) = &authorization {
                request = request.header(AUTHORIZATION, value.clone());
            }
            let response = request.send().await.map_err(|error| network(&url, error))?;
            if !is_redirect(response.status()) {
                return read(response, &url, get.limit).await;
            }
            let target = redirected(&url, response.headers())?;
            if !is_same_origin(&get.url, &target) {
                authorization = None;
            }
            url = target;
        }
        Err(Error::Redirect {
            url: without_secrets(get.url.as_str()),
            target: without_secrets(url.as_str()),
            reason: "it goes on and on",
        })
    }

    /// Sends an identity token for another token. Redirects are not followed.
    pub async fn exchange(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        token: &Secret,
        trust: &Trust,
    ) -> Result<Answer, Error> {
        let _slot = self.slots.acquire().await;
        let mut body = Url::parse("form:").map_err(|_| network_said(url, "no form can be made"))?;
        body.query_pairs_mut().extend_pairs(form).append_pair("refresh_token", token.reveal());
        let request = self
            .client(url, trust)?
            .post(url.clone())
            .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.query().unwrap_or_default().to_owned());
        let response = request.send().await.map_err(|error| network(url, error))?;
        read(response, url, 1 << 20).await
    }

    fn client(&self, url: &Url, trust: &Trust) -> Result<reqwest::Client, Error> {
        let kind = Kind { is_encrypted: url.scheme() == "https", is_near: is_loopback(url), trust: trust.clone() };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&kind) {
            return Ok(client.clone());
        }
        let client = make(&kind).map_err(|reason| Error::Trust { url: without_secrets(url.as_str()), reason })?;
        made.insert(kind, client.clone());
        Ok(client)
    }
}

fn make(kind: &Kind) -> Result<reqwest::Client, String> {
    static PROVIDER: Once = Once::new();
    // Another part of the program may have chosen it already, which is just as good.
    PROVIDER.call_once(|| drop(crypto::ring::default_provider().install_default()));
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("quarterdeck/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .timeout(WHOLE)
        .referer(false);
    if kind.is_near {
        builder = builder.no_proxy();
    }
    if !kind.is_encrypted {
        // Without this, a machine without certificates could not even talk to itself.
        builder = builder.tls_certs_only([]);
    } else {
        if let Some(path) = &kind.trust.ca_file {
            let bundle = Certificate::from_pem_bundle(&file(path)?).map_err(|error| flat(&error))?;
            builder = builder.tls_certs_merge(bundle);
        }
        if let (Some(cert), Some(key)) = (&kind.trust.cert_file, &kind.trust.key_file) {
            let mut pem = file(cert)?;
            pem.push(b'\n');
            pem.extend(file(key)?);
            builder = builder.identity(Identity::from_pem(&pem).map_err(|error| flat(&error))?);
        }
        if kind.trust.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
    }
    builder.build().map_err(|error| flat(&error))
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

async fn read(mut response: reqwest::Response, url: &Url, limit: u64) -> Result<Answer, Error> {
    let status = response.status();
    let is_refusal = !status.is_success();
    let limit = if is_refusal { LARGEST_REFUSAL } else { limit };
    let too_large = || Error::TooLarge { url: without_secrets(url.as_str()), limit };
    if !is_refusal && response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| network(url, error))? {
        let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(body.len());
        if chunk.len() > left {
            if is_refusal {
                break;
            }
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers: response.headers().clone(), url: url.clone(), body })
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn redirected(from: &Url, headers: &HeaderMap) -> Result<Url, Error> {
    let said = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let refuse = |target: &str, reason| {
        Err(Error::Redirect { url: without_secrets(from.as_str()), target: without_secrets(target), reason })
    };
    let Ok(mut target) = from.join(said) else { return refuse(said, "that is no address") };
    if said.is_empty() {
        return refuse(said, "that is no address");
    }
    match (from.scheme(), target.scheme()) {
        ("https" | "http", "https") | ("http", "http") => {}
        ("https", "http") => return refuse(target.as_str(), "that is not encrypted"),
        _ => return refuse(target.as_str(), "that is neither http nor https"),
    }
    // A server does not choose who we are.
    if target.set_username("").is_err() || target.set_password(None).is_err() {
        return refuse(target.as_str(), "that is no address");
    }
    Ok(target)
}

/// Says whether two addresses are of one server.
pub(super) fn is_same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

/// Says whether an address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

fn network(url: &Url, error: reqwest::Error) -> Error {
    network_said(url, &flat(&error.without_url()))
}

fn network_said(url: &Url, reason: &str) -> Error {
    Error::Network { url: without_secrets(url.as_str()), reason: reason.to_owned() }
}

/// Returns what lies at the bottom of an error, which is what tells.
fn flat(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    crate::model::text::line(&last.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, HeaderValue, LOCATION, Url, is_loopback, is_same_origin, redirected};

    fn redirect(from: &str, to: &str) -> Result<String, String> {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(to).unwrap())]);
        redirected(&Url::parse(from).unwrap(), &headers).map(Into::into).map_err(|error| error.to_string())
    }

    #[test]
    fn redirects_stay_encrypted() {
        assert_eq!(redirect("https://h/a/b", "../c").as_deref(), Ok("https://h/c"));
        assert_eq!(redirect("http://h/a", "https://u:p@h/b").as_deref(), Ok("https://h/b"));
        assert!(
            redirect("https://h/a", "http://h/b?t=secret").unwrap_err().ends_with("http://h/b: that is not encrypted")
        );
        assert!(redirect("https://h/a", "file:///etc/passwd").is_err());
        assert!(redirect("https://h/a", "").is_err());
    }

    #[test]
    fn another_port_is_another_server() {
        let url = |text| Url::parse(text).unwrap();
        assert!(is_same_origin(&url("https://h/a"), &url("https://h:443/b")));
        assert!(!is_same_origin(&url("https://h/a"), &url("https://h:8443/a")));
        assert!(!is_same_origin(&url("https://h/a"), &url("http://h:443/a")));
    }

    #[test]
    fn only_this_machine_is_near() {
        for near in ["http://localhost:1/", "http://127.0.0.1/", "http://127.9.9.9/", "http://[::1]:5000/"] {
            assert!(is_loopback(&Url::parse(near).unwrap()), "{near}");
        }
        for far in ["http://localhost.example.org/", "http://10.0.0.1/", "http://[::2]/"] {
            assert!(!is_loopback(&Url::parse(far).unwrap()), "{far}");
        }
    }
}
