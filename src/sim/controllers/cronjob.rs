//! CronJobs: a Job at every time of the schedule, and no more old ones than they are to keep.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{create, number, owner};
use crate::sim::clock;
use crate::sim::cron::Schedule;
use crate::sim::garbage;
use crate::sim::store::{ObjectKey, Store};
use crate::sim::write;

const COMPONENT: &str = "cronjob-controller";

/// How a Job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    Badly,
}

pub fn reconcile(store: &mut Store, key: &ObjectKey, cron_job: &Arc<Value>) -> Option<Duration> {
    let jobs = jobs_of(store, cron_job);
    tidy(store, cron_job, &jobs);
    let mut status = status(cron_job, &jobs);
    let wait = due(store, cron_job, &jobs, &mut status);
    write::set_status(store, key, Value::Object(status));
    wait
}

/// Starts a Job if it is time for one, and says when to look again.
fn due(
    store: &mut Store,
    cron_job: &Value,
    jobs: &[(ObjectKey, Arc<Value>)],
    status: &mut Map<String, Value>,
) -> Option<Duration> {
    if cron_job["spec"]["suspend"] == true {
        return None;
    }
    let schedule = match schedule(cron_job) {
        Ok(schedule) => schedule,
        Err(why) => {
            store.emit(cron_job, true, "UnparseableSchedule", &format!("unparseable schedule: {why}"), COMPONENT);
            return None;
        }
    };
    let now = store.clock.now();
    let wait = schedule.next(now).map(|next| next.duration_since(now).unsigned_abs() + Duration::from_millis(50));
    let time = |value: &Value| value.as_str().and_then(clock::parse);
    let mut since =
        status.get("lastScheduleTime").and_then(time).or_else(|| time(&cron_job["metadata"]["creationTimestamp"]))?;
    if let Some(seconds) = cron_job.pointer("/spec/startingDeadlineSeconds").and_then(Value::as_i64) {
        since = now.checked_sub(SignedDuration::from_secs(seconds)).map_or(since, |deadline| since.max(deadline));
    }
    let Some(at) = schedule.latest(since, now) else { return wait };
    let active: Vec<&ObjectKey> = jobs.iter().filter(|(_, job)| end(job).is_none()).map(|(key, _)| key).collect();
    match cron_job["spec"]["concurrencyPolicy"].as_str() {
        Some("Forbid") if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            store.emit(cron_job, false, "JobAlreadyActive", message, COMPONENT);
            return wait;
        }
        Some("Replace") => {
            for key in active {
                garbage::delete(store, key, "Background");
                let message = format!("Deleted job {}", key.name);
                store.emit(cron_job, false, "SuccessfulDelete", &message, COMPONENT);
            }
            status.remove("active");
        }
        _ => {}
    }
    let job = job_of(cron_job, at);
    let name = job["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if create(store, "batch", "jobs", cron_job, job) {
        store.emit(cron_job, false, "SuccessfulCreate", &format!("Created job {name}"), COMPONENT);
    }
    // The Job itself becomes part of the status at the next look, which its creation brings about.
    status.insert("lastScheduleTime".to_owned(), json!(clock::second(at)));
    wait
}

/// Reads the schedule in its time zone.
pub fn schedule(cron_job: &Value) -> Result<Schedule, String> {
    let zone = match cron_job.pointer("/spec/timeZone").and_then(Value::as_str) {
        Some(name) => TimeZone::get(name).map_err(|_| format!("unknown time zone {name}"))?,
        None => TimeZone::UTC,
    };
    Schedule::parse(cron_job["spec"]["schedule"].as_str().unwrap_or_default(), zone)
}

/// Returns the status as the Jobs that are there make it.
fn status(cron_job: &Value, jobs: &[(ObjectKey, Arc<Value>)]) -> Map<String, Value> {
    let mut status = cron_job["status"].as_object().cloned().unwrap_or_default();
    let active: Vec<Value> = jobs
        .iter()
        .filter(|(_, job)| end(job).is_none())
        .map(|(key, job)| {
            json!({
                "apiVersion": "batch/v1", "kind": "Job", "name": key.name, "namespace": key.namespace,
                "uid": job["metadata"]["uid"], "resourceVersion": job["metadata"]["resourceVersion"],
            })
        })
        .collect();
    // What changes with every look at a Job is not worth a write of its own.
    let names =
        |list: &Value| -> Vec<Value> { list.as_array().into_iter().flatten().map(|one| one["uid"].clone()).collect() };
    if active.is_empty() {
        status.remove("active");
    } else if names(&cron_job["status"]["active"]) != names(&json!(active)) {
        status.insert("active".to_owned(), json!(active));
    }
    let ended = jobs.iter().filter(|(_, job)| end(job) == Some(End::Well));
    let known = status.get("lastSuccessfulTime").and_then(Value::as_str).unwrap_or_default();
    // RFC 3339 times in UTC sort as text.
    let latest = ended.filter_map(|(_, job)| job["status"]["completionTime"].as_str()).max();
    if let Some(latest) = latest.filter(|latest| *latest > known).map(str::to_owned) {
        status.insert("lastSuccessfulTime".to_owned(), json!(latest));
    }
    status
}

/// Deletes the oldest Jobs that ended beyond the number that is to be kept.
fn tidy(store: &mut Store, cron_job: &Value, jobs: &[(ObjectKey, Arc<Value>)]) {
    for (which, limit) in [(End::Well, "successfulJobsHistoryLimit"), (End::Badly, "failedJobsHistoryLimit")] {
        let Ok(limit) = usize::try_from(number(cron_job, &format!("/spec/{limit}"))) else { continue };
        let mut ended: Vec<_> = jobs.iter().filter(|(_, job)| end(job) == Some(which)).collect();
        ended.sort_by_key(|(key, job)| {
            (job["status"]["startTime"].as_str().unwrap_or_default().to_owned(), key.clone())
        });
        for (key, _) in ended.iter().take(ended.len().saturating_sub(limit)) {
            garbage::delete(store, key, "Background");
            store.emit(cron_job, false, "SuccessfulDelete", &format!("Deleted job {}", key.name), COMPONENT);
        }
    }
}

fn jobs_of(store: &Store, cron_job: &Value) -> Vec<(ObjectKey, Arc<Value>)> {
    let jobs = store.built_in("batch", "jobs").id;
    let uid = cron_job["metadata"]["uid"].as_str().unwrap_or_default();
    let owned = store.owned_by(uid).into_iter().filter(|key| key.ty == jobs);
    owned
        .filter_map(|key| store.find(&key).cloned().map(|job| (key, job)))
        .filter(|(_, job)| job.pointer("/metadata/deletionTimestamp").is_none())
        .collect()
}

fn end(job: &Value) -> Option<End> {
    let conditions = job["status"]["conditions"].as_array();
    conditions.into_iter().flatten().filter(|condition| condition["status"] == "True").find_map(|condition| {
        match condition["type"].as_str() {
            Some("Complete") => Some(End::Well),
            Some("Failed") => Some(End::Badly),
            _ => None,
        }
    })
}

/// Returns the Job of one time; its name tells the minute, so that there is one only.
fn job_of(cron_job: &Value, at: Timestamp) -> Value {
    let template = &cron_job["spec"]["jobTemplate"];
    let name = cron_job["metadata"]["name"].as_str().unwrap_or_default();
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": format!("{name}-{}", at.as_second() / 60), "namespace": cron_job["metadata"]["namespace"],
            "ownerReferences": owner(cron_job),
            "annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": clock::second(at)},
        },
        "spec": template["spec"],
    });
    for (name, value) in template["metadata"]["annotations"].as_object().into_iter().flatten() {
        job["metadata"]["annotations"][name.as_str()] = value.clone();
    }
    if template["metadata"]["labels"].is_object() {
        job["metadata"]["labels"] = template["metadata"]["labels"].clone();
    }
    job
}
