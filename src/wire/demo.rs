//! `quarterdeck demo`: four simulated clusters, a repository, and something to see.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{POLICY, look, policy, screen, settings};
use crate::cli::args::{Demo as Arguments, Global};
use crate::cli::{self, unwritable};
use crate::cluster::Kubeconfig;
use crate::config::Surroundings;
use crate::engine::{self, Event, Handle, Places, Request, Setup};
use crate::git::Repository;
use crate::model::{Ask, Connection, Fleet, Mode, Plan, Problem, SyncAsk};
use crate::sim::demo::{self, Demo};
use crate::store::Journal;
use crate::tui;

/// A folder that goes when the demo ends.
struct Folder(PathBuf);

impl Folder {
    /// Makes one that is nobody else's: what is there already is left alone, and only this person can look into it.
    fn new() -> std::io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let name = |number: u32| format!("quarterdeck-demo-{}-{number}", std::process::id());
        let mut number = 0;
        loop {
            let path = std::env::temp_dir().join(name(number));
            match builder.create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 100 => number += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It lies among temporary files: what cannot be removed goes with them.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the demo, with the screen or only its clusters.
pub(super) async fn run(
    args: &Arguments,
    global: &Global,
    surroundings: &Surroundings,
    out: &mut dyn Write,
) -> Result<u8, Problem> {
    let folder = Folder::new().map_err(|error| Problem::new(format!("no folder can be made for the demo: {error}")))?;
    let demo =
        demo::start(&folder.0, demo::Options::default()).await.map_err(|error| Problem::new(error.to_string()))?;
    let stop = CancellationToken::new();
    let handle = engine::start(setup(&demo, &folder.0, global, surroundings)?);
    let (filled, story) = (handle.clone(), demo.story(stop.clone()));
    let has_story = !args.quiet;
    tokio::spawn(async move {
        bring_up(&filled).await;
        if has_story {
            story.await;
        }
    });
    let code = if args.serve {
        serve(&demo, &handle, out).await
    } else {
        // A picture has all colours, wherever it is drawn.
        let surroundings = Surroundings {
            no_color: surroundings.no_color && args.picture.is_none(),
            is_true_color: surroundings.is_true_color || args.picture.is_some(),
            ..surroundings.clone()
        };
        let mut options = look(&settings(global, &surroundings)?, global, &surroundings)?;
        options.help_note = demo.kubeconfig.as_ref().map(|path| {
            format!("The demo's clusters: kubectl --kubeconfig {} --context dev-01 get deploy -A", path.display())
        });
        match &args.picture {
            Some(path) => draw(&handle, options, args, path).await,
            None => {
                if let Some(note) = &options.help_note {
                    writeln!(out, "{note}").and_then(|()| out.flush()).map_err(|error| unwritable(&error))?;
                }
                screen(&handle, options).await
            }
        }
    };
    stop.cancel();
    code
}

fn setup(demo: &Demo, folder: &Path, global: &Global, surroundings: &Surroundings) -> Result<Setup, Problem> {
    let repository = Repository::open(&demo.repository).map_err(|error| Problem::new(error.to_string()))?;
    let kubeconfig = match &demo.kubeconfig {
        Some(path) => Kubeconfig::load(std::slice::from_ref(path)).map_err(|error| Problem::new(error.to_string()))?,
        None => return Err(Problem::new("the demo's clusters are not served")),
    };
    let journal = Journal::open(&folder.join("journal.jsonl")).map_err(|error| Problem::new(error.to_string()))?;
    let policy = policy(&repository).map_err(|problem| Problem::new(format!("the demo's {POLICY}: {problem}")))?;
    Ok(Setup {
        places: Places { contexts: kubeconfig.contexts(), ..Places::default() },
        kubeconfig: Some(Arc::new(kubeconfig)),
        policy,
        mode: if global.read_only { Mode::ReadOnly } else { Mode::Observe },
        cache: folder.join("cache"),
        journal: Some(Arc::new(journal)),
        actor: surroundings.user.clone(),
        ..Setup::new(repository)
    })
}

/// Draws one picture of the screen.
async fn draw(handle: &Handle, options: tui::Options, args: &Arguments, path: &Path) -> Result<u8, Problem> {
    let size = args.size.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    let size = size.ok_or_else(|| Problem::new(format!("size {:?} is not COLUMNSxROWS", args.size)))?;
    tokio::time::sleep(Duration::from_secs(args.after)).await;
    let svg = tui::picture(handle, options, &args.keys, size).await.map_err(Problem::new)?;
    std::fs::write(path, svg)
        .map_err(|error| Problem::new(format!("{} cannot be written: {error}", path.display())))?;
    handle.send(Request::Shutdown);
    Ok(cli::FINE)
}

/// Serves the clusters until Ctrl-C.
async fn serve(demo: &Demo, handle: &Handle, out: &mut dyn Write) -> Result<u8, Problem> {
    let kubeconfig = demo.kubeconfig.as_deref().unwrap_or(Path::new("")).display();
    let repository = demo.repository.display();
    let text = format!(
        "kubeconfig  {kubeconfig}\nrepository  {repository}\n\n\
         quarterdeck --repo {repository} --kubeconfig {kubeconfig} status\n\
         kubectl --kubeconfig {kubeconfig} --context dev-01 get deploy -A\n\n\
         Applications are being synced; Ctrl-C ends the clusters.\n"
    );
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| unwritable(&error))?;
    told_to_stop().await;
    handle.send(Request::Shutdown);
    Ok(cli::FINE)
}

/// Waits for Ctrl-C or a polite request to end.
async fn told_to_stop() {
    let interrupted = async {
        // Where it cannot be waited for, the other request is all there is.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        let terminated = async {
            match &mut terminated {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = interrupted => {}
            () = terminated => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}

/// Syncs everything that renders, once, and waits for its end: simulated clusters begin empty, and there is something to see
/// while they fill.
pub(super) async fn bring_up(handle: &Handle) {
    let mut snapshots = handle.subscribe();
    let fleet: Arc<Fleet> = loop {
        let fleet = snapshots.borrow_and_update().clone();
        let is_connected = !fleet.clusters.iter().any(|cluster| cluster.connection == Connection::Connecting);
        if fleet.generation > 0 && fleet.loading.is_none() && is_connected && !fleet.apps.is_empty() {
            break fleet;
        }
        if snapshots.changed().await.is_err() {
            return;
        }
    };
    let apps = fleet.apps.iter().filter(|app| app.blocked().is_none()).map(|app| app.id.clone()).collect();
    let mut events = handle.events();
    const TICKET: u64 = u64::MAX;
    handle.send(Request::Plan { ticket: TICKET, ask: Ask::Sync(SyncAsk { apps, ..SyncAsk::default() }) });
    while let Ok(event) = events.recv().await {
        match event {
            Event::Planned { ticket: TICKET, result } => {
                let Ok(plan) = result else { return };
                let shown = plan.id.clone();
                let Ok(approved) = Plan::clone(&plan).approve(&shown) else { return };
                handle.send(Request::Run(approved));
            }
            Event::Finished(_) | Event::Refused(_) => return,
            _ => {}
        }
    }
}
