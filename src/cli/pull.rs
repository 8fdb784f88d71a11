//! Charts that do not lie on disk, and dependencies that a chart on disk lacks.

use std::io::Write;
use std::path::Path;

use super::args::Template;
use super::chart;
use crate::helm::{self, Chart, ChartFile, Lacking};
use crate::model::{ChartArchive, ChartRequest, Problem};
use crate::registry::{Credential, Error, Look, Registry, Setup};

/// Makes what a registry works with: settings and files of a person, read only when they are needed.
pub type Charts<'a> = &'a dyn Fn() -> Result<Setup, Problem>;

/// Reads the chart that the arguments name, from disk if it is there, else from where the arguments say.
///
/// # Errors
/// When there is none, or it is not a chart.
pub fn find(args: &Template, name: &str, charts: Charts<'_>, notes: &mut dyn Write) -> Result<Chart, Problem> {
    let path = Path::new(name);
    if path.is_dir() && args.dependency_update == Some(true) {
        return filled(args, path, charts, notes);
    }
    if path.exists() || name.starts_with(['/', '.']) {
        return chart::read(path);
    }
    let puller = Puller::new(args, name, charts)?;
    let request = puller.request(args, name)?;
    let archive = puller.pull(&request, notes)?;
    helm::load_archive(&archive.bytes).map_err(|error| Problem::new(error.to_string()))
}

/// Reads a folder's chart with the dependencies that it lacks. The folder stays as it is.
fn filled(args: &Template, path: &Path, charts: Charts<'_>, notes: &mut dyn Write) -> Result<Chart, Problem> {
    let failed = |error: helm::Error| Problem::new(error.to_string());
    let files = chart::files(path)?;
    let mut supplied: Vec<ChartFile> = Vec::new();
    let mut puller = None;
    for lacking in helm::lacking(&files).map_err(failed)? {
        if let Some(relative) = lacking.repository.strip_prefix("file://") {
            let files = chart::files(&path.join(relative))?;
            supplied.extend(helm::nested(&lacking, files).map_err(failed)?);
        } else if !lacking.repository.is_empty() {
            let puller = match &puller {
                Some(puller) => puller,
                None => puller.insert(Puller::new(args, "", charts)?),
            };
            supplied.push(puller.dependency(&lacking, notes)?);
        }
    }
    helm::load_with(files, supplied).map_err(failed)
}

/// Pulls charts for one command.
struct Puller {
    registry: Registry,
    runtime: tokio::runtime::Runtime,
}

impl Puller {
    fn new(args: &Template, name: &str, charts: Charts<'_>) -> Result<Self, Problem> {
        let mut setup = charts()?;
        if args.username.is_some() || args.password.is_some() {
            let text = |given: &Option<String>| given.clone().unwrap_or_default();
            let repository = args.repo.clone().unwrap_or_else(|| name.to_owned());
            setup.credentials.given = Some((repository, Credential::new(text(&args.username), text(&args.password))));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Problem::new(format!("the program cannot start its threads: {error}")))?;
        Ok(Self { registry: Registry::new(setup), runtime })
    }

    /// Returns what a name means: with `--repo`, in a registry, or in a repository that helm knows by name.
    fn request(&self, args: &Template, name: &str) -> Result<ChartRequest, Problem> {
        let version = args.version.clone().unwrap_or_default();
        if let Some(repository) = &args.repo {
            return Ok(ChartRequest { repository: repository.clone(), name: name.to_owned(), version });
        }
        if name.starts_with("oci://") {
            return Ok(ChartRequest { repository: name.to_owned(), name: String::new(), version });
        }
        if name.contains("://") {
            return Err(Problem::new(format!(
                "{:?} is neither a chart's folder nor archive",
                crate::model::chart::without_secrets(name)
            ))
            .hint("name the chart with --repo URL, or as oci://host/path"));
        }
        match name.split_once('/') {
            Some((repository, name)) => {
                Ok(ChartRequest { repository: format!("@{repository}"), name: name.to_owned(), version })
            }
            None => Err(Problem::new(format!(
                "non-absolute URLs should be in form of repo_name/path_to_chart, got: {name}"
            ))
            .hint("a chart from a repository is written REPOSITORY/CHART, or with --repo URL")),
        }
    }

    fn dependency(&self, lacking: &Lacking, notes: &mut dyn Write) -> Result<ChartFile, Problem> {
        let request = ChartRequest::of_dependency(&lacking.repository, &lacking.name, &lacking.version);
        let archive = self.pull(&request, notes)?;
        Ok(helm::packed(lacking, &archive.version, &archive.bytes))
    }

    fn pull(&self, request: &ChartRequest, notes: &mut dyn Write) -> Result<ChartArchive, Problem> {
        let found =
            self.runtime.block_on(self.registry.pull(request, Look::Needed)).map_err(|error| problem(&error))?;
        for warning in &found.warnings {
            writeln!(notes, "Warning: {}", crate::model::text::line(warning))
                .map_err(|error| super::unwritable(&error))?;
        }
        Ok(found.archive)
    }
}

fn problem(error: &Error) -> Problem {
    Problem::new(error.to_string()).hint(error.hint())
}
