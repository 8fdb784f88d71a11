//! Regular expressions.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::bytes::Regex;

use super::argument::{bytes, function, int, text};
use super::regex_syntax;
use crate::template::{Function, Host, Parameter, Str, Value};

use Parameter::{Int, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("mustRegexFind", &[Text, Text], find),
    function("mustRegexFindAll", &[Text, Text, Int], find_all),
    function("mustRegexMatch", &[Text, Text], |_, args| Ok(compiled(&args[0])?.is_match(bytes(&args[1])).into())),
    function("mustRegexReplaceAll", &[Text, Text, Text], replace_all),
    function("mustRegexReplaceAllLiteral", &[Text, Text, Text], replace_all_literal),
    function("mustRegexSplit", &[Text, Text, Int], split),
    function("regexFind", &[Text, Text], |host, args| find(host, args).map_err(|error| panicked(&args[0], &error))),
    function("regexFindAll", &[Text, Text, Int], |host, args| {
        find_all(host, args).map_err(|error| panicked(&args[0], &error))
    }),
    function("regexMatch", &[Text, Text], |_, args| {
        Ok(compiled(&args[0]).is_ok_and(|regex| regex.is_match(bytes(&args[1]))).into())
    }),
    function("regexQuoteMeta", &[Text], |_, args| Ok(quoted(bytes(&args[0])))),
    function("regexReplaceAll", &[Text, Text, Text], |host, args| {
        replace_all(host, args).map_err(|error| panicked(&args[0], &error))
    }),
    function("regexReplaceAllLiteral", &[Text, Text, Text], |host, args| {
        replace_all_literal(host, args).map_err(|error| panicked(&args[0], &error))
    }),
    function("regexSplit", &[Text, Text, Int], |host, args| {
        split(host, args).map_err(|error| panicked(&args[0], &error))
    }),
];

/// How many expressions a thread keeps compiled.
const KEPT: usize = 256;

/// How big a compiled expression may get, in bytes.
const LARGEST: usize = 4 << 20;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Result<Regex, String>>> = RefCell::default();
}

/// Returns the expression that Go would compile, or Go's error.
fn compiled(pattern: &Value) -> Result<Regex, String> {
    let pattern = text(pattern);
    COMPILED.with_borrow_mut(|kept| {
        if let Some(known) = kept.get(&*pattern) {
            return known.clone();
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        let compiled = regex_syntax::translate(&pattern).and_then(|pattern| {
            let built = regex::bytes::RegexBuilder::new(&pattern).size_limit(LARGEST).build();
            built.map_err(|error| format!("error parsing regexp: {error}"))
        });
        kept.insert(pattern.into_owned(), compiled.clone());
        compiled
    })
}

/// Returns the error of a function that panics in Go where its `must` form returns an error.
fn panicked(pattern: &Value, error: &str) -> String {
    if error.starts_with("error parsing regexp") {
        format!("regexp: Compile(`{}`): {error}", text(pattern))
    } else {
        error.to_owned()
    }
}

fn find(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let found = compiled(&args[0])?;
    Ok(found.find(bytes(&args[1])).map_or_else(|| "".into(), |found| Str::from(found.as_bytes()).into()))
}

/// Returns how many matches a limit allows; a negative one allows all.
fn limit(value: &Value) -> usize {
    usize::try_from(int(value)).unwrap_or(usize::MAX)
}

fn find_all(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let regex = compiled(&args[0])?;
    host.spend(bytes(&args[1]).len())?;
    Ok(Value::strings(regex.find_iter(bytes(&args[1])).take(limit(&args[2])).map(|found| found.as_bytes())))
}

fn replace_all(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let replaced = compiled(&args[0])?.replace_all(bytes(&args[1]), bytes(&args[2])).into_owned();
    host.spend(replaced.len())?;
    Ok(Str::from(replaced).into())
}

fn replace_all_literal(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let with = regex::bytes::NoExpand(bytes(&args[2]));
    let replaced = compiled(&args[0])?.replace_all(bytes(&args[1]), with).into_owned();
    host.spend(replaced.len())?;
    Ok(Str::from(replaced).into())
}

/// Splits where the expression matches. An empty match at the very start splits nothing off, and one at the very end
/// leaves nothing behind.
fn split(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let regex = compiled(&args[0])?;
    let (text, limit) = (bytes(&args[1]), limit(&args[2]));
    host.spend(text.len())?;
    if limit == 0 {
        return Ok(Value::strings(std::iter::empty::<&str>()));
    }
    if !bytes(&args[0]).is_empty() && text.is_empty() {
        return Ok(Value::strings([""]));
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for found in regex.find_iter(text).take(limit) {
        if parts.len() + 1 == limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&text[start..end]);
        }
        start = found.end();
    }
    if end != text.len() {
        parts.push(&text[start..]);
    }
    Ok(Value::strings(parts))
}

fn quoted(text: &[u8]) -> Value {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    Str::from(out).into()
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn matching_and_finding() {
        check(
            r#"{{ regexMatch "^a.c$" "abc" }} {{ regexMatch "[" "[" }} {{ regexMatch "\\d" "١" }}"#,
            "true false false",
        );
        check(r#"{{ regexFind "[a-z]+" "1abc2" }} {{ regexFindAll "a*" "baaac" -1 }}"#, "abc [ aaa ]");
        check_error(
            r#"{{ mustRegexMatch "[" "a" }}"#,
            "error calling mustRegexMatch: error parsing regexp: missing closing ]: `[`",
        );
        check_error(r#"{{ regexFind "[" "a" }}"#, "regexp: Compile(`[`): error parsing regexp: missing closing ]: `[`");
    }

    #[test]
    fn replacing() {
        check(
            r#"{{ regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W" }} {{ regexReplaceAll "a(x*)b" "-ab-" "$1W" }}"#,
            "-W-xxW- --",
        );
        check(r#"{{ regexReplaceAllLiteral "a(x*)b" "-ab-" "${1}" }} {{ regexQuoteMeta "1.2-a" }}"#, r"-${1}- 1\.2-a");
    }

    #[test]
    fn splitting() {
        check(
            r#"{{ regexSplit "z+" "pizza" -1 }} {{ regexSplit "," "a,b,c" 2 }} {{ regexSplit "," "a" 0 }}"#,
            "[pi a] [a b,c] []",
        );
        check(r#"{{ regexSplit "" "abc" -1 }} {{ regexSplit "a*" "baac" -1 }}"#, "[a b c] [b c]");
    }
}
