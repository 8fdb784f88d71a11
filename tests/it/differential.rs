//! Charts of our own through `quarterdeck template` and through every helm whose output it reproduces, side by side.
//!
//! A file in `tests/helm/cases` holds arguments, a line each behind `$ `, and then files, each below `-- path --`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use quarterdeck::helm::Profile;
use tempfile::TempDir;

/// The release that stands for a profile.
fn release(profile: Profile) -> &'static str {
    match profile {
        Profile::V3_19 => "3.19.0",
        Profile::V4_2 => "4.2.3",
        Profile::V4_3 => "4.3.1",
    }
}

/// The folder with `VERSION/helm`; `None` where there is none.
fn helms() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("QUARTERDECK_HELM").map(PathBuf::from) else {
        assert!(std::env::var_os("CI").is_none(), "QUARTERDECK_HELM is not set, and CI must not skip this");
        println!(
            "skipped: QUARTERDECK_HELM is not set; `export QUARTERDECK_HELM=$(tests/helm/fetch)` fetches the helms"
        );
        return None;
    };
    Some(folder)
}

/// Arguments and files of a test.
struct Case {
    name: String,
    commands: Vec<String>,
    files: Vec<(String, String)>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut case = Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            commands: Vec::new(),
            files: Vec::new(),
        };
        for line in text.split_inclusive('\n') {
            let header = line.trim_end().strip_prefix("-- ").and_then(|line| line.strip_suffix(" --"));
            match (header, case.files.last_mut()) {
                (Some(path), _) => case.files.push((path.to_owned(), String::new())),
                (None, Some((_, text))) => text.push_str(line),
                (None, None) => case.commands.extend(line.strip_prefix("$ ").map(|line| line.trim_end().to_owned())),
            }
        }
        case
    }

    fn unpack(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }
}

/// Splits a line at blanks, outside of single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What a program made of its arguments.
#[derive(PartialEq, Eq)]
struct Outcome {
    code: Option<i32>,
    out: String,
    error: String,
}

fn run(program: &Path, folder: &Path, command: &str, more: &[&str]) -> Outcome {
    let (args, input) = command.split_once(" < ").unwrap_or((command, ""));
    let stdin = match input.trim() {
        "" => Stdio::null(),
        name => fs::File::open(folder.join(name)).unwrap().into(),
    };
    let output = Command::new(program)
        .arg("template")
        .args(more)
        .args(words(args))
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("TZ", "UTC")
        .stdin(stdin)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*folder.to_string_lossy(), "$FOLDER");
    Outcome { code: output.status.code(), out: text(&output.stdout), error: said(&text(&output.stderr)) }
}

/// Returns the error without what is logged around it, and without our hint below it.
fn said(text: &str) -> String {
    let Some(start) = format!("\n{text}").find("\nError: ") else { return String::new() };
    let text = text[start..].trim_end();
    let text = text.split("\n\nUse --debug").next().unwrap_or_default();
    let is_hint = |line: &str| {
        line.starts_with("  ")
            && ["`quarterdeck ", "write a version", "Usage:"].iter().any(|hint| line[2..].starts_with(hint))
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !is_hint(line) && !line.starts_with("Usage:") && !line.contains(" [debug] "))
        .collect();
    lines.join("\n").trim_end().to_owned()
}

fn compare(case: &Case, command: &str, helms: &Path, profile: Profile) -> Option<String> {
    let (theirs, ours) = (case.unpack(), case.unpack());
    let helm = helms.join(release(profile)).join("helm");
    let helm = run(&helm, theirs.path(), command, &[]);
    let program = Path::new(env!("CARGO_BIN_EXE_quarterdeck"));
    let quarterdeck = run(program, ours.path(), command, &["--helm-compat", profile.name()]);
    if helm == quarterdeck {
        return None;
    }
    let mut text = format!("{}: helm {profile}: template {command}\n", case.name);
    if helm.code != quarterdeck.code {
        text += &format!("  exit code {:?}, helm has {:?}\n", quarterdeck.code, helm.code);
    }
    if helm.error != quarterdeck.error {
        text += &format!("  says {:?}\n  helm {:?}\n", quarterdeck.error, helm.error);
    }
    if helm.out != quarterdeck.out {
        let differs = |one: &str, other: &str| one.lines().zip(other.lines()).position(|(one, other)| one != other);
        let shorter = helm.out.lines().count().min(quarterdeck.out.lines().count());
        let at = differs(&helm.out, &quarterdeck.out).unwrap_or(shorter);
        let line = |text: &str| text.lines().nth(at).unwrap_or("(end)").to_owned();
        text += &format!("  line {}: {:?}\n  helm {:?}\n", at + 1, line(&quarterdeck.out), line(&helm.out));
    }
    Some(text)
}

#[test]
fn charts_of_our_own_are_printed_as_by_every_helm() {
    let Some(helms) = helms() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helm/cases");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let cases: Vec<Case> = paths.iter().map(|path| Case::read(path)).collect();
    let mut tasks = Vec::new();
    for case in &cases {
        for command in &case.commands {
            tasks.extend(Profile::ALL.map(|profile| (case, command, profile)));
        }
    }
    assert!(tasks.len() > 500, "only {} comparisons", tasks.len());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((case, command, profile)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    wrong.lock().unwrap().extend(compare(case, command, &helms, *profile));
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    println!("{} of {} as in helm", tasks.len() - wrong.len(), tasks.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), tasks.len(), wrong.join("\n"));
}
