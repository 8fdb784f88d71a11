//! Chart archives from HTTP and OCI repositories.
//!
//! A [`Registry`] answers a [`ChartRequest`] with checked bytes. What was had once is kept by its content: an exact version never asks
//! the network again, a constraint asks every few minutes and goes on with what is known when the network fails. Nothing is rendered here.

mod argo;
mod cache;
mod credential;
mod docker;
mod error;
mod http;
mod index;
mod oci;
mod place;
mod repositories;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::HeaderValue;
use sha2::{Digest, Sha256};

pub use self::argo::{ArgoCredentials, SECRET_TYPE, SECRETS};
use self::cache::{Cache, Pulled, Versions, age, hex};
pub use self::credential::{Credential, Credentials, Helper, Secret, Trust};
pub use self::docker::DockerConfig;
pub use self::error::Error;
use self::http::{Client, Get, is_same_origin};
use self::index::{Index, Offer};
use self::oci::{Registries, Talk};
pub use self::place::Mirrors;
use self::place::{Place, Repository};
pub use self::repositories::Repositories;
use crate::model::chart::{choose, without_secrets};
use crate::model::version::Version;
use crate::model::{ChartArchive, ChartRequest};

/// How long an answer to "which versions are there" counts, in seconds.
const FRESH: u64 = 180;
const LARGEST_INDEX: u64 = 64 << 20;
const LARGEST_ARCHIVE: u64 = 100 << 20;

/// What a registry works with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Folder of the cache.
    pub cache: PathBuf,
    /// Who asks.
    pub credentials: Credentials,
    /// What is asked instead.
    pub mirrors: Mirrors,
    /// Registries (`host` or `host:port`) that are not encrypted.
    pub plain_http: Vec<String>,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl Setup {
    /// Returns a setup without credentials and mirrors.
    pub fn new(cache: PathBuf) -> Self {
        Self {
            cache,
            credentials: Credentials::default(),
            mirrors: Mirrors::default(),
            plain_http: Vec::new(),
            clock: Timestamp::now,
        }
    }
}

/// Whether the network is asked about what is known already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Only about what was not had yet, and about constraints every few minutes.
    Needed,
    /// About constraints in any case.
    Anew,
}

/// A chart that was had, and what to know about it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The archive.
    pub archive: ChartArchive,
    /// Such as that the network failed and older knowledge was used.
    pub warnings: Vec<String>,
}

type Shared<T> = Arc<tokio::sync::Mutex<Option<(Timestamp, T)>>>;

/// Chart repositories, with one cache.
pub struct Registry {
    setup: Setup,
    client: Client,
    registries: Registries,
    cache: Cache,
    /// By address. Who comes second waits for the first instead of asking again.
    indexes: Mutex<HashMap<String, Shared<Arc<Index>>>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("setup", &self.setup).finish_non_exhaustive()
    }
}

impl Registry {
    /// Makes a registry. Nothing is asked or written yet.
    pub fn new(setup: Setup) -> Self {
        let cache = Cache::new(setup.cache.clone());
        Self { setup, client: Client::new(), registries: Registries::default(), cache, indexes: Mutex::default() }
    }

    /// Takes in credentials that a cluster keeps.
    pub fn learn(&self, argo: ArgoCredentials) {
        self.setup.credentials.argo.lock().unwrap_or_else(PoisonError::into_inner).extend(argo);
    }

    /// Returns a chart's archive, from the cache as far as that can be.
    ///
    /// # Errors
    /// When there is no such chart or version, or it can be had neither from the network nor from the cache.
    pub async fn pull(&self, request: &ChartRequest, look: Look) -> Result<Found, Error> {
        let request = &self.named(request)?;
        let place = Place::of(request, &self.setup.mirrors, &self.setup.plain_http)?;
        let pull = Pull { registry: self, place: &place, shown: place.shown(), warnings: Vec::new() };
        match &place {
            // A registry takes what looks like a version for the tag of that name, even if parts of it are left out.
            Place::Oci(repository) if repository.pinned.is_some() || Version::parse(&request.version).is_some() => {
                let reference = repository.pinned.clone().unwrap_or_else(|| request.version.clone());
                if !request.version.is_empty() && !reference.contains(':') && request.version != reference {
                    return Err(Error::Mismatch { version: request.version.clone(), tag: reference });
                }
                pull.reference(repository, &reference, look).await
            }
            _ => pull.version(request, look).await,
        }
    }

    /// Puts the address in for a repository that is named as helm knows it: `@name` or `alias:name`.
    fn named(&self, request: &ChartRequest) -> Result<ChartRequest, Error> {
        let written = &request.repository;
        let Some(name) = written.strip_prefix('@').or_else(|| written.strip_prefix("alias:")) else {
            return Ok(request.clone());
        };
        match self.setup.credentials.repositories.by_name(name) {
            Some(found) => Ok(ChartRequest { repository: found.url.clone(), ..request.clone() }),
            None => Err(Error::NoRepository { name: crate::model::text::line(name).into_owned() }),
        }
    }

    async fn index(&self, base: &Url, look: Look) -> Result<Arc<Index>, Error> {
        let url = index::archive_url(base, "index.yaml").ok_or_else(|| Error::Address {
            url: without_secrets(base.as_str()),
            reason: "it has no folder".to_owned(),
        })?;
        let slot = {
            let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(indexes.entry(base.as_str().to_owned()).or_default())
        };
        let asked = (self.setup.clock)();
        let mut known = slot.lock().await;
        if let Some((at, index)) = &*known
            && (*at >= asked || look == Look::Needed && age(at.as_second(), asked) < FRESH)
        {
            return Ok(Arc::clone(index));
        }
        let credential = self.setup.credentials.classic(base);
        let request = Get {
            url: anonymous(&url),
            accept: None,
            authorization: credential.basic(),
            trust: &credential.trust,
            limit: LARGEST_INDEX,
        };
        let answer = self.client.get(request).await?.success(!credential.is_anonymous())?;
        // A large index takes a while to parse, and others want the thread.
        let parsed = tokio::task::spawn_blocking(move || Index::parse(&answer.body)).await;
        let refuse = |reason: String| Error::Index { url: without_secrets(url.as_str()), reason };
        let index =
            Arc::new(parsed.map_err(|_| refuse("it could not be read to its end".to_owned()))?.map_err(refuse)?);
        *known = Some(((self.setup.clock)(), Arc::clone(&index)));
        Ok(index)
    }
}

/// One pull.
struct Pull<'a> {
    registry: &'a Registry,
    place: &'a Place,
    shown: String,
    warnings: Vec<String>,
}

impl Pull<'_> {
    /// Pulls what a tag or digest of a registry names. A digest or a full version is what it is for ever; another tag may move.
    async fn reference(mut self, repository: &Repository, reference: &str, look: Look) -> Result<Found, Error> {
        let is_fixed = reference.contains(':') || crate::model::chart::is_exact(reference);
        let known = self.registry.cache.pulled(&self.shown, self.place.chart(), reference);
        if let Some((pulled, archive)) = &known
            && (is_fixed || look == Look::Needed && age(pulled.at, self.now()) < FRESH)
        {
            return Ok(self.found(archive.clone()));
        }
        match self.layer(repository, reference).await {
            Ok(archive) => Ok(self.keep(reference, archive)),
            Err(error) if error.is_outage() && known.is_some() => {
                self.warnings.push(format!("{error}; what was had before is used"));
                let (_, archive) = known.ok_or(error)?;
                Ok(self.found(archive))
            }
            Err(error) => Err(error),
        }
    }

    /// Pulls the best version that a text asks for.
    async fn version(mut self, request: &ChartRequest, look: Look) -> Result<Found, Error> {
        let chart = self.place.chart().to_owned();
        if request.is_exact()
            && let Some((_, archive)) = self.registry.cache.pulled(&self.shown, &chart, &request.version)
        {
            return Ok(self.found(archive));
        }
        let (offers, is_current) = self.offers(request, look).await?;
        match self.best(request, &offers).await {
            // What is remembered may be out of date: files move, versions come and go.
            Err(error) if !is_current && !error.is_outage() => match self.asked(Look::Anew).await {
                Ok(offers) => self.best(request, &offers).await,
                Err(_) => Err(error),
            },
            done => done,
        }
    }

    /// Pulls the best of what is offered.
    async fn best(&mut self, request: &ChartRequest, offers: &[Offer]) -> Result<Found, Error> {
        let names = offers.iter().map(|offer| offer.version.as_str());
        let places = choose(&request.version, names.clone()).map_err(|part| Error::Constraint { part })?;
        let Some(best) = places.first().map(|at| &offers[*at]) else {
            let newest = choose(">=0.0.0-0", names).ok().and_then(|places| places.first().copied());
            return Err(Error::NoVersion {
                url: self.shown.clone(),
                chart: self.place.chart().to_owned(),
                version: request.version.clone(),
                newest: newest.map(|at| offers[at].version.clone()).unwrap_or_default(),
            });
        };
        if let Some(archive) = self.kept(best) {
            return Ok(self.keep(&best.version, archive));
        }
        match self.archive(best).await {
            Ok(archive) => {
                if request.is_exact() && request.version != best.version {
                    self.remember(&request.version, &archive);
                }
                Ok(self.keep(&best.version, archive))
            }
            Err(error) if error.is_outage() => {
                // An older version that fits is better than none.
                let Some(archive) = places.iter().skip(1).find_map(|at| self.kept(&offers[*at])) else {
                    return Err(error);
                };
                self.warnings.push(format!("{error}; version {} is used, which was had before", archive.version));
                Ok(self.found(archive))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns what is offered, and whether the repository itself just said so.
    async fn offers(&mut self, request: &ChartRequest, look: Look) -> Result<(Vec<Offer>, bool), Error> {
        let chart = self.place.chart().to_owned();
        let known = self.registry.cache.versions(&self.shown, &chart);
        if let Some(known) = &known {
            let is_fresh = look == Look::Needed && age(known.asked_at, self.now()) < FRESH;
            let is_there = request.is_exact() && known.offers.iter().any(|offer| offer.version == request.version);
            if is_there || is_fresh && !request.is_exact() {
                return Ok((known.offers.clone(), false));
            }
        }
        match self.asked(look).await {
            Ok(offers) => Ok((offers, true)),
            Err(error) if error.is_outage() => match known {
                Some(known) => {
                    self.warnings.push(format!("{error}; what it had when it was asked last is used"));
                    Ok((known.offers, false))
                }
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Asks what is offered, and keeps the answer.
    async fn asked(&mut self, look: Look) -> Result<Vec<Offer>, Error> {
        let (place, chart) = (self.shown.clone(), self.place.chart().to_owned());
        let offers = self.ask(look).await?;
        let versions = Versions { place, chart, asked_at: self.now().as_second(), offers };
        if let Err(error) = self.registry.cache.keep_versions(&versions) {
            self.unkept(&error);
        }
        Ok(versions.offers)
    }

    async fn ask(&self, look: Look) -> Result<Vec<Offer>, Error> {
        match self.place {
            Place::Classic { base, chart } => {
                let index = self.registry.index(base, look).await?;
                let offers = index.offers(chart);
                offers
                    .map(<[Offer]>::to_vec)
                    .ok_or_else(|| Error::NoChart { url: self.shown.clone(), chart: chart.clone() })
            }
            Place::Oci(repository) => {
                let versions = self.talk(repository).versions().await?;
                Ok(versions.into_iter().map(|version| Offer { version, urls: Vec::new(), digest: None }).collect())
            }
        }
    }

    /// Returns an offered archive that was had before.
    fn kept(&self, offer: &Offer) -> Option<ChartArchive> {
        let cache = &self.registry.cache;
        if let Some(digest) = &offer.digest {
            let bytes = cache.blob(digest)?;
            return Some(ChartArchive { version: offer.version.clone(), digest: digest.clone(), bytes });
        }
        cache.pulled(&self.shown, self.place.chart(), &offer.version).map(|(_, archive)| archive)
    }

    async fn archive(&self, offer: &Offer) -> Result<ChartArchive, Error> {
        let base = match self.place {
            Place::Oci(repository) => return self.layer(repository, &offer.version).await,
            Place::Classic { base, .. } => base,
        };
        let mut last = Error::NoChart { url: self.shown.clone(), chart: self.place.chart().to_owned() };
        for written in &offer.urls {
            match self.file(base, written, offer).await {
                Ok(archive) => return Ok(archive),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn file(&self, base: &Url, written: &str, offer: &Offer) -> Result<ChartArchive, Error> {
        let mirrored = self.registry.setup.mirrors.apply(written);
        if mirrored.starts_with("oci://") {
            let request = ChartRequest { repository: mirrored, name: String::new(), version: offer.version.clone() };
            return match Place::of(&request, &Mirrors::default(), &self.registry.setup.plain_http)? {
                Place::Oci(repository) => {
                    let reference = repository.pinned.clone().unwrap_or_else(|| offer.version.clone());
                    self.layer(&repository, &reference).await
                }
                Place::Classic { .. } => {
                    Err(Error::Address { url: without_secrets(written), reason: "it is no registry".to_owned() })
                }
            };
        }
        let url = index::archive_url(base, &mirrored).ok_or_else(|| Error::Address {
            url: without_secrets(&mirrored),
            reason: "its scheme is not http, https or oci".to_owned(),
        })?;
        if base.scheme() == "https" && url.scheme() == "http" {
            return Err(Error::Redirect {
                url: self.shown.clone(),
                target: without_secrets(url.as_str()),
                reason: "that is not encrypted",
            });
        }
        let credential = self.registry.setup.credentials.classic(base);
        let is_ours = is_same_origin(base, &url) || credential.for_all_hosts;
        let own = credential::from_url(&url).and_then(|own| own.basic());
        let authorization: Option<HeaderValue> = own.or_else(|| if is_ours { credential.basic() } else { None });
        let trust = if is_same_origin(base, &url) { credential.trust.clone() } else { Trust::default() };
        let had_credentials = authorization.is_some();
        let request = Get { url: anonymous(&url), accept: None, authorization, trust: &trust, limit: LARGEST_ARCHIVE };
        let answer = self.registry.client.get(request).await?.success(had_credentials)?;
        checked(offer.version.clone(), answer.body, offer.digest.as_deref(), &url)
    }

    async fn layer(&self, repository: &Repository, reference: &str) -> Result<ChartArchive, Error> {
        let talk = self.talk(repository);
        let layer = talk.layer(reference).await?;
        if let Some(bytes) = self.registry.cache.blob(&layer.digest) {
            return Ok(ChartArchive { version: reference.to_owned(), digest: layer.digest, bytes });
        }
        let (url, bytes) = talk.blob(&layer, LARGEST_ARCHIVE).await?;
        checked(reference.to_owned(), bytes, Some(&layer.digest), &url)
    }

    fn talk<'a>(&'a self, repository: &'a Repository) -> Talk<'a> {
        let registry = self.registry;
        Talk {
            client: &registry.client,
            registries: &registry.registries,
            credentials: &registry.setup.credentials,
            repository,
        }
    }

    fn now(&self) -> Timestamp {
        (self.registry.setup.clock)()
    }

    fn keep(&mut self, asked: &str, archive: ChartArchive) -> Found {
        if let (_, Err(error)) = self.registry.cache.keep_blob(&archive.bytes) {
            self.unkept(&error);
        }
        self.remember(asked, &archive);
        self.found(archive)
    }

    fn remember(&mut self, asked: &str, archive: &ChartArchive) {
        let pulled = Pulled {
            place: self.shown.clone(),
            chart: self.place.chart().to_owned(),
            version: archive.version.clone(),
            digest: archive.digest.clone(),
            at: self.now().as_second(),
        };
        if let Err(error) = self.registry.cache.keep_pulled(asked, &pulled) {
            self.unkept(&error);
        }
    }

    fn unkept(&mut self, error: &std::io::Error) {
        let warning = format!("charts cannot be kept in {}: {error}", self.registry.setup.cache.display());
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn found(&mut self, archive: ChartArchive) -> Found {
        Found { archive, warnings: std::mem::take(&mut self.warnings) }
    }
}

/// Returns an address without user and password, which travel in a header.
fn anonymous(url: &Url) -> Url {
    let mut url = url.clone();
    // Both only fail for addresses without a host, which are refused before.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn checked(version: String, bytes: Vec<u8>, expected: Option<&str>, url: &Url) -> Result<ChartArchive, Error> {
    let found = hex(&Sha256::digest(&bytes));
    match expected {
        Some(expected) if expected != found => Err(Error::Digest {
            url: without_secrets(url.as_str()),
            expected: crate::model::text::line(&format!("sha256:{expected}")).into_owned(),
            found,
        }),
        _ => Ok(ChartArchive { version, digest: found, bytes: bytes.into() }),
    }
}
