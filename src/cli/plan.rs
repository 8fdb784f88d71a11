//! A plan in words, the question, and what became of it.

use std::io::{self, BufRead, Write};

use serde::Serialize;

use super::args::Output;
use super::output;
use crate::model::text::{counted, line};
use crate::model::{Action, Operation, Phase, Plan, ResultStatus};

/// Returns the sign that stands before a change: `+`, `~`, `-`, `*` for hooks, `.` for what is left.
fn sign(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update | Action::Replace => '~',
        Action::Prune => '-',
        Action::Hook => '*',
        Action::Keep => '.',
    }
}

/// Writes what would be done, in full.
///
/// # Errors
/// When the output cannot be written.
pub fn describe(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    writeln!(out, "{}", line(&plan.title))?;
    for moved in &plan.moves {
        let place = |name: &str, commit: &Option<crate::model::CommitId>| match commit {
            Some(commit) if name.is_empty() => commit.short().to_owned(),
            Some(commit) => format!("{} {}", line(name), commit.short()),
            None if name.is_empty() => "(new)".to_owned(),
            None => line(name).into_owned(),
        };
        writeln!(
            out,
            "  {}  {} -> {}",
            line(&moved.reference),
            place(&moved.from_name, &moved.from),
            place(&moved.to_name, &moved.to)
        )?;
    }
    for commit in plan.commits.iter().take(20) {
        writeln!(out, "    {} {} ({})", commit.id.short(), line(&commit.subject), line(&commit.author))?;
    }
    if plan.commits.len() > 20 {
        writeln!(out, "    and {} more commits", plan.commits.len() - 20)?;
    }
    for app in &plan.apps {
        if let Some(reason) = &app.skipped {
            writeln!(
                out,
                "  {} on {}: left alone, {}",
                line(app.app.as_str()),
                line(app.cluster.as_str()),
                line(reason)
            )?;
            continue;
        }
        if app.changes.is_empty() {
            continue;
        }
        writeln!(out, "  {} on {}", line(app.app.as_str()), line(app.cluster.as_str()))?;
        for change in &app.changes {
            let note = match change.action {
                Action::Keep => "  (no longer in Git; left, since --prune was not given or it is protected)",
                Action::Replace => "  (replaced)",
                Action::Hook => "  (hook)",
                _ => "",
            };
            writeln!(out, "    {} {}{note}", sign(change.action), line(&change.key.to_string()))?;
            for field in change.fields.iter().take(12) {
                let show = |value: &Option<String>| {
                    value.as_deref().map_or_else(|| "(absent)".to_owned(), |text| line(text).into_owned())
                };
                writeln!(out, "        {}: {} -> {}", line(&field.path), show(&field.live), show(&field.git))?;
            }
            if change.fields.len() > 12 {
                writeln!(out, "        and {} more fields", change.fields.len() - 12)?;
            }
        }
    }
    let (changed, created, deleted) = plan.counts();
    let touched = plan.apps.iter().filter(|app| app.skipped.is_none() && !app.changes.is_empty()).count();
    let apps = counted(touched, "application", "applications");
    writeln!(out, "  ~ {changed} changed  + {created} created  - {deleted} deleted  in {apps}")?;
    for warning in &plan.warnings {
        writeln!(out, "  ! {}", line(warning))?;
    }
    for gate in &plan.gates {
        writeln!(out, "  {} {}: {}", if gate.open { "open" } else { "CLOSED" }, line(&gate.name), line(&gate.reason))?;
    }
    Ok(())
}

/// Asks on the terminal; everything but `y`, `yes` or the protected name is no.
///
/// # Errors
/// When the terminal cannot be read or written.
pub fn ask(out: &mut dyn Write, input: &mut dyn BufRead, protected: Option<&str>) -> io::Result<bool> {
    match protected {
        Some(name) => write!(out, "{name} is protected. Type {name} to confirm: ")?,
        None => write!(out, "Do this? [y/N] ")?,
    }
    out.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(match protected {
        Some(name) => answer == name,
        None => answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"),
    })
}

/// Writes how an operation ended.
///
/// # Errors
/// When the output cannot be written.
pub fn outcome(out: &mut dyn Write, operation: &Operation) -> io::Result<()> {
    for app in &operation.apps {
        let phase = app.phase.map_or("not done", Phase::as_str);
        writeln!(out, "{} on {}: {phase}  {}", line(app.app.as_str()), line(app.cluster.as_str()), line(&app.message))?;
        for result in app.results.iter().filter(|result| result.status != ResultStatus::Synced) {
            writeln!(out, "  {} {}: {}", result.status.as_str(), line(&result.key.to_string()), line(&result.message))?;
        }
    }
    writeln!(out, "{}: {}", operation.phase.as_str(), line(&operation.message))
}

#[derive(Serialize)]
struct PlanReport<'a> {
    id: &'a str,
    action: &'static str,
    title: &'a str,
    moves: Vec<MoveReport<'a>>,
    commits: Vec<CommitReport<'a>>,
    applications: Vec<AppReport<'a>>,
    gates: Vec<GateReport<'a>>,
    warnings: &'a [String],
    protected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationReport<'a>>,
}

#[derive(Serialize)]
struct MoveReport<'a> {
    reference: &'a str,
    from: Option<&'a str>,
    to: Option<&'a str>,
}

#[derive(Serialize)]
struct CommitReport<'a> {
    commit: &'a str,
    subject: &'a str,
    author: &'a str,
}

#[derive(Serialize)]
struct AppReport<'a> {
    name: &'a str,
    cluster: &'a str,
    commit: Option<&'a str>,
    skipped: Option<&'a str>,
    unchanged: usize,
    changes: Vec<ChangeReport<'a>>,
}

#[derive(Serialize)]
struct ChangeReport<'a> {
    action: &'static str,
    group: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    wave: i64,
    fields: Vec<FieldReport<'a>>,
}

#[derive(Serialize)]
struct FieldReport<'a> {
    path: &'a str,
    live: Option<&'a str>,
    git: Option<&'a str>,
    manager: &'a str,
}

#[derive(Serialize)]
struct GateReport<'a> {
    name: &'a str,
    open: bool,
    reason: &'a str,
}

#[derive(Serialize)]
struct OperationReport<'a> {
    phase: &'static str,
    message: &'a str,
    applications: Vec<ProgressReport<'a>>,
}

#[derive(Serialize)]
struct ProgressReport<'a> {
    name: &'a str,
    phase: Option<&'static str>,
    message: &'a str,
    results: Vec<ResultReport<'a>>,
}

#[derive(Serialize)]
struct ResultReport<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    status: &'static str,
    message: &'a str,
}

/// Writes a plan, and what became of it, for programs.
///
/// # Errors
/// When the output cannot be written.
pub fn report(out: &mut dyn Write, format: Output, plan: &Plan, operation: Option<&Operation>) -> io::Result<()> {
    let report = PlanReport {
        id: plan.id.as_str(),
        action: plan.kind.as_str(),
        title: &plan.title,
        moves: plan
            .moves
            .iter()
            .map(|moved| MoveReport {
                reference: &moved.reference,
                from: moved.from.as_ref().map(|commit| commit.as_str()),
                to: moved.to.as_ref().map(|commit| commit.as_str()),
            })
            .collect(),
        commits: plan
            .commits
            .iter()
            .map(|commit| CommitReport { commit: commit.id.as_str(), subject: &commit.subject, author: &commit.author })
            .collect(),
        applications: plan.apps.iter().map(app_report).collect(),
        gates: plan
            .gates
            .iter()
            .map(|gate| GateReport { name: &gate.name, open: gate.open, reason: &gate.reason })
            .collect(),
        warnings: &plan.warnings,
        protected: plan.protected.as_deref(),
        operation: operation.map(operation_report),
    };
    output::structured(out, format, &report)
}

fn app_report(app: &crate::model::AppPlan) -> AppReport<'_> {
    AppReport {
        name: app.app.as_str(),
        cluster: app.cluster.as_str(),
        commit: app.commit.as_ref().map(|commit| commit.as_str()),
        skipped: app.skipped.as_deref(),
        unchanged: app.unchanged,
        changes: app.changes.iter().map(change_report).collect(),
    }
}

fn change_report(change: &crate::model::Change) -> ChangeReport<'_> {
    ChangeReport {
        action: match change.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Prune => "prune",
            Action::Keep => "keep",
            Action::Hook => "hook",
        },
        group: &change.key.group,
        kind: &change.key.kind,
        namespace: &change.key.namespace,
        name: &change.key.name,
        wave: change.wave,
        fields: change
            .fields
            .iter()
            .map(|field| FieldReport {
                path: &field.path,
                live: field.live.as_deref(),
                git: field.git.as_deref(),
                manager: &field.manager,
            })
            .collect(),
    }
}

fn operation_report(operation: &Operation) -> OperationReport<'_> {
    OperationReport {
        phase: operation.phase.as_str(),
        message: &operation.message,
        applications: operation
            .apps
            .iter()
            .map(|app| ProgressReport {
                name: app.app.as_str(),
                phase: app.phase.map(Phase::as_str),
                message: &app.message,
                results: app
                    .results
                    .iter()
                    .map(|result| ResultReport {
                        group: &result.key.group,
                        kind: &result.key.kind,
                        namespace: &result.key.namespace,
                        name: &result.key.name,
                        status: result.status.as_str(),
                        message: &result.message,
                    })
                    .collect(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::ask;

    #[test]
    fn only_a_clear_yes_confirms() {
        let answer = |text: &str, protected| ask(&mut Vec::new(), &mut text.as_bytes(), protected).unwrap();
        for yes in ["y\n", "yes\n", "Y\n"] {
            assert!(answer(yes, None), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "prod\n", "yess\n"] {
            assert!(!answer(no, None), "{no:?}");
        }
        assert!(answer("prod\n", Some("prod")));
        for no in ["y\n", "yes\n", "\n", "prd\n", "PROD\n"] {
            assert!(!answer(no, Some("prod")), "{no:?}");
        }
    }
}
