//! JSON as Go's decoder reads it, and what it says of a text that is none.

use super::argument::lossy;
use crate::template::format::is_printable;
use crate::template::{Map, Value, quote};

/// Whose words errors are in. Go rewrote its decoder in 1.27.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// Up to Go 1.26.
    Old,
    /// Since Go 1.27.
    New,
}

/// Reads JSON as Go's `interface {}` holds it: all numbers are floats.
///
/// The second value is what is wrong with a number that no float holds: Go says that after all else.
pub(super) fn decode(text: &[u8], wording: Wording) -> Result<(Value, Option<String>), String> {
    let mut reader = Reader { text, at: 0, wording, too_big: None };
    let value = reader.value(0)?;
    reader.blanks();
    if reader.peek().is_some() {
        return Err(reader.invalid("after top-level value"));
    }
    let problem = |number| format!("json: cannot unmarshal number {number} into Go value of type float64");
    Ok((value, reader.too_big.map(problem)))
}

/// How deep lists and objects may be nested.
const DEEPEST: usize = 10_000;

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    wording: Wording,
    /// The first number that no float holds.
    too_big: Option<String>,
}

fn end() -> String {
    "unexpected end of JSON input".into()
}

/// Returns a character as Go quotes it.
fn shown(c: char) -> String {
    match c {
        '\'' => r"'\''".into(),
        '\\' => r"'\\'".into(),
        '\n' => r"'\n'".into(),
        '\r' => r"'\r'".into(),
        '\t' => r"'\t'".into(),
        '\u{7}' => r"'\a'".into(),
        '\u{8}' => r"'\b'".into(),
        '\u{b}' => r"'\v'".into(),
        '\u{c}' => r"'\f'".into(),
        _ if is_printable(c) => format!("'{c}'"),
        '\0'..='\u{7f}' => format!("'\\x{:02x}'", u32::from(c)),
        '\u{80}'..='\u{ffff}' => format!("'\\u{:04x}'", u32::from(c)),
        _ => format!("'\\U{:08x}'", u32::from(c)),
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Says that the next character may not be where it is.
    fn invalid(&self, context: &str) -> String {
        let rest = &self.text[self.at..];
        let shown = match (self.wording, rest.first()) {
            (_, None) => "' '".into(),
            (Wording::Old, Some(byte)) => shown(char::from(*byte)),
            (Wording::New, Some(byte)) => {
                let start = rest[..rest.len().min(4)].utf8_chunks().next();
                match start.and_then(|chunk| chunk.valid().chars().next()) {
                    Some(c) => shown(c),
                    None => format!("'\\x{byte:02x}'"),
                }
            }
        };
        format!("invalid character {shown} {context}")
    }

    /// Returns the next character of a word, number or escape, in which Go once took the end of the text for a blank.
    fn inner(&self, context: &str) -> Result<u8, String> {
        match (self.peek(), self.wording) {
            (Some(byte), _) => Ok(byte),
            (None, Wording::Old) => Err(self.invalid(context)),
            (None, Wording::New) => Err(end()),
        }
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Skips a character if it is the next one after blanks.
    fn skip(&mut self, wanted: u8) -> bool {
        self.blanks();
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        self.blanks();
        let first = self.peek().ok_or_else(end)?;
        if !matches!(first, b'{' | b'[' | b'"' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9') {
            return Err(self.invalid("looking for beginning of value"));
        }
        self.at += 1;
        match first {
            b'{' | b'[' if depth == DEEPEST => Err("exceeded max depth".into()),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'"' => self.string().map(Value::from),
            b't' => self.word("true").map(|()| true.into()),
            b'f' => self.word("false").map(|()| false.into()),
            b'n' => self.word("null").map(|()| Value::Nil),
            byte => self.number(byte),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        let map = Map::new();
        if self.skip(b'}') {
            return Ok(map.into());
        }
        loop {
            self.expect(b'"', "looking for beginning of object key string")?;
            let key = self.string()?;
            self.expect(b':', "after object key")?;
            map.insert(key, self.value(depth)?);
            if self.skip(b'}') {
                return Ok(map.into());
            }
            self.expect(b',', "after object key:value pair")?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        if self.skip(b']') {
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.skip(b']') {
                return Ok(Value::list(items));
            }
            self.expect(b',', "after array element")?;
        }
    }

    /// Skips a character that has to be the next one after blanks.
    fn expect(&mut self, wanted: u8, context: &str) -> Result<(), String> {
        if self.skip(wanted) {
            return Ok(());
        }
        Err(if self.peek().is_some() { self.invalid(context) } else { end() })
    }

    fn word(&mut self, word: &str) -> Result<(), String> {
        for wanted in word.bytes().skip(1) {
            let context = format!("in literal {word} (expecting '{}')", char::from(wanted));
            if self.inner(&context)? != wanted {
                return Err(self.invalid(&context));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let plain = self.text[self.at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let plain = self.at + plain.ok_or_else(end)?;
            text.push_str(&lossy(&self.text[self.at..plain]));
            self.at = plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => {
                    return Err(self.invalid(if self.wording == Wording::Old {
                        "in string literal"
                    } else {
                        "in string"
                    }));
                }
            }
        }
    }

    /// Reads an escape, from its backslash on.
    fn escape(&mut self) -> Result<char, String> {
        let start = self.at;
        self.at += 1;
        let c = match self.inner("in string escape code")? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'\\' | b'/' | b'"') => char::from(byte),
            b'u' => {
                self.at += 1;
                let first = self.hex(start)?;
                return char::from_u32(first).map_or_else(|| self.low_surrogate(first), Ok);
            }
            _ => return Err(self.bad_escape(start, 2, "in string escape code")),
        };
        self.at += 1;
        Ok(c)
    }

    /// Says that an escape of so many bytes is none; `context` is where it went wrong.
    fn bad_escape(&self, start: usize, length: usize, context: &str) -> String {
        if self.wording == Wording::Old {
            return self.invalid(context);
        }
        let escape = &self.text[start..self.text.len().min(start + length)];
        let is_plain = |c: char| c != '`' && !c.is_whitespace() && is_printable(c);
        match std::str::from_utf8(escape) {
            Ok(escape) if escape.chars().all(is_plain) => format!("invalid escape sequence `{escape}` in string"),
            _ => format!("invalid escape sequence {} in string", lossy(&quote(escape))),
        }
    }

    /// Reads the second half of a character; a half that is alone becomes U+FFFD.
    fn low_surrogate(&mut self, first: u32) -> Result<char, String> {
        let before = self.at;
        if first < 0xdc00 && self.text[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let second = self.hex(before)?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// Reads the digits of an escape that starts at `start`.
    fn hex(&mut self, start: usize) -> Result<u32, String> {
        const CONTEXT: &str = r"in \u hexadecimal character escape";
        let mut number = 0;
        for _ in 0..4 {
            let digit = char::from(self.inner(CONTEXT)?).to_digit(16);
            number = number * 16 + digit.ok_or_else(|| self.bad_escape(start, 6, CONTEXT))?;
            self.at += 1;
        }
        Ok(number)
    }

    fn number(&mut self, first: u8) -> Result<Value, String> {
        let start = self.at - 1;
        let first = if first == b'-' { self.digit("in numeric literal")? } else { first };
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        let text = lossy(&self.text[start..self.at]);
        let number = text.parse().unwrap_or(f64::INFINITY);
        if number.is_finite() {
            return Ok(Value::Float(number));
        }
        self.too_big.get_or_insert_with(|| text.into_owned());
        Ok(if self.wording == Wording::Old { Value::Nil } else { Value::Float(0.0) })
    }

    fn digit(&mut self, context: &str) -> Result<u8, String> {
        let context = if self.wording == Wording::Old { context } else { "in numeric literal" };
        let byte = self.inner(context)?;
        if !byte.is_ascii_digit() {
            return Err(self.invalid(context));
        }
        self.at += 1;
        Ok(byte)
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::print_value;

    #[test]
    fn values_are_those_of_go() {
        let check = |text: &str, expected: &str| {
            let (value, _) = decode(text.as_bytes(), Wording::New).unwrap();
            assert_eq!(lossy(&print_value(&value)), expected, "{text}");
        };
        check(r#" {"b": [1, -2.5e3, null, true, false], "a": {}} "#, "map[a:map[] b:[1 -2500 <nil> true false]]");
        check("[]", "[]");
        check(r#""a\n\"\\\/é\u00e9\ud83d\ude00""#, "a\n\"\\/éé😀");
        check(r#""\ud800-\udc00\ud800\u0041""#, "\u{fffd}-\u{fffd}\u{fffd}A");
        check("1000000", "1e+06");
        check(&format!("{}{}", "[".repeat(200), "]".repeat(200)), &format!("{}{}", "[".repeat(200), "]".repeat(200)));
    }

    #[test]
    fn complaints_are_those_of_go() {
        let check = |text: &[u8], old: &str, new: &str| {
            let shown = lossy(text);
            assert_eq!(decode(text, Wording::Old).unwrap_err(), old, "{shown}");
            assert_eq!(decode(text, Wording::New).unwrap_err(), new, "{shown}");
        };
        let both = |text: &str, message: &str| check(text.as_bytes(), message, message);
        both("", "unexpected end of JSON input");
        both("bad", "invalid character 'b' looking for beginning of value");
        both("{\"a\" 1}", "invalid character '1' after object key");
        both("{\"a\"", "unexpected end of JSON input");
        both("{a:1}", "invalid character 'a' looking for beginning of object key string");
        both("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair");
        both("[1 2]", "invalid character '2' after array element");
        both("[1,]", "invalid character ']' looking for beginning of value");
        both("1 2", "invalid character '2' after top-level value");
        both("trve", "invalid character 'v' in literal true (expecting 'u')");
        both("-x", "invalid character 'x' in numeric literal");
        both("[\"a\"", "unexpected end of JSON input");
        let escape = "invalid character 'q' in string escape code";
        check(br#""\q""#, escape, r"invalid escape sequence `\q` in string");
        let hex = |c| format!(r"invalid character '{c}' in \u hexadecimal character escape");
        check(br#""\u00g0""#, &hex('g'), r"invalid escape sequence `\u00g0` in string");
        check(br#""\u12""#, &hex('"'), r#"invalid escape sequence `\u12"` in string"#);
        check(br#""\u12"#, &hex(' '), "unexpected end of JSON input");
        let line = r"invalid character '\n' in string";
        check(b"\"a\nb\"", &format!("{line} literal"), line);
        let number = "invalid character 'x' in numeric literal";
        check(b"1.x", "invalid character 'x' after decimal point in numeric literal", number);
        check(b"nul", "invalid character ' ' in literal null (expecting 'l')", "unexpected end of JSON input");
        let start = |c: &str| format!("invalid character {c} looking for beginning of value");
        check("é".as_bytes(), &start("'Ã'"), &start("'é'"));
        check(b"\x80", &start(r"'\u0080'"), &start(r"'\x80'"));
    }

    #[test]
    fn numbers_that_are_too_big_are_complained_of_last() {
        let (value, problem) = decode(b"[1e400]", Wording::Old).unwrap();
        assert_eq!(print_value(&value), b"[<nil>]");
        assert_eq!(problem.unwrap(), "json: cannot unmarshal number 1e400 into Go value of type float64");
    }
}
