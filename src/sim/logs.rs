//! Container logs: made up from the pod's name and times, the same at every call.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::clock;
use super::cluster::{Body, Error, Inner};
use super::handler::{Call, answer_as};
use super::status::Status;
use super::store::Random;
use super::write::Target;

/// One line every so many seconds.
const PERIOD: i64 = 5;

/// Answers a request for a container's log.
pub fn answer(inner: &Arc<Inner>, call: &Call, target: &Target) -> Result<Response<Body>, Status> {
    let (pod, now) = {
        let store = inner.lock();
        let pod = store.find(&target.key()).map(Arc::clone);
        (pod.ok_or_else(|| Status::not_found(&target.resource, &target.name))?, store.clock.now())
    };
    let containers: Vec<&str> = ["initContainers", "containers"]
        .iter()
        .filter_map(|list| pod["spec"][*list].as_array())
        .flatten()
        .filter_map(|container| container["name"].as_str())
        .collect();
    let plain = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let container = match call.param("container") {
        "" if plain > 1 => {
            return Err(Status::bad_request(format!(
                "a container name must be specified for pod {}, choose one of: [{}]",
                target.name,
                containers.join(" ")
            )));
        }
        "" => pod["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned(),
        name if containers.contains(&name) => name.to_owned(),
        name => {
            return Err(Status::bad_request(format!("container {name} is not valid for pod {}", target.name)));
        }
    };
    let mut status = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    let status = status.rfind(|status| status["name"] == container.as_str());
    let waiting = status.and_then(|status| status.pointer("/state/waiting/reason")).and_then(Value::as_str);
    if let Some(reason @ ("ContainerCreating" | "ImagePullBackOff" | "ErrImagePull")) = waiting {
        return Err(Status::bad_request(format!(
            "container \"{container}\" in pod \"{}\" is waiting to start: {reason}",
            target.name
        )));
    }
    let started = pod.pointer("/status/startTime").and_then(Value::as_str).and_then(clock::parse).unwrap_or(now);
    let crashes = waiting == Some("CrashLoopBackOff");
    let log = Log { pod: target.name.clone(), container, started, crashes, timestamps: call.flag("timestamps") };
    let mut lines = log.until(now);
    if let Ok(seconds) = call.param("sinceSeconds").parse::<i64>() {
        lines.retain(|(at, _)| now.duration_since(*at).as_secs() <= seconds);
    }
    if let Ok(count) = call.param("tailLines").parse::<usize>() {
        lines.drain(..lines.len().saturating_sub(count));
    }
    let mut text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
    if let Ok(limit) = call.param("limitBytes").parse::<usize>() {
        text.truncate(limit);
    }
    if !call.flag("follow") || crashes {
        return Ok(answer_as(200, "text/plain", text));
    }
    Ok(follow(inner, log, text, now))
}

/// Goes on with new lines as time passes.
fn follow(inner: &Arc<Inner>, log: Log, text: String, now: Timestamp) -> Response<Body> {
    let inner = Arc::clone(inner);
    let frames = stream::unfold((Some(text), now), move |(first, shown)| {
        let (inner, log) = (Arc::clone(&inner), log.clone());
        async move {
            if let Some(text) = first {
                return Some((Ok::<_, Error>(Frame::data(Bytes::from(text))), (None, shown)));
            }
            tokio::time::sleep(Duration::from_secs(u64::try_from(PERIOD).unwrap_or(5))).await;
            let now = inner.lock().clock.now();
            let fresh: String =
                log.until(now).iter().filter(|(at, _)| *at > shown).map(|(_, line)| format!("{line}\n")).collect();
            Some((Ok(Frame::data(Bytes::from(fresh))), (None, now)))
        }
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    response
}

#[derive(Clone, Debug)]
struct Log {
    pod: String,
    container: String,
    started: Timestamp,
    crashes: bool,
    timestamps: bool,
}

impl Log {
    fn until(&self, now: Timestamp) -> Vec<(Timestamp, String)> {
        let seed = self.pod.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut random = Random::new(seed);
        let mut lines = Vec::new();
        let line = |at: Timestamp, text: String| {
            let stamp = clock::second(at);
            (at, if self.timestamps { format!("{stamp} {stamp} {text}") } else { format!("{stamp} {text}") })
        };
        lines.push(line(self.started, format!("INFO {} starting", self.container)));
        if self.crashes {
            let after = self.started.checked_add(SignedDuration::from_secs(1)).unwrap_or(self.started);
            lines.push(line(after, "ERROR cannot read the configuration: key \"database.url\" is empty".to_owned()));
            lines.push(line(after, "FATAL giving up, exit code 1".to_owned()));
            return lines;
        }
        let passed = now.duration_since(self.started).as_secs().max(0);
        let count = (passed / PERIOD).min(500);
        let skipped = passed / PERIOD - count;
        for number in 1..=count {
            let at = self.started.checked_add(SignedDuration::from_secs((skipped + number) * PERIOD)).unwrap_or(now);
            let text = match random.below(6) {
                0 => "INFO health check answered".to_owned(),
                1 => format!("INFO worker {} idle", random.below(4)),
                _ => format!("INFO GET /api/items/{} 200 {}ms", random.below(900), 2 + random.below(40)),
            };
            lines.push(line(at, text));
        }
        lines
    }
}
