//! File patterns: Go's `filepath.Match` for `.helmignore`, and the globs of `.Files.Glob`.

use regex::bytes::Regex;

/// Says whether a pattern is well formed for [`file_matches`].
pub(super) fn is_file_pattern(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => return false,
            '[' => {
                let rest = chars.as_str();
                let rest = rest.strip_prefix('^').unwrap_or(rest);
                let Some(end) = class_end(rest) else { return false };
                chars = rest[end..].chars();
            }
            _ => {}
        }
    }
    true
}

/// Matches a path as Go's `filepath.Match` does: `*` and `?` stop at `/`, and a `*` takes as little as it can, for good.
pub(super) fn file_matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    while !pattern.is_empty() {
        let after_star = pattern.trim_start_matches('*');
        let has_star = after_star.len() < pattern.len();
        let (chunk, rest) = after_star.split_at(chunk_end(after_star));
        if has_star && chunk.is_empty() {
            return !text.contains('/');
        }
        let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let reach = if has_star { text.find('/').unwrap_or(text.len()) } else { 0 };
        let Some(left) = starts
            .take_while(|at| *at <= reach)
            .find_map(|at| chunk_matches(chunk, &text[at..]).filter(|left| !rest.is_empty() || left.is_empty()))
        else {
            return false;
        };
        text = left;
        pattern = rest;
    }
    text.is_empty()
}

/// Returns the place of the first `*` that is neither escaped nor in a class.
fn chunk_end(pattern: &str) -> usize {
    let mut in_class = false;
    let mut chars = pattern.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => return at,
            _ => {}
        }
    }
    pattern.len()
}

/// Matches the start of a text with a pattern without `*`; returns the rest of the text.
fn chunk_matches<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let (mut pattern, mut text) = (pattern, text.chars());
    while let Some(c) = pattern.chars().next() {
        pattern = &pattern[c.len_utf8()..];
        let first = text.next()?;
        match c {
            '?' if first == '/' => return None,
            '?' => {}
            '[' => {
                let (is_negated, class) = pattern.strip_prefix('^').map_or((false, pattern), |class| (true, class));
                let end = class_end(class)?;
                if class_holds(&class[..end - 1], first) == is_negated {
                    return None;
                }
                pattern = &class[end..];
            }
            '\\' => {
                let escaped = pattern.chars().next().filter(|escaped| *escaped == first)?;
                pattern = &pattern[escaped.len_utf8()..];
            }
            c if c == first => {}
            _ => return None,
        }
    }
    Some(text.as_str())
}

/// Returns the place behind the `]` of a class that begins here.
fn class_end(class: &str) -> Option<usize> {
    let mut chars = class.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            ']' if at > 0 => return Some(at + 1),
            ']' => return None,
            '\\' => drop(chars.next()?),
            _ => {}
        }
    }
    None
}

fn class_holds(class: &str, wanted: char) -> bool {
    let mut chars = class.chars().peekable();
    let mut held = false;
    while let Some(low) = chars.next().and_then(|c| if c == '\\' { chars.next() } else { Some(c) }) {
        let mut high = low;
        if chars.next_if_eq(&'-').is_some() {
            high = chars.next().and_then(|c| if c == '\\' { chars.next() } else { Some(c) }).unwrap_or(low);
        }
        held |= (low..=high).contains(&wanted);
    }
    held
}

/// Compiles a glob of `.Files.Glob`: `*` stops at `/`, `**` does not, and there are `?`, `[a-z]`, `[!a]` and `{a,b}`.
/// Helm lets a pattern that is wrong match everything.
pub(super) fn glob(pattern: &str) -> Regex {
    compile(pattern).unwrap_or_else(|| Regex::new("(?s)^.*$").expect("the pattern is constant and valid"))
}

fn compile(pattern: &str) -> Option<Regex> {
    let mut expression = String::from("(?s)^");
    let mut depth = 0_usize;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => expression.push_str(".*"),
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '\\' => expression.push_str(&regex::escape(&chars.next()?.to_string())),
            '{' => {
                depth += 1;
                expression.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                expression.push(')');
            }
            ',' if depth > 0 => expression.push('|'),
            '[' => {
                expression.push('[');
                if chars.next_if_eq(&'!').is_some() {
                    expression.push('^');
                }
                loop {
                    match chars.next()? {
                        ']' => break,
                        '-' => expression.push('-'),
                        c => expression.push_str(&regex::escape(&c.to_string())),
                    }
                }
                expression.push(']');
            }
            c => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression.push('$');
    if depth > 0 { None } else { Regex::new(&expression).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_patterns() {
        let check = |pattern: &str, text: &str, wanted: bool| {
            assert!(is_file_pattern(pattern), "{pattern}");
            assert_eq!(file_matches(pattern, text), wanted, "{pattern} on {text}");
        };
        check("*.yaml", "a.yaml", true);
        check("*.yaml", "a/b.yaml", false);
        check("a/*/c", "a/b/c", true);
        check("a?c", "abc", true);
        check("a[b-d]e", "ace", true);
        check("a[^b-d]e", "ace", false);
        check("a\\*", "a*", true);
        check("é*", "éa", true);
        assert!(!is_file_pattern("a[b"));
        assert!(!is_file_pattern("a\\"));
    }

    #[test]
    fn globs() {
        let check = |pattern: &str, text: &str, wanted: bool| {
            assert_eq!(glob(pattern).is_match(text.as_bytes()), wanted, "{pattern} on {text}");
        };
        check("files/*", "files/a", true);
        check("files/*", "files/a/b", false);
        check("files/**", "files/a/b", true);
        check("{a,b}.txt", "b.txt", true);
        check("[!a].txt", "b.txt", true);
        check("a.txt", "abtxt", false);
        check("[a", "anything", true);
    }
}
