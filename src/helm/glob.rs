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

/// Matches a path as Go's `filepath.Match` does: `*` and `?` stop at `/`.
pub(super) fn file_matches(pattern: &str, text: &str) -> bool {
    let Some(c) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[c.len_utf8()..];
    let first = text.chars().next();
    let after = first.map_or("", |first| &text[first.len_utf8()..]);
    match c {
        '*' => {
            let rest = rest.trim_start_matches('*');
            let end = text.find('/').unwrap_or(text.len());
            if rest.is_empty() {
                return end == text.len();
            }
            text[..end].char_indices().map(|(at, _)| at).chain([end]).any(|at| file_matches(rest, &text[at..]))
        }
        '?' => first.is_some_and(|first| first != '/') && file_matches(rest, after),
        '[' => {
            let (is_negated, class) = rest.strip_prefix('^').map_or((false, rest), |class| (true, class));
            let (Some(end), Some(first)) = (class_end(class), first) else { return false };
            class_holds(&class[..end - 1], first) != is_negated && file_matches(&class[end..], after)
        }
        '\\' => {
            let escaped = rest.chars().next();
            escaped.is_some() && escaped == first && file_matches(&rest[escaped.map_or(0, char::len_utf8)..], after)
        }
        c => first == Some(c) && file_matches(rest, after),
    }
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
