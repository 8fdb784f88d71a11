//! Charts in OCI registries: tokens, manifests, tags, and the one layer that is the chart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue, LINK, WWW_AUTHENTICATE};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::cache::hex;
use super::credential::{Credential, Credentials, sensitive};
use super::error::Error;
use super::http::{Answer, Client, Get, is_loopback, is_same_origin};
use super::index::plain_digest;
use super::place::Repository;
use crate::model::chart::{is_exact, without_secrets};
use crate::model::text;

/// What the layer with the chart is called; the second name is of the years before the first.
const CHART_LAYERS: [&str; 2] = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];
const MANIFESTS: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
const LARGEST_MANIFEST: u64 = 4 << 20;
const LARGEST_LIST: u64 = 16 << 20;
/// Pages of tags that are read.
const PAGES: usize = 200;

/// Registries, and the tokens that they gave.
#[derive(Default)]
pub(super) struct Registries {
    tokens: Mutex<HashMap<String, HeaderValue>>,
}

/// A layer that is a chart.
pub(super) struct Layer {
    /// SHA-256 in hexadecimal.
    pub digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<RefusalEntry>,
}

#[derive(Deserialize)]
struct RefusalEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// One conversation with a registry about one repository.
pub(super) struct Talk<'a> {
    pub client: &'a Client,
    pub registries: &'a Registries,
    pub credentials: &'a Credentials,
    pub repository: &'a Repository,
}

impl Talk<'_> {
    /// Returns the versions that the tags name; `_` in a tag stands for `+`.
    pub async fn versions(&self) -> Result<Vec<String>, Error> {
        let mut url = self.repository.url("tags/list")?;
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let answer = self.get(url.clone(), None, LARGEST_LIST).await?;
            let tags: Tags = serde_json::from_slice(&answer.body).map_err(|error| Error::Manifest {
                url: without_secrets(url.as_str()),
                reason: format!("its list of tags does not parse: {error}"),
            })?;
            found
                .extend(tags.tags.into_iter().flatten().map(|tag| tag.replace('_', "+")).filter(|tag| is_version(tag)));
            match next_page(&url, &answer.headers) {
                Some(next) => url = next,
                None => return Ok(found),
            }
        }
        Ok(found)
    }

    /// Returns the chart that a tag or digest names.
    pub async fn layer(&self, reference: &str) -> Result<Layer, Error> {
        let url = self.repository.url(&format!("manifests/{}", reference.replace('+', "_")))?;
        let answer = self.get(url.clone(), Some(MANIFESTS), LARGEST_MANIFEST).await?;
        let shown = without_secrets(url.as_str());
        let found = hex(&Sha256::digest(&answer.body));
        let promised = answer.headers.get("docker-content-digest").and_then(|value| value.to_str().ok());
        let promised = reference.contains(':').then_some(reference).or(promised);
        if let Some(promised) = promised
            && plain_digest(promised) != found
        {
            return Err(Error::Digest { url: shown, expected: text::line(promised).into_owned(), found });
        }
        let refuse = |reason: String| Error::Manifest { url: shown.clone(), reason };
        let manifest: Manifest = serde_json::from_slice(&answer.body)
            .map_err(|error| refuse(format!("its manifest does not parse: {error}")))?;
        let layer = CHART_LAYERS.iter().find_map(|kind| manifest.layers.iter().find(|layer| layer.media_type == *kind));
        let Some(layer) = layer else {
            let holds: Vec<&str> = manifest.layers.iter().map(|layer| layer.media_type.as_str()).collect();
            return Err(refuse(match manifest.manifests.is_empty() {
                true if holds.is_empty() => format!("its manifest {:?} has no layers", manifest.media_type),
                true => format!("it holds {}", text::line(&holds.join(", "))),
                false => "it is an index of several images".to_owned(),
            }));
        };
        let digest = layer.digest.strip_prefix("sha256:").unwrap_or_default();
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refuse(format!("the digest {:?} of its chart is not sha256", layer.digest)));
        }
        Ok(Layer { digest: digest.to_ascii_lowercase() })
    }

    /// Downloads a layer. The caller checks its digest.
    pub async fn blob(&self, layer: &Layer, limit: u64) -> Result<(Url, Vec<u8>), Error> {
        let url = self.repository.url(&format!("blobs/sha256:{}", layer.digest))?;
        let answer = self.get(url.clone(), None, limit).await?;
        Ok((url, answer.body))
    }

    async fn get(&self, url: Url, accept: Option<&'static str>, limit: u64) -> Result<Answer, Error> {
        let key = format!("{}/{}", self.repository.host, self.repository.path);
        let known = self.registries.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let credential = self.credentials.registry(&self.repository.host, &self.repository.path).await?;
        let request = |authorization| Get { url: url.clone(), accept, authorization, trust: &credential.trust, limit };
        let answer = self.client.get(request(known)).await?;
        if answer.status.as_u16() != 401 {
            return said(answer, !credential.is_anonymous());
        }
        let authorization = self.authorize(&answer, &credential).await?;
        self.registries.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(key, authorization.clone());
        let answer = self.client.get(request(Some(authorization))).await?;
        said(answer, !credential.is_anonymous())
    }

    /// Answers a challenge.
    async fn authorize(&self, answer: &Answer, credential: &Credential) -> Result<HeaderValue, Error> {
        let refused = || Error::Unauthorized {
            url: without_secrets(answer.url.as_str()),
            had_credentials: !credential.is_anonymous(),
        };
        if !is_same_origin(&answer.url, &self.repository.url("")?) {
            return Err(refused());
        }
        if !credential.registry_token.is_empty() {
            return sensitive(&format!("Bearer {}", credential.registry_token.reveal())).ok_or_else(refused);
        }
        let challenges: Vec<Challenge> = answer
            .headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| challenge(value.to_str().ok()?))
            .collect();
        let Some(bearer) = challenges.iter().find(|challenge| challenge.scheme == "bearer") else {
            return credential.basic().ok_or_else(refused);
        };
        let realm = bearer.parameter("realm").and_then(|realm| Url::parse(realm).ok()).ok_or_else(refused)?;
        let is_safe =
            realm.scheme() == "https" || realm.scheme() == "http" && (self.repository.is_plain || is_loopback(&realm));
        if !is_safe {
            return Err(Error::Redirect {
                url: without_secrets(answer.url.as_str()),
                target: without_secrets(realm.as_str()),
                reason: "that is not encrypted, and credentials would be sent there",
            });
        }
        let scope = bearer
            .parameter("scope")
            .map_or_else(|| format!("repository:{}:pull", self.repository.path), str::to_owned);
        let service = bearer.parameter("service").unwrap_or_default();
        let answer = self.token(realm, service, &scope, credential).await?;
        let token: Token = serde_json::from_slice(&answer.body).map_err(|_| refused())?;
        let token = token.token.or(token.access_token).filter(|token| !token.is_empty()).ok_or_else(refused)?;
        sensitive(&format!("Bearer {token}")).ok_or_else(refused)
    }

    async fn token(&self, realm: Url, service: &str, scope: &str, credential: &Credential) -> Result<Answer, Error> {
        let had_credentials = !credential.is_anonymous();
        if !credential.identity_token.is_empty() {
            let form =
                [("grant_type", "refresh_token"), ("client_id", "quarterdeck"), ("service", service), ("scope", scope)];
            let answer = self.client.exchange(&realm, &form, &credential.identity_token, &credential.trust).await?;
            return answer.success(had_credentials);
        }
        let mut url = realm;
        if !service.is_empty() {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", scope);
        let request =
            Get { url, accept: None, authorization: credential.basic(), trust: &credential.trust, limit: 1 << 20 };
        self.client.get(request).await?.success(had_credentials)
    }
}

/// Says whether a tag is a version as helm reads tags: with all three numbers and without a `v`.
fn is_version(tag: &str) -> bool {
    tag.starts_with(|c: char| c.is_ascii_digit()) && is_exact(tag)
}

/// Adds to an error what the registry says about it.
fn said(answer: Answer, had_credentials: bool) -> Result<Answer, Error> {
    let refusal: Option<Refusal> =
        (!answer.status.is_success()).then(|| serde_json::from_slice(&answer.body).ok()).flatten();
    let first = refusal.and_then(|refusal| refusal.errors.into_iter().next());
    let words =
        first.map(|entry| if entry.message.is_empty() { entry.code } else { entry.message }).unwrap_or_default();
    answer.success(had_credentials).map_err(|error| match error {
        Error::Status { url, status, .. } => {
            let words: String = text::line(&words).chars().take(200).collect();
            Error::Status { url, status, said: words }
        }
        other => other,
    })
}

struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads one challenge: `Bearer realm="…",service="…"`.
fn challenge(text: &str) -> Option<Challenge> {
    let (scheme, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let mut parameters = Vec::new();
    while let Some((key, value)) = rest.split_once('=') {
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(',').unwrap_or(value.len())),
        };
        let key = key.trim_matches([' ', ',']).to_ascii_lowercase();
        parameters.push((key, value.trim().to_owned()));
        rest = after;
    }
    (!scheme.is_empty()).then(|| Challenge { scheme: scheme.to_ascii_lowercase(), parameters })
}

/// Returns the next page of a list, which has to be at the same registry.
fn next_page(url: &Url, headers: &HeaderMap) -> Option<Url> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    if !rest.contains("rel=\"next\"") && !rest.contains("rel=next") {
        return None;
    }
    let next = url.join(target).ok()?;
    (is_same_origin(url, &next) && next != *url).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, HeaderValue, LINK, Url, challenge, next_page};

    #[test]
    fn challenges_are_taken_apart() {
        let found =
            challenge(r#"Bearer realm="https://auth/t?a=b",service=reg, scope="repository:x:pull,push""#).unwrap();
        assert_eq!(found.scheme, "bearer");
        assert_eq!(found.parameter("realm"), Some("https://auth/t?a=b"));
        assert_eq!(found.parameter("service"), Some("reg"));
        assert_eq!(found.parameter("scope"), Some("repository:x:pull,push"));
        assert_eq!(challenge("Basic").unwrap().scheme, "basic");
        assert!(challenge("Bearer realm=\"open").is_none());
    }

    #[test]
    fn pages_stay_at_their_registry() {
        let url = Url::parse("https://r/v2/x/tags/list").unwrap();
        let next = |link: &str| {
            let headers = HeaderMap::from_iter([(LINK, HeaderValue::from_str(link).unwrap())]);
            next_page(&url, &headers).map(String::from)
        };
        assert_eq!(next("</v2/x/tags/list?last=a>; rel=\"next\"").as_deref(), Some("https://r/v2/x/tags/list?last=a"));
        assert_eq!(next("<https://evil/v2/x>; rel=\"next\""), None);
        assert_eq!(next("</v2/x/tags/list?last=a>; rel=\"prev\""), None);
    }
}
