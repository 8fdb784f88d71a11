//! Splits the text of a template into tokens.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The lexer says what is wrong.
    Error,
    Bool,
    Char,
    Comment,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    /// A comma or another single printable character.
    Other,
    Dot,
    Nil,
    /// `if`, `end` and so on.
    Keyword,
}

/// A token: where it begins in the text and what it says.
#[derive(Clone, Copy, Debug)]
pub struct Token<'t> {
    pub kind: Kind,
    pub at: usize,
    pub text: &'t str,
    pub line: usize,
}

/// Go's lexer of templates, with the delimiters `{{` and `}}`.
pub struct Lexer<'t> {
    input: &'t str,
    at: usize,
    start: usize,
    line: usize,
    start_line: usize,
    is_inside: bool,
    parens: usize,
    is_done: bool,
    /// What is wrong, once a token said that something is.
    pub problem: String,
}

impl<'t> Lexer<'t> {
    pub fn new(input: &'t str) -> Self {
        Self {
            input,
            at: 0,
            start: 0,
            line: 1,
            start_line: 1,
            is_inside: false,
            parens: 0,
            is_done: false,
            problem: String::new(),
        }
    }

    /// Returns the next token; after the end or an error it is `Eof` for ever.
    pub fn next(&mut self) -> Token<'t> {
        if self.is_done {
            return Token { kind: Kind::Eof, at: self.at, text: "EOF", line: self.start_line };
        }
        if self.is_inside { self.inside() } else { self.text() }
    }

    fn rest(&self) -> &'t str {
        &self.input[self.at..]
    }

    fn peek(&self) -> Option<char> {
        match self.input.as_bytes().get(self.at)? {
            byte @ 0..0x80 => Some(char::from(*byte)),
            _ => self.rest().chars().next(),
        }
    }

    /// Moves over the letters, digits and underscores that come next.
    fn skip_word(&mut self) {
        loop {
            let rest = &self.input.as_bytes()[self.at..];
            self.at += rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            // What is not ASCII may be a letter too, but never a line break.
            match self.peek() {
                Some(c) if !c.is_ascii() && is_word(c) => self.at += c.len_utf8(),
                _ => return,
            }
        }
    }

    fn advance(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn accept(&mut self, allowed: &str) -> bool {
        let is_there = self.peek().is_some_and(|c| allowed.contains(c));
        if is_there {
            self.advance();
        }
        is_there
    }

    fn accept_run(&mut self, allowed: &str) {
        while self.accept(allowed) {}
    }

    fn emit(&mut self, kind: Kind) -> Token<'t> {
        let token = Token { kind, at: self.start, text: &self.input[self.start..self.at], line: self.start_line };
        self.skip();
        token
    }

    fn skip(&mut self) {
        self.start = self.at;
        self.start_line = self.line;
    }

    fn move_to(&mut self, at: usize) {
        let passed = &self.input.as_bytes()[self.at..at];
        self.line += match passed.len() {
            0..16 => passed.iter().filter(|byte| **byte == b'\n').count(),
            _ => memchr::memchr_iter(b'\n', passed).count(),
        };
        self.at = at;
    }

    fn error(&mut self, text: impl Into<String>) -> Token<'t> {
        self.is_done = true;
        self.problem = text.into();
        Token { kind: Kind::Error, at: self.start, text: "", line: self.start_line }
    }

    fn text(&mut self) -> Token<'t> {
        let Some(offset) = memchr::memmem::find(self.rest().as_bytes(), b"{{") else {
            self.move_to(self.input.len());
            if self.at > self.start {
                let token = self.emit(Kind::Text);
                return token;
            }
            self.is_done = true;
            return Token { kind: Kind::Eof, at: self.at, text: "", line: self.start_line };
        };
        let delim = self.at + offset;
        if delim > self.at {
            let is_trimmed = has_left_trim(&self.input.as_bytes()[delim + 2..]);
            let text = &self.input[self.start..delim];
            let kept = if is_trimmed { trim_end(text) } else { text };
            let token = Token { kind: Kind::Text, at: self.start, text: kept, line: self.start_line };
            self.move_to(delim);
            self.skip();
            if !kept.is_empty() {
                return token;
            }
        }
        self.left_delim()
    }

    fn left_delim(&mut self) -> Token<'t> {
        self.at += 2;
        let trim = if has_left_trim(self.rest().as_bytes()) { 2 } else { 0 };
        if self.input[self.at + trim..].starts_with("/*") {
            self.move_to(self.at + trim);
            self.skip();
            return self.comment();
        }
        let token = self.emit(Kind::LeftDelim);
        self.is_inside = true;
        self.move_to(self.at + trim);
        self.skip();
        self.parens = 0;
        token
    }

    fn comment(&mut self) -> Token<'t> {
        let Some(end) = self.rest().find("*/") else { return self.error("unclosed comment") };
        self.move_to(self.at + end + 2);
        let is_trimmed = has_right_trim(self.rest().as_bytes());
        let delim = if is_trimmed { 2 } else { 0 };
        if !self.input[self.at + delim..].starts_with("}}") {
            return self.error("comment ends before closing delimiter");
        }
        let token = self.emit(Kind::Comment);
        self.move_to(self.at + delim + 2);
        if is_trimmed {
            self.skip_spaces();
        }
        self.skip();
        token
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.move_to(self.at + rest.len() - rest.trim_start_matches(SPACES).len());
    }

    fn inside(&mut self) -> Token<'t> {
        let is_trimmed = has_right_trim(self.rest().as_bytes());
        if is_trimmed || self.rest().starts_with("}}") {
            if self.parens > 0 {
                return self.error("unclosed left paren");
            }
            if is_trimmed {
                self.move_to(self.at + 2);
                self.skip();
            }
            self.at += 2;
            let token = self.emit(Kind::RightDelim);
            if is_trimmed {
                self.skip_spaces();
                self.skip();
            }
            self.is_inside = false;
            return token;
        }
        let Some(c) = self.advance() else { return self.error("unclosed action") };
        match c {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.advance() != Some('=') {
                    return self.error("expected :=");
                }
                self.emit(Kind::Declare)
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted(),
            '`' => {
                let Some(end) = self.rest().find('`') else { return self.error("unterminated raw quoted string") };
                self.move_to(self.at + end + 1);
                self.emit(Kind::RawString)
            }
            '$' => {
                if self.is_at_end() {
                    return self.emit(Kind::Variable);
                }
                self.name(Kind::Variable)
            }
            '\'' => self.character(),
            '.' => {
                if self.rest().as_bytes().first().is_some_and(u8::is_ascii_digit) {
                    self.at = self.start;
                    return self.number();
                }
                if self.is_at_end() {
                    return self.emit(Kind::Dot);
                }
                self.name(Kind::Field)
            }
            '+' | '-' | '0'..='9' => {
                self.at = self.start;
                self.number()
            }
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' => {
                if self.parens == 0 {
                    return self.error("unexpected right paren");
                }
                self.parens -= 1;
                self.emit(Kind::RightParen)
            }
            c if is_word(c) => self.word(),
            ' '..='~' => self.emit(Kind::Other),
            c => self.error(format!("unrecognized character in action: {}", code_point(c))),
        }
    }

    fn space(&mut self) -> Token<'t> {
        let rest = &self.input.as_bytes()[self.at..];
        let mut count = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        // A blank before `-}}` belongs to the delimiter.
        if rest[count..].starts_with(b"-}}") {
            count = count.saturating_sub(1);
        }
        self.move_to(self.at + count);
        self.emit(Kind::Space)
    }

    fn word(&mut self) -> Token<'t> {
        self.skip_word();
        let word = &self.input[self.start..self.at];
        if !self.is_at_end() {
            let c = self.peek().unwrap_or_default();
            return self.error(format!("bad character {}", code_point(c)));
        }
        match word {
            "nil" => self.emit(Kind::Nil),
            "true" | "false" => self.emit(Kind::Bool),
            "block" | "break" | "continue" | "define" | "else" | "end" | "if" | "range" | "template" | "with" => {
                self.emit(Kind::Keyword)
            }
            _ => self.emit(Kind::Identifier),
        }
    }

    fn name(&mut self, kind: Kind) -> Token<'t> {
        self.skip_word();
        if !self.is_at_end() {
            let c = self.peek().unwrap_or_default();
            return self.error(format!("bad character {}", code_point(c)));
        }
        self.emit(kind)
    }

    fn is_at_end(&self) -> bool {
        match &self.input.as_bytes()[self.at..] {
            [] | [b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(', ..] => true,
            rest => rest.starts_with(b"}}"),
        }
    }

    fn quoted(&mut self) -> Token<'t> {
        loop {
            match self.advance() {
                Some('\\') if self.peek().is_some_and(|c| c != '\n') => {
                    self.advance();
                }
                None | Some('\n' | '\\') => return self.error("unterminated quoted string"),
                Some('"') => return self.emit(Kind::String),
                Some(_) => {}
            }
        }
    }

    fn character(&mut self) -> Token<'t> {
        loop {
            match self.advance() {
                Some('\\') if self.peek().is_some_and(|c| c != '\n') => {
                    self.advance();
                }
                None | Some('\n' | '\\') => return self.error("unterminated character constant"),
                Some('\'') => return self.emit(Kind::Char),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token<'t> {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if digits.len() == 11 && self.accept("eE") || digits.len() == 23 && self.accept("pP") {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(|c| is_word(c) || c == '+' || c == '-') {
            self.advance();
            let text = self.input[self.start..self.at].to_owned();
            return self.error(format!("bad number syntax: {}", super::format::quote_text(&text)));
        }
        self.emit(Kind::Number)
    }
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn trim_end(text: &str) -> &str {
    let blanks = text.bytes().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    &text[..text.len() - blanks]
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn has_left_trim(bytes: &[u8]) -> bool {
    bytes.len() >= 2 && bytes[0] == b'-' && matches!(bytes[1], b' ' | b'\t' | b'\r' | b'\n')
}

fn has_right_trim(bytes: &[u8]) -> bool {
    bytes.len() >= 4 && matches!(bytes[0], b' ' | b'\t' | b'\r' | b'\n') && &bytes[1..4] == b"-}}"
}

/// Returns a character as `%#U` prints it.
pub fn code_point(c: char) -> String {
    if super::format::is_printable(c) { format!("U+{:04X} '{c}'", c as u32) } else { format!("U+{:04X}", c as u32) }
}
