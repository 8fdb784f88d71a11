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
    SemanticVersion::value(read(&text(&args[0]))?)
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
    let version = Version::parse(text).ok_or("invalid semantic version")?;
    check_prerelease(&version.pre)?;
    Ok(version)
}

fn check_prerelease(text: &str) -> Result<(), String> {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split('.').any(|part| part.len() > 1 && part.starts_with('0') && is_number(part)) {
        true => Err("version segment starts with 0".into()),
        false => Ok(()),
    }
}

/// A version as templates hold it.
#[derive(Debug)]
struct SemanticVersion(Version);

impl SemanticVersion {
    fn value(version: Version) -> Result<Value, String> {
        Ok(Value::Structure(Rc::new(Self(version))))
    }

    /// Compares with the one argument of a method.
    fn compare(&self, method: &str, args: &[Value]) -> Result<Ordering, String> {
        let other: Rc<dyn Structure> = method::structure(method, "*semver.Version", args)?;
        match other.as_any().downcast_ref::<Self>() {
            Some(other) => Ok(self.0.cmp(&other.0)),
            None => Err("not a version".into()),
        }
    }

    /// Returns the next version of a method like `IncMinor`; a release follows its own prerelease.
    fn next(&self, method: &str) -> Version {
        let Version { major, minor, patch, .. } = self.0;
        let (major, minor, patch) = match method {
            "IncMajor" => (major.saturating_add(1), 0, 0),
            "IncMinor" => (major, minor.saturating_add(1), 0),
            _ if self.0.pre.is_empty() => (major, minor, patch.saturating_add(1)),
            _ => (major, minor, patch),
        };
        self.rewritten(Version {
            major,
            minor,
            patch,
            pre: String::new(),
            metadata: String::new(),
            original: String::new(),
        })
    }

    /// Returns a version with an original that agrees with it and keeps the `v`.
    fn rewritten(&self, version: Version) -> Version {
        let v = if self.0.original.starts_with('v') { "v" } else { "" };
        Version { original: format!("{v}{version}"), ..version }
    }

    fn with_prerelease(&self, text: &str) -> Result<Version, String> {
        check_identifiers(text, "prerelease")?;
        check_prerelease(text)?;
        Ok(self.rewritten(Version { pre: text.to_owned(), ..self.0.clone() }))
    }

    fn with_metadata(&self, text: &str) -> Result<Version, String> {
        check_identifiers(text, "metadata")?;
        Ok(self.rewritten(Version { metadata: text.to_owned(), ..self.0.clone() }))
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
        "*semver.Version"
    }

    fn kind(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let version = &self.0;
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
                return Some(method::none(method, args).and_then(|()| Self::value(self.next(method))));
            }
            "SetPrerelease" => {
                let text = method::one_text(method, args);
                return Some(text.and_then(|text| Self::value(self.with_prerelease(&text)?)));
            }
            "SetMetadata" => {
                let text = method::one_text(method, args);
                return Some(text.and_then(|text| Self::value(self.with_metadata(&text)?)));
            }
            _ => return None,
        };
        Some(method::none(method, args).map(|()| property))
    }

    fn print(&self) -> String {
        self.0.to_string()
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
        check(r#"{{ (semver "v1.2.3-rc1").IncPatch.Original }} {{ (semver "1.2.3").IncMinor }}"#, "v1.2.3 1.3.0");
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
