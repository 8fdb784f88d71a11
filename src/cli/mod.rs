//! The command line: the same requests as the screen, without one.

pub mod args;
mod chart;
mod lookup;
mod mistake;
mod object;
mod output;
mod plan;
mod pull;
mod selection;
mod session;
mod status;
mod template;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use self::args::{Command, Confirm, Output, Selection};
pub use self::mistake::in_helms_words;
use self::output::Table;
use self::pull::Charts;
use self::session::Session;
use crate::cluster::Kubeconfig;
use crate::engine::{Detail, Handle, Inspect};
use crate::model::text::{counted, line};
use crate::model::{Ask, AuditEntry, Fleet, Phase, Plan, Problem, SyncAsk};
use crate::store::Journal;

/// Exit code: everything is fine.
pub const FINE: u8 = 0;
/// Exit code: something went wrong, or was not confirmed.
pub const ERROR: u8 = 1;
/// Exit code: there is drift, or something is not healthy.
pub const DIFFERENT: u8 = 2;
/// Exit code: a gate refuses.
pub const REFUSED: u8 = 3;

/// What lies outside of a command's own arguments, read only if it is needed.
pub struct Reach<'a> {
    /// Where charts come from that do not lie on disk.
    pub charts: Charts<'a>,
    /// The clusters.
    pub kubeconfig: &'a dyn Fn() -> Result<Option<Kubeconfig>, Problem>,
    /// Where the journal lies.
    pub journal: &'a dyn Fn() -> PathBuf,
}

/// Runs a command that needs no engine; gives back one that does.
///
/// # Errors
/// With what, where and what next.
pub fn alone(
    command: &Command,
    reach: &Reach<'_>,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Option<Result<u8, Problem>> {
    match command {
        Command::Template(args) => Some(template::run(args, reach, out, notes)),
        Command::Health(args) => Some(object::health(args, out)),
        Command::Compare(args) => Some(object::compare(args, out)),
        Command::Audit(args) => Some(audit(args, &(reach.journal)(), out, notes)),
        Command::Completions { shell } => {
            let mut command = <args::Arguments as clap::CommandFactory>::command();
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command, "quarterdeck", &mut script);
            Some(out.write_all(&script).map(|()| FINE).map_err(|error| unwritable(&error)))
        }
        Command::Keys => {
            Some(write!(out, "{}", crate::tui::key_table()).map(|()| FINE).map_err(|error| unwritable(&error)))
        }
        _ => None,
    }
}

/// Runs a command against the engine.
///
/// # Errors
/// With what, where and what next.
pub async fn run(command: Command, handle: Handle, out: &mut dyn Write, notes: &mut dyn Write) -> Result<u8, Problem> {
    let mut session = Session::new(handle);
    let code = answer(command, &mut session, out).await?;
    for caution in session.cautions() {
        writeln!(notes, "Warning: {}", line(&caution)).map_err(|error| unwritable(&error))?;
    }
    Ok(code)
}

async fn answer(command: Command, session: &mut Session, out: &mut dyn Write) -> Result<u8, Problem> {
    match command {
        Command::Status(args) => show_status(session, &args.selection, out).await,
        Command::Diff(selection) => show_diff(session, &selection, out).await,
        Command::Sync(args) => sync(session, args, out).await,
        Command::Promote(args) => {
            let fleet = session.settled().await;
            let from = environment(&fleet, &args.from)?;
            let to = match &args.to {
                Some(to) => environment(&fleet, to)?,
                None => fleet
                    .environments
                    .iter()
                    .find(|next| next.from.as_ref() == Some(&from))
                    .map(|next| next.name.clone())
                    .ok_or_else(|| {
                        Problem::new(format!("nothing comes after {from}")).hint("name the environment to promote to")
                    })?,
            };
            let ask = Ask::Promote { from, to, prune: args.prune };
            change(session, ask, &args.confirm, args.dry_run, args.output, out).await
        }
        Command::Rollback(args) => {
            let fleet = session.settled().await;
            let environment = environment(&fleet, &args.environment)?;
            let ask = Ask::Rollback { environment, to: args.to, prune: args.prune };
            change(session, ask, &args.confirm, args.dry_run, args.output, out).await
        }
        Command::Clusters(args) => {
            let fleet = session.settled().await;
            status::clusters(out, args.output, &fleet).map_err(|error| unwritable(&error))?;
            let live = fleet.clusters.iter().all(|cluster| cluster.connection.as_str() == "live");
            Ok(if live { FINE } else { DIFFERENT })
        }
        Command::History(args) => {
            let fleet = session.read().await;
            let name = environment(&fleet, &args.environment)?;
            show_history(out, args.output, &fleet, &name).map_err(|error| unwritable(&error))?;
            Ok(FINE)
        }
        Command::Demo(_)
        | Command::Audit(_)
        | Command::Template(_)
        | Command::Health(_)
        | Command::Compare(_)
        | Command::Completions { .. }
        | Command::Keys => Err(Problem::new("this command does not take an engine")),
    }
}

fn environment(fleet: &Fleet, name: &str) -> Result<crate::model::EnvironmentName, Problem> {
    let known: Vec<&str> = fleet.environments.iter().map(|environment| environment.name.as_str()).collect();
    if known.contains(&name) {
        return Ok(name.into());
    }
    Err(Problem::new(format!("there is no environment {name:?}")).hint(if known.is_empty() {
        "the repository has none: its root Applications carry no `env` label and there is no .quarterdeck.yaml"
            .to_owned()
    } else {
        format!("there is {}", known.join(", "))
    }))
}

async fn show_status(session: &Session, selection: &Selection, out: &mut dyn Write) -> Result<u8, Problem> {
    let fleet = session.settled().await;
    let apps = selection.choose(&fleet)?;
    status::applications(out, selection.output, &fleet, &apps, !selection.apps.is_empty())
        .map_err(|error| unwritable(&error))?;
    Ok(if apps.iter().all(|app| status::is_well(app)) { FINE } else { DIFFERENT })
}

#[derive(Serialize)]
struct DiffRow {
    application: String,
    group: String,
    kind: String,
    namespace: String,
    name: String,
    diff: String,
}

async fn show_diff(session: &mut Session, selection: &Selection, out: &mut dyn Write) -> Result<u8, Problem> {
    let fleet = session.settled().await;
    let apps = selection.choose(&fleet)?;
    let (mut rows, mut unknown) = (Vec::new(), Vec::new());
    for app in &apps {
        if let Some(condition) = app.blocked() {
            unknown.push((app.name.clone(), condition.message.clone()));
            continue;
        }
        let detail = session.inspect(&app.id, Inspect::Diff).await?;
        let Detail::Diff(objects) = &*detail else { continue };
        rows.extend(objects.iter().filter(|object| object.differs()).map(|object| DiffRow {
            application: app.name.clone(),
            group: object.key.group.to_string(),
            kind: object.key.kind.to_string(),
            namespace: object.key.namespace.to_string(),
            name: object.key.name.to_string(),
            diff: object.unified(),
        }));
    }
    let differs = !rows.is_empty() || !unknown.is_empty();
    let written = if selection.output == Output::Table {
        write_diff(out, &rows, &unknown)
    } else {
        output::structured(out, selection.output, &rows)
    };
    written.map_err(|error| unwritable(&error))?;
    Ok(if differs { DIFFERENT } else { FINE })
}

fn write_diff(out: &mut dyn Write, rows: &[DiffRow], unknown: &[(String, String)]) -> io::Result<()> {
    for row in rows {
        let place = if row.namespace.is_empty() { row.name.clone() } else { format!("{}/{}", row.namespace, row.name) };
        writeln!(out, "=== {} {} {}", line(&row.application), line(&row.kind), line(&place))?;
        write!(out, "{}", crate::model::text::block(&row.diff))?;
    }
    for (app, reason) in unknown {
        writeln!(out, "=== {} cannot be compared: {}", line(app), crate::model::text::block(reason))?;
    }
    Ok(())
}

async fn sync(session: &mut Session, args: args::Sync, out: &mut dyn Write) -> Result<u8, Problem> {
    if args.selection.is_everything() && !args.all {
        return Err(Problem::new("nothing to sync was named")
            .hint("name applications, or give --all, --cluster, --environment or -l"));
    }
    let fleet = session.settled().await;
    let apps = args.selection.choose(&fleet)?;
    if apps.is_empty() {
        return Err(Problem::new("no application matches").hint("`quarterdeck status` lists them"));
    }
    let ask = Ask::Sync(SyncAsk {
        apps: apps.iter().map(|app| app.id.clone()).collect(),
        prune: args.prune,
        dry_run: args.dry_run,
        force: args.force,
        replace: args.replace,
        resources: args.resources.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        revision: args.revision,
    });
    // A dry run asks the servers, so it is an operation like any other; it needs no answer since it changes nothing.
    session.hurry(args.timeout.map(Duration::from_secs));
    let confirm = Confirm { yes: args.confirm.yes || args.dry_run };
    change(session, ask, &confirm, false, args.selection.output, out).await
}

/// Plans, shows, asks, runs and tells.
async fn change(
    session: &mut Session,
    ask: Ask,
    confirm: &Confirm,
    only_plan: bool,
    format: Output,
    out: &mut dyn Write,
) -> Result<u8, Problem> {
    let plan = session.plan(ask).await?;
    if format == Output::Table {
        plan::describe(out, &plan).map_err(|error| unwritable(&error))?;
    }
    if plan.closed().next().is_some() {
        return finish_without_running(out, format, &plan, REFUSED);
    }
    if only_plan {
        return finish_without_running(out, format, &plan, FINE);
    }
    if plan.is_empty() && plan.apps.iter().all(|app| app.changes.is_empty()) {
        let skipped = plan.apps.iter().any(|app| app.skipped.is_some());
        if format == Output::Table {
            writeln!(out, "Nothing to do").map_err(|error| unwritable(&error))?;
        }
        return finish_without_running(out, format, &plan, if skipped { DIFFERENT } else { FINE });
    }
    if !confirm.yes && !asked(&plan, format, out)? {
        return Err(Problem::new("nothing was changed: it was not confirmed"));
    }
    let shown = plan.id.clone();
    let approved = Plan::clone(&plan).approve(&shown).map_err(|_| Problem::new("the plan cannot be approved"))?;
    let operation = session.run(approved).await?;
    let written = if format == Output::Table {
        plan::outcome(out, &operation)
    } else {
        plan::report(out, format, &plan, Some(&operation))
    };
    written.map_err(|error| unwritable(&error))?;
    Ok(match operation.phase {
        Phase::Succeeded => FINE,
        Phase::Cancelled if session.has_given_up() => DIFFERENT,
        _ => ERROR,
    })
}

fn finish_without_running(out: &mut dyn Write, format: Output, plan: &Arc<Plan>, code: u8) -> Result<u8, Problem> {
    if format != Output::Table {
        plan::report(out, format, plan, None).map_err(|error| unwritable(&error))?;
    }
    Ok(code)
}

fn asked(plan: &Plan, format: Output, out: &mut dyn Write) -> Result<bool, Problem> {
    let stdin = io::stdin();
    if !stdin.is_terminal() || !io::stdout().is_terminal() {
        return Err(
            Problem::new("nothing was changed: there is no terminal to ask on").hint("--yes answers the question")
        );
    }
    if format != Output::Table {
        return Err(
            Problem::new("nothing was changed: -o json and -o yaml do not ask").hint("--yes answers the question")
        );
    }
    let input: &mut dyn BufRead = &mut stdin.lock();
    plan::ask(out, input, plan.protected.as_deref()).map_err(|error| unwritable(&error))
}

/// Shows the journal, which is there without a repository and its clusters too.
fn audit(args: &args::Audit, path: &Path, out: &mut dyn Write, notes: &mut dyn Write) -> Result<u8, Problem> {
    let recorded = Journal::read(path, args.limit).map_err(|error| Problem::new(error.to_string()))?;
    show_audit(out, args.output, &recorded.entries).map_err(|error| unwritable(&error))?;
    if recorded.unreadable > 0 {
        let lines = counted(recorded.unreadable, "line cannot be read", "lines cannot be read");
        writeln!(notes, "Warning: {lines} in {}", path.display()).map_err(|error| unwritable(&error))?;
    }
    Ok(FINE)
}

fn show_audit(out: &mut dyn Write, format: Output, entries: &[AuditEntry]) -> io::Result<()> {
    if format != Output::Table {
        return output::structured(out, format, &entries);
    }
    let mut table = Table::new(["TIME", "WHO", "ACTION", "TITLE", "OUTCOME", "MESSAGE"]);
    for entry in entries {
        let at = entry.at.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let outcome = match entry.outcome {
            crate::model::Outcome::Succeeded => "succeeded",
            crate::model::Outcome::Failed => "failed",
            crate::model::Outcome::Cancelled => "cancelled",
            crate::model::Outcome::Interrupted => "interrupted",
        };
        table.row([&at, &entry.actor, &entry.action, &entry.title, outcome, &entry.message]);
    }
    table.write(out)
}

#[derive(Serialize)]
struct ReleaseRow<'a> {
    release: &'a str,
    commit: &'a str,
    subject: &'a str,
    author: &'a str,
    at: String,
    current: bool,
}

fn show_history(
    out: &mut dyn Write,
    format: Output,
    fleet: &Fleet,
    name: &crate::model::EnvironmentName,
) -> io::Result<()> {
    let Some(environment) = fleet.environment(name) else { return Ok(()) };
    let rows: Vec<ReleaseRow<'_>> = environment
        .releases
        .iter()
        .map(|(release, commit)| ReleaseRow {
            release,
            commit: commit.id.as_str(),
            subject: &commit.subject,
            author: &commit.author,
            at: commit.at.strftime("%Y-%m-%d %H:%M").to_string(),
            current: environment.commit.as_ref() == Some(&commit.id),
        })
        .collect();
    if format != Output::Table {
        return output::structured(out, format, &rows);
    }
    let mut table = Table::new(["", "RELEASE", "COMMIT", "TIME", "AUTHOR", "SUBJECT"]);
    for row in &rows {
        table.row([
            if row.current { "*" } else { "" },
            row.release,
            &row.commit[..7.min(row.commit.len())],
            &row.at,
            row.author,
            row.subject,
        ]);
    }
    table.write(out)
}

/// Makes a problem of output that cannot be written.
pub fn unwritable(error: &io::Error) -> Problem {
    Problem::new(format!("the output cannot be written: {error}"))
}
