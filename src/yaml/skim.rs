//! A few fields of a document that has to be valid as a whole, without building the rest of it.

use serde_json::{Map, Number, Value};

use super::parser::{Event, Parser};
use super::resolve::{Scalar, resolve};

/// Nesting beyond this is left to the decoder.
const MAX_DEPTH: usize = 64;

/// Reads a document whose root is a mapping, and returns that with these keys only.
///
/// Returns none for everything out of the ordinary: errors, anchors and aliases, merge keys, tags. The decoder knows what to make of it.
pub(super) fn first_document(mut parser: Parser<'_>, keys: &[&str]) -> Option<Map<String, Value>> {
    if parser.next().ok()? != Event::DocumentStart {
        return None;
    }
    let Event::MappingStart { anchor: None } = parser.next().ok()? else { return None };
    let root = mapping(&mut parser, Some(keys), true, 1)?;
    matches!(parser.next().ok()?, Event::DocumentEnd | Event::StreamEnd).then_some(root)
}

/// Reads the rest of a mapping; what is not kept is only looked through.
fn mapping(parser: &mut Parser<'_>, keys: Option<&[&str]>, keep: bool, depth: usize) -> Option<Map<String, Value>> {
    let mut map = Map::new();
    loop {
        let key = match parser.next().ok()? {
            Event::CollectionEnd => return Some(map),
            Event::Scalar { value, tag: None, anchor: None, implicit } => {
                if implicit && (value == "<<" || resolve(&value) != Scalar::Text) {
                    return None;
                }
                value
            }
            _ => return None,
        };
        let keep = keep && keys.is_none_or(|keys| keys.contains(&&*key));
        let event = parser.next().ok()?;
        let value = node(parser, event, keep, depth)?;
        if keep {
            map.insert(key.into_owned(), value);
        }
    }
}

fn sequence(parser: &mut Parser<'_>, keep: bool, depth: usize) -> Option<Vec<Value>> {
    let mut items = Vec::new();
    loop {
        match parser.next().ok()? {
            Event::CollectionEnd => return Some(items),
            event => {
                let item = node(parser, event, keep, depth)?;
                if keep {
                    items.push(item);
                }
            }
        }
    }
}

fn node(parser: &mut Parser<'_>, event: Event<'_>, keep: bool, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    match event {
        Event::MappingStart { anchor: None } => mapping(parser, None, keep, depth + 1).map(Value::Object),
        Event::SequenceStart { anchor: None } => sequence(parser, keep, depth + 1).map(Value::Array),
        Event::Scalar { value, tag: None, anchor: None, implicit } => {
            // Only a number without end can be wrong.
            let is_harmless = !keep && !matches!(value.as_bytes().first(), Some(b'.' | b'+' | b'-'));
            Some(match if implicit && !is_harmless { resolve(&value) } else { Scalar::Text } {
                Scalar::Null => Value::Null,
                Scalar::Bool(value) => value.into(),
                Scalar::Int(value) => value.into(),
                Scalar::Unsigned(value) => value.into(),
                Scalar::Float(value) => Value::Number(Number::from_f64(value)?),
                Scalar::Timestamp | Scalar::Text if keep => value.into_owned().into(),
                Scalar::Timestamp | Scalar::Text => Value::Null,
            })
        }
        _ => None,
    }
}
