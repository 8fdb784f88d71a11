//! Semantic versions and constraints on them.

use std::any::Any;
use std::cmp::Ordering;
use std::rc::Rc;

use super::argument::{function, text};
use super::method;
use crate::helm::state::State;
use crate::model::version::{Constraint, Version};
use crate::template::{Function, Host, Parameter, Structure, Value, quote};

use Parameter::String as Text;

pub(super) static FUNCTIONS: &[Function] =
    &[function("semver", &[Text], semver), function("semverCompare", &[Text, Text], compare)];

fn semver(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    Ok(SemanticVersion::value(read(&text(&args[0]))?))
}

fn compare(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let constraint = Constraint::read(&text(&args[0])).map_err(|segment| {
        if State::of(host).profile.is_v4() {
            format!("improper constraint: {}", String::from_utf8_lossy(&quote(segment.as_bytes())))
        } else {
            format!("improper constraint: {segment}")
        }
    })?;
    Ok(constraint.matches(&read(&text(&args[1]))?).into())
}

/// Reads a version, or says what is wrong with it.
fn read(text: &str) -> Result<Version, String> {
    let version = Version::parse(text).ok_or_else(|| problem(text))?;
    without_leading_zeros(version)
}

fn without_leading_zeros(version: Version) -> Result<Version, String> {
    match version.has_zero_before_number() {
        true => Err("version segment starts with 0".into()),
        false => Ok(version),
    }
}

/// Returns what is wrong with a text that is no version.
fn problem(text: &str) -> String {
    let core = text.strip_prefix('v').unwrap_or(text).split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let too_great = numbers.iter().find(|number| number.parse::<u64>().is_err());
    match too_great {
        Some(number) if numbers.len() <= 3 && numbers.iter().all(is_number) => {
            format!("error parsing version segment: strconv.ParseUint: parsing \"{number}\": value out of range")
        }
        _ => "invalid semantic version".into(),
    }
}

/// A version as templates hold it.
#[derive(Debug)]
struct SemanticVersion {
    version: Version,
    /// Whether it is a copy that a method returned; Go's methods for pointers cannot be called on it.
    is_copy: bool,
}

/// The methods that Go only has for pointers.
const OF_POINTERS: [&str; 7] =
    ["Compare", "Equal", "GreaterThan", "GreaterThanEqual", "LessThan", "LessThanEqual", "Original"];

impl SemanticVersion {
    fn value(version: Version) -> Value {
        Value::Structure(Rc::new(Self { version, is_copy: false }))
    }

    fn copy(version: Version) -> Value {
        Value::Structure(Rc::new(Self { version, is_copy: true }))
    }

    /// Compares with the one argument of a method.
    fn compare(&self, method: &str, args: &[Value]) -> Result<Ordering, String> {
        let other: Rc<dyn Structure> = method::structure(method, "*semver.Version", args)?;
        match other.as_any().downcast_ref::<Self>() {
            Some(other) => Ok(self.version.cmp(&other.version)),
            None => Err("not a version".into()),
        }
    }

    /// Returns the next version of a method like `IncMinor`; a release follows its own prerelease.
    fn next(&self, method: &str) -> Version {
        let Version { major, minor, patch, .. } = self.version;
        let (major, minor, patch) = match method {
            "IncMajor" => (major.saturating_add(1), 0, 0),
            "IncMinor" => (major, minor.saturating_add(1), 0),
            _ if self.version.pre.is_empty() => (major, minor, patch.saturating_add(1)),
            _ => (major, minor, patch),
        };
        let none = String::new;
        Version { major, minor, patch, pre: none(), metadata: none(), original: none() }
    }

    fn with_prerelease(&self, text: &str) -> Result<Version, String> {
        check_identifiers(text, "prerelease")?;
        let version = Version { pre: text.to_owned(), ..self.version.clone() };
        without_leading_zeros(version)
    }

    fn with_metadata(&self, text: &str) -> Result<Version, String> {
        check_identifiers(text, "metadata")?;
        Ok(Version { metadata: text.to_owned(), ..self.version.clone() })
    }
}

fn check_identifiers(text: &str, what: &str) -> Result<(), String> {
    match text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
        true => Ok(()),
        false => Err(format!("invalid {what} string")),
    }
}

impl Structure for SemanticVersion {
    fn type_name(&self) -> &str {
        if self.is_copy { "semver.Version" } else { "*semver.Version" }
    }

    fn kind(&self) -> &'static str {
        if self.is_copy { "struct" } else { "ptr" }
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>> {
        if self.is_copy && OF_POINTERS.contains(&method) {
            return None;
        }
        let version = &self.version;
        let number = |number: u64| Value::Int64(i64::try_from(number).unwrap_or(i64::MAX));
        let property = match method {
            "Major" => number(version.major),
            "Minor" => number(version.minor),
            "Patch" => number(version.patch),
            "Prerelease" => version.pre.as_str().into(),
            "Metadata" => version.metadata.as_str().into(),
            "Original" => version.original.as_str().into(),
            "String" => version.to_string().into(),
            "Compare" => return Some(self.compare(method, args).map(|order| Value::Int(order as i64))),
            "Equal" => return Some(self.compare(method, args).map(|order| order.is_eq().into())),
            "LessThan" => return Some(self.compare(method, args).map(|order| order.is_lt().into())),
            "LessThanEqual" => return Some(self.compare(method, args).map(|order| order.is_le().into())),
            "GreaterThan" => return Some(self.compare(method, args).map(|order| order.is_gt().into())),
            "GreaterThanEqual" => return Some(self.compare(method, args).map(|order| order.is_ge().into())),
            "IncMajor" | "IncMinor" | "IncPatch" => {
                return Some(method::none(method, args).map(|()| Self::copy(self.next(method))));
            }
            "SetPrerelease" => {
                let text = method::one_text(method, args);
                return Some(text.and_then(|text| Ok(Self::copy(self.with_prerelease(&text)?))));
            }
            "SetMetadata" => {
                let text = method::one_text(method, args);
                return Some(text.and_then(|text| Ok(Self::copy(self.with_metadata(&text)?))));
            }
            _ => return None,
        };
        Some(method::none(method, args).map(|()| property))
    }

    fn print(&self) -> String {
        self.version.to_string()
    }

    fn plain(&self) -> Value {
        self.print().into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error, run_as};
    use crate::helm::profile::Profile;

    #[test]
    fn versions_have_parts_and_an_order() {
        check(r#"{{ semver "v1.2" }} {{ (semver "v1.2").Original }}"#, "1.2.0 v1.2");
        check(
            r#"{{ with semver "1.2.3-beta.1+b" }}{{ .Major }} {{ .Minor }} {{ .Patch }} {{ .Prerelease }} {{ .Metadata }}{{ end }}"#,
            "1 2 3 beta.1 b",
        );
        check(r#"{{ (semver "1.2.3").Compare (semver "1.10") }}"#, "-1");
        check(r#"{{ (semver "1.2.3").Equal (semver "v1.2.3+x") }}"#, "true");
        check(r#"{{ (semver "v1.2.3-rc1").IncPatch }} {{ (semver "1.2.3").IncMinor }}"#, "1.2.3 1.3.0");
        check(r#"{{ (semver "1.2.3").SetPrerelease "rc.1" }}"#, "1.2.3-rc.1");
        check(
            r#"{{ typeOf (semver "1") }} {{ kindOf (semver "1") }} {{ toJson (semver "01.2") }}"#,
            r#"*semver.Version ptr "1.2.0""#,
        );
    }

    #[test]
    fn wrong_versions_are_named() {
        check_error(r#"{{ semver "x" }}"#, "error calling semver: invalid semantic version");
        check_error(r#"{{ semver "1.2.3.4" }}"#, "invalid semantic version");
        check_error(r#"{{ semver "1.2.3-01" }}"#, "version segment starts with 0");
        check_error(r#"{{ semverCompare ">1" "x" }}"#, "error calling semverCompare: invalid semantic version");
        check_error(r#"{{ semver "1.2.3+" }}"#, "invalid semantic version");
        check_error(r#"{{ (semver "1").IncMajor.Original }}"#, "can't evaluate field Original in type semver.Version");
        check_error(
            r#"{{ semver "99999999999999999999.1" }}"#,
            r#"error parsing version segment: strconv.ParseUint: parsing "99999999999999999999": value out of range"#,
        );
        check_error(r#"{{ (semver "1").Major 2 }}"#, "wrong number of args for Major: want 0 got 1");
    }

    #[test]
    fn constraints_are_asked_of_versions() {
        check(
            r#"{{ semverCompare ">=1.19-0" "v1.20.0-eks-1" }} {{ semverCompare ">=1.19" "1.20.0-eks-1" }}"#,
            "true false",
        );
        check(r#"{{ semverCompare "^1.2 || ~3.1" "3.1.9" }}"#, "true");
        let wrong = r#"{{ semverCompare "> 1 || a.b" "1.0.0" }}"#;
        check_error(wrong, r#"improper constraint: " a.b""#);
        let error = run_as(Profile::V3_19, wrong).expect_err("an error");
        assert!(error.ends_with("improper constraint:  a.b"), "{error}");
    }
}
