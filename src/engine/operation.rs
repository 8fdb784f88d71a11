//! Operations from the confirmed plan to the journal: planned again, written down, references moved, clusters synced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::model::{
    AppProgress, Approved, Ask, AuditEntry, ClusterName, Fleet, HealthStatus, Operation, OperationId, Outcome, Phase,
    Plan, PlanKind, Problem, Sync, text,
};
use crate::store::Journal;

use super::plan::{Basis, Planned, audit_update};
use super::sync::{Job, Reporter, sync};
use super::world::Step;

/// Longest wait for a wave of applications before the next wave starts.
const PATIENCE: Duration = Duration::from_secs(900);

/// Returns the operation as it stands before its first step.
pub fn begin(id: OperationId, plan: &Plan, actor: &str) -> Operation {
    Operation {
        id,
        plan: plan.id.clone(),
        kind: plan.kind,
        title: plan.title.clone(),
        actor: actor.to_owned(),
        started: Timestamp::now(),
        finished: None,
        phase: Phase::Running,
        message: "looking again whether the plan still holds".to_owned(),
        apps: plan
            .apps
            .iter()
            .filter(|app| app.skipped.is_none())
            .map(|app| AppProgress {
                app: app.app.clone(),
                cluster: app.cluster.clone(),
                phase: None,
                message: "waiting".to_owned(),
                total: app.changes.len(),
                results: Vec::new(),
            })
            .collect(),
    }
}

/// Returns an id that sorts by time and is not given twice.
fn entry_id(at: Timestamp, operation: OperationId) -> String {
    format!("{}-{}-{:08x}", at.as_millisecond(), operation.0, rand::random::<u32>())
}

/// What one operation works with.
pub(super) struct Work {
    pub basis: Basis,
    pub approved: Approved,
    pub operation: Operation,
    pub journal: Option<Arc<Journal>>,
    pub fleet: watch::Receiver<Arc<Fleet>>,
    pub progress: mpsc::UnboundedSender<(OperationId, AppProgress)>,
    pub stop: CancellationToken,
}

impl Work {
    /// Carries the plan out; refuses if it would do anything else than what was shown.
    pub async fn run(mut self, tell: &(dyn Fn(Step) + Send + std::marker::Sync)) -> (Operation, Option<AuditEntry>) {
        let shown = self.approved.plan().id.clone();
        let ask = self.approved.plan().ask.clone();
        let planned = match self.basis.plan(&ask).await {
            Ok(planned) if planned.plan.id == shown => planned,
            Ok(_) => {
                let problem = Problem::new("the plan no longer holds: something changed since it was shown")
                    .hint("nothing was changed; plan again");
                return (self.ended(Phase::Error, problem.to_string()), None);
            }
            Err(problem) => return (self.ended(Phase::Error, problem.to_string()), None),
        };
        if let Some(gate) = planned.plan.closed().next() {
            let message = format!("gate {} is closed: {}", gate.name, gate.reason);
            return (self.ended(Phase::Error, message), None);
        }
        let is_dry = matches!(&ask, Ask::Sync(sync) if sync.dry_run);
        let mut entry = self.entry(&planned.plan);
        if !is_dry
            && let Some(journal) = &self.journal
            && let Err(error) = journal.intent(&entry)
        {
            let message = format!("nothing was changed, since the journal cannot be written: {error}");
            return (self.ended(Phase::Error, message), None);
        }
        let (phase, message) = match self.carry_out(&planned, &entry, tell).await {
            Ok((phase, message)) => (phase, message),
            Err(problem) => (Phase::Error, problem.to_string()),
        };
        let operation = self.ended(phase, message.clone());
        entry.outcome = match phase {
            Phase::Succeeded => Outcome::Succeeded,
            Phase::Cancelled => Outcome::Cancelled,
            _ => Outcome::Failed,
        };
        entry.message = message;
        entry.seconds =
            operation.finished.map_or(0.0, |end| (end - operation.started).total(jiff::Unit::Second).unwrap_or(0.0));
        if is_dry {
            return (operation, None);
        }
        if let Some(journal) = &self.journal
            && let Err(error) = journal.outcome(&entry)
        {
            entry.message.push_str(&format!(" (the journal could not be written: {error})"));
        }
        (operation, Some(entry))
    }

    fn entry(&self, plan: &Plan) -> AuditEntry {
        let moves = plan
            .moves
            .iter()
            .map(|moved| {
                let place = |commit: &Option<crate::model::CommitId>| {
                    commit.as_ref().map_or_else(|| "new".to_owned(), |commit| commit.short().to_owned())
                };
                format!("{} {} -> {}", moved.reference, place(&moved.from), place(&moved.to))
            })
            .collect();
        AuditEntry {
            id: entry_id(self.operation.started, self.operation.id),
            at: self.operation.started,
            actor: self.operation.actor.clone(),
            action: plan.kind.as_str().to_owned(),
            title: plan.title.clone(),
            apps: self.operation.apps.iter().map(|app| app.app.to_string()).collect(),
            moves,
            outcome: Outcome::Interrupted,
            message: String::new(),
            seconds: 0.0,
        }
    }

    /// Moves references, then syncs.
    async fn carry_out(
        &mut self,
        planned: &Planned,
        entry: &AuditEntry,
        tell: &(dyn Fn(Step) + Send + std::marker::Sync),
    ) -> Result<(Phase, String), Problem> {
        if !planned.updates.is_empty() {
            let repository = &self.basis.renderer.repository;
            let mut updates = planned.updates.clone();
            updates.push(audit_update(repository, &AuditEntry { outcome: Outcome::Succeeded, ..entry.clone() })?);
            repository.push(&updates).await.map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
            tell(Step::Look);
        } else if planned.plan.kind != PlanKind::Sync {
            return Ok((Phase::Succeeded, "there was nothing to do".to_owned()));
        }
        let ended = self.sync_all(&planned.jobs).await;
        tell(Step::Look);
        let count = |wanted: Phase| ended.iter().filter(|app| app.phase == Some(wanted)).count();
        let (failed, cancelled) = (count(Phase::Failed) + count(Phase::Error), count(Phase::Cancelled));
        let left = planned.jobs.len() - ended.len();
        self.operation.apps = self
            .operation
            .apps
            .drain(..)
            .map(|app| ended.iter().find(|done| done.app == app.app).cloned().unwrap_or(app))
            .collect();
        let first = |phase: Phase| {
            ended
                .iter()
                .find(|app| app.phase == Some(phase))
                .map(|app| format!("{}: {}", app.app, app.message))
                .unwrap_or_default()
        };
        let moved = if planned.updates.is_empty() { "" } else { "Git has moved; " };
        Ok(if cancelled > 0 || (self.stop.is_cancelled() && left > 0) {
            (Phase::Cancelled, {
                let left = text::counted(left, "application was not started", "applications were not started");
                format!("{moved}stopped on request, {left}; {}", first(Phase::Cancelled))
            })
        } else if failed > 0 {
            (
                Phase::Failed,
                format!("{moved}{failed} of {} applications failed: {}", planned.jobs.len(), first(Phase::Failed)),
            )
        } else {
            (
                Phase::Succeeded,
                moved.to_owned()
                    + &text::counted(planned.jobs.len(), "application is as Git says", "applications are as Git says"),
            )
        })
    }

    /// Syncs every cluster by itself, wave after wave of applications.
    async fn sync_all(&self, jobs: &[Job]) -> Vec<AppProgress> {
        let mut clusters: BTreeMap<&ClusterName, BTreeMap<i64, Vec<&Job>>> = BTreeMap::new();
        for job in jobs {
            clusters.entry(&job.cluster).or_default().entry(job.application.wave).or_default().push(job);
        }
        let runs = clusters.into_values().map(|waves| self.sync_cluster(waves));
        join_all(runs).await.into_iter().flatten().collect()
    }

    async fn sync_cluster(&self, waves: BTreeMap<i64, Vec<&Job>>) -> Vec<AppProgress> {
        let reporter = Reporter { operation: self.operation.id, out: self.progress.clone() };
        let mut ended = Vec::new();
        let last = waves.keys().next_back().copied();
        for (wave, jobs) in waves {
            if self.stop.is_cancelled() {
                break;
            }
            let done = join_all(jobs.iter().map(|job| sync(job, &reporter, &self.stop))).await;
            let has_failed = done.iter().any(|app| app.phase != Some(Phase::Succeeded));
            ended.extend(done);
            if has_failed {
                break;
            }
            let waits = Some(wave) != last && !jobs.iter().all(|job| job.ask.dry_run);
            if waits && let Err(waited) = self.healthy(&jobs).await {
                if let Some(app) = ended.iter_mut().find(|app| app.app == waited.0) {
                    app.phase = Some(Phase::Failed);
                    app.message = waited.1;
                }
                break;
            }
        }
        ended
    }

    /// Waits until the applications of a wave are Synced and Healthy, so that the next wave may start.
    async fn healthy(&self, jobs: &[&Job]) -> Result<(), (crate::model::AppId, String)> {
        let mut fleet = self.fleet.clone();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let snapshot = fleet.borrow_and_update().clone();
            let waiting = jobs.iter().find(|job| {
                snapshot.app(&job.app).is_some_and(|app| {
                    let is_there = app.sync == Sync::Synced || !job.ask.resources.is_empty() || !job.ask.prune;
                    !is_there || !matches!(app.health.status, HealthStatus::Healthy | HealthStatus::Suspended)
                })
            });
            let Some(waiting) = waiting else { return Ok(()) };
            tokio::select! {
                changed = fleet.changed() => if changed.is_err() { return Ok(()) },
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep_until(deadline) => {
                    let text = "did not become healthy in fifteen minutes; later waves were not started";
                    return Err((waiting.app.clone(), text.to_owned()));
                }
            }
        }
    }

    fn ended(&mut self, phase: Phase, message: String) -> Operation {
        self.operation.phase = phase;
        self.operation.message = text::line(&message).into_owned();
        self.operation.finished = Some(Timestamp::now());
        self.operation.clone()
    }
}
