//! Events to JSON: anchors, merge keys, tags, and the limits that keep a small text from becoming a huge value.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Number, Value};

use super::parser::{Event, Parser};
use super::resolve::{Scalar, resolve};
use super::{Error, go};

/// Nesting beyond this is refused, so that no stage after this one runs out of stack on a value.
const MAX_DEPTH: usize = 1_000;

/// How many bytes of text aliases may copy.
const MAX_COPIED: u64 = 64 << 20;

/// Bits left over at the end are let pass, as Go's decoder does.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// When an error is met decides which of several is reported: Go decodes only a text that parses, and converts only
/// what it could decode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Decode,
    Convert,
    Marshal,
}

#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: u64,
    bytes: u64,
    depth: usize,
}

struct Anchor {
    /// None while the node is still open: an alias to it would contain itself.
    value: Option<Value>,
    weight: Weight,
}

enum Items {
    Sequence(Vec<Value>),
    Mapping { map: Map<String, Value>, key: Key },
}

enum Key {
    Awaited,
    Text(String),
    /// The key was null, or such that it cannot be one; the pair is dropped and an error is noted.
    Null,
    Refused(String),
    Merge,
}

struct Frame<'a> {
    items: Items,
    anchor: Option<&'a str>,
    /// What was counted before the node.
    before: Weight,
    depth: usize,
    /// Whether an item came through an alias, or is no mapping: what a merge has to know of a sequence's items.
    unmergeable: bool,
}

pub(super) struct Decoder<'a> {
    parser: Parser<'a>,
    stack: Vec<Frame<'a>>,
    anchors: HashMap<&'a str, Anchor>,
    counted: Weight,
    aliased: u64,
    copied: u64,
    failure: Option<(Stage, Error)>,
}

/// Reads the first document; null if there is none.
pub(super) fn first_document(parser: Parser<'_>) -> Result<Value, Error> {
    Decoder {
        parser,
        stack: Vec::with_capacity(16),
        anchors: HashMap::new(),
        counted: Weight { nodes: 1, ..Weight::default() },
        aliased: 0,
        copied: 0,
        failure: None,
    }
    .document()
}

impl<'a> Decoder<'a> {
    fn document(mut self) -> Result<Value, Error> {
        if self.parser.next()? == Event::StreamEnd {
            return Ok(Value::Null);
        }
        let mut root = Value::Null;
        loop {
            match self.parser.next()? {
                Event::Scalar { value, tag, anchor, implicit } => {
                    self.counted.nodes = self.counted.nodes.saturating_add(1);
                    self.counted.bytes = self.counted.bytes.saturating_add(value.len() as u64);
                    if self.is_merge_key(&value, tag.as_deref(), implicit) {
                        self.set_key(Key::Merge);
                    } else {
                        self.scalar(value, tag.as_deref(), anchor, implicit, &mut root);
                    }
                }
                Event::Alias(name) => self.alias(name, &mut root)?,
                Event::SequenceStart { anchor } => self.open(Items::Sequence(Vec::new()), anchor),
                Event::MappingStart { anchor } => {
                    self.open(Items::Mapping { map: Map::new(), key: Key::Awaited }, anchor)
                }
                Event::CollectionEnd => self.close(&mut root),
                Event::DocumentEnd | Event::StreamEnd => break,
                Event::DocumentStart => unreachable!("documents do not nest"),
            }
        }
        match self.failure {
            Some((_, error)) => Err(error),
            None => Ok(root),
        }
    }

    /// Notes an error; the one of the earliest stage is reported.
    fn fail(&mut self, stage: Stage, message: impl Into<String>) {
        if self.failure.as_ref().is_none_or(|(known, _)| stage < *known) {
            let message = message.into();
            let error = if stage == Stage::Decode { Error::syntax(None, message) } else { Error::conversion(message) };
            self.failure = Some((stage, error));
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { items: Items::Mapping { key: Key::Awaited, .. }, .. }))
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Frame { items: Items::Mapping { key, .. }, .. }) = self.stack.last_mut() {
            *key = new;
        }
    }

    fn is_merge_key(&self, value: &str, tag: Option<&str>, implicit: bool) -> bool {
        value == "<<" && (implicit || tag == Some("tag:yaml.org,2002:merge")) && self.awaits_key()
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        tag: Option<&str>,
        anchor: Option<&'a str>,
        implicit: bool,
        root: &mut Value,
    ) {
        let meaning = match tag {
            None if implicit => resolve(&text),
            None => Scalar::Text,
            Some(tag) => self.tagged(&text, tag),
        };
        let weight = Weight { nodes: 1, bytes: text.len() as u64, depth: 1 };
        if self.awaits_key() {
            let key = match meaning {
                Scalar::Null => Key::Null,
                Scalar::Bool(true) => Key::Text("true".to_owned()),
                Scalar::Bool(false) => Key::Text("false".to_owned()),
                Scalar::Int(value) => Key::Text(value.to_string()),
                Scalar::Unsigned(value) => Key::Refused(format!("uint64, key: {value:#x}")),
                Scalar::Float(value) => Key::Text(go::float_key(value)),
                Scalar::Timestamp | Scalar::Text => Key::Text(binary_or(tag, &text, &mut self.failure)),
            };
            if let Some(name) = anchor {
                let value = self.value_of(meaning, text, tag);
                self.anchors.insert(name, Anchor { value: Some(value), weight });
            }
            self.set_key(key);
            return;
        }
        let value = self.value_of(meaning, text, tag);
        if let Some(name) = anchor {
            self.anchors.insert(name, Anchor { value: Some(value.clone()), weight });
        }
        self.add(value, false, root);
    }

    fn value_of(&mut self, meaning: Scalar, text: Cow<'a, str>, tag: Option<&str>) -> Value {
        match meaning {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => Value::Number(value.into()),
            Scalar::Unsigned(value) => Value::Number(value.into()),
            Scalar::Float(value) => Number::from_f64(value).map_or_else(
                || {
                    self.fail(Stage::Marshal, format!("json: unsupported value: {}", go::not_finite(value)));
                    Value::Null
                },
                Value::Number,
            ),
            Scalar::Timestamp | Scalar::Text if tag == Some("tag:yaml.org,2002:binary") => {
                Value::String(binary_or(tag, &text, &mut self.failure))
            }
            Scalar::Timestamp | Scalar::Text => Value::String(text.into_owned()),
        }
    }

    /// Applies a standard tag; all others leave the text as it is.
    fn tagged(&mut self, text: &str, tag: &str) -> Scalar {
        let Some(wanted @ ("bool" | "int" | "float" | "null" | "timestamp")) = tag.strip_prefix("tag:yaml.org,2002:")
        else {
            return Scalar::Text;
        };
        let mut meaning = resolve(text);
        if wanted != "timestamp" && meaning == Scalar::Timestamp {
            meaning = Scalar::Text;
        }
        match meaning {
            Scalar::Int(value) if wanted == "float" => Scalar::Float(value as f64),
            _ if meaning.tag() == wanted => meaning,
            _ => {
                self.fail(Stage::Decode, format!("cannot decode !!{} `{text}` as a !!{wanted}", meaning.tag()));
                Scalar::Null
            }
        }
    }

    fn open(&mut self, items: Items, anchor: Option<&'a str>) {
        let before = self.counted;
        self.counted.nodes = self.counted.nodes.saturating_add(1);
        if let Some(name) = anchor {
            self.anchors.insert(name, Anchor { value: None, weight: Weight::default() });
        }
        if self.stack.len() >= MAX_DEPTH {
            self.fail(Stage::Decode, format!("exceeded max depth of {MAX_DEPTH}"));
        }
        self.stack.push(Frame { items, anchor, before, depth: 1, unmergeable: false });
    }

    fn close(&mut self, root: &mut Value) {
        let frame = self.stack.pop().expect("every end has a start");
        let is_sequence = matches!(frame.items, Items::Sequence(_));
        let value = match frame.items {
            // What failed is thrown away at once, so that it is never deep.
            _ if self.failure.is_some() => Value::Null,
            Items::Sequence(items) => Value::Array(items),
            Items::Mapping { map, .. } => Value::Object(map),
        };
        if let Some(name) = frame.anchor {
            let nodes = self.counted.nodes - frame.before.nodes;
            let bytes = self.counted.bytes - frame.before.bytes;
            let kept = match self.afford(bytes, nodes) {
                true => value.clone(),
                false => Value::Null,
            };
            let weight = Weight { nodes, bytes, depth: frame.depth };
            self.anchors.insert(name, Anchor { value: Some(kept), weight });
        }
        if let Some(parent) = self.stack.last_mut() {
            parent.depth = parent.depth.max(frame.depth + 1);
        }
        if is_sequence && frame.unmergeable && self.awaits_merge() {
            self.fail(Stage::Decode, NOT_MERGEABLE);
        }
        self.add(value, false, root);
    }

    /// Says whether so much more may be copied, and notes the error if not.
    fn afford(&mut self, bytes: u64, nodes: u64) -> bool {
        self.copied = self.copied.saturating_add(bytes).saturating_add(nodes);
        let fits = self.copied <= MAX_COPIED;
        if !fits {
            self.fail(Stage::Decode, EXCESSIVE);
        }
        fits && self.failure.is_none()
    }

    fn awaits_merge(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { items: Items::Mapping { key: Key::Merge, .. }, .. }))
    }

    fn alias(&mut self, name: &'a str, root: &mut Value) -> Result<(), Error> {
        let Some(anchor) = self.anchors.get(name) else {
            return Err(Error::syntax(None, format!("unknown anchor '{name}' referenced")));
        };
        let weight = anchor.weight;
        if anchor.value.is_none() {
            self.fail(Stage::Decode, format!("anchor '{name}' value contains itself"));
        }
        // Aliases of aliases count more than there are numbers.
        self.counted.nodes = self.counted.nodes.saturating_add(1).saturating_add(weight.nodes);
        self.counted.bytes = self.counted.bytes.saturating_add(weight.bytes);
        self.aliased = self.aliased.saturating_add(weight.nodes);
        if self.aliased > 100
            && self.counted.nodes > 1000
            && self.aliased as f64 / self.counted.nodes as f64 > allowed_ratio(self.counted.nodes)
        {
            self.fail(Stage::Decode, EXCESSIVE);
        }
        if self.stack.len() + weight.depth > MAX_DEPTH {
            self.fail(Stage::Decode, format!("exceeded max depth of {MAX_DEPTH}"));
        }
        let value = match self.afford(weight.bytes, weight.nodes) {
            true => self.anchors.get(name).and_then(|anchor| anchor.value.clone()).unwrap_or_default(),
            false => Value::Null,
        };
        if let Some(parent) = self.stack.last_mut() {
            parent.depth = parent.depth.max(weight.depth + 1);
        }
        self.add(value, true, root);
        Ok(())
    }

    /// Puts a value where the enclosing collection wants it.
    fn add(&mut self, value: Value, aliased: bool, root: &mut Value) {
        let failed = self.failure.is_some();
        let Some(frame) = self.stack.last_mut() else {
            *root = value;
            return;
        };
        match &mut frame.items {
            Items::Sequence(items) => {
                frame.unmergeable |= !value.is_object();
                if !failed {
                    items.push(value);
                }
            }
            Items::Mapping { map, key } => match std::mem::replace(key, Key::Awaited) {
                Key::Awaited => match value {
                    Value::Object(_) | Value::Array(_) => {
                        *key = Key::Null;
                        let message = format!("invalid map key: {}", go::syntax(&value));
                        self.fail(Stage::Decode, message);
                    }
                    Value::String(text) => *key = Key::Text(text),
                    Value::Bool(value) => *key = Key::Text(value.to_string()),
                    Value::Number(number) => {
                        *key = Key::Text(match number.as_f64() {
                            Some(float) if number.is_f64() => go::float_key(float),
                            _ => number.to_string(),
                        });
                    }
                    Value::Null => *key = Key::Null,
                },
                Key::Text(text) => {
                    if !failed {
                        map.insert(text, value);
                    }
                }
                Key::Null => {
                    let message =
                        format!("unsupported map key of type: %!s(<nil>), key: <nil>, value: {}", go::syntax(&value));
                    self.fail(Stage::Convert, message);
                }
                Key::Refused(key) => {
                    let message = format!("unsupported map key of type: {key}, value: {}", go::syntax(&value));
                    self.fail(Stage::Convert, message);
                }
                Key::Merge => match value {
                    Value::Object(merged) => map.extend(merged),
                    // Of several, the earlier wins.
                    Value::Array(items) if !aliased => {
                        for item in items.into_iter().rev() {
                            if let Value::Object(merged) = item {
                                map.extend(merged);
                            }
                        }
                    }
                    _ => self.fail(Stage::Decode, NOT_MERGEABLE),
                },
            },
        }
    }
}

const EXCESSIVE: &str = "document contains excessive aliasing";
const NOT_MERGEABLE: &str = "map merge requires map or sequence of maps as the value";

/// Returns how much of a document may come from aliases: nearly all of a small one, a tenth of a huge one.
fn allowed_ratio(nodes: u64) -> f64 {
    match nodes {
        0..=400_000 => 0.99,
        400_001..4_000_000 => 0.99 - 0.89 * ((nodes - 400_000) as f64 / 3_600_000.0),
        _ => 0.10,
    }
}

/// Decodes a text tagged as binary; what is no UTF-8 in it is replaced, as in JSON.
fn binary_or(tag: Option<&str>, text: &str, failure: &mut Option<(Stage, Error)>) -> String {
    if tag != Some("tag:yaml.org,2002:binary") {
        return text.to_owned();
    }
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let Ok(bytes) = BASE64.decode(digits) else {
        *failure = Some((Stage::Decode, Error::syntax(None, "!!binary value contains invalid base64 data")));
        return String::new();
    };
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    decoded
}
