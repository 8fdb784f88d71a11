//! How much work a schema would make of values, found out before it is done: a schema can ask for the same again and again.

use std::collections::HashMap;

use regex::RegexBuilder;
use serde_json::{Map, Value};

/// How often a part of a schema may be laid on a part of the values.
const MOST_WORK: u64 = 1 << 21;

/// How deep schemas and values together may be.
const DEEPEST: usize = 4000;

/// How many references a schema may have.
const MOST_REFERENCES: usize = 10_000;

/// How much memory all patterns of a schema may take together.
const MOST_PATTERNS: usize = 128 << 20;

/// Sizes that one pattern is tried with; each is charged in full.
const PATTERN_SIZES: [usize; 3] = [64 << 10, 1 << 20, 10 << 20];

/// Keywords whose schema says something about the same value.
const SAME: [&str; 4] = ["not", "if", "then", "else"];

/// The same with a list of schemas.
const SAME_EACH: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Keywords that name another schema.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// What is known of a schema before there are values.
pub(super) struct Effort {
    root: Value,
    /// The size that each pattern needs.
    patterns: HashMap<String, usize>,
    references: usize,
}

impl Effort {
    /// Looks at a schema; an error if its patterns are too large.
    pub fn of(schema: &Value) -> Result<Self, String> {
        let mut effort = Self { root: schema.clone(), patterns: HashMap::new(), references: 0 };
        effort.survey(schema, MOST_PATTERNS)?;
        // What the schema says of any value at all is known before it is compiled.
        effort.check(&Value::Null)?;
        Ok(effort)
    }

    /// Says whether values can be checked against the schema in reasonable time and memory.
    pub fn check(&self, values: &Value) -> Result<(), String> {
        let mut work =
            Work { root: &self.root, patterns: &self.patterns, named: HashMap::new(), known: HashMap::new() };
        work.names(&self.root);
        work.work(&self.root, values, 0).map(drop)
    }

    /// Notes patterns; returns how much memory is left for more.
    fn survey(&mut self, schema: &Value, mut left: usize) -> Result<usize, String> {
        match schema {
            Value::Object(fields) => {
                self.references += usize::from(fields.contains_key("$ref"));
                if self.references > MOST_REFERENCES {
                    return Err(format!("values.schema.json has more than {MOST_REFERENCES} references"));
                }
                if let Some(Value::String(pattern)) = fields.get("pattern") {
                    left = self.pattern(pattern, left)?;
                }
                for pattern in
                    fields.get("patternProperties").and_then(Value::as_object).iter().flat_map(|map| map.keys())
                {
                    left = self.pattern(pattern, left)?;
                }
                fields.values().try_fold(left, |left, inner| self.survey(inner, left))
            }
            Value::Array(items) => items.iter().try_fold(left, |left, inner| self.survey(inner, left)),
            _ => Ok(left),
        }
    }

    fn pattern(&mut self, pattern: &str, left: usize) -> Result<usize, String> {
        if self.patterns.contains_key(pattern) {
            return Ok(left);
        }
        for size in PATTERN_SIZES.into_iter().filter(|size| *size <= left) {
            match RegexBuilder::new(pattern).size_limit(size).build() {
                Err(regex::Error::CompiledTooBig(_)) => {}
                // What is no pattern at all, the validator has words for.
                _ => {
                    self.patterns.insert(pattern.to_owned(), size);
                    return Ok(left - size);
                }
            }
        }
        Err("the patterns of values.schema.json are too large".into())
    }
}

/// One look at what a schema makes of values.
struct Work<'a> {
    root: &'a Value,
    patterns: &'a HashMap<String, usize>,
    /// Schemas by their ids and anchors.
    named: HashMap<&'a str, &'a Value>,
    /// What is known of a schema and a value by their addresses.
    known: HashMap<(usize, usize), u64>,
}

impl<'a> Work<'a> {
    /// Notes the ids in a schema.
    fn names(&mut self, schema: &'a Value) {
        match schema {
            Value::Object(fields) => {
                for name in ["$id", "id", "$anchor", "$dynamicAnchor"] {
                    if let Some(Value::String(id)) = fields.get(name) {
                        self.named.insert(id.trim_start_matches('#').trim_end_matches('#'), schema);
                    }
                }
                fields.values().for_each(|inner| self.names(inner));
            }
            Value::Array(items) => items.iter().for_each(|inner| self.names(inner)),
            _ => {}
        }
    }

    /// Returns how often parts of a schema are laid on parts of a value.
    fn work(&mut self, schema: &'a Value, value: &'a Value, depth: usize) -> Result<u64, String> {
        let Value::Object(fields) = schema else { return Ok(1) };
        let pair = (std::ptr::from_ref(schema).addr(), std::ptr::from_ref(value).addr());
        if let Some(known) = self.known.get(&pair) {
            return Ok(*known);
        }
        if depth > DEEPEST {
            return Err(format!("the references of values.schema.json lead on more than {DEEPEST} times"));
        }
        // A schema that comes back to itself on the same value is an error, of which the validator says more.
        self.known.insert(pair, 1);
        let mut sum = 1 + fields.get("enum").and_then(Value::as_array).map_or(0, |all| all.len() as u64);
        for (inner, value) in self.inner(fields, value) {
            sum = sum.saturating_add(self.work(inner, value, depth + 1)?);
            within(sum)?;
        }
        if let (Value::String(text), Some(Value::String(pattern))) = (value, fields.get("pattern")) {
            let size = self.patterns.get(pattern.as_str()).copied().unwrap_or_default() as u64;
            sum = sum.saturating_add((text.len() as u64).saturating_mul(size) >> 20);
        }
        within(sum)?;
        self.known.insert(pair, sum);
        within(self.known.len() as u64)?;
        Ok(sum)
    }

    /// Returns the schemas in a schema, each with the value that it is laid on; rather too many than too few.
    fn inner(&self, fields: &'a Map<String, Value>, value: &'a Value) -> Vec<(&'a Value, &'a Value)> {
        static NAME: Value = Value::Null;
        let mut found = Vec::new();
        let references = REFERENCES.iter().filter_map(|name| self.target(fields.get(*name)?.as_str()?));
        let same = SAME.iter().filter_map(|name| fields.get(*name));
        let each = SAME_EACH.iter().filter_map(|name| fields.get(*name)?.as_array()).flatten();
        let by_property = ["dependencies", "dependentSchemas"].iter().filter_map(|name| fields.get(*name)?.as_object());
        let by_property = by_property.flat_map(|all| all.values());
        found.extend(references.chain(same).chain(each).chain(by_property).map(|inner| (inner, value)));
        match value {
            Value::Object(entries) => {
                let properties = fields.get("properties").and_then(Value::as_object);
                let patterns = fields.get("patternProperties").and_then(Value::as_object);
                for (key, value) in entries {
                    found.extend(properties.and_then(|all| all.get(key)).map(|inner| (inner, value)));
                    found.extend(patterns.iter().flat_map(|all| all.values()).map(|inner| (inner, value)));
                    for name in ["additionalProperties", "unevaluatedProperties"] {
                        found.extend(fields.get(name).filter(|inner| inner.is_object()).map(|inner| (inner, value)));
                    }
                    found.extend(fields.get("propertyNames").map(|inner| (inner, &NAME)));
                }
            }
            Value::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    for name in ["items", "prefixItems"] {
                        found.extend(match fields.get(name) {
                            Some(Value::Array(each)) => each.get(at).map(|inner| (inner, value)),
                            Some(inner @ Value::Object(_)) => Some((inner, value)),
                            _ => None,
                        });
                    }
                    for name in ["additionalItems", "unevaluatedItems", "contains"] {
                        found.extend(fields.get(name).filter(|inner| inner.is_object()).map(|inner| (inner, value)));
                    }
                }
            }
            _ => {}
        }
        found
    }

    /// Returns the schema that a reference means, if it is in this one.
    fn target(&self, reference: &str) -> Option<&'a Value> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let root = match base {
            "" => self.root,
            base => {
                let ends = |id: &&str| id.ends_with(base.trim_start_matches("./"));
                self.named.get(self.named.keys().find(|id| ends(id))?)?
            }
        };
        if fragment.is_empty() {
            return Some(root);
        }
        let fragment = unescaped(fragment);
        root.pointer(&fragment).or_else(|| self.named.get(fragment.as_str()).copied())
    }
}

fn within(work: u64) -> Result<(), String> {
    if work > MOST_WORK { Err("values.schema.json asks for too much work".into()) } else { Ok(()) }
}

/// Returns a fragment with its percent signs resolved.
fn unescaped(fragment: &str) -> String {
    let mut out = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [byte, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex.filter(|_| *byte == b'%') {
            Some(escaped) => {
                out.push(escaped);
                rest = &after[2..];
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Effort;

    fn check(schema: &serde_json::Value, values: &serde_json::Value) -> Result<(), String> {
        Effort::of(schema)?.check(values)
    }

    #[test]
    fn what_asks_for_the_same_again_and_again_is_refused() {
        let mut doubled = json!({"$defs": {"d0": {"type": "object"}}, "$ref": "#/$defs/d40"});
        for level in 1..=40 {
            let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
            doubled["$defs"][format!("d{level}")] = json!({"allOf": [below, below]});
        }
        let deep = (0..30).fold(json!({}), |inner, _| json!({ "a": inner }));
        let twice = json!({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}});
        for (schema, values, wanted) in [
            (doubled, json!({}), "too much work"),
            (twice, deep, "too much work"),
            (json!({"pattern": "(\\pL{500}){900}"}), json!({}), "too large"),
            (json!({"pattern": "\\pL{20}"}), json!("x".repeat(8 << 20)), "too much work"),
        ] {
            assert!(check(&schema, &values).is_err_and(|error| error.contains(wanted)), "{wanted}");
        }
    }

    #[test]
    fn what_comes_back_to_itself_is_fine() {
        let tree = json!({"$defs": {"a%b": {"properties": {"l": {"$ref": "#/$defs/a%25b"}}}}, "$ref": "#/$defs/a%25b"});
        let deep = (0..500).fold(json!({}), |inner, _| json!({ "l": inner }));
        assert_eq!(check(&tree, &deep), Ok(()));
        assert_eq!(check(&json!({"$ref": "#"}), &json!({})), Ok(()));
        assert_eq!(check(&json!({"pattern": "("}), &json!({})), Ok(()));
    }
}
