//! `values.schema.json`: what a chart demands of its values.

use std::fmt::{self, Write as _};
use std::sync::OnceLock;

use boon::{Compiler, ErrorKind, SchemaIndex, Schemas, Type, UrlLoader, ValidationError};
use serde_json::{Number, Value};

use super::chart::Node;
use super::effort::Effort;
use super::fit::Plain;

/// The name that helm gives a schema.
const NAME: &str = "file:///values.schema.json";

/// Kinds of values in the order in which errors name them.
const TYPES: [Type; 7] =
    [Type::Null, Type::Boolean, Type::Number, Type::Integer, Type::String, Type::Array, Type::Object];

/// Schemas that name others get none: charts reach neither files nor networks.
struct NoLoader;

impl UrlLoader for NoLoader {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("schemas are not loaded from elsewhere: {url}").into())
    }
}

/// A schema as far as it was needed.
pub(super) struct Schema {
    text: Value,
    plain: Option<Plain>,
    /// The same for the validator, when it has to decide.
    compiled: OnceLock<Result<Compiled, String>>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").finish_non_exhaustive()
    }
}

impl Schema {
    fn read(text: &[u8]) -> Result<Self, String> {
        let text = serde_json::from_slice(text).map_err(|error| format!("invalid JSON schema: {error}"))?;
        Ok(Self { plain: Plain::of(&text), text, compiled: OnceLock::new() })
    }

    /// Checks values: those that surely fit cost little, of others the validator says what is wrong.
    fn check(&self, values: &Value) -> Result<(), String> {
        if self.plain.as_ref().is_some_and(|plain| plain.fits(&self.text, values)) {
            return Ok(());
        }
        match self.compiled.get_or_init(|| Compiled::new(&self.text)) {
            Ok(compiled) => compiled.check(values, &self.text),
            Err(error) => Err(error.clone()),
        }
    }
}

/// A schema that the validator can use.
pub(super) struct Compiled {
    effort: Effort,
    schemas: Schemas,
    index: SchemaIndex,
}

/// Checks values against the schemas of a chart and its subcharts. The error is what helm prints.
pub(super) fn check(chart: &Node<'_>, values: &Value) -> Result<(), String> {
    if !is_needed(chart) {
        return Ok(());
    }
    let mut values = values.clone();
    whole_numbers(&mut values);
    let mut text = String::new();
    walk(chart, &values, &mut text);
    if text.is_empty() {
        return Ok(());
    }
    Err(format!(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{}",
        text.trim_end()
    ))
}

/// Says whether a chart or a subchart has demands.
fn is_needed(chart: &Node<'_>) -> bool {
    chart.chart.schema.is_some() || chart.dependencies.iter().any(is_needed)
}

fn walk(chart: &Node<'_>, values: &Value, text: &mut String) {
    if let Some(schema) = &chart.chart.schema {
        let checked = match chart.chart.read_schema.get_or_init(|| Schema::read(schema)) {
            Ok(schema) => schema.check(values),
            Err(error) => Err(error.clone()),
        };
        if let Err(error) = checked {
            let _ = write!(text, "{}:\n{error}\n", chart.name());
        }
    }
    for inner in &chart.dependencies {
        if let Some(values @ Value::Object(_)) = values.get(inner.name()) {
            walk(inner, values, text);
        }
    }
}

impl Compiled {
    pub fn new(schema: &Value) -> Result<Self, String> {
        let effort = Effort::of(schema)?;
        let mut compiler = Compiler::new();
        compiler.use_loader(Box::new(NoLoader));
        compiler.add_resource(NAME, schema.clone()).map_err(|error| error.to_string())?;
        let mut schemas = Schemas::new();
        let index = compiler.compile(NAME, &mut schemas).map_err(|error| format!("{error:#}"))?;
        Ok(Self { schemas, index, effort })
    }

    pub fn check(&self, values: &Value, schema: &Value) -> Result<(), String> {
        self.effort.check(values)?;
        self.schemas.validate(values, self.index).map_err(|error| {
            let mut report = Report { schema, text: String::new() };
            report.describe_all(&error.causes, error.schema_url, "", 0);
            report.text
        })
    }
}

/// Turns floats without a fraction into integers, which schemas tell apart by value only.
pub(super) fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64()
                && float.fract() == 0.0
                && float.abs() < 9_007_199_254_740_992.0
            {
                *number = Number::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(entries) => entries.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// The list of what is wrong.
struct Report<'s> {
    schema: &'s Value,
    text: String,
}

impl Report<'_> {
    /// Writes errors below each other. `above` is the schema that they are errors of, `group` its keyword that they come from.
    fn describe_all(&mut self, errors: &[ValidationError<'_, '_>], above: &str, group: &str, depth: usize) {
        errors.iter().for_each(|error| self.describe(error, above, group, depth));
    }

    fn describe(&mut self, error: &ValidationError<'_, '_>, above: &str, group: &str, mut depth: usize) {
        let place = error.instance_location.to_string();
        for (keyword, upwards) in merged_groups(error.schema_url.strip_prefix(above).unwrap_or_default(), group) {
            let place = place.rsplitn(upwards + 1, '/').last().unwrap_or_default();
            let more = if keyword == "oneOf" { ", none matched" } else { "" };
            self.line(place, &format!("'{keyword}' failed{more}"), depth);
            depth += 1;
        }
        if let (ErrorKind::Reference { url, .. }, [cause]) = (&error.kind, error.causes.as_slice()) {
            return self.describe(cause, url, "", depth);
        }
        let what = match &error.kind {
            ErrorKind::Pattern { got, .. } => {
                let written = self.pattern(error.schema_url);
                written.map(|pattern| format!("{} does not match pattern {}", quote(got), quote(pattern)))
            }
            _ => None,
        };
        self.line(&place, &what.unwrap_or_else(|| message(&error.kind)), depth);
        let group = match error.kind {
            ErrorKind::AllOf => "allOf",
            ErrorKind::AnyOf => "anyOf",
            ErrorKind::OneOf(_) => "oneOf",
            _ => "",
        };
        self.describe_all(&error.causes, error.schema_url, group, depth + 1);
    }

    fn line(&mut self, place: &str, what: &str, depth: usize) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = write!(self.text, "{}- at {}: {what}", "  ".repeat(depth), quote(place));
    }

    /// Returns the pattern of a schema as it is written: the validator here translates it first.
    fn pattern(&self, url: &str) -> Option<&str> {
        self.schema.pointer(url.split_once('#')?.1)?.get("pattern")?.as_str()
    }
}

/// Returns the groups of schemas on the way to an error that helm's validator names and the one here leaves out because
/// only one of their schemas failed, each with the number of steps from its place to the error's in the values.
fn merged_groups<'p>(path: &'p str, group: &str) -> Vec<(&'p str, usize)> {
    let mut groups: Vec<(&str, usize)> = Vec::new();
    let mut words = path.split('/').skip(1).peekable();
    let mut is_first = true;
    while let Some(word) = words.next() {
        let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
        let has_name = match word {
            "allOf" | "anyOf" | "oneOf" => {
                if !is_first || word != group {
                    groups.push((word, 0));
                }
                true
            }
            "properties" | "patternProperties" | "dependencies" | "dependentSchemas" => true,
            "items" | "prefixItems" => words.peek().is_some_and(is_number),
            _ => false,
        };
        is_first = false;
        if has_name {
            words.next();
        }
        let is_step = matches!(
            word,
            "properties" | "patternProperties" | "additionalProperties" | "items" | "prefixItems" | "additionalItems"
        );
        if is_step {
            groups.iter_mut().for_each(|(_, steps)| *steps += 1);
        }
    }
    groups
}

/// Words an error as the validator that helm uses does.
fn message(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::Type { got, want } => {
            let want: Vec<String> =
                TYPES.iter().filter(|kind| want.contains(**kind)).map(ToString::to_string).collect();
            format!("got {got}, want {}", want.join(" or "))
        }
        ErrorKind::Enum { want } if want.iter().all(is_primitive) => match want.as_slice() {
            [one] => format!("value must be {}", shown(one)),
            many => format!("value must be one of {}", many.iter().map(shown).collect::<Vec<_>>().join(", ")),
        },
        ErrorKind::Enum { .. } => "'enum' failed".into(),
        ErrorKind::Const { want } if is_primitive(want) => format!("value must be {}", shown(want)),
        ErrorKind::Const { .. } => "'const' failed".into(),
        ErrorKind::Format { got, want, err } => format!("{} is not valid {want}: {err}", shown(got)),
        ErrorKind::MinProperties { got, want } => {
            limits("minProperties", grouped(&got.to_string()), grouped(&want.to_string()))
        }
        ErrorKind::MaxProperties { got, want } => {
            limits("maxProperties", grouped(&got.to_string()), grouped(&want.to_string()))
        }
        ErrorKind::MinItems { got, want } => limits("minItems", grouped(&got.to_string()), grouped(&want.to_string())),
        ErrorKind::MaxItems { got, want } => limits("maxItems", grouped(&got.to_string()), grouped(&want.to_string())),
        ErrorKind::MinLength { got, want } => {
            limits("minLength", grouped(&got.to_string()), grouped(&want.to_string()))
        }
        ErrorKind::MaxLength { got, want } => {
            limits("maxLength", grouped(&got.to_string()), grouped(&want.to_string()))
        }
        ErrorKind::Minimum { got, want } => limits("minimum", printed(got), printed(want)),
        ErrorKind::Maximum { got, want } => limits("maximum", printed(got), printed(want)),
        ErrorKind::ExclusiveMinimum { got, want } => limits("exclusiveMinimum", printed(got), printed(want)),
        ErrorKind::ExclusiveMaximum { got, want } => limits("exclusiveMaximum", printed(got), printed(want)),
        ErrorKind::MultipleOf { got, want } => limits("multipleOf", printed(got), printed(want)),
        ErrorKind::Required { want } => match want.as_slice() {
            [one] => format!("missing property {}", quote(one)),
            many => {
                format!("missing properties {}", many.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", "))
            }
        },
        ErrorKind::AdditionalProperties { got } => {
            let names: Vec<String> = got.iter().map(|name| quote(name)).collect();
            format!("additional properties {} not allowed", names.join(", "))
        }
        ErrorKind::Dependency { prop, missing } | ErrorKind::DependentRequired { prop, missing } => {
            let names: Vec<String> = missing.iter().map(|name| quote(name)).collect();
            format!("properties {} required, if {} exists", names.join(", "), quote(prop))
        }
        ErrorKind::PropertyName { prop } => format!("invalid propertyName {}", quote(prop)),
        ErrorKind::Pattern { got, want } => format!("{} does not match pattern {}", quote(got), quote(want)),
        ErrorKind::AdditionalItems { got } => format!("last {got} additionalItem(s) not allowed"),
        ErrorKind::Not => "'not' failed".into(),
        ErrorKind::AllOf => "'allOf' failed".into(),
        ErrorKind::AnyOf => "'anyOf' failed".into(),
        ErrorKind::OneOf(None) => "'oneOf' failed, none matched".into(),
        ErrorKind::OneOf(Some((one, other))) => format!("'oneOf' failed, subschemas {one}, {other} matched"),
        other => other.to_string(),
    }
}

fn limits(what: &str, got: String, want: String) -> String {
    format!("{what}: got {got}, want {want}")
}

/// Returns a number as the validator prints it, for English readers: `65,535`, and `1×10⁰⁶` from a million on.
fn printed(number: &Number) -> String {
    let shortest = format!("{:e}", number.as_f64().unwrap_or_default());
    let (digits, power) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let power: i32 = power.parse().unwrap_or_default();
    if (-4..6).contains(&power) {
        return grouped(&number.as_f64().unwrap_or_default().to_string());
    }
    let sign = if power < 0 { "⁻" } else { "" };
    let raised = format!("{:02}", power.abs());
    let raised = raised.bytes().filter_map(|digit| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(usize::from(digit.wrapping_sub(b'0'))));
    format!("{digits}×10{sign}{}", raised.collect::<String>())
}

/// Puts commas between thousands.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

fn is_primitive(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Array(_) | Value::Object(_) => "value".into(),
        Value::Null => "<nil>".into(),
        other => other.to_string(),
    }
}

fn quote(text: &str) -> String {
    let quoted = crate::template::format::quote_text(text).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", &quoted[1..quoted.len() - 1])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_one(schema: &[u8], values: &Value) -> Result<(), String> {
        let mut values = values.clone();
        whole_numbers(&mut values);
        Schema::read(schema)?.check(&values)
    }

    #[test]
    fn numbers() {
        let check = |number: f64, text: &str| {
            assert_eq!(printed(&Number::from_f64(number).expect("finite")), text);
        };
        check(65535.0, "65,535");
        check(999_999.0, "999,999");
        check(1_000_001.0, "1.000001×10⁰⁶");
        check(123_456_789_012.0, "1.23456789012×10¹¹");
        check(-1234.5, "-1,234.5");
        assert_eq!(grouped("1000000"), "1,000,000");
    }

    #[test]
    fn errors() {
        let check = |schema: Value, values: Value, wanted: &str| {
            let schema = schema.to_string();
            assert_eq!(check_one(schema.as_bytes(), &values).expect_err(wanted), wanted);
        };
        check(json!({"required": ["a"]}), json!({}), "- at '': missing property 'a'");
        check(
            json!({"properties": {"a": {"type": ["string", "null"]}}}),
            json!({"a": 1.0}),
            "- at '/a': got number, want null or string",
        );
        check(
            json!({"additionalProperties": false, "properties": {"b": {}}}),
            json!({"a": 1, "b": "z"}),
            "- at '': additional properties 'a' not allowed",
        );
        check(
            json!({"properties": {"b": {"enum": ["x", "y"]}}}),
            json!({"b": "z"}),
            "- at '/b': value must be one of 'x', 'y'",
        );
        check(
            json!({"properties": {"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}}}),
            json!({"a": 1}),
            "- at '/a': 'oneOf' failed, none matched\n  - at '/a': got number, want string\n  - at '/a': got number, want null",
        );
        check(
            json!({"allOf": [{"required": ["a"]}, {"properties": {"b": {"allOf": [{"items": {"pattern": "^\\d$"}}]}}}]}),
            json!({"a": 1, "b": ["x"]}),
            "- at '': 'allOf' failed\n  - at '/b': 'allOf' failed\n    - at '/b/0': 'x' does not match pattern '^\\\\d$'",
        );
        assert!(
            check_one(br#"{"type": "object", "properties": {"a": {"type": "integer"}}}"#, &json!({"a": 1.0})).is_ok()
        );
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let schema = br#"{"$ref": "file:///etc/passwd"}"#;
        assert!(check_one(schema, &json!({})).expect_err("no file").contains("not loaded from elsewhere"));
    }
}
