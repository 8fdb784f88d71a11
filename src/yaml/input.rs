//! Bytes to characters: encodings, byte order marks and the characters that YAML refuses.

use std::borrow::Cow;

/// How many bytes are read ahead of the scanner. A bad byte is found when its block is read, before the tokens in it are seen.
const BLOCK: usize = 512;

/// The readable part of an input.
pub(super) struct Input<'a> {
    /// The characters up to the first that cannot be read.
    pub text: Cow<'a, str>,
    /// Why reading stops where `text` ends; none at the real end.
    pub problem: Option<&'static str>,
}

/// Reads the bytes as UTF-8, or as UTF-16 if they begin with its byte order mark.
pub(super) fn read(bytes: &[u8]) -> Input<'_> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => read_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => read_utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => read_utf8(rest),
        _ => read_utf8(bytes),
    }
}

fn read_utf8(bytes: &[u8]) -> Input<'_> {
    let (valid, problem) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.valid_up_to();
            let valid = std::str::from_utf8(&bytes[..at]).expect("valid up to here");
            (valid, Some(encoding_problem(&bytes[at..])))
        }
    };
    if let Some(at) = forbidden(valid) {
        return cut(valid, at, "control characters are not allowed");
    }
    match problem {
        None => Input { text: Cow::Borrowed(valid), problem: None },
        Some(problem) => cut(valid, valid.len(), problem),
    }
}

fn cut<'a>(text: &'a str, at: usize, problem: &'static str) -> Input<'a> {
    let mut end = if problem.starts_with("incomplete") { at } else { at - at % BLOCK };
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Input { text: Cow::Borrowed(&text[..end]), problem: Some(problem) }
}

fn encoding_problem(rest: &[u8]) -> &'static str {
    let width = match rest[0] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    if rest.len() < width {
        return "incomplete UTF-8 octet sequence";
    }
    if rest[1..width].iter().any(|octet| octet & 0xc0 != 0x80) {
        return "invalid trailing UTF-8 octet";
    }
    let lead = u32::from(rest[0]) & (0x7f >> width);
    let value = rest[1..width].iter().fold(lead, |value, octet| value << 6 | u32::from(octet & 0x3f));
    let shortest = [0x80, 0x800, 0x1_0000][width - 2];
    if value < shortest { "invalid length of a UTF-8 sequence" } else { "invalid Unicode character" }
}

/// Returns the offset of the first character that YAML does not allow in a text.
pub(super) fn forbidden(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // Most runs have nothing that needs a closer look.
    const RUN: usize = 64;
    let is_doubtful = |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte >= 0x7f;
    bytes.chunks(RUN).enumerate().find_map(|(run, part)| {
        if !part.iter().fold(false, |found, byte| found | is_doubtful(byte)) {
            return None;
        }
        (run * RUN..run * RUN + part.len()).find(|at| is_refused(bytes, *at))
    })
}

fn is_refused(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'\t' | b'\n' | b'\r' => false,
        0..=0x1f | 0x7f => true,
        0xc2 => matches!(bytes[at + 1], 0x80..=0x84 | 0x86..=0x9f),
        0xef => bytes[at + 1] == 0xbf && bytes[at + 2] >= 0xbe,
        _ => false,
    }
}

fn read_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Input<'static> {
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut problem = (bytes.len() % 2 == 1).then_some("incomplete UTF-16 character");
    let mut units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    while let Some(first) = units.next() {
        let value = match first {
            0xdc00..=0xdfff => {
                problem = Some("unexpected low surrogate area");
                break;
            }
            0xd800..=0xdbff => match units.next() {
                None => {
                    problem = Some("incomplete UTF-16 surrogate pair");
                    break;
                }
                Some(second @ 0xdc00..=0xdfff) => {
                    0x1_0000 + ((u32::from(first) & 0x3ff) << 10) + (u32::from(second) & 0x3ff)
                }
                Some(_) => {
                    problem = Some("expected low surrogate area");
                    break;
                }
            },
            plain => u32::from(plain),
        };
        text.push(char::from_u32(value).expect("surrogates are paired above"));
    }
    if let Some(at) = forbidden(&text) {
        text.truncate(at);
        problem = Some("control characters are not allowed");
    }
    Input { text: Cow::Owned(text), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_cannot_be_read() {
        fn check(bytes: &[u8], text: &str, problem: Option<&str>) {
            let input = read(bytes);
            assert_eq!((&*input.text, input.problem), (text, problem), "{bytes:?}");
        }
        check(b"a: 1", "a: 1", None);
        check(b"\xef\xbb\xbfa", "a", None);
        check(b"\xff\xfea\0:\0", "a:", None);
        check(b"\xfe\xff\0a\xd8\x3d\xde\x00", "a\u{1F600}", None);
        check(b"\xfe\xff\0a\xd8\x3d", "a", Some("incomplete UTF-16 surrogate pair"));
        check(b"\xfe\xff\xdc\x00", "", Some("unexpected low surrogate area"));
        check(b"a\xff", "", Some("invalid leading UTF-8 octet"));
        check(b"a\xe9", "a", Some("incomplete UTF-8 octet sequence"));
        check(b"a\xe9bcd", "", Some("invalid trailing UTF-8 octet"));
        check(b"\xc0\x80", "", Some("invalid length of a UTF-8 sequence"));
        check(b"\xed\xa0\x80", "", Some("invalid Unicode character"));
        check(b"a\0", "", Some("control characters are not allowed"));
        check("\u{80}".as_bytes(), "", Some("control characters are not allowed"));
        check("\u{ffff}".as_bytes(), "", Some("control characters are not allowed"));
        check("a\u{85}\t\r\n".as_bytes(), "a\u{85}\t\r\n", None);
        let long = [vec![b'x'; 700], vec![1]].concat();
        assert_eq!(read(&long).text.len(), 512);
    }
}
