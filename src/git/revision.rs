//! `targetRevision` → commit.

use git2::{ObjectType, Repository as Store};

use super::{Error, Repository};
use crate::model::version::{Constraint, Version, greatest};
use crate::model::{CommitId, Reference};

/// What a revision means now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The commit.
    pub commit: CommitId,
    /// What it was found under: a branch, a tag, HEAD or a commit.
    pub reference: Reference,
}

impl Repository {
    /// Resolves a revision as Argo CD does: a full id, HEAD, a version constraint among the tags, a branch, a tag, a short id. Once there
    /// is a remote, its branches are the truth, not the local ones.
    ///
    /// # Errors
    /// When it names nothing.
    pub fn resolve(&self, revision: &str, tag_prefix: &str) -> Result<Resolved, Error> {
        let remote = self.remote().map(|(name, _)| name);
        let store = self.store();
        let unknown = || Error::UnknownRevision { revision: revision.to_owned() };
        let is_hex = revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        if revision.len() == 40 && is_hex {
            let id = CommitId::new(revision.to_lowercase());
            super::find_commit(&store, &id).map_err(|_| unknown())?;
            return Ok(Resolved { commit: id, reference: Reference::Fixed(revision.to_owned()) });
        }
        if revision.is_empty() || revision == "HEAD" {
            let commit = head(&store, remote.as_deref()).ok_or_else(unknown)?;
            return Ok(Resolved { commit, reference: Reference::Head });
        }
        let tagged = version_tag(&store, revision, tag_prefix);
        let wanted = tagged.as_deref().unwrap_or(revision);
        if tagged.is_none()
            && let Some(commit) = branch(&store, remote.as_deref(), wanted)
        {
            return Ok(Resolved { commit, reference: Reference::Branch(short_branch(wanted).to_owned()) });
        }
        let tag = wanted.strip_prefix("refs/tags/").unwrap_or(wanted);
        if let Some(commit) = commit_of(&store, &format!("refs/tags/{tag}")) {
            let reference =
                if tagged.is_some() { Reference::Fixed(revision.to_owned()) } else { Reference::Tag(tag.to_owned()) };
            return Ok(Resolved { commit, reference });
        }
        if let Some(commit) = commit_of(&store, wanted).filter(|_| wanted.starts_with("refs/")) {
            return Ok(Resolved { commit, reference: Reference::Fixed(wanted.to_owned()) });
        }
        if revision.len() >= 7
            && is_hex
            && let Ok(object) = store.revparse_single(revision)
            && object.kind() == Some(ObjectType::Commit)
        {
            return Ok(Resolved {
                commit: CommitId::new(object.id().to_string()),
                reference: Reference::Fixed(revision.to_owned()),
            });
        }
        Err(unknown())
    }

    /// Returns the default branch's short name: the remote's, else the one that is checked out.
    pub fn default_branch(&self) -> String {
        let remote = self.remote().map(|(name, _)| name);
        let store = self.store();
        default_branch(&store, remote.as_deref()).unwrap_or_else(|| "HEAD".to_owned())
    }

    /// Returns the full name of the reference that stands for a branch or tag on the remote side: what a push moves.
    pub fn full_name(&self, reference: &Reference) -> Option<String> {
        match reference {
            Reference::Head => Some(format!("refs/heads/{}", self.default_branch())),
            Reference::Branch(name) => Some(format!("refs/heads/{name}")),
            Reference::Tag(name) => Some(format!("refs/tags/{name}")),
            Reference::Fixed(_) => None,
        }
    }
}

fn default_branch(store: &Store, remote: Option<&str>) -> Option<String> {
    if let Some(remote) = remote {
        let prefix = format!("refs/remotes/{remote}/");
        if let Ok(head) = store.find_reference(&format!("{prefix}HEAD"))
            && let Some(target) = head.symbolic_target_bytes()
            && let Some(name) = String::from_utf8_lossy(target).strip_prefix(&prefix)
        {
            return Some(name.to_owned());
        }
    }
    let head = store.find_reference("HEAD").ok()?;
    let target = String::from_utf8_lossy(head.symbolic_target_bytes()?).into_owned();
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

fn head(store: &Store, remote: Option<&str>) -> Option<CommitId> {
    default_branch(store, remote)
        .and_then(|name| branch(store, remote, &name))
        .or_else(|| {
            store
                .head()
                .ok()
                .and_then(|head| head.peel_to_commit().ok())
                .map(|commit| CommitId::new(commit.id().to_string()))
        })
        // A fresh bare repository whose HEAD names a branch that is not there: any branch is better than none.
        .or_else(|| {
            let mut branches = store.branches(Some(git2::BranchType::Local)).ok()?;
            let (first, _) = branches.next()?.ok()?;
            Some(CommitId::new(first.get().peel_to_commit().ok()?.id().to_string()))
        })
}

fn short_branch(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

fn branch(store: &Store, remote: Option<&str>, name: &str) -> Option<CommitId> {
    let short = short_branch(name);
    if short.starts_with("refs/") {
        return None;
    }
    remote
        .and_then(|remote| commit_of(store, &format!("refs/remotes/{remote}/{short}")))
        .or_else(|| commit_of(store, &format!("refs/heads/{short}")))
}

fn commit_of(store: &Store, reference: &str) -> Option<CommitId> {
    let commit = store.find_reference(reference).ok()?.peel_to_commit().ok()?;
    Some(CommitId::new(commit.id().to_string()))
}

/// Returns the tag that a version constraint chooses; a plain version is no constraint.
fn version_tag(store: &Store, revision: &str, prefix: &str) -> Option<String> {
    if Version::parse(revision).is_some() {
        return None;
    }
    let constraint = Constraint::parse(revision)?;
    let names = store.tag_names(None).ok()?;
    let names: Vec<String> =
        names.iter().flatten().flatten().filter_map(|name| name.strip_prefix(prefix)).map(str::to_owned).collect();
    greatest(&constraint, names.iter().map(String::as_str)).map(|name| format!("{prefix}{name}"))
}
