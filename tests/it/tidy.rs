//! The rules of the house, held by reading the source.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Layer of each module: imports may go to the same layer or further down, never up.
const LAYERS: [(&str, u8); 17] = [
    ("model", 0),
    ("yaml", 1),
    ("template", 1),
    ("helm", 1),
    ("source", 1),
    ("diff", 1),
    ("health", 1),
    ("gate", 1),
    ("git", 2),
    ("registry", 2),
    ("cluster", 2),
    ("store", 2),
    ("config", 2),
    ("engine", 3),
    ("tui", 4),
    ("cli", 4),
    ("sim", 4),
];

/// Crates that a module must never name.
const FORBIDDEN: [(&str, &[&str]); 10] = [
    ("tui", &["kube", "git2", "k8s_openapi"]),
    ("engine", &["ratatui", "crossterm", "git2"]),
    ("model", &["kube", "git2", "ratatui", "crossterm", "tokio"]),
    ("yaml", &["tokio", "kube", "git2", "ratatui"]),
    ("template", &["tokio", "kube", "git2", "ratatui"]),
    ("helm", &["tokio", "kube", "git2", "ratatui"]),
    ("source", &["tokio", "kube", "git2", "ratatui"]),
    ("diff", &["tokio", "kube", "git2", "ratatui"]),
    ("health", &["tokio", "kube", "git2", "ratatui"]),
    ("gate", &["tokio", "kube", "git2", "ratatui"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let inside = path.strip_prefix(root().join("src")).unwrap().to_owned();
            let module = inside.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
            (module, inside, text)
        })
        .collect()
}

/// Returns the names that follow `prefix` in code, comments left out.
fn named_after(text: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        for (at, _) in line.match_indices(prefix) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &line[at + prefix.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                names.extend(group.split(',').map(|part| first_word(part.trim())));
            } else {
                names.push(first_word(rest));
            }
        }
    }
    names
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn imports_point_down() {
    let layers: BTreeMap<_, _> = LAYERS.into_iter().collect();
    let mut upward = Vec::new();
    for (module, path, text) in sources() {
        let Some(own) = layers.get(module.as_str()) else { continue };
        for name in named_after(&text, "crate::") {
            if layers.get(name.as_str()).is_some_and(|other| other > own) {
                upward.push(format!("{} ({own}) imports {name} ({})", path.display(), layers[name.as_str()]));
            }
        }
    }
    assert!(upward.is_empty(), "imports point down only:\n{}", upward.join("\n"));
}

#[test]
fn every_module_has_a_layer() {
    let layers: BTreeMap<_, _> = LAYERS.into_iter().collect();
    for (module, path, _) in sources() {
        assert!(
            layers.contains_key(module.as_str()) || ["main", "lib", "wire"].contains(&module.as_str()),
            "{} lies in no layer: name it in LAYERS",
            path.display()
        );
    }
}

#[test]
fn libraries_stay_behind_their_adapter() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let Some((_, crates)) = FORBIDDEN.iter().find(|(name, _)| *name == module) else { continue };
        for name in *crates {
            if !named_after(&text, &format!("{name}::")).is_empty() {
                wrong.push(format!("{} names {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "a library is named outside its adapter:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (_, path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not open with a sentence on what it is for", path.display());
    }
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    for (_, path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            assert!(
                !line.contains("#[allow(") && !line.contains("#![allow("),
                "{}:{}: use #[expect(.., reason = \"..\")]",
                path.display(),
                number + 1
            );
        }
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let main = fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for entry in fs::read_dir(root().join("tests/it")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_module = path.extension().is_some_and(|extension| extension == "rs");
        if is_module && name != "main" {
            assert!(main.contains(&format!("mod {name};")), "tests/it/{name}.rs is not named in tests/it/main.rs");
        }
    }
}

#[test]
fn nothing_committed_names_this_machine() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "fuzz/fuzz_targets"] {
        rust_files(&root().join(folder), &mut files);
    }
    files.extend(
        ["README.md", "CHANGELOG.md", "Cargo.toml", "fuzz/Cargo.toml", "fuzz/README.md"]
            .map(|name| root().join(name))
            .into_iter()
            .filter(|path| path.exists()),
    );
    let work = format!("/{}/", "work");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&work), "{} names a folder of one machine", path.display());
    }
}
