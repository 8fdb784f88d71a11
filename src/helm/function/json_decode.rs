//! JSON as Go's decoder reads it, and what it says of a text that is none.

use super::argument::lossy;
use crate::template::format::is_printable;
use crate::template::{Map, Value};

/// Reads JSON as Go's `interface {}` holds it: all numbers are floats.
pub(super) fn decode(text: &[u8]) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0, too_big: None };
    let value = reader.value(0)?;
    reader.blanks();
    if let Some(byte) = reader.peek() {
        return Err(invalid(byte, "after top-level value"));
    }
    // The text as a whole is looked at before its numbers are.
    match reader.too_big {
        Some(number) => Err(format!("json: cannot unmarshal number {number} into Go value of type float64")),
        None => Ok(value),
    }
}

/// How deep lists and objects may be nested.
const DEEPEST: usize = 10_000;

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    /// The first number that no float holds.
    too_big: Option<String>,
}

fn end() -> String {
    "unexpected end of JSON input".into()
}

fn invalid(byte: u8, context: &str) -> String {
    format!("invalid character {} {context}", shown(byte))
}

/// Returns a byte as Go quotes it, as if it were a character of its own.
fn shown(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".into(),
        b'"' => "'\"'".into(),
        b'\\' => r"'\\'".into(),
        b'\n' => r"'\n'".into(),
        b'\r' => r"'\r'".into(),
        b'\t' => r"'\t'".into(),
        0x07 => r"'\a'".into(),
        0x08 => r"'\b'".into(),
        0x0b => r"'\v'".into(),
        0x0c => r"'\f'".into(),
        _ if is_printable(char::from(byte)) => format!("'{}'", char::from(byte)),
        0x80.. => format!("'\\u{byte:04x}'"),
        _ => format!("'\\x{byte:02x}'"),
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek().ok_or_else(end)?;
        self.at += 1;
        Ok(byte)
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
        match self.next()? {
            b'{' | b'[' if depth == DEEPEST => Err("exceeded max depth".into()),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'"' => self.string().map(Value::from),
            b't' => self.word("true").map(|()| true.into()),
            b'f' => self.word("false").map(|()| false.into()),
            b'n' => self.word("null").map(|()| Value::Nil),
            byte @ (b'-' | b'0'..=b'9') => self.number(byte),
            byte => Err(invalid(byte, "looking for beginning of value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        let map = Map::new();
        if self.skip(b'}') {
            return Ok(map.into());
        }
        loop {
            self.blanks();
            let key = match self.next()? {
                b'"' => self.string()?,
                byte => return Err(invalid(byte, "looking for beginning of object key string")),
            };
            self.blanks();
            match self.next()? {
                b':' => map.insert(key, self.value(depth)?),
                byte => return Err(invalid(byte, "after object key")),
            }
            self.blanks();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(map.into()),
                byte => return Err(invalid(byte, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        if self.skip(b']') {
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.blanks();
            match self.next()? {
                b',' => {}
                b']' => return Ok(Value::list(items)),
                byte => return Err(invalid(byte, "after array element")),
            }
        }
    }

    fn word(&mut self, word: &str) -> Result<(), String> {
        for wanted in word.bytes().skip(1) {
            let byte = self.next()?;
            if byte != wanted {
                let context = format!("in literal {word} (expecting '{}')", char::from(wanted));
                return Err(invalid(byte, &context));
            }
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
            match self.next()? {
                b'"' => return Ok(text),
                b'\\' => text.push(self.escape()?),
                byte => return Err(invalid(byte, "in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.next()? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'\\' | b'/' | b'"') => char::from(byte),
            b'u' => {
                let first = self.hex()?;
                let Some(c) = char::from_u32(first) else { return self.low_surrogate(first) };
                c
            }
            byte => return Err(invalid(byte, "in string escape code")),
        })
    }

    /// Reads the second half of a character; a half that is alone becomes U+FFFD.
    fn low_surrogate(&mut self, first: u32) -> Result<char, String> {
        let before = self.at;
        if first < 0xdc00 && self.text[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, String> {
        let mut number = 0;
        for _ in 0..4 {
            let byte = self.next()?;
            let digit = char::from(byte).to_digit(16);
            number = number * 16 + digit.ok_or_else(|| invalid(byte, r"in \u hexadecimal character escape"))?;
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
        if number.is_infinite() && self.too_big.is_none() {
            self.too_big = Some(text.into_owned());
        }
        Ok(Value::Float(number))
    }

    fn digit(&mut self, context: &str) -> Result<u8, String> {
        let byte = self.next()?;
        if byte.is_ascii_digit() { Ok(byte) } else { Err(invalid(byte, context)) }
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
            let value = decode(text.as_bytes()).unwrap();
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
        let check = |text: &str, message: &str| assert_eq!(decode(text.as_bytes()).unwrap_err(), message, "{text}");
        check("", "unexpected end of JSON input");
        check("bad", "invalid character 'b' looking for beginning of value");
        check("{\"a\" 1}", "invalid character '1' after object key");
        check("{a:1}", "invalid character 'a' looking for beginning of object key string");
        check("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair");
        check("[1 2]", "invalid character '2' after array element");
        check("[1,]", "invalid character ']' looking for beginning of value");
        check("1 2", "invalid character '2' after top-level value");
        check("trve", "invalid character 'v' in literal true (expecting 'u')");
        check("\"\\q\"", "invalid character 'q' in string escape code");
        check("\"\\u00g0\"", "invalid character 'g' in \\u hexadecimal character escape");
        check("\"a\nb\"", "invalid character '\\n' in string literal");
        check("-x", "invalid character 'x' in numeric literal");
        check("1.x", "invalid character 'x' after decimal point in numeric literal");
        check("[\"a\"", "unexpected end of JSON input");
        check("é", "invalid character 'Ã' looking for beginning of value");
        check("[1e400]", "json: cannot unmarshal number 1e400 into Go value of type float64");
    }
}
