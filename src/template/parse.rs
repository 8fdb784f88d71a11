//! Turns the text of a template into nodes.

use std::sync::Arc;

use super::Error;
use super::format::{quote_text, unquote, unquote_char};
use super::lex::{Kind, Lexer, Token};
use super::node::{Branch, Call, Command, Node, Number, Operand, Piece, Pipe, Source, Template};
use super::number;

/// How deep blocks and parentheses may be nested, so that no text exhausts the stack.
const DEEPEST: usize = 1000;

/// Errors are big, and pass through many calls.
type Fallible<T> = Result<T, Box<Error>>;

/// Parses a text. The first template is the text itself, the others are what it defines, each name once.
pub fn parse(name: &str, text: Arc<[u8]>, known: &dyn Fn(&str) -> bool) -> Result<Vec<Template>, Error> {
    let source = Arc::new(Source::new(name, text));
    let mut parser = Parser {
        lexer: Lexer::new(source.text()),
        tokens: [Token { kind: Kind::Eof, at: 0, text: "", line: 1 }; 3],
        peeked: 0,
        known,
        source: Arc::clone(&source),
        variables: vec!["$"],
        ranges: 0,
        action_line: 0,
        depth: 0,
        templates: vec![],
        nodes: vec![],
        commands: vec![],
        operands: vec![],
        names: vec![],
    };
    parser.whole(name).map_err(|error| *error)?;
    Ok(parser.templates)
}

/// What ended a list of nodes.
enum End {
    End,
    Else,
}

enum Item {
    Node(Node),
    End(End),
}

impl End {
    fn text(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The last token that was read comes first; the others were put back.
    tokens: [Token<'t>; 3],
    peeked: usize,
    known: &'t dyn Fn(&str) -> bool,
    source: Arc<Source>,
    variables: Vec<&'t str>,
    ranges: usize,
    action_line: usize,
    depth: usize,
    templates: Vec<Template>,
    /// What belongs to something that is not yet complete: each takes its own from the end, so that it gets no more memory than it needs.
    nodes: Vec<Node>,
    commands: Vec<Command>,
    operands: Vec<Operand>,
    names: Vec<Box<str>>,
}

impl<'t> Parser<'t> {
    fn read(&mut self) {
        loop {
            self.tokens[0] = self.lexer.next();
            if self.tokens[0].kind != Kind::Comment {
                return;
            }
        }
    }

    fn next(&mut self) -> Token<'t> {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.read();
        }
        self.tokens[self.peeked]
    }

    fn back(&mut self) {
        self.peeked += 1;
    }

    fn back_two(&mut self, first: Token<'t>) {
        self.tokens[1] = first;
        self.peeked = 2;
    }

    fn back_three(&mut self, first: Token<'t>, second: Token<'t>) {
        self.tokens[1] = second;
        self.tokens[2] = first;
        self.peeked = 3;
    }

    fn peek(&mut self) -> &Token<'t> {
        if self.peeked == 0 {
            self.read();
            self.peeked = 1;
        }
        &self.tokens[self.peeked - 1]
    }

    fn next_solid(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_solid(&mut self) -> &Token<'t> {
        while self.peek().kind == Kind::Space {
            self.next();
        }
        self.peek()
    }

    fn is_keyword(&mut self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Keyword && token.text == word
    }

    #[cold]
    fn error(&self, message: impl Into<String>) -> Box<Error> {
        Box::new(Error {
            template: self.source.name.to_string(),
            line: self.tokens[0].line,
            message: message.into(),
            ..Error::default()
        })
    }

    #[cold]
    fn unexpected(&self, token: &Token<'t>, context: &str) -> Box<Error> {
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {} in {context}", shown(token)));
        }
        let mut text = self.lexer.problem.clone();
        if self.action_line != 0 && self.action_line != token.line {
            if !text.ends_with(" action") {
                text.push_str(" in action");
            }
            text.push_str(&format!(" started at {}:{}", self.source.name, self.action_line));
        }
        self.error(text)
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Fallible<Token<'t>> {
        let token = self.next_solid();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    fn enter(&mut self) -> Fallible<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(format!("nested deeper than {DEEPEST} levels")));
        }
        Ok(())
    }

    fn whole(&mut self, name: &str) -> Fallible<()> {
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let delim = self.next();
                let token = self.next_solid();
                if token.kind == Kind::Keyword && token.text == "define" {
                    self.define()?;
                    continue;
                }
                self.back_two(delim);
            }
            match self.item()? {
                Item::Node(node) => self.nodes.push(node),
                Item::End(end) => return Err(self.error(format!("unexpected {}", end.text()))),
            }
        }
        let root = self.nodes.drain(..).collect();
        let index = self.templates.iter().position(|template| *template.name == *name);
        self.add(name, root)?;
        let index = index.unwrap_or(self.templates.len() - 1);
        self.templates.swap(0, index);
        Ok(())
    }

    /// Adds a template: an empty one never replaces another, and two that are not empty are an error.
    fn add(&mut self, name: &str, root: Box<[Node]>) -> Fallible<()> {
        let new = Template { name: name.into(), source: Arc::clone(&self.source), root };
        match self.templates.iter_mut().find(|old| *old.name == *name) {
            None => self.templates.push(new),
            Some(old) if old.is_empty() => *old = new,
            Some(_) if new.is_empty() => {}
            Some(_) => {
                return Err(self.error(format!("template: multiple definition of template {}", quote_text(name))));
            }
        }
        Ok(())
    }

    /// Parses what a `define` or `block` holds, with variables of its own.
    fn body(&mut self, context: &str) -> Fallible<Box<[Node]>> {
        let variables = std::mem::replace(&mut self.variables, vec!["$"]);
        let ranges = std::mem::take(&mut self.ranges);
        let (root, end) = self.list()?;
        if let End::Else = end {
            return Err(self.error(format!("unexpected {} in {context}", end.text())));
        }
        self.variables = variables;
        self.ranges = ranges;
        Ok(root)
    }

    fn define(&mut self) -> Fallible<()> {
        let context = "define clause";
        let token = self.next_solid();
        let name = self.template_name(&token, context)?;
        self.expect(Kind::RightDelim, context)?;
        let root = self.body(context)?;
        self.add(&name, root)
    }

    fn template_name(&mut self, token: &Token<'t>, context: &str) -> Fallible<String> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(token, context));
        }
        let name = unquote(token.text).ok_or_else(|| self.error("invalid syntax"))?;
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    fn list(&mut self) -> Fallible<(Box<[Node]>, End)> {
        self.enter()?;
        let mark = self.nodes.len();
        while self.peek_solid().kind != Kind::Eof {
            match self.item()? {
                Item::Node(node) => self.nodes.push(node),
                Item::End(end) => {
                    self.depth -= 1;
                    return Ok((self.nodes.drain(mark..).collect(), end));
                }
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn item(&mut self) -> Fallible<Item> {
        let token = self.next_solid();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text { text: Piece::new(&self.source, token.at, token.text.len()) })),
            Kind::LeftDelim => {
                self.action_line = token.line;
                let item = self.action()?;
                self.action_line = 0;
                Ok(item)
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Fallible<Item> {
        let token = self.next_solid();
        let at = token.at as u32;
        if token.kind == Kind::Keyword {
            let node = match token.text {
                "block" => self.block()?,
                "template" => self.template()?,
                "if" => Node::If(Box::new(self.control("if")?)),
                "range" => Node::Range(Box::new(self.control("range")?)),
                "with" => Node::With(Box::new(self.control("with")?)),
                "break" => {
                    self.jump("{{break}}")?;
                    Node::Break { at }
                }
                "continue" => {
                    self.jump("{{continue}}")?;
                    Node::Continue { at }
                }
                "else" => {
                    self.peek_solid();
                    if !self.is_keyword("if") && !self.is_keyword("with") {
                        self.expect(Kind::RightDelim, "else")?;
                    }
                    return Ok(Item::End(End::Else));
                }
                "end" => {
                    self.expect(Kind::RightDelim, "end")?;
                    return Ok(Item::End(End::End));
                }
                _ => return Err(self.unexpected(&token, "command")),
            };
            return Ok(Item::Node(node));
        }
        self.back();
        let at = self.peek().at as u32;
        Ok(Item::Node(Node::Action { at, pipe: self.pipe("command", Kind::RightDelim)? }))
    }

    fn jump(&mut self, shown: &str) -> Fallible<()> {
        self.expect(Kind::RightDelim, shown)?;
        if self.ranges == 0 { Err(self.error(format!("{shown} outside {{{{range}}}}"))) } else { Ok(()) }
    }

    fn block(&mut self) -> Fallible<Node> {
        let context = "block clause";
        let token = self.next_solid();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipe(context, Kind::RightDelim)?;
        let root = self.body(context)?;
        self.add(&name, root)?;
        Ok(Node::Template(Box::new(Call { at: token.at as u32, name: name.into(), pipe: Some(pipe) })))
    }

    fn template(&mut self) -> Fallible<Node> {
        let context = "template clause";
        let token = self.next_solid();
        let name = self.template_name(&token, context)?.into();
        let mut pipe = None;
        if self.next_solid().kind != Kind::RightDelim {
            self.back();
            pipe = Some(self.pipe(context, Kind::RightDelim)?);
        }
        Ok(Node::Template(Box::new(Call { at: token.at as u32, name, pipe })))
    }

    fn control(&mut self, word: &str) -> Fallible<Branch> {
        let variables = self.variables.len();
        let pipe = self.pipe(word, Kind::RightDelim)?;
        let is_range = usize::from(word == "range");
        self.ranges += is_range;
        let (body, end) = self.list()?;
        self.ranges -= is_range;
        let mut otherwise = None;
        if let End::Else = end {
            if matches!(word, "if" | "with") && self.is_keyword(word) {
                self.next();
                self.enter()?;
                let branch = Box::new(self.control(word)?);
                self.depth -= 1;
                otherwise =
                    Some(Box::new([if word == "if" { Node::If(branch) } else { Node::With(branch) }]) as Box<[Node]>);
            } else {
                let (nodes, end) = self.list()?;
                if let End::Else = end {
                    return Err(self.error(format!("expected end; found {}", end.text())));
                }
                otherwise = Some(nodes);
            }
        }
        self.variables.truncate(variables);
        Ok(Branch { at: pipe.at, pipe, body, otherwise })
    }

    fn pipe(&mut self, context: &str, end: Kind) -> Fallible<Pipe> {
        self.enter()?;
        let mut pipe = Pipe { at: self.peek_solid().at as u32, ..Pipe::default() };
        self.declarations(&mut pipe, context)?;
        let mark = self.commands.len();
        loop {
            let token = self.next_solid();
            if token.kind == end {
                break;
            }
            if !begins_operand(token.kind) {
                return Err(self.unexpected(&token, context));
            }
            self.back();
            let command = self.command()?;
            self.commands.push(command);
        }
        pipe.commands = self.commands.drain(mark..).collect();
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if let Operand::Bool { .. }
            | Operand::Dot { .. }
            | Operand::Nil { .. }
            | Operand::Number { .. }
            | Operand::String { .. } = command.args[0]
            {
                return Err(self.error(format!("non executable command in pipeline stage {}", index + 1)));
            }
        }
        self.depth -= 1;
        Ok(pipe)
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Fallible<()> {
        let mut names = vec![];
        while self.peek_solid().kind == Kind::Variable {
            let variable = self.next();
            let after = *self.peek();
            let next = *self.peek_solid();
            let is_comma = next.kind == Kind::Other && next.text == ",";
            if !is_comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
                if after.kind == Kind::Space {
                    self.back_three(variable, after);
                } else {
                    self.back_two(variable);
                }
                return Ok(());
            }
            self.next_solid();
            names.push(variable.text.into());
            self.variables.push(variable.text);
            if !is_comma {
                pipe.is_assign = next.kind == Kind::Assign;
                pipe.variables = names.into();
                return Ok(());
            }
            if context != "range" || names.len() > 1 {
                return Err(self.error(format!("too many declarations in {context}")));
            }
            if !matches!(self.peek_solid().kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                return Err(self.error("range can only initialize variables"));
            }
        }
        pipe.variables = names.into();
        Ok(())
    }

    fn command(&mut self) -> Fallible<Command> {
        let at = self.peek_solid().at as u32;
        let mark = self.operands.len();
        loop {
            self.peek_solid();
            if let Some(operand) = self.operand()? {
                self.operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.back();
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        let args: Box<[Operand]> = self.operands.drain(mark..).collect();
        if args.is_empty() { Err(self.error("empty command")) } else { Ok(Command { at, args }) }
    }

    fn operand(&mut self) -> Fallible<Option<Operand>> {
        let mark = self.names.len();
        let Some(mut node) = self.term()? else { return Ok(None) };
        if self.peek().kind == Kind::Field {
            let chain_at = self.peek().at as u32;
            while self.peek().kind == Kind::Field {
                let name = self.next().text[1..].into();
                self.names.push(name);
            }
            match &mut node {
                Operand::Field { at, .. } | Operand::Variable { at, .. } => *at = chain_at,
                Operand::Identifier { .. } | Operand::Pipe(_) => {
                    node = Operand::Chain { at: chain_at, of: Box::new(node), names: Box::default() };
                }
                _ => {
                    return Err(self.error(format!("unexpected . after term {}", quote_text(&node.to_string()))));
                }
            }
        }
        if let Operand::Field { names, .. } | Operand::Variable { names, .. } | Operand::Chain { names, .. } = &mut node
        {
            *names = self.names.drain(mark..).collect();
        }
        Ok(Some(node))
    }

    fn term(&mut self) -> Fallible<Option<Operand>> {
        let token = self.next_solid();
        let at = token.at as u32;
        Ok(Some(match token.kind {
            Kind::Identifier => {
                if !(self.known)(token.text) {
                    return Err(self.error(format!("function {} not defined", quote_text(token.text))));
                }
                Operand::Identifier { at, name: token.text.into() }
            }
            Kind::Dot => Operand::Dot { at },
            Kind::Nil => Operand::Nil { at },
            Kind::Variable => {
                if !self.variables.contains(&token.text) {
                    return Err(self.error(format!("undefined variable {}", quote_text(token.text))));
                }
                Operand::Variable { at, name: token.text.into(), names: Box::default() }
            }
            Kind::Field => {
                self.names.push(token.text[1..].into());
                Operand::Field { at, names: Box::default() }
            }
            Kind::Bool => Operand::Bool { at, value: token.text == "true" },
            Kind::Char => {
                let Some((c, "'")) = unquote_char(&token.text[1..], '\'') else {
                    return Err(self.error(format!("malformed character constant: {}", token.text)));
                };
                let number = Number {
                    int: Some(i64::from(c)),
                    uint: Some(u64::from(c)),
                    float: Some(f64::from(c)),
                    is_float: false,
                };
                Operand::Number { at, literal: Box::new((token.text.into(), number)) }
            }
            Kind::Number => {
                let number = number::parse(token.text).map_err(|message| self.error(message))?;
                Operand::Number { at, literal: Box::new((token.text.into(), number)) }
            }
            Kind::LeftParen => Operand::Pipe(Box::new(self.pipe("parenthesized pipeline", Kind::RightParen)?)),
            Kind::String | Kind::RawString => {
                let is_plain = !token.text.contains(if token.kind == Kind::RawString { '\r' } else { '\\' });
                let text = match is_plain {
                    true => None,
                    false => Some(unquote(token.text).ok_or_else(|| self.error("invalid syntax"))?.into()),
                };
                Operand::String { at, quoted: Piece::new(&self.source, token.at, token.text.len()), text }
            }
            _ => {
                self.back();
                return Ok(None);
            }
        }))
    }
}

fn begins_operand(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Bool
            | Kind::Char
            | Kind::Dot
            | Kind::Field
            | Kind::Identifier
            | Kind::Number
            | Kind::Nil
            | Kind::RawString
            | Kind::String
            | Kind::Variable
            | Kind::LeftParen
    )
}

/// Returns a token as errors show it.
fn shown(token: &Token<'_>) -> String {
    match token.kind {
        Kind::Eof => "EOF".into(),
        Kind::Keyword | Kind::Dot | Kind::Nil => format!("<{}>", token.text),
        _ if token.text.len() > 10 => {
            format!("{}...", quote_text(&token.text.chars().take(10).collect::<String>()))
        }
        _ => quote_text(token.text),
    }
}
