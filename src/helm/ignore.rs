//! `.helmignore`: which files of a folder are no part of a chart.

use std::collections::HashMap;

use super::glob;

/// The rules of one chart's folder.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
    folders: HashMap<String, bool>,
}

#[derive(Debug)]
struct Rule {
    pattern: String,
    /// What does not match is ignored: helm's reading of `!`.
    is_negated: bool,
    only_folders: bool,
    /// Whether the whole path is matched rather than the last name.
    is_path: bool,
}

impl Ignore {
    /// Reads a `.helmignore`, and adds the rule that every chart has: no hidden files in `templates/`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for line in text.lines().chain(["templates/.?*"]) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.contains("**") {
                return Err("double-star (**) syntax is not supported".into());
            }
            if !glob::is_file_pattern(line) {
                return Err("syntax error in pattern".into());
            }
            let (is_negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
            let (only_folders, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
            let (is_path, pattern) = match line.strip_prefix('/') {
                Some(rest) => (true, rest),
                None => (line.contains('/'), line),
            };
            rules.push(Rule { pattern: pattern.to_owned(), is_negated, only_folders, is_path });
        }
        Ok(Ignore { rules, folders: HashMap::new() })
    }

    /// Says whether a file is ignored, itself or with one of its folders.
    pub fn ignores(&mut self, path: &str) -> bool {
        for (at, _) in path.match_indices('/') {
            let folder = &path[..at];
            let ignored = match self.folders.get(folder) {
                Some(known) => *known,
                None => {
                    let ignored = self.matches(folder, true);
                    self.folders.insert(folder.to_owned(), ignored);
                    ignored
                }
            };
            if ignored {
                return true;
            }
        }
        self.matches(path, false)
    }

    fn matches(&self, path: &str, is_folder: bool) -> bool {
        for rule in &self.rules {
            let fits = || {
                let text = if rule.is_path { path } else { path.rsplit('/').next().unwrap_or(path) };
                glob::file_matches(&rule.pattern, text)
            };
            if rule.is_negated {
                if (rule.only_folders && !is_folder) || !fits() {
                    return true;
                }
            } else if (is_folder || !rule.only_folders) && fits() {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_ignored() {
        let check = |rules: &str, path: &str, wanted: bool| {
            let ignored = Ignore::parse(rules).expect("rules").ignores(path);
            assert_eq!(ignored, wanted, "{rules:?} on {path}");
        };
        check("", "values.yaml", false);
        check("", "templates/.hidden", true);
        check("*.md", "docs/README.md", true);
        check("docs/", "docs/a/b.txt", true);
        check("docs/", "docs", false);
        check("/docs", "a/docs", false);
        check("a/*.txt", "a/b.txt", true);
        check("a/*.txt", "a/b/c.txt", false);
        check("# *.md", "README.md", false);
        // What does not match a negated rule is ignored.
        check("!*.yaml", "README.md", true);
        check("!*.yaml", "values.yaml", false);
    }

    #[test]
    fn double_stars_are_refused() {
        assert!(Ignore::parse("a/**").is_err());
    }
}
