//! Characters to tokens: indentation, simple keys and the places where YAML allows them.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::Error;
use super::scalar::Break;

/// Nesting beyond this is refused, in flow collections as in indentation.
const MAX_DEPTH: usize = 10_000;

/// How far, in characters, the `:` of a simple key may be from the start of the key.
const MAX_SIMPLE_KEY: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Block,
}

#[derive(Debug, PartialEq)]
pub(super) enum Kind<'a> {
    Version(u8, u8),
    TagDirective(Box<(String, String)>),
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag(Box<(String, String)>),
    Scalar(Cow<'a, str>, Style),
}

#[derive(Debug)]
pub(super) struct Token<'a> {
    pub kind: Kind<'a>,
    /// The line on which it starts, from 0.
    pub line: u32,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Mark {
    pub index: usize,
    pub line: u32,
    pub column: usize,
}

#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    number: usize,
    mark: Mark,
}

pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    pub(super) line: u32,
    /// Bytes before `pos` that continue a character, so that `pos - wide` counts characters.
    wide: usize,
    /// The character index at which the line begins.
    line_index: usize,
    problem: Option<&'static str>,
    tokens: VecDeque<Token<'a>>,
    taken: usize,
    ready: bool,
    ended: bool,
    /// The column of the enclosing block collection, -1 outside all.
    pub(super) indent: isize,
    indents: Vec<isize>,
    pub(super) flow_level: usize,
    pub(super) simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
}

impl<'a> Scanner<'a> {
    /// Scans a text; `problem` is what reading it met at its end.
    pub(super) fn new(text: &'a str, problem: Option<&'static str>) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            line: 0,
            wide: 0,
            line_index: 0,
            problem,
            tokens: VecDeque::with_capacity(16),
            taken: 0,
            ready: false,
            ended: false,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
        }
    }

    /// Returns the next token without taking it.
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Error> {
        if !self.ready {
            self.fetch_more()?;
        }
        Ok(self.tokens.front().expect("fetching leaves a token"))
    }

    /// Takes the token that `peek` showed.
    pub(super) fn take(&mut self) -> Token<'a> {
        self.ready = false;
        self.taken += 1;
        self.tokens.pop_front().expect("a token was peeked at")
    }

    #[inline]
    pub(super) fn at(&self, offset: usize) -> u8 {
        self.bytes.get(self.pos + offset).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn column(&self) -> usize {
        self.pos - self.wide - self.line_index
    }

    #[inline]
    pub(super) fn mark(&self) -> Mark {
        let index = self.pos - self.wide;
        Mark { index, line: self.line, column: index - self.line_index }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        Error::syntax((self.line != 0).then_some(self.line + 1), message)
    }

    /// Moves over one character.
    #[inline]
    pub(super) fn skip(&mut self) {
        let lead = self.at(0);
        let width = match lead {
            0..=0x7f => 1,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        self.pos += width;
        self.wide += width - 1;
    }

    /// Moves to a later byte offset on the same line.
    #[inline]
    pub(super) fn skip_to(&mut self, end: usize) {
        let run = &self.bytes[self.pos..end];
        if !run.is_ascii() {
            self.wide += run.iter().filter(|byte| **byte & 0xc0 == 0x80).count();
        }
        self.pos = end;
    }

    /// Says whether a line break stands at an offset.
    #[inline]
    pub(super) fn is_break(&self, offset: usize) -> bool {
        match self.at(offset) {
            b'\r' | b'\n' => true,
            0xc2 => self.at(offset + 1) == 0x85,
            0xe2 => self.at(offset + 1) == 0x80 && matches!(self.at(offset + 2), 0xa8 | 0xa9),
            _ => false,
        }
    }

    #[inline]
    pub(super) fn is_end(&self, offset: usize) -> bool {
        self.pos + offset >= self.bytes.len()
    }

    #[inline]
    pub(super) fn is_blank(&self, offset: usize) -> bool {
        matches!(self.at(offset), b' ' | b'\t')
    }

    #[inline]
    pub(super) fn is_break_or_end(&self, offset: usize) -> bool {
        self.is_end(offset) || self.is_break(offset)
    }

    #[inline]
    pub(super) fn is_blank_or_end(&self, offset: usize) -> bool {
        self.is_blank(offset) || self.is_break_or_end(offset)
    }

    /// Takes a line break, if one stands here.
    pub(super) fn take_break(&mut self) -> Option<Break> {
        let (width, kind) = match (self.at(0), self.at(1), self.at(2)) {
            (b'\r', b'\n', _) => (2, Break::Line),
            (b'\r' | b'\n', _, _) => (1, Break::Line),
            (0xc2, 0x85, _) => (2, Break::Line),
            (0xe2, 0x80, 0xa8) => (3, Break::LineSeparator),
            (0xe2, 0x80, 0xa9) => (3, Break::ParagraphSeparator),
            _ => return None,
        };
        if self.at(0) >= 0x80 {
            self.wide += width - 1;
        }
        self.pos += width;
        self.line += 1;
        self.line_index = self.pos - self.wide;
        Some(kind)
    }

    /// Says whether `---` or `...` stands at the start of this line.
    pub(super) fn is_document_indicator(&self) -> bool {
        self.column() == 0
            && matches!(self.bytes.get(self.pos..self.pos + 3), Some(b"---" | b"..."))
            && self.is_blank_or_end(3)
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.pos += 1;
        }
    }

    pub(super) fn skip_comment(&mut self) {
        if self.at(0) == b'#' {
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
    }

    fn fetch_more(&mut self) -> Result<(), Error> {
        while self.tokens.is_empty() || self.head_may_be_key()? {
            let fetched = self.fetch_next();
            if let Some(problem) = self.problem
                && (self.pos + 1 >= self.bytes.len())
            {
                return Err(Error::syntax(None, problem));
            }
            fetched?;
        }
        self.ready = true;
        Ok(())
    }

    /// Says whether the first token waiting may turn out to begin a key, so that more has to be read first.
    fn head_may_be_key(&mut self) -> Result<bool, Error> {
        let head = self.taken;
        let first = match self.simple_keys.len() {
            1 => 0,
            _ => self.simple_keys.partition_point(|key| key.number < head),
        };
        for at in first..self.simple_keys.len() {
            let key = self.simple_keys[at];
            if key.number != head {
                break;
            }
            if key.possible {
                return self.is_still_possible(at);
            }
        }
        Ok(false)
    }

    fn is_still_possible(&mut self, at: usize) -> Result<bool, Error> {
        let key = self.simple_keys[at];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.line || key.mark.index + MAX_SIMPLE_KEY < self.pos - self.wide {
            if key.required {
                return Err(self.error("could not find expected ':'"));
            }
            self.simple_keys[at].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn push(&mut self, kind: Kind<'a>, line: u32) {
        self.tokens.push_back(Token { kind, line });
    }

    fn insert(&mut self, number: usize, kind: Kind<'a>, line: u32) {
        self.tokens.insert(number - self.taken, Token { kind, line });
    }

    fn save_simple_key(&mut self) -> Result<(), Error> {
        if self.simple_key_allowed {
            self.remove_simple_key()?;
            let mark = self.mark();
            let required = self.flow_level == 0 && self.indent == mark.column as isize;
            let number = self.taken + self.tokens.len();
            *self.last_key() = SimpleKey { possible: true, required, number, mark };
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result<(), Error> {
        let key = *self.last_key();
        if key.possible && key.required {
            return Err(self.error("could not find expected ':'"));
        }
        self.last_key().possible = false;
        Ok(())
    }

    fn last_key(&mut self) -> &mut SimpleKey {
        self.simple_keys.last_mut().expect("one key slot per flow level and one for blocks")
    }

    /// Opens a block collection if the column is deeper than the indentation; before token `number` or at the end.
    fn roll_indent(&mut self, column: usize, number: Option<usize>, kind: Kind<'a>, line: u32) -> Result<(), Error> {
        if self.flow_level > 0 || self.indent >= column as isize {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column as isize;
        if self.indents.len() > MAX_DEPTH {
            return Err(self.error(format!("exceeded max depth of {MAX_DEPTH}")));
        }
        match number {
            Some(number) => self.insert(number, kind, line),
            None => self.push(kind, line),
        }
        Ok(())
    }

    fn unroll_indent(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(Kind::BlockEnd, self.line);
            self.indent = self.indents.pop().expect("one entry per open block");
        }
    }

    fn fetch_next(&mut self) -> Result<(), Error> {
        self.skip_to_token();
        self.unroll_indent(self.column() as isize);
        if self.is_end(0) {
            return self.fetch_stream_end();
        }
        let byte = self.at(0);
        if self.column() == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.is_document_indicator() {
                return self.fetch_document_indicator(byte == b'-');
            }
        }
        let in_flow = self.flow_level > 0;
        match byte {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.is_blank_or_end(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.is_blank_or_end(1) => self.fetch_key(),
            b':' if in_flow || self.is_blank_or_end(1) => self.fetch_value(),
            b'*' | b'&' => self.fetch_anchor(byte == b'*'),
            b'!' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let line = self.line;
                let tag = self.scan_tag()?;
                self.push(Kind::Tag(Box::new(tag)), line);
                Ok(())
            }
            b'|' | b'>' if !in_flow => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                let line = self.line;
                let value = self.scan_block_scalar(byte == b'|')?;
                self.push(Kind::Scalar(Cow::Owned(value), Style::Block), line);
                Ok(())
            }
            b'\'' | b'"' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let line = self.line;
                let value = self.scan_quoted_scalar(byte)?;
                self.push(Kind::Scalar(value, Style::Quoted), line);
                Ok(())
            }
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'?' | b':' => {
                if matches!(byte, b'?' | b':') && !in_flow {
                    return self.fetch_plain_scalar();
                }
                Err(self.error("found character that cannot start any token"))
            }
            _ => self.fetch_plain_scalar(),
        }
    }

    /// Moves over blanks, comments and line breaks. A tab may not indent a block.
    fn skip_to_token(&mut self) {
        if self.pos == 0 && self.text.starts_with('\u{feff}') {
            self.skip();
        }
        loop {
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            while self.at(0) == b' ' || (tabs && self.at(0) == b'\t') {
                self.pos += 1;
            }
            self.skip_comment();
            if self.take_break().is_none() {
                return;
            }
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    fn fetch_stream_end(&mut self) -> Result<(), Error> {
        if self.column() != 0 {
            self.line_index = self.pos - self.wide;
            self.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        if self.ended {
            return Ok(());
        }
        self.ended = true;
        self.push(Kind::StreamEnd, self.line);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, start: bool) -> Result<(), Error> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.pos += 3;
        self.push(if start { Kind::DocumentStart } else { Kind::DocumentEnd }, self.line);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind<'a>) -> Result<(), Error> {
        self.save_simple_key()?;
        let number = self.taken + self.tokens.len();
        self.simple_keys.push(SimpleKey { number, mark: self.mark(), ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return Err(self.error(format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.simple_key_allowed = true;
        self.pos += 1;
        self.push(kind, self.line);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind<'a>) -> Result<(), Error> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.pos += 1;
        self.push(kind, self.line);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Error> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.pos += 1;
        self.push(Kind::FlowEntry, self.line);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Error> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.error("block sequence entries are not allowed in this context"));
            }
            self.roll_indent(self.column(), None, Kind::BlockSequenceStart, self.line)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.pos += 1;
        self.push(Kind::BlockEntry, self.line);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Error> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.error("mapping keys are not allowed in this context"));
            }
            self.roll_indent(self.column(), None, Kind::BlockMappingStart, self.line)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.pos += 1;
        self.push(Kind::Key, self.line);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Error> {
        let last = self.simple_keys.len() - 1;
        if self.is_still_possible(last)? {
            let key = self.simple_keys[last];
            self.insert(key.number, Kind::Key, key.mark.line);
            self.roll_indent(key.mark.column, Some(key.number), Kind::BlockMappingStart, key.mark.line)?;
            self.simple_keys[last].possible = false;
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return Err(self.error("mapping values are not allowed in this context"));
                }
                self.roll_indent(self.column(), None, Kind::BlockMappingStart, self.line)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.pos += 1;
        self.push(Kind::Value, self.line);
        Ok(())
    }

    fn fetch_anchor(&mut self, alias: bool) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let line = self.line;
        self.pos += 1;
        let name = self.take_while(is_word);
        let ends =
            self.is_blank_or_end(0) || matches!(self.at(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends {
            return Err(self.error("did not find expected alphabetic or numeric character"));
        }
        self.push(if alias { Kind::Alias(name) } else { Kind::Anchor(name) }, line);
        Ok(())
    }

    fn fetch_plain_scalar(&mut self) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let line = self.line;
        let value = self.scan_plain_scalar()?;
        self.push(Kind::Scalar(value, Style::Plain), line);
        Ok(())
    }

    pub(super) fn take_while(&mut self, accept: fn(u8) -> bool) -> &'a str {
        let start = self.pos;
        while accept(self.at(0)) {
            self.pos += 1;
        }
        &self.text[start..self.pos]
    }

    fn fetch_directive(&mut self) -> Result<(), Error> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let line = self.line;
        self.pos += 1;
        let name = self.take_while(is_word);
        if name.is_empty() {
            return Err(self.error("could not find expected directive name"));
        }
        if !self.is_blank_or_end(0) {
            return Err(self.error("found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.scan_version_number()?;
                if self.at(0) != b'.' {
                    return Err(self.error("did not find expected digit or '.' character"));
                }
                self.pos += 1;
                Kind::Version(major, self.scan_version_number()?)
            }
            "TAG" => Kind::TagDirective(Box::new(self.scan_tag_directive()?)),
            _ => return Err(self.error("found unknown directive name")),
        };
        self.skip_blanks();
        self.skip_comment();
        if !self.is_break_or_end(0) {
            return Err(self.error("did not find expected comment or line break"));
        }
        self.take_break();
        self.push(kind, line);
        Ok(())
    }

    fn scan_version_number(&mut self) -> Result<u8, Error> {
        let mut value = 0;
        let mut length = 0;
        while self.at(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                return Err(self.error("found extremely long version number"));
            }
            value = value * 10 + (self.at(0) - b'0');
            self.pos += 1;
        }
        if length == 0 {
            return Err(self.error("did not find expected version number"));
        }
        Ok(value)
    }
}

/// Says whether a byte may stand in the name of an anchor or a tag handle.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
