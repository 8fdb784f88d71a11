//! Whether values surely fit a schema, said without compiling it: most values do, and most schemas are plain.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

/// How often a part of the schema may be laid on a part of the values before the validator has to decide.
const MOST_STEPS: u32 = 100_000;

/// How deep schemas may lead on.
const DEEPEST: u32 = 100;

/// How many patterns a plain schema has, and how much memory each may take, in bytes.
const MOST_PATTERNS: usize = 64;
const LARGEST_PATTERN: usize = 64 << 10;

/// How many items are compared with each other.
const MOST_UNIQUE: usize = 64;

/// The greatest whole number up to which floats tell all numbers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

const TYPES: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

/// What is known of a schema that uses the common keywords only, each as it should be.
pub(super) struct Plain {
    /// Whether it is of draft 7, where what stands beside `$ref` does not count and formats are demands.
    is_old: bool,
    patterns: HashMap<String, Regex>,
}

impl Plain {
    /// Looks at a schema; `None` if only the validator can tell what it demands, or whether it is a schema at all.
    pub fn of(schema: &Value) -> Option<Self> {
        let is_old = match schema.get("$schema") {
            None => false,
            Some(Value::String(url)) => {
                let (_, name) = url.trim_end_matches('#').split_once("://")?;
                match name {
                    "json-schema.org/draft-07/schema" => true,
                    "json-schema.org/schema" | "json-schema.org/draft/2020-12/schema" => false,
                    _ => return None,
                }
            }
            Some(_) => return None,
        };
        let mut survey = Survey { is_old, seen: HashSet::new(), references: Vec::new(), patterns: HashMap::new() };
        survey.schema(schema, true, 0)?;
        for reference in &survey.references {
            survey.seen.get(&address(target(schema, reference)?))?;
        }
        Some(Self { is_old, patterns: survey.patterns })
    }

    /// Says whether values surely fit; if not, the validator has to say what is wrong, if anything is.
    pub fn fits(&self, schema: &Value, values: &Value) -> bool {
        let fit = Fit { root: schema, plain: self, steps: Cell::new(0) };
        fit.schema(schema, values, 0) == Some(true)
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

/// Returns the part of a schema that a reference within it names.
fn target<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.contains('%'))?;
    root.pointer(pointer)
}

/// One look at a schema.
struct Survey<'s> {
    is_old: bool,
    /// Addresses of what is a schema.
    seen: HashSet<usize>,
    references: Vec<&'s str>,
    patterns: HashMap<String, Regex>,
}

impl<'s> Survey<'s> {
    fn schema(&mut self, schema: &'s Value, is_root: bool, depth: u32) -> Option<()> {
        self.seen.insert(address(schema));
        let fields = match schema {
            Value::Bool(_) => return Some(()),
            Value::Object(fields) if depth < DEEPEST => fields,
            _ => return None,
        };
        for (keyword, value) in fields {
            match keyword.as_str() {
                "$schema" if is_root => {}
                "$ref" => self.references.push(value.as_str()?),
                "title" | "description" | "$comment" | "format" => drop(value.as_str()?),
                "default" | "const" => {}
                "examples" => drop(value.as_array()?),
                "readOnly" | "writeOnly" | "deprecated" | "uniqueItems" => drop(value.as_bool()?),
                "type" => types(value)?,
                "enum" => {
                    let all = value.as_array().filter(|all| !all.is_empty())?;
                    (!self.is_old || are_unique(all)?).then_some(())?;
                }
                "required" => {
                    let names: Vec<&str> = value.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
                    let mut once = HashSet::new();
                    names.into_iter().all(|name| once.insert(name)).then_some(())?;
                }
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => drop(number(value)?),
                "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
                    value.as_u64()?;
                }
                "pattern" => self.pattern(value.as_str()?)?,
                // Draft 7 does not know `$defs`, but what is referred to there is a schema all the same.
                "properties" | "definitions" | "$defs" => self.named(value, depth)?,
                "patternProperties" => {
                    value.as_object()?.keys().try_for_each(|pattern| self.pattern(pattern))?;
                    self.named(value, depth)?;
                }
                "items" | "additionalProperties" | "not" | "if" | "then" | "else" => {
                    self.schema(value, false, depth + 1)?;
                }
                "allOf" | "anyOf" | "oneOf" => {
                    let all = value.as_array().filter(|all| !all.is_empty())?;
                    all.iter().try_for_each(|inner| self.schema(inner, false, depth + 1))?;
                }
                other => (!is_known(other)).then_some(())?,
            }
        }
        Some(())
    }

    fn named(&mut self, schemas: &'s Value, depth: u32) -> Option<()> {
        schemas.as_object()?.values().try_for_each(|inner| self.schema(inner, false, depth + 1))
    }

    /// Notes a pattern that means the same in every dialect.
    fn pattern(&mut self, pattern: &str) -> Option<()> {
        if self.patterns.contains_key(pattern) {
            return Some(());
        }
        let mut left = pattern.bytes();
        while let Some(byte) = left.next() {
            // Classes such as `\d` are others in JavaScript.
            if byte == b'\\' {
                left.next().filter(u8::is_ascii_punctuation)?;
            }
        }
        let regex = RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build().ok()?;
        self.patterns.insert(pattern.to_owned(), regex);
        (self.patterns.len() <= MOST_PATTERNS).then_some(())
    }
}

/// Says whether a keyword means something to some validator, though it is not one of the plain ones.
fn is_known(keyword: &str) -> bool {
    keyword.starts_with('$')
        || keyword.starts_with("content")
        || keyword.starts_with("depend")
        || keyword.starts_with("unevaluated")
        || matches!(
            keyword,
            "id" | "multipleOf"
                | "contains"
                | "minContains"
                | "maxContains"
                | "prefixItems"
                | "additionalItems"
                | "propertyNames"
        )
}

fn types(value: &Value) -> Option<()> {
    let is_type = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    let is_right = match value {
        Value::Array(all) => {
            let mut once = HashSet::new();
            !all.is_empty() && all.iter().all(|one| is_type(one) && once.insert(one.as_str()))
        }
        one => is_type(one),
    };
    is_right.then_some(())
}

/// Returns a number that floats hold exactly.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.abs() < EXACT)
}

/// One look at values. Answers are `None` where only the validator can tell.
struct Fit<'s> {
    root: &'s Value,
    plain: &'s Plain,
    steps: Cell<u32>,
}

impl<'s> Fit<'s> {
    fn schema(&self, schema: &'s Value, value: &Value, depth: u32) -> Option<bool> {
        self.steps.set(self.steps.get() + 1);
        if depth > DEEPEST || self.steps.get() > MOST_STEPS {
            return None;
        }
        let fields = match schema {
            Value::Bool(fits) => return Some(*fits),
            Value::Object(fields) => fields,
            _ => return None,
        };
        let depth = depth + 1;
        if let Some(Value::String(reference)) = fields.get("$ref") {
            let fits = self.schema(target(self.root, reference)?, value, depth);
            if self.plain.is_old || fits != Some(true) {
                return fits;
            }
        }
        let mut is_sure = true;
        for (keyword, demand) in fields {
            match self.keyword(fields, keyword, demand, value, depth) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => is_sure = false,
            }
        }
        is_sure.then_some(true)
    }

    fn keyword(
        &self,
        fields: &'s Map<String, Value>,
        keyword: &str,
        demand: &'s Value,
        value: &Value,
        depth: u32,
    ) -> Option<bool> {
        let inner = |schema: &'s Value| self.schema(schema, value, depth);
        Some(match (keyword, value) {
            ("type", _) => match demand {
                Value::Array(all) => all.iter().any(|one| is_of(one, value)),
                one => is_of(one, value),
            },
            ("enum", _) => return any(demand.as_array()?.iter().map(|one| same(one, value))),
            ("const", _) => return same(demand, value),
            ("format", Value::String(_)) if self.plain.is_old => return None,
            ("minLength", Value::String(text)) => text.chars().count() as u64 >= demand.as_u64()?,
            ("maxLength", Value::String(text)) => text.chars().count() as u64 <= demand.as_u64()?,
            ("pattern", Value::String(text)) => self.plain.patterns.get(demand.as_str()?)?.is_match(text),
            ("minimum", Value::Number(_)) => number(value)? >= number(demand)?,
            ("maximum", Value::Number(_)) => number(value)? <= number(demand)?,
            ("exclusiveMinimum", Value::Number(_)) => number(value)? > number(demand)?,
            ("exclusiveMaximum", Value::Number(_)) => number(value)? < number(demand)?,
            ("minItems", Value::Array(items)) => items.len() as u64 >= demand.as_u64()?,
            ("maxItems", Value::Array(items)) => items.len() as u64 <= demand.as_u64()?,
            ("uniqueItems", Value::Array(items)) if demand == &Value::Bool(true) => return are_unique(items),
            ("items", Value::Array(items)) => return all(items.iter().map(|item| self.schema(demand, item, depth))),
            ("minProperties", Value::Object(entries)) => entries.len() as u64 >= demand.as_u64()?,
            ("maxProperties", Value::Object(entries)) => entries.len() as u64 <= demand.as_u64()?,
            ("required", Value::Object(entries)) => {
                demand.as_array()?.iter().all(|name| name.as_str().is_some_and(|name| entries.contains_key(name)))
            }
            ("properties", Value::Object(entries)) => {
                let demands = demand.as_object()?;
                let both = entries.iter().filter_map(|(name, value)| Some((demands.get(name)?, value)));
                return all(both.map(|(schema, value)| self.schema(schema, value, depth)));
            }
            ("patternProperties", Value::Object(entries)) => {
                let demands = demand.as_object()?;
                let both = entries.iter().flat_map(|(name, value)| {
                    demands
                        .iter()
                        .filter(|(pattern, _)| self.matches(pattern, name))
                        .map(move |(_, inner)| (inner, value))
                });
                return all(both.map(|(schema, value)| self.schema(schema, value, depth)));
            }
            ("additionalProperties", Value::Object(entries)) => {
                let named = fields.get("properties").and_then(Value::as_object);
                let patterns = fields.get("patternProperties").and_then(Value::as_object);
                let is_named = |name: &String| {
                    named.is_some_and(|all| all.contains_key(name))
                        || patterns.is_some_and(|all| all.keys().any(|pattern| self.matches(pattern, name)))
                };
                let others = entries.iter().filter(|(name, _)| !is_named(name));
                return all(others.map(|(_, value)| self.schema(demand, value, depth)));
            }
            ("not", _) => !inner(demand)?,
            ("allOf", _) => return all(demand.as_array()?.iter().map(inner)),
            ("anyOf", _) => return any(demand.as_array()?.iter().map(inner)),
            ("oneOf", _) => {
                let fitting: Vec<bool> = demand.as_array()?.iter().map(inner).collect::<Option<_>>()?;
                fitting.into_iter().filter(|fits| *fits).count() == 1
            }
            ("if", _) => match fields.get(if inner(demand)? { "then" } else { "else" }) {
                Some(schema) => return inner(schema),
                None => true,
            },
            _ => true,
        })
    }

    fn matches(&self, pattern: &str, name: &str) -> bool {
        self.plain.patterns.get(pattern).is_some_and(|regex| regex.is_match(name))
    }
}

fn all(mut fits: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut is_sure = true;
    let fails = fits.any(|fits| {
        is_sure &= fits.is_some();
        fits == Some(false)
    });
    if fails { Some(false) } else { is_sure.then_some(true) }
}

fn any(fits: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(fits.map(|fits| fits.map(|fits| !fits))).map(|none| !none)
}

fn is_of(name: &Value, value: &Value) -> bool {
    match (name.as_str(), value) {
        (Some("integer"), Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        (Some("number"), Value::Number(_))
        | (Some("null"), Value::Null)
        | (Some("boolean"), Value::Bool(_))
        | (Some("string"), Value::String(_))
        | (Some("array"), Value::Array(_))
        | (Some("object"), Value::Object(_)) => true,
        _ => false,
    }
}

/// Says whether two values are the same to a schema, to which 1 and 1.0 are.
fn same(one: &Value, other: &Value) -> Option<bool> {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => Some(number(one)? == number(other)?),
        (Value::Array(one), Value::Array(other)) => {
            if one.len() != other.len() {
                return Some(false);
            }
            all(one.iter().zip(other).map(|(one, other)| same(one, other)))
        }
        (Value::Object(one), Value::Object(other)) => {
            if one.len() != other.len() {
                return Some(false);
            }
            all(one.iter().map(|(name, one)| other.get(name).map_or(Some(false), |other| same(one, other))))
        }
        _ => Some(one == other),
    }
}

fn are_unique(items: &[Value]) -> Option<bool> {
    if items.len() > MOST_UNIQUE {
        return None;
    }
    let pairs = items.iter().enumerate().flat_map(|(at, one)| items[at + 1..].iter().map(move |other| (one, other)));
    all(pairs.map(|(one, other)| same(one, other).map(|same| !same)))
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use serde_json::json;

    use super::super::schema::{Compiled, whole_numbers};
    use super::*;

    /// Says what the quick look and the validator make of values.
    fn both(schema: &Value, values: &Value) -> (bool, Result<(), String>) {
        let quick = Plain::of(schema).is_some_and(|plain| plain.fits(schema, values));
        (quick, Compiled::new(schema).and_then(|compiled| compiled.check(values, schema)))
    }

    #[test]
    fn what_surely_fits_fits() {
        let old = "http://json-schema.org/draft-07/schema#";
        let tree = json!({"$defs": {"t": {"type": "object", "properties": {"l": {"$ref": "#/$defs/t"}}, "additionalProperties": false}}, "$ref": "#/$defs/t"});
        let port = json!({"properties": {"p": {"oneOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string", "pattern": "^[a-z]+$"}]}}});
        let switch = json!({"if": {"properties": {"on": {"const": true}}, "required": ["on"]}, "then": {"required": ["host"]}, "else": {"not": {"required": ["host"]}}});
        let beside = json!({"$schema": old, "definitions": {"s": {"type": "string"}}, "properties": {"a": {"$ref": "#/definitions/s", "maxLength": 1}}});
        let mixed =
            json!({"patternProperties": {"^x-": {"type": "number"}}, "additionalProperties": {"enum": ["a", 1]}});
        for (schema, values, fits) in [
            (&tree, json!({"l": {"l": {}}}), true),
            (&tree, json!({"l": {"m": {}}}), false),
            (&port, json!({"p": 80}), true),
            (&port, json!({"p": "http"}), true),
            (&port, json!({"p": "80"}), false),
            (&port, json!({"p": 0}), false),
            (&switch, json!({"on": true, "host": "h"}), true),
            (&switch, json!({"on": true}), false),
            (&switch, json!({"on": false}), true),
            (&switch, json!({"host": "h"}), false),
            (&beside, json!({"a": "long"}), true),
            (&json!({"$schema": old, "$defs": {"s": {"type": "string"}}, "$ref": "#/$defs/s"}), json!("a"), true),
            (&json!({"$schema": old, "$defs": {"s": {"type": "string"}}, "$ref": "#/$defs/s"}), json!(1), false),
            (&mixed, json!({"x-a": 1.5, "b": "a", "c": 1}), true),
            (&mixed, json!({"x-a": "a"}), false),
            (&mixed, json!({"b": 2}), false),
            (&json!({"items": {"type": "integer"}, "uniqueItems": true}), json!([1, 2]), true),
            (&json!({"items": {"type": "integer"}, "uniqueItems": true}), json!([1, 1]), false),
        ] {
            let (quick, slow) = both(schema, &values);
            assert_eq!((quick, slow.is_ok()), (fits, fits), "{schema} {values}: {slow:?}");
        }
    }

    #[test]
    fn what_is_no_plain_schema_is_left_to_the_validator() {
        for schema in [
            json!({"type": "text"}),
            json!({"properties": {"a": []}}),
            json!({"required": ["a", "a"]}),
            json!({"$ref": "#/nowhere"}),
            json!({"properties": {"a": {"$ref": "#/unknown"}}, "unknown": {"type": 1}}),
            json!({"properties": {"a": {"pattern": "("}}}),
            json!({"properties": {"a": {"pattern": "^\\d+$"}}}),
            json!({"minLength": -1}),
            json!({"anyOf": []}),
            json!({"$schema": "http://json-schema.org/draft-04/schema#"}),
            json!({"items": [{}]}),
            json!({"title": 1}),
            json!({"unevaluatedProperties": false}),
            json!({"$ref": "#"}),
        ] {
            assert!(!both(&schema, &json!({})).0, "{schema}");
        }
    }

    /// Puts schemas and values together by chance: the quick look never takes what the validator refuses.
    #[test]
    fn no_schema_by_chance_is_taken_that_the_validator_refuses() {
        use rand::{RngExt as _, SeedableRng as _};
        fn value(rng: &mut StdRng, depth: u32) -> Value {
            match rng.random_range(0..if depth == 0 { 5 } else { 7 }) {
                0 => Value::Null,
                1 => json!(rng.random::<bool>()),
                2 => json!(rng.random_range(-1..3)),
                3 => json!(f64::from(rng.random_range(0..4)) / 2.0),
                4 => json!(["", "a", "b", "ab"][rng.random_range(0..4)]),
                5 => (0..rng.random_range(0..3)).map(|_| value(rng, depth - 1)).collect(),
                _ => ["a", "b", "ab"][rng.random_range(0..3)..]
                    .iter()
                    .map(|key| ((*key).to_owned(), value(rng, depth - 1)))
                    .collect::<Map<_, _>>()
                    .into(),
            }
        }
        fn schema(rng: &mut StdRng, depth: u32) -> Value {
            let mut fields = Map::new();
            for _ in 0..rng.random_range(0..4) {
                let inner = |rng: &mut StdRng| {
                    if depth == 0 { json!(rng.random::<bool>()) } else { schema(rng, depth - 1) }
                };
                let many = |rng: &mut StdRng| (0..rng.random_range(1..3)).map(|_| inner(rng)).collect::<Value>();
                let (keyword, demand) = match rng.random_range(0..22) {
                    0..4 => (
                        "type",
                        json!(
                            ["null", "boolean", "number", "integer", "string", "array", "object", "any"]
                                [rng.random_range(0..8)]
                        ),
                    ),
                    4 => ("type", json!(["string", "integer"])),
                    5 => ("enum", json!([value(rng, 1), value(rng, 1)])),
                    6 => ("const", value(rng, 1)),
                    7 => ("minimum", json!(rng.random_range(0..2))),
                    8 => ("exclusiveMaximum", json!(1.5)),
                    9 => ("minLength", json!(rng.random_range(0..2))),
                    10 => ("pattern", json!(["^a", "b$", "^\\.?$", "\\w"][rng.random_range(0..4)])),
                    11 => ("properties", json!({"a": inner(rng), "b": inner(rng)})),
                    12 => ("patternProperties", json!({"^a": inner(rng)})),
                    13 => ("additionalProperties", inner(rng)),
                    14 => ("required", json!(["a"])),
                    15 => ("items", inner(rng)),
                    16 => ("uniqueItems", json!(true)),
                    17 => ("allOf", many(rng)),
                    18 => ("anyOf", many(rng)),
                    19 => ("oneOf", many(rng)),
                    20 => ("not", inner(rng)),
                    _ => ("$ref", json!(["#", "#/properties/a", "#/nowhere"][rng.random_range(0..3)])),
                };
                fields.insert(keyword.to_owned(), demand);
            }
            fields.into()
        }
        let mut rng = StdRng::seed_from_u64(7);
        let mut taken = 0;
        for _ in 0..4000 {
            let mut schema = schema(&mut rng, 3);
            if rng.random::<bool>() {
                schema["$schema"] = json!("http://json-schema.org/draft-07/schema");
            }
            let mut values = value(&mut rng, 3);
            whole_numbers(&mut values);
            if let (true, slow) = both(&schema, &values) {
                assert_eq!(slow, Ok(()), "{schema} {values}");
                taken += 1;
            }
        }
        assert!(taken > 500, "{taken}");
    }
}
