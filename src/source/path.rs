//! Paths inside a tree: cleaned, with symlinks followed, never outside the root; and globs over them.

use regex::Regex;

use super::{Entry, EntryKind, Tree};

/// Longest chain of symlinks that is followed.
const MAX_LINKS: usize = 10;

/// Most files and folders that are looked at in a folder; links can show the same one in many places.
const MOST_ENTRIES: usize = 50_000;

/// Joins a path to a folder and resolves `.` and `..`; `None` if it leads out of the root. A leading `/` means the root.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let start = if path.starts_with('/') { "" } else { folder };
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Finds what lies at a path, following symlinks; returns the path without symlinks too.
pub(super) fn find(tree: &dyn Tree, path: &str) -> Result<Option<(String, Entry)>, String> {
    let mut path = path.to_owned();
    'links: for _ in 0..=MAX_LINKS {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let mut at = String::new();
        for (index, name) in names.iter().enumerate() {
            let folder = at.clone();
            at = join(&at, name).unwrap_or_default();
            let Some(entry) = tree.entry(&at).map_err(|error| error.to_string())? else { return Ok(None) };
            if entry.kind == EntryKind::Symlink {
                let target = tree.blob(&entry.id).map_err(|error| error.to_string())?;
                let target = String::from_utf8_lossy(&target).into_owned();
                let outside = || format!("{at}: symlink to {target:?} leads out of the repository");
                if target.starts_with('/') {
                    return Err(outside());
                }
                let base = join(&folder, &target).ok_or_else(outside)?;
                path = join(&base, &names[index + 1..].join("/")).ok_or_else(outside)?;
                continue 'links;
            }
        }
        return Ok(tree.entry(&at).map_err(|error| error.to_string())?.map(|entry| (at, entry)));
    }
    Err(format!("{path}: more than {MAX_LINKS} symlinks on the way"))
}

/// Lists the files in a folder, `(path relative to it, blob id)`: its own before those of its folders, each in byte order.
/// The flag says whether a symlink was met, so that the folder's id does not cover the content.
pub(super) fn files(tree: &dyn Tree, folder: &str, recurse: bool) -> Result<(Vec<(String, String)>, bool), String> {
    fn walk(
        tree: &dyn Tree,
        folder: &str,
        below: &str,
        depth: usize,
        found: &mut (Vec<(String, String)>, bool),
        left: &mut usize,
    ) -> Result<(), String> {
        if depth > 64 {
            return Err(format!("{folder}: folders are nested too deep"));
        }
        let mut folders = Vec::new();
        for (name, mut entry) in tree.children(folder).map_err(|error| error.to_string())? {
            *left =
                left.checked_sub(1).ok_or_else(|| format!("{folder}: more than {MOST_ENTRIES} files and folders"))?;
            let relative = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            let mut path = join(folder, &name).unwrap_or_default();
            if entry.kind == EntryKind::Symlink {
                found.1 = true;
                match find(tree, &path)? {
                    Some(target) => (path, entry) = target,
                    None => continue,
                }
            }
            match entry.kind {
                EntryKind::Blob => found.0.push((relative, entry.id)),
                EntryKind::Tree => folders.push((path, relative)),
                EntryKind::Symlink | EntryKind::Submodule => {}
            }
        }
        if depth == 0 {
            return Ok(());
        }
        for (path, relative) in folders {
            walk(tree, &path, &relative, depth + 1, found, left)?;
        }
        Ok(())
    }
    let mut found = (Vec::new(), false);
    let mut left = MOST_ENTRIES;
    walk(tree, folder, "", usize::from(recurse), &mut found, &mut left)?;
    Ok(found)
}

/// Says whether a text holds glob signs.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Compiles a glob. With `separated`, `*` and `?` stop at `/` and `**` does not; without, nothing stops at `/`.
pub(super) fn glob(pattern: &str, separated: bool) -> Result<Regex, String> {
    let mut out = String::from("^(?s:");
    let chars: Vec<char> = pattern.chars().collect();
    let (mut at, mut braces) = (0, 0);
    while at < chars.len() {
        match chars[at] {
            '*' => {
                let mut stars = 1;
                while chars.get(at + stars) == Some(&'*') {
                    stars += 1;
                }
                at += stars - 1;
                if separated && stars > 1 && chars.get(at + 1) == Some(&'/') {
                    at += 1;
                    out += "(?:.*/)?";
                } else if separated && stars == 1 {
                    out += "[^/]*";
                } else {
                    out += ".*";
                }
            }
            '?' => out += if separated { "[^/]" } else { "." },
            '[' => {
                let close = chars[at + 1..]
                    .iter()
                    .position(|c| *c == ']')
                    .ok_or_else(|| format!("glob {pattern:?}: [ without ]"))?;
                let class: String = chars[at + 1..=at + close].iter().collect();
                let (not, class) = match class.strip_prefix(['!', '^']) {
                    Some(rest) => ("^", rest.to_owned()),
                    None => ("", class),
                };
                out += &format!("[{not}{}]", class.replace('\\', "\\\\").replace('[', "\\["));
                at += close + 1;
            }
            '{' => {
                braces += 1;
                out += "(?:";
            }
            '}' if braces > 0 => {
                braces -= 1;
                out.push(')');
            }
            ',' if braces > 0 => out.push('|'),
            '\\' if at + 1 < chars.len() => {
                at += 1;
                out += &regex::escape(&chars[at].to_string());
            }
            c => out += &regex::escape(&c.to_string()),
        }
        at += 1;
    }
    Regex::new(&(out + ")$")).map_err(|_| format!("glob {pattern:?} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::{glob, join};

    #[test]
    fn paths_stay_inside() {
        for (folder, path, expected) in [
            ("charts/a", "v.yaml", Some("charts/a/v.yaml")),
            ("charts/a", "../../v.yaml", Some("v.yaml")),
            ("charts/a", "/v.yaml", Some("v.yaml")),
            ("a", "../../v.yaml", None),
            ("", ".", Some("")),
        ] {
            assert_eq!(join(folder, path).as_deref(), expected, "{folder} {path}");
        }
    }

    #[test]
    fn globs_know_two_dialects() {
        for (pattern, separated, text, expected) in [
            ("*.yaml", true, "a/b.yaml", false),
            ("**/*.yaml", true, "a/b.yaml", true),
            ("**/*.yaml", true, "b.yaml", true),
            ("*.yaml", false, "a/b.yaml", true),
            ("{a,b}.yaml", false, "b.yaml", true),
            ("[!a].yaml", false, "a.yaml", false),
            ("a.yaml", true, "aXyaml", false),
        ] {
            assert_eq!(glob(pattern, separated).unwrap().is_match(text), expected, "{pattern} on {text}");
        }
    }
}
