//! `.quarterdeck.yaml`: what a repository says about its environments. It can never name a command.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Error, unknown};
use crate::model::{GatePolicy, Reference};
use crate::yaml;

/// A repository's policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Environments in the order of promotion.
    pub environments: Vec<Stage>,
}

/// One environment of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// What it follows.
    pub reference: Reference,
    /// Clusters that follow it.
    pub clusters: Vec<String>,
    /// What has to hold, without freezes.
    pub policy: GatePolicy,
    /// When it may not be changed.
    pub freezes: Vec<Freeze>,
    /// Whether this comes from inference.
    pub inferred: bool,
}

/// A time in which an environment may not be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// First moment.
    pub from: Timestamp,
    /// First moment after.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

impl Stage {
    /// Returns what has to hold at a moment, freezes included.
    pub fn policy_at(&self, now: Timestamp) -> GatePolicy {
        let mut policy = self.policy.clone();
        if let Some(freeze) = self.freezes.iter().find(|freeze| freeze.from <= now && now < freeze.until) {
            let reason = if freeze.reason.is_empty() { "no reason given" } else { &freeze.reason };
            policy.frozen = Some(format!("{reason}; until {}", freeze.until));
        }
        policy
    }
}

const COMMANDS: [&str; 8] = ["command", "commands", "exec", "run", "script", "hook", "hooks", "shell"];

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Policy {
    /// Reads the text of a policy file; `path` is only named in errors.
    ///
    /// # Errors
    /// When it is not YAML, a key is unknown or has the wrong type, or it names a command.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let reader = Reader { text, path };
        let value = yaml::parse(text.as_bytes()).map_err(|error| Error {
            path: path.to_owned(),
            line: error.line.and_then(|line| usize::try_from(line).ok()),
            what: error.message,
        })?;
        if value.is_null() {
            return Ok(Self::default());
        }
        let top = reader.map(&value, "the file", &["environments"])?;
        let mut policy = Self::default();
        for item in reader.list(top, "environments")? {
            let stage = reader.stage(item)?;
            if policy.environments.iter().any(|other| other.name == stage.name) {
                return Err(reader.refuse("name", format!("environment {:?} is there twice", stage.name)));
            }
            policy.environments.push(stage);
        }
        Ok(policy)
    }
}

impl Reader<'_> {
    fn refuse(&self, key: &str, what: String) -> Error {
        Error { path: self.path.to_owned(), line: unknown::line_of(self.text, key), what }
    }

    fn map<'v>(&self, value: &'v Value, what: &str, known: &[&str]) -> Result<&'v Map<String, Value>, Error> {
        let map = value.as_object().ok_or_else(|| self.refuse(what, format!("{what} has to be a map")))?;
        for key in map.keys() {
            if COMMANDS.contains(&key.as_str()) {
                let what = format!("{key:?} is refused: a repository cannot name a command to run; remove it");
                return Err(self.refuse(key, what));
            }
            if !known.contains(&key.as_str()) {
                return Err(self.refuse(key, unknown::message(key, known)));
            }
        }
        Ok(map)
    }

    fn list<'v>(&self, map: &'v Map<String, Value>, key: &str) -> Result<&'v [Value], Error> {
        match map.get(key) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.refuse(key, format!("{key} has to be a list"))),
        }
    }

    fn text(&self, map: &Map<String, Value>, key: &str) -> Result<String, Error> {
        match map.get(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(self.refuse(key, format!("{key} has to be a text"))),
        }
    }

    fn flag(&self, map: &Map<String, Value>, key: &str) -> Result<bool, Error> {
        match map.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.refuse(key, format!("{key} has to be true or false"))),
        }
    }

    fn stage(&self, value: &Value) -> Result<Stage, Error> {
        let known =
            ["name", "ref", "clusters", "protected", "soak", "freeze", "readOnly", "requireHealthy", "maxDeletions"];
        let map = self.map(value, "environments", &known)?;
        let name = self.text(map, "name")?;
        if name.is_empty() {
            return Err(self.refuse("environments", "an environment has no name".to_owned()));
        }
        let reference = map.get("ref").ok_or_else(|| {
            self.refuse(
                "name",
                format!("environment {name:?} has no ref; write ref: {{branch: NAME}} or {{tag: NAME}}"),
            )
        })?;
        let reference = self.map(reference, "ref", &["branch", "tag"])?;
        let reference = match (self.text(reference, "branch")?, self.text(reference, "tag")?) {
            (branch, tag) if tag.is_empty() && !branch.is_empty() => Reference::Branch(branch),
            (branch, tag) if branch.is_empty() && !tag.is_empty() => Reference::Tag(tag),
            _ => return Err(self.refuse("ref", format!("ref of {name:?} needs either branch or tag"))),
        };
        let clusters = self.list(map, "clusters")?.iter().map(|cluster| {
            cluster
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| self.refuse("clusters", "clusters has to be a list of names".to_owned()))
        });
        let soak = self.text(map, "soak")?;
        let span = || {
            let span: jiff::SignedDuration = soak.parse().ok()?;
            u64::try_from(span.as_secs()).ok()
        };
        let soak_seconds = if soak.is_empty() {
            0
        } else {
            span().ok_or_else(|| self.refuse("soak", format!("soak {soak:?} is not a duration such as 30m or 2h")))?
        };
        let max_deletions = match map.get("maxDeletions") {
            None => None,
            Some(value) => Some(
                value
                    .as_u64()
                    .and_then(|most| usize::try_from(most).ok())
                    .ok_or_else(|| self.refuse("maxDeletions", "maxDeletions has to be a whole number".to_owned()))?,
            ),
        };
        Ok(Stage {
            clusters: clusters.collect::<Result<_, _>>()?,
            policy: GatePolicy {
                soak_seconds,
                require_healthy: self.flag(map, "requireHealthy")? || soak_seconds > 0,
                protected: self.flag(map, "protected")?,
                read_only: self.flag(map, "readOnly")?,
                frozen: None,
                max_deletions,
            },
            freezes: self.list(map, "freeze")?.iter().map(|item| self.freeze(item)).collect::<Result<_, _>>()?,
            inferred: false,
            name,
            reference,
        })
    }

    fn freeze(&self, value: &Value) -> Result<Freeze, Error> {
        let map = self.map(value, "freeze", &["from", "until", "reason"])?;
        let moment = |key: &str| {
            let text = self.text(map, key)?;
            text.parse::<Timestamp>()
                .map_err(|_| self.refuse(key, format!("{key} {text:?} is not a time such as 2026-12-24T00:00:00Z")))
        };
        Ok(Freeze { from: moment("from")?, until: moment("until")?, reason: self.text(map, "reason")? })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Policy;

    #[test]
    fn policies_are_read_or_refused_with_a_line() {
        fn check(text: &str, expected: &str) {
            let result = Policy::parse(text, Path::new(".quarterdeck.yaml"));
            let said =
                result.map_or_else(|error| error.to_string(), |policy| format!("{} stages", policy.environments.len()));
            assert!(said.contains(expected), "{said} lacks {expected}");
        }
        check("", "0 stages");
        let prod = "environments:\n- name: prod\n  ref: {tag: stable}\n  clusters: [p1]\n";
        check(&format!("{prod}  protected: true\n  soak: 2h\n"), "1 stages");
        check(
            &format!("{prod}  protect: true\n"),
            ".quarterdeck.yaml:5: unknown key \"protect\"; did you mean \"protected\"?",
        );
        check(
            &format!("{prod}  exec: rm\n"),
            ".quarterdeck.yaml:5: \"exec\" is refused: a repository cannot name a command",
        );
        check(&format!("{prod}  soak: soon\n"), "is not a duration");
        check(&format!("{prod}- name: prod\n  ref: {{tag: x}}\n"), "is there twice");
        check("environments:\n- name: a\n", "has no ref");
    }

    #[test]
    fn freezes_hold_for_their_time() {
        let text = "environments:\n- name: prod\n  ref: {tag: stable}\n  freeze:\n  - from: \"2026-01-01T00:00:00Z\"\n    \
                    until: \"2026-01-02T00:00:00Z\"\n    reason: holidays\n";
        let policy = Policy::parse(text, Path::new("p")).unwrap();
        let at = |moment: &str| policy.environments[0].policy_at(moment.parse().unwrap()).frozen;
        assert_eq!(at("2026-01-01T12:00:00Z").as_deref(), Some("holidays; until 2026-01-02T00:00:00Z"));
        assert_eq!(at("2026-01-02T00:00:00Z"), None);
    }
}
