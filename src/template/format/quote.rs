//! Go's quoted strings, both ways.

/// Returns text in double quotes as Go's `strconv.Quote` writes it.
pub fn quote(text: &[u8]) -> Vec<u8> {
    quoted(text, b'"', false)
}

/// Returns text in quotes, with everything beyond ASCII escaped if asked for.
pub(super) fn quoted(text: &[u8], mark: u8, is_ascii: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(mark);
    for chunk in text.utf8_chunks() {
        let mut rest = chunk.valid();
        while !rest.is_empty() {
            let plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != mark && *byte != b'\\';
            let (run, after) = rest.split_at(rest.bytes().take_while(plain).count());
            out.extend_from_slice(run.as_bytes());
            let mut chars = after.chars();
            if let Some(c) = chars.next() {
                push_char(&mut out, c, mark, is_ascii);
            }
            rest = chars.as_str();
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
    out.push(mark);
    out
}

/// Returns text in double quotes.
pub fn quote_text(text: &str) -> String {
    String::from_utf8_lossy(&quote(text.as_bytes())).into_owned()
}

fn push_char(out: &mut Vec<u8>, c: char, mark: u8, is_ascii: bool) {
    let escape = match c {
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{b}' => "\\v",
        '\\' => "\\\\",
        _ if c == char::from(mark) => {
            out.push(b'\\');
            out.push(mark);
            return;
        }
        ' '..='~' => {
            out.push(c as u8);
            return;
        }
        _ if !is_ascii && is_printable(c) => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        _ => {
            let code = c as u32;
            let escape = match code {
                0..0x20 | 0x7f => format!("\\x{code:02x}"),
                0x20..0x1_0000 => format!("\\u{code:04x}"),
                _ => format!("\\U{code:08x}"),
            };
            out.extend_from_slice(escape.as_bytes());
            return;
        }
    };
    out.extend_from_slice(escape.as_bytes());
}

/// Tells whether a character shows: a letter, mark, number, punctuation, symbol or the ASCII blank.
pub fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{9f}' => false,
        // Escapes stand for what does not show; the letter before keeps marks from being escaped.
        _ => !format!("a{c}").escape_debug().any(|shown| shown == '\\'),
    }
}

/// Returns the bytes that a Go string literal stands for; `None` if it is malformed.
pub fn unquote(literal: &str) -> Option<Vec<u8>> {
    let mark = literal.chars().next()?;
    let inner = literal.get(1..)?.strip_suffix(mark)?;
    if mark == '`' {
        return Some(inner.bytes().filter(|byte| *byte != b'\r').collect());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let plain = rest.find(['\\', '\n', mark]).unwrap_or(rest.len());
        out.extend_from_slice(&rest.as_bytes()[..plain]);
        rest = &rest[plain..];
        if !rest.is_empty() {
            let (code, tail) = unquote_char(rest, mark)?;
            let is_byte = matches!(rest.as_bytes().get(1), Some(b'x' | b'0'..=b'7'));
            if is_byte {
                out.push(u8::try_from(code).ok()?);
            } else {
                out.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
            }
            rest = tail;
        }
    }
    Some(out)
}

/// Returns the first character of a quoted text, unescaped, and what follows it.
pub fn unquote_char(text: &str, mark: char) -> Option<(u32, &str)> {
    let mut chars = text.chars();
    let c = chars.next()?;
    if c == mark || c == '\n' {
        return None;
    }
    if c != '\\' {
        return Some((c as u32, chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let digits = |from: &'_ str, count: usize, base: u32| {
        let digits = from.get(..count)?;
        if !digits.chars().all(|c| c.is_digit(base)) {
            return None;
        }
        u32::from_str_radix(digits, base).ok()
    };
    Some(match escape {
        'a' => (7, rest),
        'b' => (8, rest),
        'f' => (12, rest),
        'n' => (10, rest),
        'r' => (13, rest),
        't' => (9, rest),
        'v' => (11, rest),
        '\\' => (u32::from(b'\\'), rest),
        '\'' | '"' if escape == mark => (mark as u32, rest),
        'x' => (digits(rest, 2, 16)?, &rest[2..]),
        'u' => (char::from_u32(digits(rest, 4, 16)?)? as u32, &rest[4..]),
        'U' => (char::from_u32(digits(rest, 8, 16)?)? as u32, &rest[8..]),
        '0'..='7' => {
            let from = &text[1..];
            (digits(from, 3, 8).filter(|code| *code < 256)?, &from[3..])
        }
        _ => return None,
    })
}
