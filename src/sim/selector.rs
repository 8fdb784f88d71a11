//! Label and field selectors.

use serde_json::Value;

use super::status::Status;

/// A parsed label selector: every requirement has to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Missing,
}

impl Labels {
    /// Reads a selector as in a query: `a=b,c!=d,e in (f,g),h,!i`.
    pub fn parse(text: &str) -> Result<Self, Status> {
        let mut requirements = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            requirements.push(parse_requirement(part).ok_or_else(|| {
                Status::bad_request(format!("unable to parse requirement: found '{part}', expected: a selector"))
            })?);
        }
        Ok(Self(requirements))
    }

    /// Reads a `LabelSelector` object, or a plain map of labels.
    pub fn from_object(selector: &Value) -> Self {
        let mut requirements = Vec::new();
        let Some(map) = selector.as_object() else { return Self::default() };
        let structured = map.contains_key("matchLabels") || map.contains_key("matchExpressions");
        let labels = if structured { selector.get("matchLabels").and_then(Value::as_object) } else { Some(map) };
        for (key, value) in labels.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements.push(Requirement { key: key.clone(), test: Test::In(vec![value]) });
        }
        for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            let values: Vec<String> = expression["values"]
                .as_array()
                .map(|values| values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default();
            let test = match expression["operator"].as_str().unwrap_or_default() {
                "In" => Test::In(values),
                "NotIn" => Test::NotIn(values),
                "Exists" => Test::Exists,
                _ => Test::Missing,
            };
            requirements.push(Requirement { key: expression["key"].as_str().unwrap_or_default().to_owned(), test });
        }
        Self(requirements)
    }

    /// Says whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says whether an object's labels fit.
    pub fn matches(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        self.0.iter().all(|requirement| {
            let value = labels.and_then(|labels| labels.get(&requirement.key)).and_then(Value::as_str);
            match (&requirement.test, value) {
                (Test::In(values), Some(value)) => values.iter().any(|known| known == value),
                (Test::In(_), None) | (Test::Missing, Some(_)) => false,
                (Test::NotIn(values), Some(value)) => !values.iter().any(|known| known == value),
                (Test::NotIn(_) | Test::Missing, None) => true,
                (Test::Exists, value) => value.is_some(),
            }
        })
    }

    /// Writes the selector as a query does.
    pub fn to_text(&self) -> String {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|requirement| match &requirement.test {
                Test::In(values) if values.len() == 1 => format!("{}={}", requirement.key, values[0]),
                Test::In(values) => format!("{} in ({})", requirement.key, values.join(",")),
                Test::NotIn(values) => format!("{} notin ({})", requirement.key, values.join(",")),
                Test::Exists => requirement.key.clone(),
                Test::Missing => format!("!{}", requirement.key),
            })
            .collect();
        parts.join(",")
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn parse_requirement(part: &str) -> Option<Requirement> {
    let requirement = |key: &str, test| Requirement { key: key.trim().to_owned(), test };
    if let Some((key, value)) = part.split_once("!=") {
        return Some(requirement(key, Test::NotIn(vec![value.trim().to_owned()])));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(requirement(key, Test::In(vec![value.trim().to_owned()])));
    }
    if let Some(open) = part.find('(') {
        let values = part[open + 1..].strip_suffix(')')?.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = part[..open].split_whitespace();
        let (key, operator) = (words.next()?, words.next()?);
        return match operator {
            "in" => Some(requirement(key, Test::In(values))),
            "notin" => Some(requirement(key, Test::NotIn(values))),
            _ => None,
        };
    }
    if part.contains(char::is_whitespace) {
        return None;
    }
    match part.strip_prefix('!') {
        Some(key) => Some(requirement(key, Test::Missing)),
        None => Some(requirement(part, Test::Exists)),
    }
}

/// A parsed field selector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(String, bool, String)>);

impl Fields {
    /// Reads a selector as in a query: `metadata.name=x,status.phase!=Running`.
    pub fn parse(text: &str) -> Result<Self, Status> {
        let mut fields = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (path, equal, value) = if let Some((path, value)) = part.split_once("!=") {
                (path, false, value)
            } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (path, true, value)
            } else {
                return Err(Status::bad_request(format!("invalid selector: '{part}'; can't understand '{part}'")));
            };
            fields.push((path.trim().to_owned(), equal, value.trim().to_owned()));
        }
        Ok(Self(fields))
    }

    /// Says whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses paths that the API server has no selector for.
    pub fn check(&self, kind: &str) -> Result<(), Status> {
        for (path, _, _) in &self.0 {
            let known = matches!(path.as_str(), "metadata.name" | "metadata.namespace")
                || match kind {
                    "Pod" => matches!(
                        path.as_str(),
                        "spec.nodeName"
                            | "spec.restartPolicy"
                            | "spec.schedulerName"
                            | "spec.serviceAccountName"
                            | "status.phase"
                            | "status.podIP"
                    ),
                    "Event" => {
                        path.starts_with("involvedObject.")
                            || path.starts_with("regarding.")
                            || matches!(path.as_str(), "reason" | "type" | "source" | "reportingComponent")
                    }
                    "Secret" => path == "type",
                    "Namespace" => path == "status.phase",
                    "Node" => path == "spec.unschedulable",
                    "ReplicaSet" | "ReplicationController" => path == "status.replicas",
                    "Job" => path == "status.successful",
                    _ => false,
                };
            if !known {
                return Err(Status::bad_request(format!(
                    "Unable to find \"{path}\" that matches the field label supported by the kind {kind}: field label not supported: {path}"
                )));
            }
        }
        Ok(())
    }

    /// Says whether an object fits.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, equal, wanted)| {
            let pointer = format!("/{}", path.replace('.', "/"));
            let value = match object.pointer(&pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            (value == *wanted) == *equal
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(selector: &str, expected: bool) {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        assert_eq!(Labels::parse(selector).unwrap().matches(&object), expected, "{selector}");
    }

    #[test]
    fn label_selectors_select() {
        for selector in ["", "app=web", "app==web", "app in (web,api)", "app,tier", "!gone", "gone!=x", "app notin (x)"]
        {
            check(selector, true);
        }
        for selector in ["app=api", "gone", "!app", "app notin (web, x),tier", "gone in (x)", "app!=web"] {
            check(selector, false);
        }
        assert!(Labels::parse("a b").is_err());
    }

    #[test]
    fn field_selectors_refuse_unknown_paths() {
        assert!(Fields::parse("spec.nodeName=x").unwrap().check("Pod").is_ok());
        assert!(Fields::parse("spec.replicas=1").unwrap().check("Deployment").is_err());
        let pod = json!({"status": {"phase": "Running"}});
        assert!(Fields::parse("status.phase!=Pending").unwrap().matches(&pod));
    }
}
