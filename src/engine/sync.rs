//! Syncing one application: phases and waves in order, one object after the other, with a word on each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cluster::{ApplyOptions, Connection, Discovery, Error, ErrorKind, Propagation, ResourceType};
use crate::health;
use crate::model::{
    AppId, AppProgress, Application, ClusterName, Health, HealthStatus, Key, Object, ObjectResult, OperationId, Phase,
    ResultStatus, SyncAsk, text,
};

use super::task::{Pair, SyncPhase, Task, created_namespace, has_object_option, tasks};

/// Pause after a wave that changed something, so that controllers notice.
const WAVE_PAUSE: Duration = Duration::from_secs(2);
/// How often objects are looked at while a wave waits.
const POLL: Duration = Duration::from_millis(500);
/// Longest wait for one wave.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longest wait for one object to go away.
const DELETION: Duration = Duration::from_secs(60);

/// One application to sync.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which one.
    pub app: AppId,
    /// What it asks for.
    pub application: Arc<Application>,
    /// Where it goes.
    pub cluster: ClusterName,
    /// How the cluster is reached.
    pub api: Connection,
    /// Which kinds the cluster has.
    pub discovery: Arc<Discovery>,
    /// What Git wants and what is live.
    pub pairs: Vec<Pair>,
    /// Objects that are right already.
    pub unchanged: Vec<Key>,
    /// How to sync.
    pub ask: SyncAsk,
}

/// Carries what happens to whoever shows it.
#[derive(Clone, Debug)]
pub struct Reporter {
    /// Which operation.
    pub operation: OperationId,
    /// Where to.
    pub out: mpsc::UnboundedSender<(OperationId, AppProgress)>,
}

/// Syncs an application and returns how that ended.
pub async fn sync(job: &Job, reporter: &Reporter, stop: &CancellationToken) -> AppProgress {
    let mut run = Run {
        job,
        reporter,
        stop,
        progress: AppProgress {
            app: job.app.clone(),
            cluster: job.cluster.clone(),
            phase: Some(Phase::Running),
            message: String::new(),
            total: 0,
            results: Vec::new(),
        },
        has_written: false,
    };
    let (phase, message) = match run.all().await {
        Ok(()) if run.failures() > 0 => (Phase::Failed, run.first_failure()),
        Ok(()) => (Phase::Succeeded, "successfully synced (all tasks run)".to_owned()),
        Err(Stop::Cancelled) => (Phase::Cancelled, run.left_over()),
        Err(Stop::Failed(message)) => (Phase::Failed, message),
    };
    run.progress.phase = Some(phase);
    run.progress.message = message;
    run.report();
    run.progress
}

/// Why a sync ends early.
enum Stop {
    Cancelled,
    Failed(String),
}

struct Run<'a> {
    job: &'a Job,
    reporter: &'a Reporter,
    stop: &'a CancellationToken,
    progress: AppProgress,
    has_written: bool,
}

impl Run<'_> {
    async fn all(&mut self) -> Result<(), Stop> {
        let job = self.job;
        let all = tasks(&job.application, &job.pairs, &job.ask.resources);
        self.progress.total = all.len();
        self.report();
        if let Some(namespace) = created_namespace(&job.application, &job.pairs) {
            self.create_namespace(&namespace).await?;
        }
        let mut waves: BTreeMap<(SyncPhase, i64), Vec<Task>> = BTreeMap::new();
        let mut order: Vec<(SyncPhase, i64)> = Vec::new();
        for task in all {
            let place = (task.phase, task.wave);
            if !waves.contains_key(&place) {
                order.push(place);
            }
            waves.entry(place).or_default().push(task);
        }
        order.sort_unstable();
        let normal: Vec<(SyncPhase, i64)> =
            order.iter().copied().filter(|(phase, _)| *phase != SyncPhase::SyncFail).collect();
        let mut outcome = Ok(());
        for (number, place) in normal.iter().enumerate() {
            let is_last = number + 1 == normal.len();
            outcome = self.wave(&waves[place], is_last).await;
            if outcome.is_err() {
                break;
            }
        }
        if let Err(Stop::Failed(_)) = &outcome {
            for place in order.iter().filter(|(phase, _)| *phase == SyncPhase::SyncFail) {
                // The failure that is reported is the one that led here.
                let _ = self.wave(&waves[place], true).await;
            }
        }
        outcome
    }

    async fn create_namespace(&mut self, namespace: &Object) -> Result<(), Stop> {
        let Some(resource) = self.job.discovery.find(&namespace.gvk()) else { return Ok(()) };
        let existing = self.job.api.get(resource, "", namespace.name()).await;
        let has_metadata = namespace.value()["metadata"].as_object().is_some_and(|metadata| metadata.len() > 1);
        if !has_metadata && matches!(existing, Ok(Some(_))) {
            return Ok(());
        }
        let options = ApplyOptions { dry_run: self.job.ask.dry_run };
        match self.job.api.apply(resource, namespace, options).await {
            Ok(_) => {
                self.has_written = true;
                Ok(())
            }
            Err(error) => {
                self.result(&namespace.key(), ResultStatus::SyncFailed, &error.to_string());
                Err(Stop::Failed(format!("namespace {} cannot be created: {error}", namespace.name())))
            }
        }
    }

    /// Deletes what has to go, writes kind after kind, then waits for what was written.
    async fn wave(&mut self, wave: &[Task], is_last: bool) -> Result<(), Stop> {
        let failed_before = self.failures();
        for task in wave.iter().filter(|task| task.is_prune()) {
            self.go_on()?;
            self.prune(task).await;
        }
        let mut kind = None;
        for task in wave.iter().filter(|task| !task.is_prune()) {
            if kind != Some(&task.key.kind) && self.failures() > failed_before {
                break;
            }
            kind = Some(&task.key.kind);
            self.go_on()?;
            self.write(task).await;
        }
        if self.failures() > failed_before {
            return Err(Stop::Failed(self.first_failure()));
        }
        if self.job.ask.dry_run {
            return Ok(());
        }
        let has_hooks = wave.iter().any(|task| task.is_hook);
        if has_hooks || !is_last {
            self.wait(wave, is_last).await?;
        }
        if !is_last && self.has_written {
            self.sleep(WAVE_PAUSE).await?;
            self.has_written = false;
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), Stop> {
        if self.stop.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) }
    }

    async fn sleep(&self, pause: Duration) -> Result<(), Stop> {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.cancelled() => Err(Stop::Cancelled),
        }
    }

    async fn prune(&mut self, task: &Task) {
        let Some(live) = &task.live else { return };
        if !self.job.ask.prune {
            return self.result(&task.key, ResultStatus::PruneSkipped, "ignored (requires pruning)");
        }
        if has_object_option(live, "Prune=false") {
            return self.result(&task.key, ResultStatus::PruneSkipped, "ignored (no prune)");
        }
        let Some(resource) = self.resource(live) else { return };
        let options = ApplyOptions { dry_run: self.job.ask.dry_run };
        match self.job.api.delete(&resource, live, Propagation::Foreground, options).await {
            Ok(()) => {
                self.has_written = true;
                let text = if self.job.ask.dry_run { "pruned (dry run)" } else { "pruned" };
                self.result(&task.key, ResultStatus::Pruned, text);
            }
            Err(error) => self.result(&task.key, ResultStatus::SyncFailed, &error.to_string()),
        }
    }

    async fn write(&mut self, task: &Task) {
        let Some(target) = &task.target else { return };
        if task.is_hook {
            return self.hook(task, target).await;
        }
        if self.job.unchanged.contains(&task.key) && !self.job.ask.replace && !self.job.ask.force {
            return self.result(&task.key, ResultStatus::Synced, &format!("{} unchanged", reference(target)));
        }
        let Some(resource) = self.resource(target) else {
            if has_object_option(target, "SkipDryRunOnMissingResource=true") && self.job.ask.dry_run {
                return self.result(&task.key, ResultStatus::Synced, "its kind is not known yet");
            }
            let text = format!("the cluster has no kind {} in {}", task.key.kind, target.api_version());
            return self.result(&task.key, ResultStatus::SyncFailed, &text);
        };
        match self.put(&resource, target, task.live.as_ref()).await {
            Ok(done) => {
                self.has_written = true;
                let dry = if self.job.ask.dry_run { " (dry run)" } else { "" };
                self.result(&task.key, ResultStatus::Synced, &format!("{} {done}{dry}", reference(target)));
            }
            Err(error) => self.result(&task.key, ResultStatus::SyncFailed, &error.to_string()),
        }
    }

    /// Writes an object in the way that is asked for and says what was done.
    async fn put(
        &self,
        resource: &ResourceType,
        target: &Object,
        live: Option<&Object>,
    ) -> Result<&'static str, Error> {
        let (api, ask) = (&self.job.api, &self.job.ask);
        let options = ApplyOptions { dry_run: ask.dry_run };
        let app_option = |option: &str| self.job.application.has_option(option) || has_object_option(target, option);
        if ask.replace || app_option("Replace=true") {
            return match live {
                Some(live) if ask.force || app_option("Force=true") => self.recreate(resource, target, live).await,
                Some(live) => api.replace(resource, target, live, options).await.map(|_| "replaced"),
                None => api.create(resource, target, options).await.map(|_| "created"),
            };
        }
        let Some(live) = live else { return api.apply(resource, target, options).await.map(|_| "created") };
        let adopts = !self.job.application.has_option("ServerSideApply=true") && !ask.dry_run;
        if adopts && let Err(error) = api.take_over(resource, live).await {
            // Somebody changed it in between: the apply below still says what is wanted.
            if error.kind() != ErrorKind::Conflict {
                return Err(error);
            }
        }
        match api.apply(resource, target, options).await {
            Ok(_) => Ok("configured"),
            Err(error) if error.kind() == ErrorKind::Invalid && (ask.force || app_option("Force=true")) => {
                self.recreate(resource, target, live).await
            }
            Err(error) => Err(error),
        }
    }

    async fn recreate(&self, resource: &ResourceType, target: &Object, live: &Object) -> Result<&'static str, Error> {
        let api = &self.job.api;
        let options = ApplyOptions { dry_run: self.job.ask.dry_run };
        api.delete(resource, live, Propagation::Foreground, options).await?;
        if self.job.ask.dry_run {
            return Ok("deleted and created again");
        }
        self.gone(resource, live).await?;
        api.apply(resource, target, options).await.map(|_| "deleted and created again")
    }

    /// Waits until an object is gone.
    async fn gone(&self, resource: &ResourceType, live: &Object) -> Result<(), Error> {
        let waiting = async {
            while let Some(found) = self.job.api.get(resource, live.namespace(), live.name()).await? {
                if found.uid() != live.uid() {
                    break;
                }
                tokio::time::sleep(POLL).await;
            }
            Ok(())
        };
        tokio::time::timeout(DELETION, waiting).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Other, format!("{} is still being deleted after a minute", live.key())))
        })
    }

    async fn hook(&mut self, task: &Task, target: &Object) {
        let Some(resource) = self.resource(target) else {
            let text = format!("the cluster has no kind {} in {}", task.key.kind, target.api_version());
            return self.result(&task.key, ResultStatus::SyncFailed, &text);
        };
        if self.job.ask.dry_run {
            return self.result(&task.key, ResultStatus::Synced, "hook (dry run)");
        }
        let written = async {
            if deletes(target, "BeforeHookCreation")
                && let Some(old) = self.job.api.get(&resource, target.namespace(), target.name()).await?
            {
                self.job.api.delete(&resource, &old, Propagation::Foreground, ApplyOptions::default()).await?;
                self.gone(&resource, &old).await?;
            }
            self.job.api.apply(&resource, target, ApplyOptions::default()).await
        };
        match written.await {
            Ok(_) => {
                self.has_written = true;
                self.result(&task.key, ResultStatus::Synced, &format!("{} created", reference(target)));
            }
            Err(error) => self.result(&task.key, ResultStatus::SyncFailed, &error.to_string()),
        }
    }

    /// Waits until everything that a wave wrote is healthy and its hooks are through.
    async fn wait(&mut self, wave: &[Task], is_last: bool) -> Result<(), Stop> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut waiting: Vec<&Task> =
            wave.iter().filter(|task| !task.is_prune() && (task.is_hook || !is_last)).collect();
        while !waiting.is_empty() {
            self.go_on()?;
            let mut still = Vec::new();
            for task in waiting {
                match self.state(task).await {
                    HealthStatus::Healthy | HealthStatus::Suspended if !task.is_hook => {}
                    HealthStatus::Healthy => self.hook_ended(task, true).await,
                    HealthStatus::Degraded if task.is_hook => {
                        self.hook_ended(task, false).await;
                        let text = format!("{} failed", task.key);
                        self.result(&task.key, ResultStatus::SyncFailed, &text);
                        return Err(Stop::Failed(text));
                    }
                    HealthStatus::Degraded => {
                        return Err(Stop::Failed(format!("{} is Degraded; later waves were not started", task.key)));
                    }
                    _ => still.push(task),
                }
            }
            waiting = still;
            if waiting.is_empty() {
                break;
            }
            let text = format!("waiting for {}", waiting[0].key);
            if self.progress.message != text {
                self.progress.message = text;
                self.report();
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(Stop::Failed(format!("{} did not become healthy in ten minutes", waiting[0].key)));
            }
            self.sleep(POLL).await?;
        }
        Ok(())
    }

    async fn state(&self, task: &Task) -> HealthStatus {
        let Some(target) = &task.target else { return HealthStatus::Healthy };
        let Some(resource) = self.resource(target) else { return HealthStatus::Healthy };
        match self.job.api.get(&resource, target.namespace(), target.name()).await {
            Ok(Some(live)) => health::assess(&live).unwrap_or_else(|| Health::new(HealthStatus::Healthy, "")).status,
            Ok(None) if task.is_hook => HealthStatus::Healthy,
            Ok(None) => HealthStatus::Missing,
            Err(_) => HealthStatus::Unknown,
        }
    }

    /// Deletes a hook that has done its work, if its policy says so.
    async fn hook_ended(&mut self, task: &Task, succeeded: bool) {
        let Some(target) = &task.target else { return };
        let policy = if succeeded { "HookSucceeded" } else { "HookFailed" };
        if deletes(target, policy)
            && let Some(resource) = self.resource(target)
            && let Ok(Some(live)) = self.job.api.get(&resource, target.namespace(), target.name()).await
        {
            // A hook that cannot be deleted is no failure of the sync; the next run deletes it before it starts.
            let _ = self.job.api.delete(&resource, &live, Propagation::Foreground, ApplyOptions::default()).await;
        }
    }

    fn resource(&self, object: &Object) -> Option<ResourceType> {
        self.job.discovery.find(&object.gvk()).cloned()
    }

    fn result(&mut self, key: &Key, status: ResultStatus, message: &str) {
        self.progress.results.push(ObjectResult {
            key: key.clone(),
            status,
            message: text::line(message).into_owned(),
        });
        self.report();
    }

    fn failures(&self) -> usize {
        self.progress.results.iter().filter(|result| result.status == ResultStatus::SyncFailed).count()
    }

    fn first_failure(&self) -> String {
        self.progress.results.iter().find(|result| result.status == ResultStatus::SyncFailed).map_or_else(
            String::new,
            |result| {
                format!(
                    "one or more synchronization tasks completed unsuccessfully: {}: {}",
                    result.key, result.message
                )
            },
        )
    }

    fn left_over(&self) -> String {
        let (done, total) = (self.progress.results.len(), self.progress.total);
        format!("stopped on request: {done} of {total} objects were written, {} were left", total.saturating_sub(done))
    }

    fn report(&self) {
        // The world may have ended; then nobody is there to be told.
        let _ = self.reporter.out.send((self.reporter.operation, self.progress.clone()));
    }
}

/// Says whether a hook's deletion policy names this moment; without one it is deleted before it is made again.
fn deletes(hook: &Object, moment: &str) -> bool {
    let words = |name: &str| {
        hook.annotation(name).map(|text| text.split(',').map(str::trim).map(str::to_owned).collect::<Vec<_>>())
    };
    if let Some(policies) = words("argocd.argoproj.io/hook-delete-policy") {
        return policies.iter().any(|policy| policy == moment);
    }
    let helm = match moment {
        "BeforeHookCreation" => "before-hook-creation",
        "HookSucceeded" => "hook-succeeded",
        _ => "hook-failed",
    };
    match words("helm.sh/hook-delete-policy") {
        Some(policies) => policies.iter().any(|policy| policy == helm),
        None => moment == "BeforeHookCreation",
    }
}

/// Returns `deployment.apps/web`.
fn reference(object: &Object) -> String {
    let gvk = object.gvk();
    let kind = gvk.kind.to_lowercase();
    if gvk.group.is_empty() {
        format!("{kind}/{}", object.name())
    } else {
        format!("{kind}.{}/{}", gvk.group, object.name())
    }
}
