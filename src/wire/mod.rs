//! Joins the parts to a program: arguments, surroundings and files become an engine and a front end.

mod demo;
mod log;
mod output;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::Report;

use crate::cli;
use crate::cli::args::{Arguments, Command, Global};
use crate::cluster::Kubeconfig;
use crate::config::{Policy, Settings, Surroundings};
use crate::engine::{self, Handle, Places, Request, Setup};
use crate::git::Repository;
use crate::model::{Mode, Problem};
use crate::registry::{self, DockerConfig, Mirrors, Registry, Repositories};
use crate::store::Journal;
use crate::tui;

/// The file in which a repository says how its environments are changed.
const POLICY: &str = ".quarterdeck.yaml";

/// Runs the program to its end.
///
/// # Errors
/// When the process itself cannot be set up; what goes wrong afterwards is said in one sentence and in the exit code.
pub fn main() -> Result<ExitCode, Report> {
    color_eyre::config::HookBuilder::default()
        .panic_section("This is a bug in quarterdeck. Nothing that was not confirmed has been changed.")
        .display_env_section(false)
        .install()?;
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(answer) => {
            match cli::in_helms_words(&answer, std::env::args().skip(1)) {
                Some(problem) => writeln!(io::stderr(), "Error: {}", said(&problem))?,
                None => answer.print()?,
            }
            // Help and the version are answers; clap's own exit code for mistakes means drift here.
            return Ok(ExitCode::from(if answer.use_stderr() { cli::ERROR } else { cli::FINE }));
        }
    };
    let surroundings = Surroundings::read();
    let (mut out, mut notes) = (output::Pipe::new(io::stdout()), output::Pipe::new(io::stderr()));
    let code = run(arguments, &surroundings, &mut out, &mut notes).or_else(|problem| {
        // What was written so far belongs before the error.
        out.flush()?;
        writeln!(notes, "Error: {}", said(&problem))?;
        Ok::<_, io::Error>(cli::ERROR)
    })?;
    out.flush()?;
    Ok(ExitCode::from(code))
}

/// Returns a problem as lines for a terminal, without anything that could drive it.
fn said(problem: &Problem) -> String {
    let mut text = crate::model::text::block(&problem.what).into_owned();
    if !problem.hint.is_empty() {
        text.push_str("\n  ");
        text.push_str(&crate::model::text::block(&problem.hint));
    }
    text
}

fn run(
    mut arguments: Arguments,
    surroundings: &Surroundings,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<u8, Problem> {
    if let Some(Command::Template(template)) = &mut arguments.command {
        // The variable and the option usually name a Git repository, which a chart does not come from.
        let named = arguments.global.repo.as_ref().map(|repo| repo.to_string_lossy());
        template.repo = named.filter(|repo| repo.contains("://")).map(std::borrow::Cow::into_owned);
    }
    if let Some(command) = &arguments.command
        && let Some(result) = cli::alone(
            command,
            &cli::Reach {
                charts: &|| charts(&settings(&arguments.global, surroundings)?, surroundings),
                kubeconfig: &|| clusters(&arguments.global, surroundings),
                journal: &|| surroundings.paths.journal(),
            },
            out,
            notes,
        )
    {
        return result;
    }
    log::to_file(&surroundings.paths.log());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(format!("the program cannot start its threads: {error}")))?;
    let code = runtime.block_on(async {
        match arguments.command {
            Some(Command::Demo(args)) => demo::run(&args, &arguments.global, surroundings, out).await,
            Some(command) => {
                let handle = engine::start(setup(&arguments.global, surroundings)?);
                let code = cli::run(command, handle.clone(), out, notes).await;
                handle.send(Request::Shutdown);
                code
            }
            None => {
                let settings = settings(&arguments.global, surroundings)?;
                let options = look(&settings, &arguments.global, surroundings)?;
                let handle = engine::start(setup_with(&settings, &arguments.global, surroundings)?);
                screen(&handle, options).await
            }
        }
    });
    // Connections that do not answer must not keep the program from ending.
    runtime.shutdown_background();
    code
}

/// Shows the screen until the person leaves.
async fn screen(handle: &Handle, options: tui::Options) -> Result<u8, Problem> {
    let shown = tui::run(handle.clone(), options).await;
    handle.send(Request::Shutdown);
    shown.map(|()| cli::FINE).map_err(|error| {
        Problem::new(format!("the screen cannot be shown: {error}"))
            .hint("it needs a terminal; `quarterdeck status` works without one")
    })
}

/// Returns how the screen is shown.
fn look(settings: &Settings, global: &Global, surroundings: &Surroundings) -> Result<tui::Options, Problem> {
    let depth = match (surroundings.no_color, surroundings.is_true_color) {
        (true, _) => tui::Depth::None,
        (false, true) => tui::Depth::True,
        (false, false) => tui::Depth::Indexed,
    };
    let name = global.theme.as_ref().or(settings.theme.as_ref()).map_or("", String::as_str);
    let theme = tui::Theme::load(name, depth).map_err(|error| Problem::new(error.to_string()))?;
    let (keymap, notices) = tui::Keymap::new(&settings.keys);
    Ok(tui::Options {
        look: tui::Look { theme, ascii: global.ascii || settings.ascii || !surroundings.is_utf8 },
        keymap,
        read_only: global.read_only,
        help_note: None,
        zone: jiff::tz::TimeZone::system(),
        mouse: !global.no_mouse,
        notices,
    })
}

fn setup(global: &Global, surroundings: &Surroundings) -> Result<Setup, Problem> {
    setup_with(&settings(global, surroundings)?, global, surroundings)
}

fn settings(global: &Global, surroundings: &Surroundings) -> Result<Settings, Problem> {
    let (path, is_named) = match &global.config {
        Some(path) => (path.clone(), true),
        None => (surroundings.paths.settings(), false),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Settings::parse(&text, &path).map_err(|error| Problem::new(error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => Ok(Settings::default()),
        Err(error) => Err(Problem::new(format!("settings {} cannot be read: {error}", path.display()))),
    }
}

fn setup_with(settings: &Settings, global: &Global, surroundings: &Surroundings) -> Result<Setup, Problem> {
    let repository = repository(settings, global, surroundings)?;
    let mut problems = Vec::new();
    let kubeconfig = kubeconfig(settings, global, surroundings, &mut problems)?;
    let mut contexts = kubeconfig.as_ref().map(Kubeconfig::contexts).unwrap_or_default();
    let control_plane = global.control_plane.clone().or_else(|| settings.control_plane.clone());
    let named = global.context.iter().chain(&control_plane).chain(settings.contexts.values());
    for name in named.filter(|name| !contexts.iter().any(|context| context.name == **name)) {
        let known: Vec<&str> = contexts.iter().map(|context| context.name.as_str()).collect();
        let problem = Problem::new(format!("the kubeconfig has no context {name:?}"));
        let problem = if known.is_empty() { problem } else { problem.hint(format!("it has {}", known.join(", "))) };
        if global.control_plane.as_ref() == Some(name) || global.context.contains(name) {
            return Err(problem);
        }
        problems.push(problem);
    }
    // Without credentials there are still charts for everybody.
    let charts = charts(settings, surroundings).unwrap_or_else(|problem| {
        problems.push(problem);
        plain_charts(settings, surroundings)
    });
    let registry = Some(Arc::new(Registry::new(charts)));
    let is_used = |name: &String| global.context.is_empty() || global.context.contains(name);
    contexts.retain(|context| is_used(&context.name));
    let mut chosen = settings.contexts.clone();
    chosen.retain(|_, context| is_used(context));
    let journal_path = surroundings.paths.journal();
    let journal = match Journal::open(&journal_path) {
        Ok(journal) => Some(Arc::new(journal)),
        Err(error) => {
            let problem = Problem::new(format!("the journal cannot be opened, so nothing can be changed: {error}"));
            problems.push(problem.hint(format!("see {}", journal_path.display())));
            None
        }
    };
    let policy = policy(&repository);
    let mut mode = if global.read_only || journal.is_none() { Mode::ReadOnly } else { Mode::Observe };
    let policy = policy.unwrap_or_else(|problem| {
        mode = Mode::ReadOnly;
        problems.push(problem.hint("nothing can be changed until it is put right"));
        None
    });
    Ok(Setup {
        places: Places { contexts, chosen, control_plane: control_plane.filter(is_used) },
        kubeconfig: kubeconfig.map(Arc::new),
        problems,
        policy,
        mode,
        cache: surroundings.paths.repositories(),
        registry,
        journal,
        actor: surroundings.user.clone(),
        fetch: true,
        ..Setup::new(repository)
    })
}

/// Returns what chart repositories are asked with.
fn charts(settings: &Settings, surroundings: &Surroundings) -> Result<registry::Setup, Problem> {
    let failed = |error: registry::Error| Problem::new(error.to_string()).hint(error.hint());
    let mut setup = plain_charts(settings, surroundings);
    setup.credentials.repositories = Repositories::read(&surroundings.charts.repositories).map_err(failed)?;
    for path in &surroundings.charts.registries {
        setup.credentials.registries.push(DockerConfig::read(path).map_err(failed)?);
    }
    Ok(setup)
}

/// Returns the same without anybody's credentials.
fn plain_charts(settings: &Settings, surroundings: &Surroundings) -> registry::Setup {
    registry::Setup {
        mirrors: Mirrors::new(settings.charts.mirrors.clone()),
        plain_http: settings.charts.plain_http.clone(),
        ..registry::Setup::new(surroundings.paths.charts())
    }
}

fn repository(settings: &Settings, global: &Global, surroundings: &Surroundings) -> Result<Repository, Problem> {
    let named = global.repo.as_ref().or(settings.repositories.first());
    let path: &Path = named.map_or(&surroundings.folder, |path| path);
    Repository::open(path).map_err(|error| {
        let hint = match error.hint() {
            "" => "name another one with --repo, or look around with `quarterdeck demo`".to_owned(),
            hint if hint.contains("quarterdeck demo") => hint.to_owned(),
            hint => format!("{hint}; or look around with `quarterdeck demo`"),
        };
        Problem::new(error.to_string()).hint(hint)
    })
}

/// Returns the kubeconfig for a command that needs no engine.
fn clusters(global: &Global, surroundings: &Surroundings) -> Result<Option<Kubeconfig>, Problem> {
    kubeconfig(&settings(global, surroundings)?, global, surroundings, &mut Vec::new())
}

/// Reads the kubeconfig. Without one the repository can still be looked at; one that was named has to be there.
fn kubeconfig(
    settings: &Settings,
    global: &Global,
    surroundings: &Surroundings,
    problems: &mut Vec<Problem>,
) -> Result<Option<Kubeconfig>, Problem> {
    let is_named = !global.kubeconfig.is_empty();
    let paths: &[PathBuf] = match (&global.kubeconfig, &settings.kubeconfig) {
        (named, _) if is_named => named,
        (_, set) if !set.is_empty() => set,
        _ => &surroundings.kubeconfig,
    };
    match Kubeconfig::load(paths) {
        Ok(kubeconfig) => Ok(Some(kubeconfig)),
        Err(error) if is_named => Err(Problem::new(error.to_string())),
        Err(error) => {
            let problem = Problem::new(format!("no cluster can be reached: {error}"));
            problems.push(problem.hint("name a kubeconfig with --kubeconfig or $KUBECONFIG"));
            Ok(None)
        }
    }
}

fn policy(repository: &Repository) -> Result<Option<Policy>, Problem> {
    let unreadable = |error: String| Problem::new(format!("{POLICY} cannot be read: {error}"));
    let head = repository.resolve("HEAD", "").map_err(|error| unreadable(error.to_string()))?;
    let tree = repository.tree(&head.commit).map_err(|error| unreadable(error.to_string()))?;
    let Some(entry) = tree.entry(POLICY).map_err(|error| unreadable(error.to_string()))? else { return Ok(None) };
    let bytes = tree.blob(&entry.id).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    Policy::parse(&text, Path::new(POLICY)).map(Some).map_err(|error| Problem::new(error.to_string()))
}
