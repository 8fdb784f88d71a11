//! One cluster's connection: the client, its limits and how it does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::AsyncBufRead;
use http::Request;
use kube::Client;
use kube::config::{Config, KubeConfigOptions};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::way::Way;
use super::{Error, ErrorKind, Kubeconfig};

/// Longest wait for the answer to one request.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);
/// Longest wait for a credential plugin: a person may have to confirm in a browser.
const LONGEST_LOGIN: Duration = Duration::from_secs(60);
/// Requests to one cluster at a time; watches do not count.
const CONCURRENT: usize = 16;
/// Latencies that are remembered.
const SAMPLES: usize = 256;
/// Tries of a read that may work a moment later.
const TRIES: u32 = 4;

/// A connection to one cluster. Cheap to clone.
#[derive(Clone)]
pub struct Connection {
    name: Arc<str>,
    way: Arc<Way>,
    client: Client,
    places: Arc<Semaphore>,
    measured: Arc<Measured>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Measured {
    latencies: Mutex<Vec<u32>>,
    requests: AtomicU64,
    errors: AtomicU64,
}

/// How a connection does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Median and 99th percentile latency of the last requests, in milliseconds.
    pub latency: Option<(u32, u32)>,
    /// Requests so far.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
}

impl Connection {
    /// Prepares a connection to a context; nothing is sent yet.
    ///
    /// # Errors
    /// When the context is unknown or its credentials cannot be read.
    pub async fn connect(kubeconfig: &Kubeconfig, context: &str) -> Result<Self, Error> {
        if !kubeconfig.contexts().iter().any(|known| known.name == context) {
            let known: Vec<String> = kubeconfig.contexts().into_iter().map(|context| context.name).collect();
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no context {context:?} in the kubeconfig; there is {}", known.join(", ")),
            ));
        }
        let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
        let mut config = Config::from_custom_kubeconfig(kubeconfig.file(), &options)
            .await
            .map_err(|error| Error::new(ErrorKind::Other, format!("context {context:?} cannot be used: {error}")))?;
        config.connect_timeout = Some(Duration::from_secs(5));
        config.read_timeout = None;
        config.write_timeout = None;
        let way = kubeconfig.way(context);
        // This runs the credential plugin, and waits for it.
        let logging_in = tokio::task::spawn_blocking(move || Client::try_from(config));
        let client = match tokio::time::timeout(LONGEST_LOGIN, logging_in).await {
            Ok(Ok(client)) => client.map_err(|error| way.explain(&error))?,
            Ok(Err(_)) => return Err(Error::new(ErrorKind::Other, "the connection cannot be prepared")),
            Err(_) => return Err(way.plugin_hangs(LONGEST_LOGIN.as_secs())),
        };
        Ok(Self { way: Arc::new(way), ..Self::from_client(client, context) })
    }

    /// Wraps a client that is there already, such as a simulated cluster's.
    pub fn from_client(client: Client, name: &str) -> Self {
        let way = Way { context: name.to_owned(), ..Way::default() };
        Self {
            name: name.into(),
            way: Arc::new(way),
            client,
            places: Arc::new(Semaphore::new(CONCURRENT)),
            measured: Arc::default(),
        }
    }

    /// Returns the context's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how it does.
    pub fn stats(&self) -> Stats {
        let mut latencies = self.measured.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        latencies.sort_unstable();
        let at = |percent: usize| {
            latencies.get((latencies.len() * percent / 100).min(latencies.len().saturating_sub(1))).copied()
        };
        Stats {
            latency: at(50).zip(at(99)),
            requests: self.measured.requests.load(Ordering::Relaxed),
            errors: self.measured.errors.load(Ordering::Relaxed),
        }
    }

    /// Sends a request once and returns the JSON answer.
    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<Value, Error> {
        let text = self.send_for_text(request).await?;
        serde_json::from_str(&text)
            .map_err(|error| Error::new(ErrorKind::Other, format!("the answer is not JSON: {error}")))
    }

    /// Sends a request once and returns the answer's text.
    pub(super) async fn send_for_text(&self, request: Request<Vec<u8>>) -> Result<String, Error> {
        let _place =
            self.places.acquire().await.map_err(|_| Error::new(ErrorKind::Other, "the connection is closed"))?;
        let start = Instant::now();
        let answer = match tokio::time::timeout(LONGEST_REQUEST, self.client.request_text(request)).await {
            Ok(answer) => answer.map_err(|error| self.way.explain(&error)),
            Err(_) => Err(Error::new(ErrorKind::Unreachable, format!("no answer for {} s", LONGEST_REQUEST.as_secs()))),
        };
        // That something is not there is an answer like any other.
        self.note(start, answer.as_ref().is_err_and(|error| error.kind() != ErrorKind::NotFound));
        answer
    }

    /// Sends a read, again and again if it may work a moment later.
    pub(super) async fn read(&self, make: impl Fn() -> Result<Request<Vec<u8>>, Error>) -> Result<Value, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.send(make()?).await {
                Err(error) if error.is_passing() && error.kind() != ErrorKind::Unreachable && tries < TRIES => {
                    tokio::time::sleep(Duration::from_millis(200 << tries)).await;
                }
                answer => return answer,
            }
        }
    }

    /// Opens a stream of lines.
    pub(super) async fn stream(&self, request: Request<Vec<u8>>) -> Result<impl AsyncBufRead + use<>, Error> {
        let start = Instant::now();
        let answer = match tokio::time::timeout(LONGEST_REQUEST, self.client.request_stream(request)).await {
            Ok(answer) => answer.map_err(|error| self.way.explain(&error)),
            Err(_) => Err(Error::new(ErrorKind::Unreachable, format!("no answer for {} s", LONGEST_REQUEST.as_secs()))),
        };
        self.note(start, answer.is_err());
        answer
    }

    fn note(&self, start: Instant, failed: bool) {
        self.measured.requests.fetch_add(1, Ordering::Relaxed);
        if failed {
            self.measured.errors.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let millis = u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX);
        let mut latencies = self.measured.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        if latencies.len() == SAMPLES {
            latencies.remove(0);
        }
        latencies.push(millis);
    }
}
