//! Names in other spellings: `snakecase`, `kebabcase`, `camelcase`.

use super::argument::{function, text};
use super::text::{lower, upper};
use crate::template::{Function, Parameter};

pub(super) static FUNCTIONS: &[Function] = &[
    function("camelcase", &[Parameter::String], |_, args| Ok(camel(&text(&args[0])).into())),
    function("kebabcase", &[Parameter::String], |_, args| Ok(joined(&text(&args[0]), '-').into())),
    function("snakecase", &[Parameter::String], |_, args| Ok(joined(&text(&args[0]), '_').into())),
];

/// What a run of characters is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing is left.
    End,
    Number,
    /// Capitals, or a capital and the small letters after it.
    Capital,
    Letters,
    /// `-`, `_` and blanks.
    Connector,
    Punctuation,
    Other,
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
}

/// Says whether a character is a letter of a script that is written in words.
fn is_letter(c: char) -> bool {
    let is_han = matches!(c, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}');
    c.is_alphabetic() && !is_han
}

/// Splits the first run off.
fn next(text: &str) -> (Kind, &str, &str) {
    let Some(first) = text.chars().next() else { return (Kind::End, "", "") };
    let small = |c: char| is_letter(c) && !c.is_uppercase();
    let run = |fits: &dyn Fn(char) -> bool| text.find(|c| !fits(c)).unwrap_or(text.len());
    let (kind, end) = if is_connector(first) {
        (Kind::Connector, run(&is_connector))
    } else if is_punctuation(first) {
        (Kind::Punctuation, run(&is_punctuation))
    } else if first.is_uppercase() {
        (Kind::Capital, capital_end(text, first.len_utf8()))
    } else if is_letter(first) {
        (Kind::Letters, run(&small))
    } else if first.is_numeric() {
        (Kind::Number, run(&char::is_numeric))
    } else {
        let other = |c: char| !(is_connector(c) || is_letter(c) || c.is_numeric() || is_punctuation(c));
        (Kind::Other, run(&other))
    };
    (kind, &text[..end], &text[end..])
}

/// Returns where a word with a capital ends: `HTTPStatus` is `HTTP` and `Status`.
fn capital_end(text: &str, first: usize) -> usize {
    let rest = &text[first..];
    let capitals = rest.find(|c: char| !c.is_uppercase()).unwrap_or(rest.len());
    if capitals == 0 {
        return first + rest.find(|c: char| !is_letter(c) || c.is_uppercase()).unwrap_or(rest.len());
    }
    let end = first + capitals;
    match text[end..].chars().next() {
        Some(after) if is_letter(after) => end - text[..end].chars().next_back().map_or(0, char::len_utf8),
        _ => end,
    }
}

/// Appends a run in small letters, with this connector.
fn push(out: &mut String, kind: Kind, run: &str, connector: char) {
    if !matches!(kind, Kind::Capital | Kind::Connector) {
        out.push_str(run);
        return;
    }
    for c in run.chars() {
        match c {
            c if is_connector(c) => out.push(connector),
            c => out.push(lower(c)),
        }
    }
}

fn is_word(kind: Kind) -> bool {
    !matches!(kind, Kind::Connector | Kind::Punctuation)
}

/// Appends small letters and digits as long as they follow each other, and the connector to the next word.
fn push_name<'t>(out: &mut String, from: (Kind, &'t str, &'t str), connector: char) -> (Kind, &'t str, &'t str) {
    let (mut kind, mut run, mut rest) = from;
    while matches!(kind, Kind::Letters | Kind::Number) {
        push(out, kind, run, connector);
        (kind, run, rest) = next(rest);
    }
    if kind != Kind::End && is_word(kind) {
        out.push(connector);
    }
    (kind, run, rest)
}

/// Returns the words of a name in small letters with a connector between them. Digits belong to the word before them,
/// unless small letters follow.
fn joined(text: &str, connector: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut kind, mut run, mut rest) = next(text);
    while !rest.is_empty() {
        if kind != Kind::Connector {
            push(&mut out, kind, run, connector);
        }
        let (before, last) = (kind, run);
        (kind, run, rest) = next(rest);
        match before {
            Kind::Number => (kind, run, rest) = push_name(&mut out, (kind, run, rest), connector),
            Kind::Connector => push(&mut out, before, last, connector),
            Kind::Punctuation => {}
            _ if kind != Kind::Number => {
                if is_word(kind) {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = run;
                let (after, after_run, after_rest) = next(rest);
                if after == Kind::Letters {
                    out.push(connector);
                    push(&mut out, Kind::Number, number, connector);
                    (kind, run, rest) = push_name(&mut out, (after, after_run, after_rest), connector);
                } else {
                    push(&mut out, Kind::Number, number, connector);
                    (kind, run, rest) = (after, after_run, after_rest);
                    if is_word(kind) {
                        out.push(connector);
                    }
                }
            }
        }
    }
    push(&mut out, kind, run, connector);
    out
}

/// Returns a name with a capital at the start of each word and none elsewhere in it.
fn camel(text: &str) -> String {
    let start = text.find(|c| !is_connector(c)).unwrap_or(text.len());
    let mut out = text[..start].to_owned();
    let mut chars = text[start..].chars();
    let Some(first) = chars.next() else {
        // The last of nothing but connectors comes out twice.
        out.extend(text.chars().next_back());
        return out;
    };
    let mut was_capital = first.is_uppercase();
    let mut last = upper(first);
    for c in chars {
        let mut c = c;
        if is_connector(c) && is_connector(last) {
            out.push(last);
            last = c;
            continue;
        }
        if is_connector(last) {
            was_capital = c.is_uppercase();
            c = upper(c);
        } else {
            if was_capital {
                was_capital = c.is_uppercase();
                c = if was_capital { lower(c) } else { c };
            }
            out.push(last);
        }
        last = c;
    }
    out.push(last);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_small_letters() {
        let check = |text: &str, wanted: &str| assert_eq!(joined(text, '_'), wanted, "{text}");
        check("FirstName", "first_name");
        check("HTTPServer", "http_server");
        check("HTTPServer20", "http_server20");
        check("FooBar2Baz", "foo_bar2_baz");
        check("foo-bar.baz qux", "foo_bar.baz_qux");
        check("userID2FA", "user_id2_fa");
        check("ab1cd", "ab_1cd");
        check("_complex__case_", "_complex__case_");
        check("a1B2", "a1_b2");
        check("", "");
    }

    #[test]
    fn names_with_capitals() {
        let check = |text: &str, wanted: &str| assert_eq!(camel(text), wanted, "{text}");
        check("http_server", "HttpServer");
        check("_camel_case", "_CamelCase");
        check("no_https", "NoHttps");
        check("__a__b", "__A_B");
        check("HTTP", "Http");
        check("a- b", "A-B");
        check("a -", "A -");
        check("_", "__");
        check("", "");
    }
}
