//! Regular expressions: matching, finding, replacing and splitting as Go does.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::bytes::{Captures, RegexBuilder};

use super::argument::{bytes, function, int, spend_items, text};
use super::regex_syntax::translate;
use crate::template::format::quote_text;
use crate::template::{Function, Host, List, ListKind, Parameter, Str, Value};

use Parameter::{Int, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("mustRegexFind", &[Text, Text], |host, args| find(compile(host, &args[0])?, host, &args[1])),
    function("mustRegexFindAll", &[Text, Text, Int], |host, args| find_all(compile(host, &args[0])?, host, args)),
    function("mustRegexMatch", &[Text, Text], |host, args| matches(compile(host, &args[0])?, host, &args[1])),
    function("mustRegexReplaceAll", &[Text, Text, Text], |host, args| {
        replace(compile(host, &args[0])?, host, args, true)
    }),
    function("mustRegexReplaceAllLiteral", &[Text, Text, Text], |host, args| {
        replace(compile(host, &args[0])?, host, args, false)
    }),
    function("mustRegexSplit", &[Text, Text, Int], |host, args| split(compile(host, &args[0])?, host, args)),
    function("regexFind", &[Text, Text], |host, args| find(must_compile(host, &args[0])?, host, &args[1])),
    function("regexFindAll", &[Text, Text, Int], |host, args| find_all(must_compile(host, &args[0])?, host, args)),
    function("regexMatch", &[Text, Text], |host, args| match compile(host, &args[0]) {
        Ok(regex) => matches(regex, host, &args[1]),
        Err(_) => Ok(false.into()),
    }),
    function("regexQuoteMeta", &[Text], |_, args| Ok(quote_meta(bytes(&args[0])).into())),
    function("regexReplaceAll", &[Text, Text, Text], |host, args| {
        replace(must_compile(host, &args[0])?, host, args, true)
    }),
    function("regexReplaceAllLiteral", &[Text, Text, Text], |host, args| {
        replace(must_compile(host, &args[0])?, host, args, false)
    }),
    function("regexSplit", &[Text, Text, Int], |host, args| split(must_compile(host, &args[0])?, host, args)),
];

/// A regular expression that is ready to use.
struct Regex {
    regex: regex::bytes::Regex,
    names: Vec<Option<String>>,
    is_empty: bool,
}

/// An expression, or what is wrong with it.
type Compiled = Result<Arc<Regex>, String>;

/// How many expressions are kept for all renders.
const KEPT: usize = 256;

/// The most memory that a compiled expression may take that is kept; most take no more than the first.
const LARGEST_KEPT: [usize; 2] = [64 << 10, 1 << 20];

/// The most memory that all of them may take together.
const MOST_KEPT: usize = 64 << 20;

/// The most memory that one compiled expression may take.
const LARGEST: usize = 32 << 20;

/// Returns an expression, or Go's error. A large one is compiled again each time, and that counts.
fn compile(host: &mut dyn Host, expression: &Value) -> Compiled {
    let known = kept(expression);
    if !matches!(&known, Err(error) if is_too_large(error)) {
        return known;
    }
    host.spend(LARGEST / 4)?;
    build(&text(expression), LARGEST).map(Arc::new)
}

fn is_too_large(error: &str) -> bool {
    error.starts_with(TOO_LARGE)
}

const TOO_LARGE: &str = "error parsing regexp: expression too large: ";

/// Expressions that were compiled, and the most memory that they may take.
#[derive(Default)]
struct Kept {
    by_text: HashMap<Vec<u8>, Compiled>,
    size: usize,
}

/// Returns an expression that was compiled before, or is now.
fn kept(expression: &Value) -> Compiled {
    static COMPILED: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);
    let kept = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let key = bytes(expression);
    if let Some(result) = kept().by_text.get(key) {
        return result.clone();
    }
    let [usual, largest] = LARGEST_KEPT;
    let mut size = usual;
    let mut result = build(&text(expression), size);
    if matches!(&result, Err(error) if is_too_large(error)) {
        size = largest;
        result = build(&text(expression), size);
    }
    let result = result.map(Arc::new);
    let mut kept = kept();
    if kept.by_text.len() >= KEPT || kept.size + size > MOST_KEPT {
        *kept = Kept::default();
    }
    kept.size += size;
    kept.by_text.insert(key.to_vec(), result.clone());
    result
}

fn build(expression: &str, largest: usize) -> Result<Regex, String> {
    let translation = translate(expression)?;
    let regex = RegexBuilder::new(&translation.pattern)
        .size_limit(largest)
        .nest_limit(2500)
        .build()
        .map_err(|_| format!("{TOO_LARGE}`{expression}`"))?;
    Ok(Regex { regex, names: translation.names, is_empty: expression.is_empty() })
}

/// Returns an expression, or the message of the panic that Go ends a wrong one with.
fn must_compile(host: &mut dyn Host, expression: &Value) -> Compiled {
    compile(host, expression).map_err(|error| {
        let text = text(expression);
        let is_plain = text.chars().all(|c| c != '`' && c != '\u{feff}' && (c == '\t' || !c.is_control()));
        let quoted = if is_plain { format!("`{text}`") } else { quote_text(&text) };
        format!("regexp: Compile({quoted}): {error}")
    })
}

/// Returns the length of the character at a place, 1 for what is none, 0 at the end.
fn width(text: &[u8], at: usize) -> usize {
    let rest = &text[at.min(text.len())..];
    match rest[..rest.len().min(4)].utf8_chunks().next() {
        Some(chunk) => chunk.valid().chars().next().map_or(1, char::len_utf8),
        None => 0,
    }
}

impl Regex {
    /// Returns the places of up to `limit` matches; none that is empty follows another directly.
    fn places(&self, host: &mut dyn Host, text: &[u8], limit: usize) -> Result<Vec<Range<usize>>, String> {
        let mut found = Vec::new();
        let (mut from, mut last_end) = (0, None);
        while found.len() < limit && from <= text.len() {
            search(host, text.len() - from)?;
            let Some(place) = self.regex.find_at(text, from).map(|found| found.range()) else { break };
            let mut is_wanted = true;
            if place.end == from {
                is_wanted = last_end != Some(place.start);
                from += width(text, from).max(1);
            } else {
                from = place.end;
            }
            last_end = Some(place.end);
            if is_wanted {
                spend_items(host, 2)?;
                found.push(place);
            }
        }
        Ok(found)
    }

    /// Appends a replacement with what the groups matched in place of their names.
    fn expand(&self, out: &mut Vec<u8>, template: &str, captures: &Captures<'_>) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            out.extend_from_slice(before.as_bytes());
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                out.push(b'$');
                rest = after;
            } else if let Some((name, after)) = reference(rest) {
                out.extend_from_slice(self.group(name, captures));
                rest = after;
            } else {
                out.push(b'$');
            }
        }
        out.extend_from_slice(rest.as_bytes());
    }

    fn group<'t>(&self, name: &str, captures: &Captures<'t>) -> &'t [u8] {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
        let group = match name.parse::<usize>() {
            Ok(number) if is_number => captures.get(number),
            _ => {
                let named = self.names.iter().enumerate().filter(|(_, group)| group.as_deref() == Some(name));
                named.filter_map(|(index, _)| captures.get(index + 1)).next()
            }
        };
        group.map_or(&[], |group| group.as_bytes())
    }
}

/// Reads the name of a group, in braces or as long as it can be.
fn reference(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let text = braced.unwrap_or(text);
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = if braced.is_some() { rest.strip_prefix('}')? } else { rest };
    (!name.is_empty()).then_some((name, rest))
}

/// Counts a search, which may look at all that is left of a text for a match that is short.
fn search(host: &mut dyn Host, left: usize) -> Result<(), String> {
    host.spend(1 + left / 64)
}

fn matches(regex: Arc<Regex>, host: &mut dyn Host, text: &Value) -> Result<Value, String> {
    host.spend(bytes(text).len())?;
    Ok(regex.regex.is_match(bytes(text)).into())
}

fn find(regex: Arc<Regex>, host: &mut dyn Host, text: &Value) -> Result<Value, String> {
    host.spend(bytes(text).len())?;
    Ok(Str::from(regex.regex.find(bytes(text)).map_or(&[][..], |found| found.as_bytes())).into())
}

fn find_all(regex: Arc<Regex>, host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let text = bytes(&args[1]);
    host.spend(text.len())?;
    let limit = usize::try_from(int(&args[2])).unwrap_or(usize::MAX);
    let places = regex.places(host, text, limit)?;
    if places.is_empty() {
        return Ok(Value::List(List::nil(ListKind::String)));
    }
    Ok(Value::strings(places.into_iter().map(|place| &text[place])))
}

fn split(regex: Arc<Regex>, host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let text = bytes(&args[1]);
    host.spend(text.len())?;
    let limit = usize::try_from(int(&args[2])).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(Value::List(List::nil(ListKind::String)));
    }
    if !regex.is_empty && text.is_empty() {
        return Ok(Value::strings([""]));
    }
    let mut parts = Vec::new();
    let (mut start, mut end) = (0, 0);
    for place in regex.places(host, text, limit)? {
        if parts.len() == limit - 1 {
            break;
        }
        end = place.start;
        if place.end != 0 {
            parts.push(&text[start..end]);
        }
        start = place.end;
    }
    if end != text.len() {
        parts.push(&text[start..]);
    }
    Ok(Value::strings(parts))
}

fn replace(regex: Arc<Regex>, host: &mut dyn Host, args: &[Value], expands: bool) -> Result<Value, String> {
    let subject = bytes(&args[1]);
    let replacement = text(&args[2]);
    host.spend(subject.len())?;
    let mut out = Vec::with_capacity(subject.len());
    let (mut from, mut last_end) = (0, 0);
    while from <= subject.len() {
        search(host, subject.len() - from)?;
        let Some(captures) = regex.regex.captures_at(subject, from) else { break };
        let place = captures.get(0).map_or(from..from, |whole| whole.range());
        out.extend_from_slice(&subject[last_end..place.start]);
        // What is empty right after another match is not replaced again.
        if place.end > last_end || place.start == 0 {
            let length = out.len();
            if expands {
                regex.expand(&mut out, &replacement, &captures);
            } else {
                out.extend_from_slice(bytes(&args[2]));
            }
            host.spend(out.len() - length)?;
        }
        last_end = place.end;
        from = place.end.max(from + width(subject, from).max(1));
    }
    out.extend_from_slice(&subject[last_end.min(subject.len())..]);
    Ok(Value::String(out.into()))
}

fn quote_meta(text: &[u8]) -> Str {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn finds_and_splits_as_go() {
        check(r#"{{ regexFind "b+" "abbc" }}{{ regexFind "x" "abc" }}"#, "bb");
        check(r#"{{ regexFindAll "b*" "abbc" -1 | toJson }}"#, r#"["","bb",""]"#);
        check(r#"{{ regexFindAll "." "äbc" 2 | toJson }}"#, r#"["ä","b"]"#);
        check(r#"{{ regexSplit "a*" "baac" -1 | toJson }} {{ regexSplit "" "äb" -1 }}"#, r#"["b","c"] [ä b]"#);
        check(
            r#"{{ regexSplit ";" "x;y;z" 2 }} {{ regexSplit ";" "x;y" 0 }} {{ regexSplit ";" "" -1 | len }}"#,
            "[x y;z] [] 1",
        );
        check(r#"{{ regexFindAll "x" "a" -1 | toJson }} {{ regexSplit ";" "x" 0 | toJson }}"#, "null null");
        check(r#"{{ regexQuoteMeta "a.b*[c]{d}-e" }}"#, r"a\.b\*\[c\]\{d\}-e");
    }

    #[test]
    fn replaces_as_go() {
        check(r#"{{ regexReplaceAll "x(\\d)(?P<n>y)?" "x1y x2" "<${1}$n$$$0>" }}"#, "<1y$x1y> <2$x2>");
        check(r#"{{ regexReplaceAll "x(\\d)" "x1" "[$1_][$01][$][${1]" }}"#, "[][][$][${1]");
        check(r#"{{ regexReplaceAll "b*" "abbc" "-" }}"#, "-a-c-");
        check(r#"{{ regexReplaceAllLiteral "x" "axb" "$0" }}"#, "a$0b");
    }

    #[test]
    fn wrong_expressions_match_nothing_or_are_errors() {
        check(r#"{{ regexMatch "a(" "a(" }}"#, "false");
        check_error(
            r#"{{ mustRegexMatch "a(" "" }}"#,
            "error calling mustRegexMatch: error parsing regexp: missing closing ): `a(`",
        );
        check_error(
            r#"{{ regexFind "a`(" "" }}"#,
            "error calling regexFind: regexp: Compile(\"a`(\"): error parsing regexp: missing closing ): `a`(`",
        );
        check_error(
            r#"{{ regexSplit "*" "" -1 }}"#,
            "regexp: Compile(`*`): error parsing regexp: missing argument to repetition operator: `*`",
        );
    }
}
