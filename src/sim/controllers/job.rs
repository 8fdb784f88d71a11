//! Jobs: pods that run to an end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{create, is_ready, number, pod_from, with_condition};
use crate::sim::store::{ObjectKey, Store};
use crate::sim::write;

pub fn reconcile(store: &mut Store, key: &ObjectKey, job: &Arc<Value>) -> Option<Duration> {
    let finished = job["status"]["conditions"].as_array().is_some_and(|list| {
        list.iter().any(|one| one["status"] == "True" && matches!(one["type"].as_str(), Some("Complete" | "Failed")))
    });
    if finished {
        return None;
    }
    if job["spec"]["suspend"] == true {
        let conditions =
            with_condition(store, &job["status"]["conditions"], "Suspended", true, "JobSuspended", "Job suspended");
        let mut status = job["status"].clone();
        status["conditions"] = conditions;
        write::set_status(store, key, status);
        return None;
    }
    let pods_id = store.built_in("", "pods").id;
    let uid = job["metadata"]["uid"].as_str().unwrap_or_default();
    let pods: Vec<Arc<Value>> =
        store.owned_by(uid).iter().filter(|key| key.ty == pods_id).filter_map(|key| store.find(key).cloned()).collect();
    let phase = |name: &str| pods.iter().filter(|pod| pod["status"]["phase"] == name).count();
    let (succeeded, failed) = (phase("Succeeded"), phase("Failed"));
    let active = pods.len() - succeeded - failed;
    let wanted = usize::try_from(number(job, "/spec/completions").max(1)).unwrap_or(1);
    let limit = usize::try_from(number(job, "/spec/backoffLimit")).unwrap_or(6);
    let parallel = usize::try_from(number(job, "/spec/parallelism").max(1)).unwrap_or(1);
    let started = match &job["status"]["startTime"] {
        Value::Null => json!(store.clock.stamp()),
        time => time.clone(),
    };
    let mut status = json!({"startTime": started, "ready": pods.iter().filter(|pod| is_ready(pod)).count()});
    for (field, count) in [("active", active), ("succeeded", succeeded), ("failed", failed)] {
        if count > 0 {
            status[field] = json!(count);
        }
    }
    if succeeded >= wanted {
        let message = "Reached expected number of succeeded pods";
        let conditions = with_condition(store, &Value::Null, "SuccessCriteriaMet", true, "CompletionsReached", message);
        status["conditions"] = with_condition(store, &conditions, "Complete", true, "CompletionsReached", message);
        status["completionTime"] = json!(store.clock.stamp());
        store.emit(job, false, "Completed", "Job completed", "job-controller");
    } else if failed > limit {
        let message = "Job has reached the specified backoff limit";
        let conditions = with_condition(store, &Value::Null, "FailureTarget", true, "BackoffLimitExceeded", message);
        status["conditions"] = with_condition(store, &conditions, "Failed", true, "BackoffLimitExceeded", message);
        store.emit(job, true, "BackoffLimitExceeded", message, "job-controller");
    } else {
        for _ in active..parallel.min(wanted - succeeded) {
            let name = format!("{}-{}", key.name, store.random.suffix(5));
            let mut pod = pod_from(&job["spec"]["template"], job, &[]);
            pod["metadata"]["name"] = json!(name);
            pod["metadata"]["generateName"] = json!(format!("{}-", key.name));
            if create(store, "", "pods", job, pod) {
                store.emit(job, false, "SuccessfulCreate", &format!("Created pod: {name}"), "job-controller");
                status["active"] = json!(number(&status, "/active") + 1);
            }
        }
    }
    write::set_status(store, key, status);
    None
}
