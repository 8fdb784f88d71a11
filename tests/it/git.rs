//! Git on temporary repositories with a bare remote.

use std::path::Path;
use std::process::Command;

use quarterdeck::git::{AUDIT, Error, RefUpdate, Repository};
use quarterdeck::model::{AuditEntry, CommitId, Outcome, Reference};
use tempfile::TempDir;

/// Runs git in a folder and returns what it prints.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=ana",
            "-c",
            "user.email=ana@example.org",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgSign=false",
        ])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Writes a file and commits it.
pub fn commit(folder: &Path, file: &str, text: &str) -> CommitId {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", &format!("change {file}")]);
    CommitId::new(git(folder, &["rev-parse", "HEAD"]))
}

struct World {
    folder: TempDir,
    base: CommitId,
}

impl World {
    /// Makes a bare remote and a clone of it with branches `main` and `staging` and tags `v1.0.0` and `stable`.
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        git(folder.path(), &["init", "-q", "--bare", "remote.git"]);
        git(folder.path(), &["clone", "-q", "remote.git", "clone"]);
        let clone = folder.path().join("clone");
        git(&clone, &["checkout", "-q", "-b", "main"]);
        let base = commit(&clone, "a.txt", "one\n");
        git(&clone, &["tag", "v1.0.0"]);
        git(&clone, &["tag", "-a", "stable", "-m", "stable"]);
        git(&clone, &["branch", "staging"]);
        git(&clone, &["push", "-q", "origin", "main", "staging", "v1.0.0", "stable"]);
        git(&clone, &["fetch", "-q"]);
        Self { folder, base }
    }

    fn clone(&self) -> std::path::PathBuf {
        self.folder.path().join("clone")
    }

    fn open(&self) -> Repository {
        Repository::open(&self.clone()).unwrap()
    }

    fn remote(&self, reference: &str) -> String {
        git(
            &self.folder.path().join("remote.git"),
            &["rev-parse", "--verify", "-q", &format!("{reference}^{{commit}}")],
        )
    }
}

fn update(reference: &str, expected: Option<&CommitId>, new: Option<&CommitId>) -> RefUpdate {
    RefUpdate { reference: reference.to_owned(), expected: expected.cloned(), new: new.cloned() }
}

#[test]
fn what_is_no_repository_says_so() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(Repository::open(&folder.path().join("nothing")), Err(Error::NoFolder { .. })));
    assert!(matches!(Repository::open(folder.path()), Err(Error::NotARepository { .. })));
    git(folder.path(), &["init", "-q"]);
    assert!(matches!(Repository::open(folder.path()), Err(Error::Empty { .. })));
}

#[test]
fn revisions_are_resolved_as_argo_cd_does() {
    let world = World::new();
    let repository = world.open();
    let base = &world.base;
    for (revision, reference) in [
        ("", Reference::Head),
        ("HEAD", Reference::Head),
        ("main", Reference::Branch("main".into())),
        ("refs/heads/staging", Reference::Branch("staging".into())),
        ("stable", Reference::Tag("stable".into())),
        ("v1.0.0", Reference::Tag("v1.0.0".into())),
        ("1.x", Reference::Fixed("1.x".into())),
        (base.as_str(), Reference::Fixed(base.as_str().into())),
        (base.short(), Reference::Fixed(base.short().into())),
    ] {
        let found = repository.resolve(revision, "").unwrap_or_else(|error| panic!("{revision}: {error}"));
        assert_eq!((&found.commit, &found.reference), (base, &reference), "{revision}");
    }
    for wrong in ["nope", ">9", "abcdef1", "v1"] {
        assert!(matches!(repository.resolve(wrong, ""), Err(Error::UnknownRevision { .. })), "{wrong}");
    }
}

#[test]
fn the_remote_is_the_truth_and_the_work_tree_is_not_read() {
    let world = World::new();
    let local = commit(&world.clone(), "a.txt", "two\n");
    let repository = world.open();
    assert_eq!(
        repository.resolve("main", "").unwrap().commit,
        world.base,
        "a commit that was not pushed does not count"
    );
    let tree = repository.tree(&local).unwrap();
    std::fs::write(world.clone().join("a.txt"), "edited, not committed\n").unwrap();
    let entry = tree.entry("a.txt").unwrap().unwrap();
    assert_eq!(&*tree.blob(&entry.id).unwrap(), b"two\n");
    assert!(tree.entry("b.txt").unwrap().is_none());
}

#[test]
fn merges_stay_in_memory_and_conflicts_name_their_files() {
    let world = World::new();
    let repository = world.open();
    let ahead = commit(&world.clone(), "b.txt", "b\n");
    assert_eq!(repository.merge(&world.base, &ahead, "m").unwrap(), ahead, "a fast-forward makes no commit");
    assert_eq!(repository.merge(&ahead, &world.base, "m").unwrap(), ahead, "nothing to merge");
    git(&world.clone(), &["checkout", "-q", "staging"]);
    let other = commit(&world.clone(), "c.txt", "c\n");
    let merged = repository.merge(&other, &ahead, "Merge main into staging").unwrap();
    let tree = repository.tree(&merged).unwrap();
    assert!(tree.entry("b.txt").unwrap().is_some() && tree.entry("c.txt").unwrap().is_some());
    assert_eq!(git(&world.clone(), &["rev-parse", "HEAD"]), other.as_str(), "no reference moved");
    let clash = commit(&world.clone(), "b.txt", "another b\n");
    match repository.merge(&clash, &ahead, "m") {
        Err(Error::Conflict { paths }) => assert_eq!(paths, ["b.txt"]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_push_moves_everything_or_nothing() {
    let world = World::new();
    let repository = world.open();
    let next = commit(&world.clone(), "a.txt", "two\n");
    let entry = AuditEntry {
        id: "1".into(),
        at: jiff::Timestamp::UNIX_EPOCH,
        actor: "ana".into(),
        action: "promote".into(),
        title: "t".into(),
        apps: vec![],
        moves: vec![],
        outcome: Outcome::Succeeded,
        message: String::new(),
        seconds: 0.0,
    };
    let audit = repository.audit_commit(None, &entry).unwrap();
    let updates = [
        update("refs/heads/staging", Some(&world.base), Some(&next)),
        update("refs/tags/v1.1.0", None, Some(&next)),
        update(AUDIT, None, Some(&audit)),
    ];
    repository.push(&updates).await.unwrap();
    assert_eq!(world.remote("refs/heads/staging"), next.as_str());
    assert_eq!(world.remote("refs/tags/v1.1.0"), next.as_str());
    assert_eq!(repository.resolve("staging", "").unwrap().commit, next, "no fetch is needed to see it");
    assert_eq!(repository.audit_entries(10), [entry]);

    // Somebody else's view is stale: nothing moves, not even the reference that could.
    let again = [
        update("refs/heads/staging", Some(&world.base), Some(&world.base)),
        update("refs/tags/v1.2.0", None, Some(&next)),
    ];
    match repository.push(&again).await {
        Err(Error::Rejected { reference, .. }) => assert_eq!(reference, "refs/heads/staging"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.remote("refs/heads/staging"), next.as_str());
    let tags = git(&world.folder.path().join("remote.git"), &["tag"]);
    assert!(!tags.contains("v1.2.0"), "{tags}");
}

#[tokio::test]
async fn without_a_remote_the_local_references_move_together() {
    let folder = TempDir::new().unwrap();
    git(folder.path(), &["init", "-q"]);
    let first = commit(folder.path(), "a", "1");
    let second = commit(folder.path(), "a", "2");
    let repository = Repository::open(folder.path()).unwrap();
    repository.push(&[update("refs/tags/stable", None, Some(&first))]).await.unwrap();
    assert_eq!(repository.resolve("stable", "").unwrap().commit, first);
    let stale =
        [update("refs/tags/stable", Some(&second), Some(&second)), update("refs/tags/new", None, Some(&second))];
    assert!(matches!(repository.push(&stale).await, Err(Error::Rejected { .. })));
    assert!(repository.resolve("new", "").is_err());
}

#[tokio::test]
async fn a_fetch_brings_what_others_pushed() {
    let world = World::new();
    git(world.folder.path(), &["clone", "-q", "-b", "main", "remote.git", "other"]);
    let other = world.folder.path().join("other");
    let next = commit(&other, "a.txt", "two\n");
    git(&other, &["tag", "-f", "stable"]);
    git(&other, &["push", "-q", "-f", "origin", "main", "stable"]);
    let repository = world.open();
    assert_eq!(repository.resolve("main", "").unwrap().commit, world.base);
    repository.fetch().await.unwrap();
    assert_eq!(repository.resolve("main", "").unwrap().commit, next);
    assert_eq!(repository.resolve("stable", "").unwrap().commit, next, "a tag that the remote moved is moved here");
}
