//! The promotion chain: environments from the repository's policy, or inferred from its roots.

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{self, Policy};
use crate::git::{Repository, Tag};
use crate::model::{
    Application, ClusterName, CommitId, CommitInfo, Environment, EnvironmentName, Reference, version::Version,
};

use super::catalog::Catalog;

/// Release tags that are offered for a rollback at most.
const RELEASES: usize = 50;
/// Most commits that are told one by one of those that wait for an environment.
const WAITING: usize = 50;

/// Returns the environments in promotion order.
pub fn environments(repository: &Repository, catalog: &Catalog, policy: Option<&Policy>) -> Vec<Arc<Environment>> {
    let roots: Vec<&Application> =
        catalog.entries.values().filter(|entry| entry.parent.is_none()).map(|entry| &entry.application).collect();
    let is_tag = |revision: &str| {
        matches!(repository.resolve(revision, "").map(|resolved| resolved.reference), Ok(Reference::Tag(_)))
    };
    let now = Timestamp::now();
    let mut found: Vec<Environment> = config::environments(policy, &roots, is_tag)
        .into_iter()
        .map(|stage| Environment {
            name: EnvironmentName::new(stage.name.as_str()),
            policy: stage.policy_at(now),
            reference: stage.reference,
            commit: None,
            release: None,
            clusters: stage.clusters.iter().map(|name| ClusterName::new(name.as_str())).collect(),
            from: None,
            behind: 0,
            waiting: Vec::new(),
            releases: Vec::new(),
            newer: None,
            inferred: stage.inferred,
        })
        .collect();
    let mut tags = repository.tags().unwrap_or_default();
    // What an environment follows moves: it is no release to go back to.
    tags.retain(|tag| !found.iter().any(|environment| environment.reference == Reference::Tag(tag.name.clone())));
    for environment in &mut found {
        environment.commit =
            repository.resolve(environment.reference.as_str(), "").ok().map(|resolved| resolved.commit);
        if let Some(commit) = environment.commit.clone() {
            environment.release = release(&tags, &commit);
            environment.releases = releases(repository, &tags, &commit);
        }
    }
    for place in 0..found.len() {
        let reference = found[place].reference.clone();
        let from = found[..place].iter().rev().find(|earlier| earlier.reference != reference);
        let Some(from) = from else { continue };
        let (name, commit) = (from.name.clone(), from.commit.clone());
        found[place].from = Some(name);
        if let (Some(theirs), Some(ours)) = (commit, &found[place].commit) {
            let behind = repository.ahead_behind(ours, &theirs).map_or(0, |(_, behind)| behind);
            let waiting = if behind > 0 { repository.log(Some(ours), &theirs, WAITING).ok() } else { None };
            (found[place].behind, found[place].waiting) = (behind, waiting.unwrap_or_default());
        }
    }
    for place in 0..found.len() {
        // Releases are cut by the first environment that follows a tag; those after it are only behind until they are promoted.
        let from = found[place].from.as_ref().and_then(|name| found.iter().find(|earlier| &earlier.name == name));
        let cuts_releases = !matches!(from, Some(Environment { reference: Reference::Tag(_), .. }));
        if let (Reference::Tag(_), Some(commit), true) = (&found[place].reference, &found[place].commit, cuts_releases)
        {
            found[place].newer = newer(repository, &tags, commit);
        }
    }
    found.into_iter().map(Arc::new).collect()
}

fn version(tag: &Tag) -> Option<Version> {
    Version::parse(&tag.name)
}

fn release(tags: &[Tag], commit: &CommitId) -> Option<String> {
    tags.iter()
        .filter(|tag| &tag.commit == commit)
        .filter_map(|tag| version(tag).map(|version| (version, tag)))
        .max_by(|a, b| a.0.cmp(&b.0))
        .map(|(_, tag)| tag.name.clone())
}

/// Returns the greatest release tag, if it is ahead of an environment that stands on a release itself.
fn newer(repository: &Repository, tags: &[Tag], commit: &CommitId) -> Option<String> {
    release(tags, commit)?;
    let (_, greatest) = tags
        .iter()
        .filter_map(|tag| Some((version(tag).filter(|version| version.pre.is_empty())?, tag)))
        .max_by(|a, b| a.0.cmp(&b.0))?;
    let is_ahead = matches!(repository.ahead_behind(commit, &greatest.commit), Ok((0, behind)) if behind > 0);
    is_ahead.then(|| greatest.name.clone())
}

/// Tags behind an environment's commit, newest first.
fn releases(repository: &Repository, tags: &[Tag], now: &CommitId) -> Vec<(String, CommitInfo)> {
    let mut earlier: Vec<&Tag> = tags
        .iter()
        .filter(|tag| &tag.commit != now)
        .filter(|tag| matches!(repository.ahead_behind(now, &tag.commit), Ok((ahead, 0)) if ahead > 0))
        .collect();
    earlier.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| version(b).cmp(&version(a))));
    earlier
        .into_iter()
        .take(RELEASES)
        .filter_map(|tag| repository.commit(&tag.commit).ok().map(|commit| (tag.name.clone(), commit)))
        .collect()
}
