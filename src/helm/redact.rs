//! Texts for people without the secrets of the values: errors are shown, logged and kept.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// What stands for a secret.
const HIDDEN: &str = "[hidden]";

/// How short a secret may be so that it is still told from the words of an error.
const SHORTEST: usize = 4;

/// How the names of secrets end, in small letters without `-` and `_`.
const SECRET: [&str; 15] = [
    "password",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "encryptionkey",
    "credential",
    "dsn",
    "salt",
];

/// The secrets of one render's values.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Notes the secrets among values by the names of their keys.
    pub fn note(&mut self, values: &Map<String, Value>) {
        self.walk(values, false);
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self.0.dedup();
    }

    fn walk(&mut self, values: &Map<String, Value>, in_secret: bool) {
        for (key, value) in values {
            // A map named `secret` describes one; only a plural holds some.
            let is_plural = key.ends_with(['s', 'S']) || key.eq_ignore_ascii_case("stringData");
            let lower = key.to_ascii_lowercase();
            let in_secret = in_secret && !lower.ends_with("name") && !lower.ends_with("namespace");
            let is_own_name = value.as_str().is_some_and(|text| plain(text) == plain(key));
            self.value(value, (in_secret || is_secret(key) && (is_plural || !value.is_object())) && !is_own_name);
        }
    }

    fn value(&mut self, value: &Value, in_secret: bool) {
        let text = match value {
            Value::Object(values) => return self.walk(values, in_secret),
            Value::Array(items) => return items.iter().for_each(|item| self.value(item, in_secret)),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), crate::template::format_float),
            Value::Bool(_) | Value::Null => return,
        };
        if in_secret && text.len() >= SHORTEST {
            // Each line by itself too: texts are indented, and quoted line by line.
            let lines =
                text.lines().map(str::trim).filter(|line| line.len() >= 2 * SHORTEST && line.len() < text.len());
            self.0.extend(lines.map(str::to_owned));
            let quoted = crate::template::format::quote_text(&text);
            self.0.push(quoted[1..quoted.len() - 1].to_owned());
            self.0.push(text);
        }
    }

    /// Returns a text without them, without whole maps of values, and without passwords in URLs and private keys.
    pub fn hide(&self, text: &str) -> String {
        static URL_PASSWORD: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(://[^\s/:@]*):[^\s/@]+@").expect("the pattern is constant and valid"));
        static KEY: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END|$)")
                .expect("the pattern is constant and valid")
        });
        let mut text = without_maps(text);
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = replace(&text, secret).into();
            }
        }
        let text = URL_PASSWORD.replace_all(&text, "$1:[hidden]@");
        KEY.replace_all(&text, "$1[hidden]$2").into_owned()
    }
}

/// Says whether a key is the name of a secret. What only names or refers to one is none.
fn is_secret(key: &str) -> bool {
    let name = plain(key);
    let name = name.strip_suffix('s').unwrap_or(&name);
    !name.starts_with("existing")
        && (name == "stringdata" || SECRET.iter().any(|end| name.ends_with(end.strip_suffix('s').unwrap_or(end))))
}

/// Returns a name in small letters without what separates its words.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect::<String>().to_ascii_lowercase()
}

/// Returns a text without a secret. Paths of templates stay: what is in them is no secret, and without them nobody finds the error.
fn replace(text: &str, secret: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, found) in text.match_indices(secret) {
        let start = text[..at].rfind(is_around_path).map_or(0, |at| at + 1);
        let end = text[at..].find(is_around_path).map_or(text.len(), |end| at + end);
        let word = &text[start..end];
        let is_path = word.contains("/templates/") && !word.contains("://");
        out.push_str(&text[done..at]);
        out.push_str(if is_path { found } else { HIDDEN });
        done = at + found.len();
    }
    out.push_str(&text[done..]);
    out
}

/// Says whether a character ends the path of a template within an error.
const fn is_around_path(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '"' | '(' | ')' | '<' | '>' | '\'')
}

/// Returns a text with the insides of printed maps left out.
fn without_maps(text: &str) -> Cow<'_, str> {
    const START: &str = "map[";
    if !text.contains(START) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(START) {
        let (before, inside) = rest.split_at(at + START.len());
        out.push_str(before);
        let end = end_of(inside);
        if inside[..end].contains(':') {
            out.push_str("...");
            rest = &inside[end..];
        } else {
            rest = inside;
        }
    }
    out.push_str(rest);
    out.into()
}

/// Returns the place of the bracket that closes what is open at the start, or the end.
fn end_of(text: &str) -> usize {
    let mut open = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => open += 1,
            ']' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let values = json!({
            "auth": {"rootPassword": "hunter2", "existingSecret": "db-secret", "passwordKey": "the-key", "port": 5432},
            "secrets": {"any": "sesame", "pin": 123456},
            "tls": {"privateKey": "first line\nsecond line\n"},
            "token": "abc",
            "sealedSecrets": {"namespace": "sealed-secrets", "password": "password", "key": "open-sesame"},
        });
        let mut secrets = Secrets::default();
        secrets.note(values.as_object().expect("a map"));
        let check = |text: &str, shown: &str| assert_eq!(secrets.hide(text), shown);
        check("can't iterate over hunter2", "can't iterate over [hidden]");
        check("db-secret the-key 5432 abc", "db-secret the-key 5432 abc");
        check("sesame 123456 second line", "[hidden] [hidden] [hidden]");
        check("got map[string]interface {}", "got map[string]interface {}");
        check("wrong: map[a:map[b:[1 2]] c:d] here", "wrong: map[...] here");
        check(
            "at (sealed-secrets/templates/open-sesame.yaml:1:2): no password: open-sesame",
            "at (sealed-secrets/templates/open-sesame.yaml:1:2): no password: [hidden]",
        );
        check("at https://x/templates/hunter2", "at https://x/templates/[hidden]");
        check("at postgres://me:pa:ss@db/x", "at postgres://me:[hidden]@db/x");
        check("-----BEGIN RSA PRIVATE KEY-----\nMII\n", "-----BEGIN RSA PRIVATE KEY-----[hidden]");
    }
}
