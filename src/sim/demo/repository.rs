//! Writes the demo's repository: a bare one, whose own references are the truth.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Repository, RepositoryInitOptions, Signature, Time};
use jiff::Timestamp;

use super::{Error, files, history};

/// Writes the repository into a folder and returns where it is.
pub(super) fn write(folder: &Path, now: Timestamp) -> Result<PathBuf, Error> {
    let path = folder.join("platform.git");
    let failed = |what: &'static str| move |source| Error::Repository { what: what.to_owned(), source };
    let mut options = RepositoryInitOptions::new();
    // No template: what a person's template folder holds has no place here.
    options.bare(true).external_template(false).initial_head("master");
    let store = Repository::init_opts(&path, &options).map_err(failed("cannot be made"))?;
    let mut files = files::first(&format!("file://{}", path.display()));
    let mut changed: BTreeSet<String> = files.keys().cloned().collect();
    let mut last: Option<git2::Commit<'_>> = None;
    for step in &history::STEPS {
        for (name, from, to) in step.edits {
            let text = files.get_mut(*name).filter(|text| text.contains(from));
            let text = text.ok_or_else(|| Error::Edit { file: (*name).to_owned(), subject: step.subject })?;
            *text = text.replace(from, to);
            changed.insert((*name).to_owned());
        }
        let mut update = TreeUpdateBuilder::new();
        for name in std::mem::take(&mut changed) {
            let blob = store.blob(files[&name].as_bytes()).map_err(failed("cannot hold a file"))?;
            update.upsert(name, blob, FileMode::Blob);
        }
        let base = match &last {
            Some(commit) => commit.tree(),
            None => store.treebuilder(None).and_then(|empty| empty.write()).and_then(|id| store.find_tree(id)),
        };
        let base = base.map_err(failed("cannot hold a folder"))?;
        let tree = update.create_updated(&store, &base).map_err(failed("cannot hold a folder"))?;
        let tree = store.find_tree(tree).map_err(failed("cannot hold a folder"))?;
        let author = signature(step, now).map_err(failed("refuses an author"))?;
        let parents: Vec<&git2::Commit<'_>> = last.iter().collect();
        let id = store
            .commit(None, &author, &author, &format!("{}\n", step.subject), &tree, &parents)
            .and_then(|id| store.find_commit(id))
            .map_err(failed("cannot hold a commit"))?;
        for reference in step.refs {
            store.reference(reference, id.id(), true, "demo").map_err(failed("cannot hold a reference"))?;
        }
        last = Some(id);
    }
    Ok(path)
}

fn signature(step: &history::Step, now: Timestamp) -> Result<Signature<'static>, git2::Error> {
    let mail = format!("{}@shop.example.com", step.author.to_lowercase().replace(' ', "."));
    Signature::new(step.author, &mail, &Time::new(now.as_second() - step.minutes_ago * 60, 0))
}
