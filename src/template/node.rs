//! What templates consist of once they are parsed; it prints itself as Go does in errors.

use std::fmt;
use std::sync::Arc;

use super::value::lossy;

/// A text that was parsed: what positions refer to.
#[derive(Debug)]
pub struct Source {
    pub name: Box<str>,
    /// The bytes, shared with the file that they come from.
    data: Arc<[u8]>,
    /// The same as a text of the same length, where the bytes are not UTF-8.
    masked: Option<Box<str>>,
}

/// What stands for a byte that is no text.
const MASK: char = '\u{1a}';

impl Source {
    /// Takes a text. What is not UTF-8 in it is kept: it is written as it is.
    pub fn new(name: &str, data: Arc<[u8]>) -> Self {
        let masked = std::str::from_utf8(&data).is_err().then(|| {
            let masks = |bytes: &[u8]| std::iter::repeat_n(MASK, bytes.len());
            let chunks = data.utf8_chunks();
            chunks.flat_map(|chunk| chunk.valid().chars().chain(masks(chunk.invalid()))).collect::<String>().into()
        });
        Source { name: name.into(), data, masked }
    }

    /// Returns the text. This looks through all of it.
    pub fn text(&self) -> &str {
        match &self.masked {
            Some(masked) => masked,
            None => std::str::from_utf8(&self.data).unwrap_or_default(),
        }
    }

    /// Returns line, from 1, and column, from 0, of a position.
    pub fn place(&self, at: u32) -> (usize, usize) {
        let before = &self.data[..(at as usize).min(self.data.len())];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
        (1 + before.iter().filter(|byte| **byte == b'\n').count(), before.len() - start)
    }
}

/// A piece of a text, not copied from it.
#[derive(Debug)]
pub struct Piece {
    source: Arc<Source>,
    start: u32,
    end: u32,
}

impl Piece {
    /// Returns the piece that begins at a position and is so many bytes long.
    pub fn new(source: &Arc<Source>, at: usize, length: usize) -> Self {
        Piece { source: Arc::clone(source), start: at as u32, end: (at + length) as u32 }
    }

    /// Returns what it says.
    pub fn bytes(&self) -> &[u8] {
        &self.source.data[self.start as usize..self.end as usize]
    }
}

/// A template by its name.
#[derive(Debug)]
pub struct Template {
    pub name: Box<str>,
    pub source: Arc<Source>,
    pub root: Box<[Node]>,
}

impl Template {
    /// Tells whether it holds nothing but blanks.
    pub fn is_empty(&self) -> bool {
        is_blank(&self.root)
    }
}

fn is_blank(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| match node {
        Node::Text { text } => lossy(text.bytes()).trim().is_empty(),
        _ => false,
    })
}

#[derive(Debug)]
pub enum Node {
    Text { text: Piece },
    Action { at: u32, pipe: Pipe },
    If(Box<Branch>),
    Range(Box<Branch>),
    With(Box<Branch>),
    Template(Box<Call>),
    Break { at: u32 },
    Continue { at: u32 },
}

#[derive(Debug)]
pub struct Branch {
    pub at: u32,
    pub pipe: Pipe,
    pub body: Box<[Node]>,
    pub otherwise: Option<Box<[Node]>>,
}

#[derive(Debug)]
pub struct Call {
    pub at: u32,
    pub name: Box<str>,
    pub pipe: Option<Pipe>,
}

#[derive(Debug, Default)]
pub struct Pipe {
    pub at: u32,
    pub is_assign: bool,
    pub variables: Box<[Box<str>]>,
    pub commands: Box<[Command]>,
}

#[derive(Debug)]
pub struct Command {
    pub at: u32,
    pub args: Box<[Operand]>,
}

#[derive(Debug)]
pub enum Operand {
    Identifier {
        at: u32,
        name: Box<str>,
    },
    Field {
        at: u32,
        names: Box<[Box<str>]>,
    },
    Variable {
        at: u32,
        name: Box<str>,
        names: Box<[Box<str>]>,
    },
    Chain {
        at: u32,
        of: Box<Operand>,
        names: Box<[Box<str>]>,
    },
    Pipe(Box<Pipe>),
    Dot {
        at: u32,
    },
    Nil {
        at: u32,
    },
    Bool {
        at: u32,
        value: bool,
    },
    Number {
        at: u32,
        literal: Box<(Box<str>, Number)>,
    },
    /// A string as it is written, and what it says unless that is what stands between the quotes.
    String {
        at: u32,
        quoted: Piece,
        text: Option<Box<[u8]>>,
    },
}

/// The values a literal number can be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Number {
    pub int: Option<i64>,
    pub uint: Option<u64>,
    pub float: Option<f64>,
    /// Whether it is a `float64` where nothing says what it has to be.
    pub is_float: bool,
}

/// Returns what a string literal says.
pub fn string_text<'o>(quoted: &'o Piece, text: &'o Option<Box<[u8]>>) -> &'o [u8] {
    match text {
        Some(text) => text,
        None => {
            let quoted = quoted.bytes();
            &quoted[1..quoted.len() - 1]
        }
    }
}

impl Operand {
    pub fn at(&self) -> u32 {
        match self {
            Self::Identifier { at, .. }
            | Self::Field { at, .. }
            | Self::Variable { at, .. }
            | Self::Chain { at, .. }
            | Self::Dot { at }
            | Self::Nil { at }
            | Self::Bool { at, .. }
            | Self::Number { at, .. }
            | Self::String { at, .. } => *at,
            Self::Pipe(pipe) => pipe.at,
        }
    }
}

fn fields(f: &mut fmt::Formatter<'_>, names: &[Box<str>]) -> fmt::Result {
    names.iter().try_for_each(|name| write!(f, ".{name}"))
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identifier { name, .. } => f.write_str(name),
            Self::Field { names, .. } => fields(f, names),
            Self::Variable { name, names, .. } => {
                f.write_str(name)?;
                fields(f, names)
            }
            Self::Chain { of, names, .. } => {
                match **of {
                    Self::Pipe(_) => write!(f, "({of})")?,
                    _ => write!(f, "{of}")?,
                }
                fields(f, names)
            }
            Self::Pipe(pipe) => write!(f, "{pipe}"),
            Self::Dot { .. } => f.write_str("."),
            Self::Nil { .. } => f.write_str("nil"),
            Self::Bool { value, .. } => write!(f, "{value}"),
            Self::Number { literal, .. } => f.write_str(&literal.0),
            Self::String { quoted, .. } => f.write_str(&lossy(quoted.bytes())),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, arg) in self.args.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match arg {
                Operand::Pipe(_) => write!(f, "({arg})")?,
                _ => write!(f, "{arg}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            f.write_str(&self.variables.join(", "))?;
            f.write_str(if self.is_assign { " = " } else { " := " })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", super::format::quote_text(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}

fn list(f: &mut fmt::Formatter<'_>, nodes: &[Node]) -> fmt::Result {
    nodes.iter().try_for_each(|node| write!(f, "{node}"))
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, branch) = match self {
            Self::Text { text } => return f.write_str(&lossy(text.bytes())),
            Self::Action { pipe, .. } => return write!(f, "{{{{{pipe}}}}}"),
            Self::Template(call) => return write!(f, "{call}"),
            Self::Break { .. } => return f.write_str("{{break}}"),
            Self::Continue { .. } => return f.write_str("{{continue}}"),
            Self::If(branch) => ("if", branch),
            Self::Range(branch) => ("range", branch),
            Self::With(branch) => ("with", branch),
        };
        write!(f, "{{{{{word} {}}}}}", branch.pipe)?;
        list(f, &branch.body)?;
        if let Some(otherwise) = &branch.otherwise {
            f.write_str("{{else}}")?;
            list(f, otherwise)?;
        }
        f.write_str("{{end}}")
    }
}
