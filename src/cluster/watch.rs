//! Watching one kind: list, watch from there, list again when the history is gone, wait longer after each failure.
//!
//! ```text
//!            ┌── 410 Gone, history lost ──┐
//!   list ────┴──▶ watch ── stream ends ───┤ (resume from the last version)
//!    ▲  │           ▲──────────────────────┘
//!    └──┴─ failure: Failed is sent once, back off with jitter, try again
//! ```

use std::time::Duration;

use futures::io::AsyncBufReadExt;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::discovery::{ResourceType, get};
use super::{Connection, Error, ErrorKind};
use crate::model::Object;

/// How long a watch is asked to last, in seconds.
const WATCH_SECONDS: u64 = 290;
/// A stream that says nothing for longer than this, not even a bookmark, is taken for dead.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 20);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a watch reports.
#[derive(Debug)]
pub enum WatchEvent {
    /// Everything that is there; what is not named is gone.
    Restarted(Vec<Object>),
    /// One object was made or changed.
    Applied(Object),
    /// One object is gone.
    Deleted(Object),
    /// The stream is alive.
    Alive,
    /// It does not work now; it is tried again after the pause.
    Failed {
        /// Why.
        error: Error,
        /// When the next try comes.
        pause: Duration,
    },
}

impl Connection {
    /// Watches a kind until `stop` is cancelled or nobody listens any more.
    pub async fn watch(self, resource: ResourceType, out: mpsc::Sender<WatchEvent>, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        let mut version: Option<String> = None;
        loop {
            let step = async {
                let from = match &version {
                    Some(version) => version.clone(),
                    None => {
                        let page = self.list(&resource, "", "").await?;
                        if out.send(WatchEvent::Restarted(page.objects)).await.is_err() {
                            return Ok(None);
                        }
                        page.resource_version
                    }
                };
                self.follow(&resource, from, &out).await
            };
            let result = tokio::select! {
                result = step => result,
                () = stop.cancelled() => return,
            };
            match result {
                Ok(None) => return,
                Ok(Some(next)) => {
                    version = Some(next);
                    pause = FIRST_PAUSE;
                }
                Err(error) => {
                    version = None;
                    if error.kind() == ErrorKind::Gone {
                        continue;
                    }
                    let wait = if error.kind() == ErrorKind::Forbidden { LONGEST_PAUSE } else { pause };
                    let wait = wait.mul_f64(0.75 + f64::from(rand::random::<u16>()) / f64::from(u16::MAX) / 2.0);
                    if out.send(WatchEvent::Failed { error, pause: wait }).await.is_err() {
                        return;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => return,
                    }
                }
            }
        }
    }

    /// Follows the changes after a version; returns the last version seen when the stream ends, `None` when nobody listens.
    async fn follow(
        &self,
        resource: &ResourceType,
        mut version: String,
        out: &mpsc::Sender<WatchEvent>,
    ) -> Result<Option<String>, Error> {
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}",
            resource.path("", "")
        );
        let mut lines = self.stream(get(&path, "application/json")?).await?.lines();
        loop {
            let line = match tokio::time::timeout(SILENCE, futures::StreamExt::next(&mut lines)).await {
                Ok(Some(Ok(line))) => line,
                // A watch that ends, breaks off or falls silent is resumed; only a failing request is a failure.
                Ok(None) | Ok(Some(Err(_))) | Err(_) => return Ok(Some(version)),
            };
            if line.trim().is_empty() {
                continue;
            }
            let mut event: Value = serde_json::from_str(&line)
                .map_err(|error| Error::new(ErrorKind::Gone, format!("a watch event is not JSON: {error}")))?;
            let Some(object) = event.get_mut("object").map(Value::take) else { continue };
            let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
            if kind == "ERROR" {
                return Err(Error::from_status(&object));
            }
            let Some(object) = Object::new(object) else { continue };
            if !object.resource_version().is_empty() {
                version = object.resource_version().to_owned();
            }
            let event = match kind {
                "ADDED" | "MODIFIED" => WatchEvent::Applied(object),
                "DELETED" => WatchEvent::Deleted(object),
                _ => WatchEvent::Alive,
            };
            if out.send(event).await.is_err() {
                return Ok(None);
            }
        }
    }
}
