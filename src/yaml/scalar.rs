//! The scalars of a text: plain, quoted and block, with their folding of lines.

use std::borrow::Cow;

use super::Error;
use super::scanner::Scanner;

/// A line break as it counts in a value: the ordinary ones are all one line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    Line,
    LineSeparator,
    ParagraphSeparator,
}

impl Break {
    fn as_str(self) -> &'static str {
        match self {
            Self::Line => "\n",
            Self::LineSeparator => "\u{2028}",
            Self::ParagraphSeparator => "\u{2029}",
        }
    }
}

/// Line breaks met inside a scalar, not yet known to be part of it.
#[derive(Default)]
struct Breaks {
    first: Option<Break>,
    more: String,
}

impl Breaks {
    fn add(&mut self, found: Break) {
        match self.first {
            None => self.first = Some(found),
            Some(_) => self.more.push_str(found.as_str()),
        }
    }

    /// Folds them into a flow scalar: one break is a space, further ones stay.
    fn fold_into(&mut self, value: &mut String) {
        match self.first.take() {
            Some(Break::Line) if self.more.is_empty() => value.push(' '),
            Some(Break::Line) | None => {}
            Some(other) => value.push_str(other.as_str()),
        }
        value.push_str(&self.more);
        self.more.clear();
    }
}

/// A value that is a piece of the text until something has to be changed in it.
struct Piece<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    owned: Option<String>,
}

impl<'a> Piece<'a> {
    fn new(text: &'a str, start: usize) -> Self {
        Self { text, start, end: start, owned: None }
    }

    /// Adds a run of the text; runs that follow each other need no copy.
    fn push_run(&mut self, start: usize, end: usize) {
        match &mut self.owned {
            Some(owned) => owned.push_str(&self.text[start..end]),
            None if start == self.end => self.end = end,
            None => {
                let text = self.text;
                self.change().push_str(&text[start..end]);
            }
        }
    }

    fn change(&mut self) -> &mut String {
        let (text, start, end) = (self.text, self.start, self.end);
        self.owned.get_or_insert_with(|| {
            let mut owned = String::with_capacity((end - start) * 2 + 16);
            owned.push_str(&text[start..end]);
            owned
        })
    }

    fn finish(self) -> Cow<'a, str> {
        match self.owned {
            Some(owned) => Cow::Owned(owned),
            None => Cow::Borrowed(&self.text[self.start..self.end]),
        }
    }
}

const PLAIN: u8 = 1;
const FLOW_PLAIN: u8 = 2;
const SINGLE: u8 = 4;
const DOUBLE: u8 = 8;

/// For each byte, the scalars that it can never end or change.
const ORDINARY: [u8; 256] = {
    let mut table = [PLAIN | FLOW_PLAIN | SINGLE | DOUBLE; 256];
    let mut at = 0;
    let breaks = [0, b' ', b'\t', b'\r', b'\n', 0xc2, 0xe2];
    while at < breaks.len() {
        table[breaks[at] as usize] = 0;
        at += 1;
    }
    table[b':' as usize] = SINGLE | DOUBLE;
    table[b'\'' as usize] = PLAIN | FLOW_PLAIN | DOUBLE;
    table[b'"' as usize] = PLAIN | FLOW_PLAIN | SINGLE;
    table[b'\\' as usize] = PLAIN | FLOW_PLAIN | SINGLE;
    let flow = [b',', b'?', b'[', b']', b'{', b'}'];
    at = 0;
    while at < flow.len() {
        table[flow[at] as usize] = PLAIN | SINGLE | DOUBLE;
        at += 1;
    }
    table
};

impl<'a> Scanner<'a> {
    /// Returns where the run of bytes that are ordinary in such a scalar ends.
    #[inline]
    fn run_end(&self, class: u8) -> usize {
        let rest = &self.bytes[self.pos..];
        self.pos + rest.iter().position(|byte| ORDINARY[*byte as usize] & class == 0).unwrap_or(rest.len())
    }

    pub(super) fn scan_plain_scalar(&mut self) -> Result<Cow<'a, str>, Error> {
        let indent = self.indent + 1;
        let class = if self.flow_level > 0 { FLOW_PLAIN } else { PLAIN };
        let mut value = Piece::new(self.text, self.pos);
        let mut breaks = Breaks::default();
        let mut spaces = self.pos..self.pos;
        let mut on_new_line = false;
        while !self.is_document_indicator() && self.at(0) != b'#' {
            let start = self.pos;
            loop {
                let end = self.run_end(class);
                self.skip_to(end);
                if self.is_blank_or_end(0) || (self.at(0) == b':' && self.is_blank_or_end(1)) {
                    break;
                }
                if class == FLOW_PLAIN && matches!(self.at(0), b',' | b'?' | b'[' | b']' | b'{' | b'}') {
                    break;
                }
                self.skip();
            }
            if self.pos > start {
                if on_new_line {
                    breaks.fold_into(value.change());
                    on_new_line = false;
                } else if !spaces.is_empty() {
                    value.push_run(spaces.start, spaces.end);
                }
                value.push_run(start, self.pos);
                spaces = self.pos..self.pos;
            }
            if !(self.is_blank(0) || self.is_break(0)) {
                break;
            }
            loop {
                if self.is_blank(0) {
                    if on_new_line && (self.column() as isize) < indent && self.at(0) == b'\t' {
                        return Err(self.error("found a tab character that violates indentation"));
                    }
                    self.pos += 1;
                    if !on_new_line {
                        spaces.end = self.pos;
                    }
                } else if let Some(found) = self.take_break() {
                    on_new_line = true;
                    breaks.add(found);
                } else {
                    break;
                }
            }
            if self.flow_level == 0 && (self.column() as isize) < indent {
                break;
            }
        }
        if on_new_line {
            self.simple_key_allowed = true;
        }
        Ok(value.finish())
    }

    pub(super) fn scan_quoted_scalar(&mut self, quote: u8) -> Result<Cow<'a, str>, Error> {
        let class = if quote == b'\'' { SINGLE } else { DOUBLE };
        self.pos += 1;
        let mut value = Piece::new(self.text, self.pos);
        let mut breaks = Breaks::default();
        loop {
            if self.is_document_indicator() {
                return Err(self.error("found unexpected document indicator"));
            }
            if self.is_end(0) {
                return Err(self.error("found unexpected end of stream"));
            }
            let mut on_new_line = false;
            loop {
                let start = self.pos;
                let end = self.run_end(class);
                self.skip_to(end);
                value.push_run(start, end);
                if self.is_blank_or_end(0) {
                    break;
                }
                match self.at(0) {
                    b'\'' if quote == b'\'' => {
                        if self.at(1) != b'\'' {
                            break;
                        }
                        value.change().push('\'');
                        self.pos += 2;
                    }
                    b'"' if quote == b'"' => break,
                    b'\\' if quote == b'"' && self.is_break(1) => {
                        self.pos += 1;
                        self.take_break();
                        value.change();
                        on_new_line = true;
                        break;
                    }
                    b'\\' if quote == b'"' => {
                        let escaped = self.scan_escape()?;
                        value.change().push(escaped);
                    }
                    _ => {
                        let start = self.pos;
                        self.skip();
                        value.push_run(start, self.pos);
                    }
                }
            }
            if self.at(0) == quote {
                break;
            }
            let spaces = self.pos;
            let mut spaces_end = self.pos;
            loop {
                if self.is_blank(0) {
                    self.pos += 1;
                    if !on_new_line {
                        spaces_end = self.pos;
                    }
                } else if let Some(found) = self.take_break() {
                    if on_new_line && breaks.first.is_none() {
                        // The escaped break was the first one, and it counts as nothing.
                        breaks.more.push_str(found.as_str());
                    } else {
                        breaks.add(found);
                    }
                    on_new_line = true;
                } else {
                    break;
                }
            }
            if on_new_line {
                breaks.fold_into(value.change());
            } else {
                value.push_run(spaces, spaces_end);
            }
        }
        self.pos += 1;
        Ok(value.finish())
    }

    fn scan_escape(&mut self) -> Result<char, Error> {
        let digits = match self.at(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                let Some(escaped) = simple_escape(other) else {
                    return Err(self.error("found unknown escape character"));
                };
                self.pos += 2;
                return Ok(escaped);
            }
        };
        self.pos += 2;
        let mut code: u32 = 0;
        for at in 0..digits {
            let Some(digit) = (self.at(at) as char).to_digit(16) else {
                return Err(self.error("did not find expected hexdecimal number"));
            };
            code = code.wrapping_shl(4) | digit;
        }
        let Some(escaped) = char::from_u32(code) else {
            return Err(self.error("found invalid Unicode character escape code"));
        };
        self.pos += digits;
        Ok(escaped)
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<String, Error> {
        self.pos += 1;
        let (keep, increment) = self.scan_block_header()?;
        let mut indent = match increment {
            0 => 0,
            more => self.indent.max(0) as usize + more,
        };
        let mut value = String::new();
        let mut leading: Option<Break> = None;
        let mut trailing = String::new();
        self.scan_block_breaks(&mut indent, &mut trailing)?;
        let mut after_blank = false;
        while self.column() == indent && !self.is_end(0) {
            let at_blank = self.is_blank(0);
            match leading.take() {
                Some(Break::Line) if !literal && !after_blank && !at_blank => {
                    value.push_str(if trailing.is_empty() { " " } else { "" });
                }
                Some(found) => value.push_str(found.as_str()),
                None => {}
            }
            value.push_str(&trailing);
            trailing.clear();
            after_blank = at_blank;
            let start = self.pos;
            self.skip_line_content();
            value.push_str(&self.text[start..self.pos]);
            leading = self.take_break();
            self.scan_block_breaks(&mut indent, &mut trailing)?;
        }
        if keep != Some(false)
            && let Some(found) = leading
        {
            value.push_str(found.as_str());
        }
        if keep == Some(true) {
            value.push_str(&trailing);
        }
        Ok(value)
    }

    /// Moves to the end of the line.
    fn skip_line_content(&mut self) {
        let mut end = self.pos;
        loop {
            match self.bytes.get(end) {
                None | Some(b'\n' | b'\r') => break,
                Some(0xc2 | 0xe2) => {
                    self.skip_to(end);
                    if self.is_break(0) {
                        return;
                    }
                    end += 1;
                }
                Some(_) => end += 1,
            }
        }
        self.skip_to(end);
    }

    /// Reads chomping (keep, strip, or neither) and the indentation given.
    fn scan_block_header(&mut self) -> Result<(Option<bool>, usize), Error> {
        let mut keep = None;
        let mut increment = 0;
        for _ in 0..2 {
            match self.at(0) {
                sign @ (b'+' | b'-') if keep.is_none() => {
                    keep = Some(sign == b'+');
                    self.pos += 1;
                }
                b'0' if increment == 0 => return Err(self.error("found an indentation indicator equal to 0")),
                digit @ b'1'..=b'9' if increment == 0 => {
                    increment = usize::from(digit - b'0');
                    self.pos += 1;
                }
                _ => break,
            }
        }
        self.skip_blanks();
        self.skip_comment();
        if !self.is_break_or_end(0) {
            return Err(self.error("did not find expected comment or line break"));
        }
        self.take_break();
        Ok((keep, increment))
    }

    /// Moves over indentation and empty lines; finds the indentation if none was given.
    fn scan_block_breaks(&mut self, indent: &mut usize, breaks: &mut String) -> Result<(), Error> {
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.at(0) == b' ' {
                self.pos += 1;
            }
            let column = self.column();
            deepest = deepest.max(column);
            if (*indent == 0 || column < *indent) && self.at(0) == b'\t' {
                return Err(self.error("found a tab character where an indentation space is expected"));
            }
            match self.take_break() {
                Some(found) => breaks.push_str(found.as_str()),
                None => break,
            }
        }
        if *indent == 0 {
            *indent = deepest.max((self.indent + 1).max(1) as usize);
        }
        Ok(())
    }
}

fn simple_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0b',
        b'f' => '\x0c',
        b'r' => '\r',
        b'e' => '\x1b',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
