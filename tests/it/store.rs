//! The journal on a real disk: nothing is lost, whatever cut the program off.

use std::fs;

use jiff::Timestamp;
use quarterdeck::model::{AuditEntry, Outcome};
use quarterdeck::store::{Journal, Paths};

fn entry(id: &str, outcome: Outcome) -> AuditEntry {
    AuditEntry {
        id: id.to_owned(),
        at: Timestamp::UNIX_EPOCH,
        actor: "ann".to_owned(),
        action: "sync".to_owned(),
        title: format!("Sync {id}"),
        apps: vec!["web".to_owned()],
        moves: Vec::new(),
        outcome,
        message: String::new(),
        seconds: 1.5,
    }
}

#[test]
fn an_intent_without_an_outcome_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let path = Paths::below(folder.path()).journal();
    let journal = Journal::open(&path).unwrap();
    journal.intent(&entry("1", Outcome::Succeeded)).unwrap();
    journal.outcome(&entry("1", Outcome::Succeeded)).unwrap();
    journal.intent(&entry("2", Outcome::Succeeded)).unwrap();
    let found = Journal::open(&path).unwrap().last(10).unwrap();
    assert_eq!(found.entries, [entry("2", Outcome::Interrupted), entry("1", Outcome::Succeeded)]);
    assert_eq!(journal.last(1).unwrap().entries.len(), 1);
}

#[test]
fn a_torn_line_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    Journal::open(&path).unwrap().outcome(&entry("1", Outcome::Failed)).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole, &b"{\"line\":\"intent\",\"id"[..]].concat()).unwrap();
    let journal = Journal::open(&path).unwrap();
    journal.outcome(&entry("2", Outcome::Succeeded)).unwrap();
    let found = journal.last(10).unwrap();
    assert_eq!((found.entries.len(), found.unreadable), (2, 0));
    assert_eq!(fs::read_to_string(folder.path().join("journal.jsonl.torn")).unwrap(), "{\"line\":\"intent\",\"id\n");
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(Journal::open(&path).unwrap().last(10).unwrap().entries, [entry("1", Outcome::Failed)]);
}

#[test]
fn errors_name_the_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/journal.jsonl");
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(error.contains("file") && error.contains("permissions"), "{error}");
}
