//! YAML as Kubernetes and Helm read it: YAML 1.1 resolution, Go-compatible emitters, errors with line numbers.

mod decode;
mod emit;
mod go;
mod input;
mod parser;
mod resolve;
mod scalar;
mod scanner;
mod skim;
mod tag;

use std::fmt;

use serde_json::Value;

use emit::Dialect;
use parser::Parser;
use scanner::Scanner;

/// A text that is not YAML, or none that JSON can hold; worded as Helm and Argo CD word it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line the message names, where there is one. It counts from the start of the document that was read.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
    conversion: bool,
}

impl Error {
    fn syntax(line: Option<u32>, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), conversion: false }
    }

    fn conversion(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into(), conversion: true }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            _ if self.conversion => f.write_str(&self.message),
            Some(line) => write!(f, "yaml: line {line}: {}", self.message),
            None => write!(f, "yaml: {}", self.message),
        }
    }
}

impl std::error::Error for Error {}

/// One document of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it says; an empty document is null.
    pub value: Result<Value, Error>,
    /// The line on which it starts, from 1.
    pub line: u32,
}

/// Returns the first document as JSON; null if there is none.
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    let input = input::read(bytes);
    decode::first_document(Parser::new(Scanner::new(&input.text, input.problem)))
}

/// Returns the first document as [`parse`] does, but of a mapping perhaps only these keys. All of it has to be valid all the same.
pub fn parse_keys(bytes: &[u8], keys: &[&str]) -> Result<Value, Error> {
    let input = input::read(bytes);
    let parser = || Parser::new(Scanner::new(&input.text, input.problem));
    match skim::first_document(parser(), keys) {
        Some(found) => Ok(Value::Object(found)),
        None => decode::first_document(parser()),
    }
}

/// Returns every document of a stream, with the line on which each starts. As in Kubernetes, a line that begins with
/// `---` ends a document before anything in it is read, so that one bad document does not hide the others.
pub fn documents(bytes: &[u8]) -> Vec<Document> {
    split(bytes).into_iter().map(|(line, text)| Document { value: parse(text), line }).collect()
}

/// Returns the pieces of a stream between its `---` lines, each with its first line; empty pieces are left out.
pub fn split(bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let mut pieces = Vec::new();
    let (mut start, mut start_line) = (0, 1);
    let (mut at, mut line) = (0, 1);
    let mut close = |from: usize, to: usize, line: u32| {
        if bytes[from..to].iter().any(|byte| !byte.is_ascii_whitespace()) {
            pieces.push((line, &bytes[from..to]));
        }
    };
    while at < bytes.len() {
        let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |offset| at + offset + 1);
        if let Some(rest) = bytes[at..end].strip_prefix(b"---") {
            let rest = rest.trim_ascii();
            if rest.is_empty() || rest[0] == b'#' {
                close(start, at, start_line);
                (start, start_line) = (end, line + 1);
            } else if bytes[at + 3].is_ascii_whitespace() && at > start {
                // `--- {a: 1}` begins a document on its own line.
                close(start, at, start_line);
                (start, start_line) = (at, line);
            }
        }
        at = end;
        line += 1;
    }
    close(start, bytes.len(), start_line);
    pieces
}

/// Returns the text that sigs.k8s.io/yaml writes, ending with a newline. It is empty for what that library refuses:
/// control characters beyond the escaped ones, and keys over 1024 characters.
pub fn to_string(value: &Value) -> String {
    emit::emit(value, Dialect::Kubernetes).unwrap_or_default()
}

/// Returns the text that Helm's `toYamlPretty` writes: sequences indented under their key, no folded lines.
pub fn to_string_pretty(value: &Value) -> String {
    emit::emit(value, Dialect::Pretty).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_a_stream() {
        let stream = b"# head\n---\na: 1\n--- # two\nb: [\n---\n\n---\nc: |\n  ---\n--- d\n";
        let read: Vec<(u32, String)> = documents(stream)
            .into_iter()
            .map(|document| {
                (document.line, document.value.map_or_else(|error| error.to_string(), |value| value.to_string()))
            })
            .collect();
        let expected = [
            (1, "null"),
            (3, "{\"a\":1}"),
            (5, "yaml: line 1: did not find expected node content"),
            (9, "{\"c\":\"---\\n\"}"),
            (11, "\"d\""),
        ];
        assert_eq!(read, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn reads_a_few_keys_like_all_of_them() {
        let texts = [
            "kind: A\nspec: {a: [1, .5, {b: c}], d: |\n  x\n}\nmetadata:\n  name: n\n  labels: {y: yes}\n",
            "kind: A\nspec: {a: [1, .5, {b: c}]}\nmetadata:\n  name: n\n  n: 1\n  list:\n  - 1.5\n  - ~\n  - 2001-01-01\n",
            "kind: A\nkind: B\nspec: .inf\n",
            "kind: A\nspec: {a: -.inf}\n",
            "spec:\n- +.Inf\n",
            "spec: {~: 1}\n",
            "spec: &a x\nkind: *a\n",
            "spec: *a\n",
            "spec: !!int x\n",
            "spec: {<<: 1}\n",
            "spec: [\n",
            "kind: A\n b: 1\n",
            "kind: A\nspec: \"\\q\"\n",
            "kind: A\n...\n]",
            "- kind\n",
            "text",
            "",
            "# nothing\n",
            "\u{1}",
        ];
        let keys = ["kind", "metadata"];
        for text in texts {
            let only = |value: Value| match value {
                Value::Object(map) => map.into_iter().filter(|(key, _)| keys.contains(&key.as_str())).collect(),
                other => other,
            };
            assert_eq!(parse_keys(text.as_bytes(), &keys).map(only), parse(text.as_bytes()).map(only), "{text}");
        }
        let plain = "kind: A\nspec:\n- {a: 1}\nmetadata:\n  name: n\n";
        let skimmed = parse_keys(plain.as_bytes(), &keys).expect("valid");
        assert!(skimmed.get("spec").is_none(), "what nobody asked for is not built");
    }

    #[test]
    fn limits_what_a_small_text_can_become() {
        fn check(text: &str, error: &str) {
            assert_eq!(parse(text.as_bytes()).expect_err("refused").to_string(), error);
        }
        check(&"[".repeat(200_000), "yaml: exceeded max depth of 10000");
        check(&format!("{}{}", "[".repeat(1001), "]".repeat(1001)), "yaml: exceeded max depth of 1000");
        check(&"- ".repeat(200_000), "yaml: exceeded max depth of 10000");
        let chain: String = (0..1100).map(|at| format!("- &a{} [*a{at}]\n", at + 1)).collect();
        check(&format!("- &a0 x\n{chain}"), "yaml: document contains excessive aliasing");
        let copies = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(90));
        check(&copies, "yaml: document contains excessive aliasing");
    }

    #[test]
    fn merges_in_the_order_of_the_text() {
        fn check(text: &str, json: &str) {
            let read = parse(text.as_bytes()).map_or_else(|error| error.to_string(), |value| value.to_string());
            assert_eq!(read, json, "{text}");
        }
        check("d: &d {a: 1, b: 2}\nx: {<<: *d, b: 3}", r#"{"d":{"a":1,"b":2},"x":{"a":1,"b":3}}"#);
        check("x: {a: 1, <<: {a: 2}}", r#"{"x":{"a":2}}"#);
        check("<<: [{a: 1}, {a: 2, b: 3}]", r#"{"a":1,"b":3}"#);
        check("s: &s [{a: 1}]\nx: {<<: *s}", "yaml: map merge requires map or sequence of maps as the value");
        check("<<: [1]", "yaml: map merge requires map or sequence of maps as the value");
        check("a: &x {b: *x}", "yaml: anchor 'x' value contains itself");
    }
}
