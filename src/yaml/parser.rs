//! Tokens to events: the grammar of documents, blocks and flow collections as a state machine without recursion.

use std::borrow::Cow;

use super::Error;
use super::scanner::{Kind, Scanner, Style, Token};

#[derive(Debug, PartialEq)]
pub(super) enum Event<'a> {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Alias(&'a str),
    Scalar { value: Cow<'a, str>, tag: Option<Box<str>>, anchor: Option<&'a str>, implicit: bool },
    SequenceStart { anchor: Option<&'a str> },
    MappingStart { anchor: Option<&'a str> },
    CollectionEnd,
}

#[derive(Clone, Copy, Debug)]
enum State {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirst,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequenceEntry,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// What a node may be where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Flow,
    Block,
    /// A block node that may also be a sequence at its parent's indentation.
    BlockOrIndentless,
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    tag_directives: Vec<(String, String)>,
}

type Next<'a> = Result<Event<'a>, Error>;

impl<'a> Parser<'a> {
    pub(super) fn new(scanner: Scanner<'a>) -> Self {
        Self {
            scanner,
            state: State::ImplicitDocumentStart,
            states: Vec::with_capacity(16),
            tag_directives: Vec::new(),
        }
    }

    /// Returns the next event. After an error or the end of the stream there is none.
    pub(super) fn next(&mut self) -> Next<'a> {
        match self.state {
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Place::Block),
            State::BlockSequenceFirst => {
                self.pass()?;
                self.block_sequence_entry()
            }
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirst => {
                self.pass()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => {
                self.pass()?;
                self.flow_sequence_entry(true)
            }
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.scanner.peek()?;
                self.state = State::FlowSequenceEntry;
                Ok(Event::CollectionEnd)
            }
            State::FlowMappingFirst => {
                self.pass()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
            State::End => Ok(Event::StreamEnd),
        }
    }

    #[inline]
    fn peek(&mut self) -> Result<&Kind<'a>, Error> {
        Ok(&self.scanner.peek()?.kind)
    }

    /// Takes a token that is known by its state.
    fn pass(&mut self) -> Result<Token<'a>, Error> {
        self.scanner.peek()?;
        Ok(self.scanner.take())
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().expect("one state per open node");
    }

    fn fail<T>(&mut self, message: &str) -> Result<T, Error> {
        let line = self.scanner.peek()?.line;
        Err(Error::syntax((line != 0).then_some(line), message))
    }

    fn empty(&mut self, state: State) -> Next<'a> {
        self.state = state;
        Ok(Event::Scalar { value: Cow::Borrowed(""), tag: None, anchor: None, implicit: true })
    }

    fn nested(&mut self, back: State, place: Place) -> Next<'a> {
        self.states.push(back);
        self.node(place)
    }

    fn document_start(&mut self, implicit: bool) -> Next<'a> {
        if !implicit {
            while *self.peek()? == Kind::DocumentEnd {
                self.scanner.take();
            }
        }
        let explicit = matches!(self.peek()?, Kind::Version(..) | Kind::TagDirective(_) | Kind::DocumentStart);
        if *self.peek()? == Kind::StreamEnd {
            self.state = State::End;
            self.scanner.take();
            return Ok(Event::StreamEnd);
        }
        self.directives()?;
        if explicit || !implicit {
            if *self.peek()? != Kind::DocumentStart {
                return self.fail("did not find expected <document start>");
            }
            self.scanner.take();
            self.state = State::DocumentContent;
        } else {
            self.state = State::BlockNode;
        }
        self.states.push(State::DocumentEnd);
        Ok(Event::DocumentStart)
    }

    fn directives(&mut self) -> Result<(), Error> {
        let mut versioned = false;
        loop {
            match self.peek()? {
                Kind::Version(..) if versioned => return self.fail("found duplicate %YAML directive"),
                Kind::Version(1, 1) => versioned = true,
                Kind::Version(..) => return self.fail("found incompatible YAML document"),
                Kind::TagDirective(directive) => {
                    let directive = (**directive).clone();
                    if self.tag_directives.iter().any(|(handle, _)| *handle == directive.0) {
                        return self.fail("found duplicate %TAG directive");
                    }
                    self.tag_directives.push(directive);
                }
                _ => return Ok(()),
            }
            self.scanner.take();
        }
    }

    fn document_content(&mut self) -> Next<'a> {
        match self.peek()? {
            Kind::Version(..) | Kind::TagDirective(_) | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd => {
                let back = self.states.pop().expect("the document's end waits");
                self.empty(back)
            }
            _ => self.node(Place::Block),
        }
    }

    fn document_end(&mut self) -> Next<'a> {
        if *self.peek()? == Kind::DocumentEnd {
            self.scanner.take();
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart;
        Ok(Event::DocumentEnd)
    }

    fn node(&mut self, place: Place) -> Next<'a> {
        let mut anchor = None;
        let mut tag = None;
        match self.peek()? {
            Kind::Alias(name) => {
                let name = *name;
                self.scanner.take();
                self.pop_state();
                return Ok(Event::Alias(name));
            }
            Kind::Anchor(name) => {
                anchor = Some(*name);
                self.scanner.take();
                tag = self.take_tag()?;
            }
            Kind::Tag(_) => {
                tag = self.take_tag()?;
                if let Kind::Anchor(name) = self.peek()? {
                    anchor = Some(*name);
                    self.scanner.take();
                }
            }
            _ => {}
        }
        let tag = match tag {
            Some((tag, line)) => Some(self.resolve_tag(*tag, line)?),
            None => None,
        };
        match self.peek()? {
            Kind::Scalar(..) => {
                let Kind::Scalar(value, style) = self.scanner.take().kind else { unreachable!("peeked at a scalar") };
                self.pop_state();
                let implicit = match &tag {
                    None => style == Style::Plain,
                    Some(tag) => &**tag == "!",
                };
                Ok(Event::Scalar { value, tag, anchor, implicit })
            }
            Kind::BlockEntry if place == Place::BlockOrIndentless => {
                self.state = State::IndentlessSequenceEntry;
                Ok(Event::SequenceStart { anchor })
            }
            Kind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirst;
                Ok(Event::SequenceStart { anchor })
            }
            Kind::FlowMappingStart => {
                self.state = State::FlowMappingFirst;
                Ok(Event::MappingStart { anchor })
            }
            Kind::BlockSequenceStart if place != Place::Flow => {
                self.state = State::BlockSequenceFirst;
                Ok(Event::SequenceStart { anchor })
            }
            Kind::BlockMappingStart if place != Place::Flow => {
                self.state = State::BlockMappingFirst;
                Ok(Event::MappingStart { anchor })
            }
            _ if anchor.is_some() || tag.is_some() => {
                self.pop_state();
                let implicit = tag.is_none();
                Ok(Event::Scalar { value: Cow::Borrowed(""), tag, anchor, implicit })
            }
            _ => self.fail("did not find expected node content"),
        }
    }

    #[expect(clippy::type_complexity, reason = "handle and suffix, as the token holds them, with the line")]
    fn take_tag(&mut self) -> Result<Option<(Box<(String, String)>, u32)>, Error> {
        if !matches!(self.peek()?, Kind::Tag(_)) {
            return Ok(None);
        }
        let token = self.scanner.take();
        let Kind::Tag(tag) = token.kind else { unreachable!("peeked at a tag") };
        Ok(Some((tag, token.line)))
    }

    fn resolve_tag(&self, (handle, suffix): (String, String), line: u32) -> Result<Box<str>, Error> {
        if handle.is_empty() {
            return Ok(suffix.into());
        }
        let declared = self.tag_directives.iter().find(|(known, _)| *known == handle).map(|(_, prefix)| &**prefix);
        let prefix = match (declared, &*handle) {
            (Some(prefix), _) => prefix,
            (None, "!") => "!",
            (None, "!!") => "tag:yaml.org,2002:",
            (None, _) => return Err(Error::syntax((line != 0).then_some(line), "found undefined tag handle")),
        };
        Ok(format!("{prefix}{suffix}").into())
    }

    fn block_sequence_entry(&mut self) -> Next<'a> {
        match self.peek()? {
            Kind::BlockEntry => {
                self.scanner.take();
                match self.peek()? {
                    Kind::BlockEntry | Kind::BlockEnd => self.empty(State::BlockSequenceEntry),
                    _ => self.nested(State::BlockSequenceEntry, Place::Block),
                }
            }
            Kind::BlockEnd => {
                self.scanner.take();
                self.pop_state();
                Ok(Event::CollectionEnd)
            }
            _ => self.fail("did not find expected '-' indicator"),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Next<'a> {
        if *self.peek()? != Kind::BlockEntry {
            self.pop_state();
            return Ok(Event::CollectionEnd);
        }
        self.scanner.take();
        match self.peek()? {
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(State::IndentlessSequenceEntry),
            _ => self.nested(State::IndentlessSequenceEntry, Place::Block),
        }
    }

    fn block_mapping_key(&mut self) -> Next<'a> {
        match self.peek()? {
            Kind::Key => {
                self.scanner.take();
                match self.peek()? {
                    Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(State::BlockMappingValue),
                    _ => self.nested(State::BlockMappingValue, Place::BlockOrIndentless),
                }
            }
            Kind::BlockEnd => {
                self.scanner.take();
                self.pop_state();
                Ok(Event::CollectionEnd)
            }
            _ => self.fail("did not find expected key"),
        }
    }

    fn block_mapping_value(&mut self) -> Next<'a> {
        if *self.peek()? != Kind::Value {
            return self.empty(State::BlockMappingKey);
        }
        self.scanner.take();
        match self.peek()? {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(State::BlockMappingKey),
            _ => self.nested(State::BlockMappingKey, Place::BlockOrIndentless),
        }
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Next<'a> {
        if *self.peek()? != Kind::FlowSequenceEnd {
            if !first {
                if *self.peek()? != Kind::FlowEntry {
                    return self.fail("did not find expected ',' or ']'");
                }
                self.scanner.take();
            }
            match self.peek()? {
                Kind::Key => {
                    self.scanner.take();
                    self.state = State::FlowPairKey;
                    return Ok(Event::MappingStart { anchor: None });
                }
                Kind::FlowSequenceEnd => {}
                _ => return self.nested(State::FlowSequenceEntry, Place::Flow),
            }
        }
        self.scanner.take();
        self.pop_state();
        Ok(Event::CollectionEnd)
    }

    fn flow_pair_key(&mut self) -> Next<'a> {
        match self.peek()? {
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                self.scanner.take();
                self.empty(State::FlowPairValue)
            }
            _ => self.nested(State::FlowPairValue, Place::Flow),
        }
    }

    fn flow_pair_value(&mut self) -> Next<'a> {
        if *self.peek()? == Kind::Value {
            self.scanner.take();
            if !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                return self.nested(State::FlowPairEnd, Place::Flow);
            }
        }
        self.empty(State::FlowPairEnd)
    }

    fn flow_mapping_key(&mut self, first: bool) -> Next<'a> {
        if *self.peek()? != Kind::FlowMappingEnd {
            if !first {
                if *self.peek()? != Kind::FlowEntry {
                    return self.fail("did not find expected ',' or '}'");
                }
                self.scanner.take();
            }
            match self.peek()? {
                Kind::Key => {
                    self.scanner.take();
                    return match self.peek()? {
                        Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => self.empty(State::FlowMappingValue),
                        _ => self.nested(State::FlowMappingValue, Place::Flow),
                    };
                }
                Kind::FlowMappingEnd => {}
                _ => return self.nested(State::FlowMappingEmptyValue, Place::Flow),
            }
        }
        self.scanner.take();
        self.pop_state();
        Ok(Event::CollectionEnd)
    }

    fn flow_mapping_value(&mut self, empty: bool) -> Next<'a> {
        if *self.peek()? == Kind::Value && !empty {
            self.scanner.take();
            if !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowMappingEnd) {
                return self.nested(State::FlowMappingKey, Place::Flow);
            }
        }
        self.empty(State::FlowMappingKey)
    }
}
