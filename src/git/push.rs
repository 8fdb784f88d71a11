//! Fetching, and moving references: all of them together or none.

use std::path::{Path, PathBuf};

use super::{Error, Repository, program, url};
use crate::model::CommitId;

/// A reference that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// Full name, such as `refs/tags/stable`.
    pub reference: String,
    /// Where it has to be now; `None` means that it must not exist.
    pub expected: Option<CommitId>,
    /// Where it goes; `None` deletes it.
    pub new: Option<CommitId>,
}

const NOWHERE: &str = "0000000000000000000000000000000000000000";

impl Repository {
    /// Fetches all branches, tags and the audit chain of the remote. Does nothing without one.
    ///
    /// # Errors
    /// When the remote cannot be reached or its URL may not be used.
    pub async fn fetch(&self) -> Result<(), Error> {
        let Some((name, address)) = self.remote() else { return Ok(()) };
        url::check(&address)?;
        let branches = format!("+refs/heads/*:refs/remotes/{name}/*");
        let arguments = [
            "fetch",
            "--prune",
            "--force",
            "--no-recurse-submodules",
            "--quiet",
            "--",
            &name,
            &branches,
            "+refs/tags/*:refs/tags/*",
            "+refs/quarterdeck/*:refs/quarterdeck/*",
        ];
        // Without --prune-tags local tags stay; a tag that the remote moved is moved here.
        let path = self.path().to_owned();
        match program::run(&path, &arguments, None).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Moves references on the remote in one atomic push, each only if it is where it is expected; without a remote, in one local transaction.
    ///
    /// # Errors
    /// [`Error::Rejected`] when one of them has moved in between or the remote refuses; then none has moved.
    pub async fn push(&self, updates: &[RefUpdate]) -> Result<(), Error> {
        let Some((name, address)) = self.remote() else { return self.update_locally(updates).await };
        url::check(&address)?;
        let mut arguments =
            vec!["push".to_owned(), "--atomic".to_owned(), "--porcelain".to_owned(), "--no-verify".to_owned()];
        for update in updates {
            let expected = update.expected.as_ref().map_or("", CommitId::as_str);
            arguments.push(format!("--force-with-lease={}:{expected}", update.reference));
        }
        arguments.extend(["--".to_owned(), name.clone()]);
        for update in updates {
            arguments.push(format!("{}:{}", update.new.as_ref().map_or("", CommitId::as_str), update.reference));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match program::run(self.path(), &arguments, None).await {
            Ok(_) => {
                self.follow(&name, updates);
                Ok(())
            }
            Err(Error::Program { command, reason }) => {
                match updates.iter().find(|update| reason.contains(&update.reference)) {
                    Some(update) => Err(Error::Rejected { reference: update.reference.clone(), reason }),
                    None => Err(Error::Program { command, reason }),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Writes what was pushed into our own references, so that nothing has to be fetched to see it.
    fn follow(&self, remote: &str, updates: &[RefUpdate]) {
        let store = self.store();
        for update in updates {
            let local = match update.reference.strip_prefix("refs/heads/") {
                Some(branch) => format!("refs/remotes/{remote}/{branch}"),
                None => update.reference.clone(),
            };
            let moved = match update.new.as_ref().map(|id| git2::Oid::from_str(id.as_str())) {
                Some(Ok(id)) => store.reference(&local, id, true, "quarterdeck: pushed").map(|_| ()),
                Some(Err(error)) => Err(error),
                None => store.find_reference(&local).and_then(|mut reference| reference.delete()),
            };
            if let Err(error) = moved {
                tracing::warn!("{local} could not be updated after the push: {}", error.message());
            }
        }
    }

    async fn update_locally(&self, updates: &[RefUpdate]) -> Result<(), Error> {
        let mut script = String::from("start\n");
        for update in updates {
            let expected = update.expected.as_ref().map_or(NOWHERE, CommitId::as_str);
            match &update.new {
                Some(new) => script.push_str(&format!("update {} {new} {expected}\n", update.reference)),
                None => script.push_str(&format!("delete {} {expected}\n", update.reference)),
            }
        }
        script.push_str("prepare\ncommit\n");
        match program::run(self.path(), &["update-ref", "--stdin"], Some(&script)).await {
            Ok(_) => Ok(()),
            Err(Error::Program { command, reason }) => {
                match updates.iter().find(|update| reason.contains(&update.reference)) {
                    Some(update) => Err(Error::Rejected { reference: update.reference.clone(), reason }),
                    None => Err(Error::Program { command, reason }),
                }
            }
            Err(error) => Err(error),
        }
    }
}

/// Clones a repository bare into a cache folder, or fetches it if it is there already.
///
/// # Errors
/// When the URL may not be used or cannot be reached.
pub async fn clone_bare(address: &str, cache: &Path) -> Result<Repository, Error> {
    url::check(address)?;
    let name: String = url::normalise(address)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' })
        .collect();
    let path: PathBuf = cache.join(format!("{name}.git"));
    if path.join("HEAD").exists() {
        let repository = Repository::open(&path)?;
        repository.fetch().await?;
        return Ok(repository);
    }
    std::fs::create_dir_all(cache).map_err(|error| Error::Program {
        command: "clone".to_owned(),
        reason: format!("{}: {error}", cache.display()),
    })?;
    let target = path.display().to_string();
    program::run(cache, &["clone", "--bare", "--quiet", "--no-recurse-submodules", "--", address, &target], None)
        .await?;
    Repository::open(&path)
}
