//! Git: object store, revisions, trees at a commit, merges, tags, fetch and atomic push.
//!
//! Objects are read through libgit2, never from a work tree. The network belongs to the `git` program, which brings the person's SSH
//! configuration, agents and credential helpers. Nothing that a repository says about itself can make it run another program.

mod audit;
mod merge;
mod program;
mod push;
mod revision;
mod tree;
mod url;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use git2::{Oid, Repository as Store};
use jiff::Timestamp;

pub use self::audit::AUDIT;
pub use self::push::{RefUpdate, clone_bare};
pub use self::revision::Resolved;
pub use self::url::{normalise as normalise_url, without_credentials};
use crate::model::{CommitId, CommitInfo};

/// Something in Git went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder does not exist.
    #[error("{path} does not exist")]
    NoFolder {
        /// Which folder.
        path: String,
    },
    /// There is no repository.
    #[error("{path} is not a Git repository")]
    NotARepository {
        /// Which folder.
        path: String,
    },
    /// The repository has no commit.
    #[error("{path} has no commit yet")]
    Empty {
        /// Which folder.
        path: String,
    },
    /// A revision cannot be resolved.
    #[error("revision {revision:?} does not exist: it is no branch, tag or commit here")]
    UnknownRevision {
        /// Which revision.
        revision: String,
    },
    /// Two lines of history contradict each other.
    #[error("merging conflicts in {}", paths.join(", "))]
    Conflict {
        /// Files in conflict.
        paths: Vec<String>,
    },
    /// A reference is not where it was thought to be, or the remote refuses to move it.
    #[error("{reference} was not moved: {reason}")]
    Rejected {
        /// Which reference.
        reference: String,
        /// Why.
        reason: String,
    },
    /// The `git` program failed.
    #[error("git {command} failed: {reason}")]
    Program {
        /// Which command.
        command: String,
        /// What it said.
        reason: String,
    },
    /// The URL may not be used.
    #[error("{url:?} is not a URL that may be fetched: {reason}")]
    Url {
        /// Which URL, without credentials.
        url: String,
        /// Why.
        reason: &'static str,
    },
    /// libgit2 failed.
    #[error("{what}")]
    Object {
        /// What could not be done.
        what: String,
        /// What libgit2 said.
        #[source]
        source: git2::Error,
    },
}

impl Error {
    /// Returns what to do next; empty if there is nothing to say.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoFolder { .. } | Self::NotARepository { .. } => {
                "name a repository with --repo, or look around with `quarterdeck demo`"
            }
            Self::Empty { .. } => "commit something first",
            Self::UnknownRevision { .. } => "fetch, or correct the revision",
            Self::Conflict { .. } => "merge by hand, push, and promote again",
            Self::Rejected { .. } => "refresh and plan again",
            Self::Program { .. } => "try the same with git in a shell",
            Self::Url { .. } | Self::Object { .. } => "",
        }
    }
}

fn object(what: impl Into<String>) -> impl FnOnce(git2::Error) -> Error {
    let what = what.into();
    |source| Error::Object { what, source }
}

/// A tag and the commit that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Short name.
    pub name: String,
    /// The commit, annotated tags peeled.
    pub commit: CommitId,
    /// The commit's time.
    pub at: Timestamp,
}

/// An open repository. Cheap to clone; threads take turns.
#[derive(Clone)]
pub struct Repository {
    path: PathBuf,
    store: Arc<Mutex<Store>>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Repository {
    /// Opens the repository at a folder or around it: a work tree or a bare one.
    ///
    /// # Errors
    /// When there is none, or it has no commit.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        if !path.exists() {
            return Err(Error::NoFolder { path: shown });
        }
        let store = Store::discover(path).map_err(|_| Error::NotARepository { path: shown.clone() })?;
        let path = store.workdir().unwrap_or_else(|| store.path()).to_owned();
        let is_empty = store.references().map(|mut all| all.next().is_none()).unwrap_or(true);
        let repository = Self { path, store: Arc::new(Mutex::new(store)) };
        if is_empty { Err(Error::Empty { path: shown }) } else { Ok(repository) }
    }

    /// Returns the folder: the work tree, or the repository itself if it is bare.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a short name: the folder's, without `.git`.
    pub fn name(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let name = path.file_name().map_or_else(|| "repository".to_owned(), |name| name.to_string_lossy().into_owned());
        name.trim_end_matches(".git").to_owned()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // A panic elsewhere cannot leave libgit2's handle in a state of its own.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the remote that refs are fetched from and pushed to: `origin`, else the only one.
    pub fn remote(&self) -> Option<(String, String)> {
        let store = self.store();
        let names = store.remotes().ok()?;
        let names: Vec<&str> = names.iter().flatten().flatten().collect();
        let name = if names.contains(&"origin") { "origin" } else { names.first()? };
        let url = store.find_remote(name).ok()?.url().ok()?.to_owned();
        Some((name.to_owned(), url))
    }

    /// Says whether a URL means this repository, whatever its spelling.
    pub fn matches_url(&self, url: &str) -> bool {
        let wanted = url::normalise(url);
        // A repository without a remote goes by its own path.
        if wanted == url::normalise(&self.path.to_string_lossy()) {
            return true;
        }
        let store = self.store();
        let Ok(names) = store.remotes() else { return false };
        names.iter().flatten().flatten().any(|name| {
            store.find_remote(name).is_ok_and(|remote| remote.url().is_ok_and(|own| url::normalise(own) == wanted))
        })
    }

    /// Returns one commit in a line.
    ///
    /// # Errors
    /// When it is not there.
    pub fn commit(&self, id: &CommitId) -> Result<CommitInfo, Error> {
        let store = self.store();
        let commit = find_commit(&store, id)?;
        Ok(info(&commit))
    }

    /// Returns the commits of `to` that are not in `from`, newest first.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn log(&self, from: Option<&CommitId>, to: &CommitId, limit: usize) -> Result<Vec<CommitInfo>, Error> {
        let store = self.store();
        let failed = || object(format!("the history of {} cannot be read", to.short()));
        let mut walk = store.revwalk().map_err(failed())?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME).map_err(failed())?;
        walk.push(oid(to)?).map_err(failed())?;
        if let Some(from) = from {
            walk.hide(oid(from)?).map_err(failed())?;
        }
        let mut commits = Vec::new();
        for id in walk.take(limit) {
            let commit = store.find_commit(id.map_err(failed())?).map_err(failed())?;
            commits.push(info(&commit));
        }
        Ok(commits)
    }

    /// Returns how many commits `ours` has that `theirs` has not, and the other way round.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn ahead_behind(&self, ours: &CommitId, theirs: &CommitId) -> Result<(usize, usize), Error> {
        let (ours, theirs) = (oid(ours)?, oid(theirs)?);
        self.store().graph_ahead_behind(ours, theirs).map_err(object("the histories cannot be compared"))
    }

    /// Returns the tags, newest commit first.
    ///
    /// # Errors
    /// When the references cannot be read.
    pub fn tags(&self) -> Result<Vec<Tag>, Error> {
        let store = self.store();
        let mut tags = Vec::new();
        for reference in store.references_glob("refs/tags/*").map_err(object("the tags cannot be read"))? {
            let Ok(reference) = reference else { continue };
            let (Ok(name), Ok(commit)) = (reference.shorthand(), reference.peel_to_commit()) else { continue };
            tags.push(Tag {
                name: name.to_owned(),
                commit: CommitId::new(commit.id().to_string()),
                at: time_of(&commit),
            });
        }
        tags.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.name.cmp(&a.name)));
        Ok(tags)
    }

    /// Returns a fingerprint of all references: it changes when one of them moves.
    pub fn refs_fingerprint(&self) -> String {
        let store = self.store();
        let mut lines: Vec<String> = store
            .references()
            .into_iter()
            .flatten()
            .flatten()
            .map(|reference| {
                let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
                format!("{name} {:?} {:?}", reference.target(), reference.symbolic_target_bytes())
            })
            .collect();
        lines.sort_unstable();
        lines.join("\n")
    }
}

fn oid(id: &CommitId) -> Result<Oid, Error> {
    Oid::from_str(id.as_str()).map_err(object(format!("{:?} is not a commit id", id.as_str())))
}

fn find_commit<'a>(store: &'a Store, id: &CommitId) -> Result<git2::Commit<'a>, Error> {
    store.find_commit(oid(id)?).map_err(object(format!("commit {} is not here", id.short())))
}

fn time_of(commit: &git2::Commit<'_>) -> Timestamp {
    Timestamp::from_second(commit.time().seconds()).unwrap_or_default()
}

fn info(commit: &git2::Commit<'_>) -> CommitInfo {
    let text = |bytes: Option<&[u8]>| {
        let text = String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        crate::model::text::line(&text).into_owned()
    };
    CommitInfo {
        id: CommitId::new(commit.id().to_string()),
        subject: text(commit.summary_bytes()),
        author: text(Some(commit.author().name_bytes())),
        at: time_of(commit),
    }
}
