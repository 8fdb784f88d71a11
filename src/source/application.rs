//! Reads a manifest of kind Application, and refuses what an API server would refuse.

use serde_json::Value;

use super::schema;
use crate::model::{
    Application, Automated, Backoff, Condition, ConditionKind, Destination, DirectoryBlock, FileParameter, HelmBlock,
    IgnoreDifference, Object, Parameter, Retry, Source, SyncPolicy, Tool,
};

/// Reads an Application.
///
/// # Errors
/// Every reason why an API server or the engine has to refuse it.
pub fn application(object: &Object) -> Result<Application, Vec<Condition>> {
    let mut wrong = Vec::new();
    schema::check(&schema::APPLICATION, object.value(), "", &mut wrong);
    if !wrong.is_empty() {
        let list = if wrong.len() == 1 { wrong.concat() } else { format!("[{}]", wrong.join(", ")) };
        let message = format!("Application.argoproj.io {:?} is invalid: {list}", object.name());
        return Err(vec![Condition::new(ConditionKind::InvalidSpecError, message)]);
    }
    let mut conditions = Vec::new();
    let application = read(object, &mut conditions);
    if conditions.is_empty() { Ok(application) } else { Err(conditions) }
}

/// Reads a source that an override file changed; where it comes from stays as declared.
pub(super) fn patched(value: &Value, declared: &Source) -> Result<Source, String> {
    let mut wrong = Vec::new();
    schema::check(&schema::SOURCE, value, "source", &mut wrong);
    let mut conditions = Vec::new();
    if wrong.is_empty() {
        let tool = tool(value, "source", &mut conditions);
        wrong.extend(conditions.into_iter().map(|condition| condition.message));
        if wrong.is_empty() {
            return Ok(Source { tool, ..declared.clone() });
        }
    }
    Err(wrong.join(", "))
}

fn read(object: &Object, conditions: &mut Vec<Condition>) -> Application {
    let spec = &object.value()["spec"];
    let project = text(spec, "project");
    if spec.get("sourceHydrator").is_some() {
        conditions.push(Condition::new(ConditionKind::ComparisonError, "spec.sourceHydrator is not supported yet"));
    }
    let sources: Vec<Source> = match spec["sources"].as_array().filter(|sources| !sources.is_empty()) {
        Some(list) => (0..)
            .zip(list)
            .map(|(index, value)| source(value, &format!("spec.sources[{index}]"), true, conditions))
            .collect(),
        None if spec["source"].is_object() => vec![source(&spec["source"], "spec.source", false, conditions)],
        None => {
            if spec.get("sourceHydrator").is_none() {
                conditions.push(invalid("spec.source or spec.sources is required"));
            }
            Vec::new()
        }
    };
    for (index, source) in sources.iter().enumerate().filter(|(_, source)| !source.reference.is_empty()) {
        if sources[..index].iter().any(|other| other.reference == source.reference) {
            conditions.push(invalid(format!("two of spec.sources have the ref {:?}", source.reference)));
        }
    }
    Application {
        name: object.name().to_owned(),
        namespace: object.namespace().to_owned(),
        labels: pairs(&object.value()["metadata"]["labels"]),
        annotations: pairs(&object.value()["metadata"]["annotations"]),
        project: if project.is_empty() { "default".to_owned() } else { project },
        sources,
        destination: destination(&spec["destination"], conditions),
        sync_policy: sync_policy(&spec["syncPolicy"], conditions),
        ignore_differences: items(spec, "ignoreDifferences").map(ignore_difference).collect(),
        wave: object
            .annotation("argocd.argoproj.io/sync-wave")
            .and_then(|wave| wave.trim().parse().ok())
            .unwrap_or_default(),
    }
}

/// Reads one source that has the right types; `path` says where it stands.
fn source(value: &Value, path: &str, many: bool, conditions: &mut Vec<Condition>) -> Source {
    let source = Source {
        repo_url: text(value, "repoURL"),
        path: text(value, "path"),
        chart: text(value, "chart"),
        target_revision: text(value, "targetRevision"),
        reference: text(value, "ref"),
        tag_prefix: text(value, "tagPrefix"),
        tool: tool(value, path, conditions),
    };
    if source.repo_url.is_empty() || (source.path.is_empty() && source.chart.is_empty() && source.reference.is_empty())
    {
        let either = if many { "one of path, chart and ref" } else { "either path or chart" };
        conditions.push(invalid(format!("{path}: repoURL and {either} are required")));
    } else if !many && source.path.is_empty() && source.chart.is_empty() {
        conditions.push(invalid(format!("{path}: repoURL and either path or chart are required")));
    }
    if !source.chart.is_empty() && source.target_revision.is_empty() {
        conditions.push(invalid(format!("{path}: targetRevision is required for chart {:?}", source.chart)));
    }
    if !source.reference.is_empty() {
        if !source.chart.is_empty() {
            conditions.push(invalid(format!("{path}: ref and chart cannot be combined")));
        }
        if !source.reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            conditions
                .push(invalid(format!("{path}: ref {:?} may only hold letters, digits, - and _", source.reference)));
        }
    }
    source
}

fn tool(value: &Value, path: &str, conditions: &mut Vec<Condition>) -> Tool {
    let holds = |name: &str| value.get(name).is_some_and(|block| !is_zero(block));
    let named: Vec<&str> = ["helm", "kustomize", "directory", "plugin"]
        .into_iter()
        .filter(|name| if *name == "plugin" { value.get(name).is_some() } else { holds(name) })
        .collect();
    if named.len() > 1 {
        conditions.push(invalid(format!("{path}: only one of {} may be set", named.join(", "))));
    }
    match named.first() {
        Some(&"helm") => Tool::Helm(Box::new(helm(&value["helm"], path, conditions))),
        Some(&"kustomize") => Tool::Kustomize,
        Some(&"directory") => {
            let block = &value["directory"];
            Tool::Directory(DirectoryBlock {
                recurse: flag(block, "recurse"),
                every_extension: flag(block, "disableExtensionFilter"),
                exclude: text(block, "exclude"),
                include: text(block, "include"),
                jsonnet: block.get("jsonnet").is_some_and(|jsonnet| !is_zero(jsonnet)),
            })
        }
        Some(_) => Tool::Plugin(text(&value["plugin"], "name")),
        None => Tool::Detect,
    }
}

fn helm(block: &Value, path: &str, conditions: &mut Vec<Condition>) -> HelmBlock {
    let version = text(block, "version");
    if !matches!(version.as_str(), "" | "v3" | "v4") {
        conditions.push(invalid(format!("{path}.helm.version: {version:?} is not supported; leave it out or use v3")));
    }
    HelmBlock {
        release_name: text(block, "releaseName"),
        namespace: text(block, "namespace"),
        value_files: texts(block, "valueFiles"),
        ignore_missing_value_files: flag(block, "ignoreMissingValueFiles"),
        values: text(block, "values"),
        values_object: block.get("valuesObject").cloned(),
        parameters: items(block, "parameters")
            .map(|item| Parameter {
                name: text(item, "name"),
                value: text(item, "value"),
                force_string: flag(item, "forceString"),
            })
            .collect(),
        file_parameters: items(block, "fileParameters")
            .map(|item| FileParameter { name: text(item, "name"), path: text(item, "path") })
            .collect(),
        skip_crds: flag(block, "skipCrds"),
        skip_tests: flag(block, "skipTests"),
        skip_schema_validation: flag(block, "skipSchemaValidation"),
        kube_version: text(block, "kubeVersion"),
        api_versions: texts(block, "apiVersions"),
    }
}

fn destination(value: &Value, conditions: &mut Vec<Condition>) -> Destination {
    let destination = Destination {
        server: text(value, "server").trim_end_matches('/').to_owned(),
        name: text(value, "name"),
        namespace: text(value, "namespace"),
    };
    match (destination.server.is_empty(), destination.name.is_empty()) {
        (true, true) => conditions.push(invalid("spec.destination: one of server and name is required")),
        (false, false) => conditions.push(invalid(format!(
            "spec.destination: only one of server and name may be set, not both {} and {}",
            destination.server, destination.name
        ))),
        _ => {}
    }
    destination
}

fn sync_policy(value: &Value, conditions: &mut Vec<Condition>) -> SyncPolicy {
    let automated = value
        .get("automated")
        .filter(|automated| automated.get("enabled").and_then(Value::as_bool) != Some(false))
        .map(|automated| Automated {
            prune: flag(automated, "prune"),
            self_heal: flag(automated, "selfHeal"),
            allow_empty: flag(automated, "allowEmpty"),
        });
    let mut seconds = |name: &str, default: f64| {
        let text = value.pointer(&format!("/retry/backoff/{name}")).and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() {
            return default;
        }
        duration(text).unwrap_or_else(|| {
            conditions.push(invalid(format!(
                "spec.syncPolicy.retry.backoff.{name}: {text:?} is not a duration such as 5s or 3m"
            )));
            default
        })
    };
    let default = Backoff::default();
    let backoff = Backoff {
        duration: seconds("duration", default.duration),
        max_duration: seconds("maxDuration", default.max_duration),
        factor: value.pointer("/retry/backoff/factor").and_then(Value::as_f64).unwrap_or(default.factor),
    };
    SyncPolicy {
        automated,
        options: texts(value, "syncOptions"),
        retry: value.get("retry").map(|retry| Retry {
            limit: retry.get("limit").and_then(Value::as_f64).map_or(0, |limit| limit as i64),
            backoff,
            refresh: flag(retry, "refresh"),
        }),
        managed_namespace_metadata: value.get("managedNamespaceMetadata").cloned(),
    }
}

fn ignore_difference(value: &Value) -> IgnoreDifference {
    IgnoreDifference {
        group: text(value, "group"),
        kind: text(value, "kind"),
        name: text(value, "name"),
        namespace: text(value, "namespace"),
        json_pointers: texts(value, "jsonPointers"),
        jq_path_expressions: texts(value, "jqPathExpressions"),
        managed_fields_managers: texts(value, "managedFieldsManagers"),
    }
}

/// Reads `1h30m`, `5s`, `250ms`, or plain seconds.
fn duration(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(f64::from(seconds));
    }
    let (mut total, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match &rest[..unit] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!text.is_empty()).then_some(total)
}

fn invalid(message: impl Into<String>) -> Condition {
    Condition::new(ConditionKind::InvalidSpecError, message)
}

/// Says whether a block holds nothing, so that it counts as absent.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
        Value::Number(_) => false,
    }
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    items(value, name).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    let map = value.as_object().into_iter().flatten();
    map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{application, duration};
    use crate::model::{Object, Tool};

    fn manifest(change: impl FnOnce(&mut Value)) -> Object {
        let mut value = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "x", "namespace": "argocd"},
            "spec": {
                "project": "", "destination": {"server": "https://a/", "namespace": "n"},
                "source": {"repoURL": "r", "path": "p", "helm": {"valueFiles": ["a.yaml"]}},
                "unknown": 1,
            },
        });
        change(&mut value);
        Object::new(value).unwrap()
    }

    #[test]
    fn reads_what_is_well_formed() {
        let read = application(&manifest(|_| {})).unwrap();
        assert_eq!((read.project.as_str(), read.destination.server.as_str()), ("default", "https://a"));
        assert!(matches!(&read.sources[0].tool, Tool::Helm(helm) if helm.value_files == ["a.yaml"]));
        let empty = application(&manifest(|m| m["spec"]["source"]["helm"] = json!({}))).unwrap();
        assert_eq!(empty.sources[0].tool, Tool::Detect);
        let off =
            application(&manifest(|m| m["spec"]["syncPolicy"] = json!({"automated": {"enabled": false}}))).unwrap();
        assert_eq!(off.sync_policy.automated, None);
    }

    #[test]
    fn refuses_what_an_api_server_refuses() {
        fn check(change: impl FnOnce(&mut Value), expected: &str) {
            let conditions = application(&manifest(change)).unwrap_err();
            assert!(conditions[0].message.contains(expected), "{:?} lacks {expected}", conditions[0].message);
        }
        check(
            |m| m["spec"]["source"]["helm"]["valueFiles"] = json!([null]),
            "Application.argoproj.io \"x\" is invalid: spec.source.helm.valueFiles[0]: Invalid value: \"null\": \
             spec.source.helm.valueFiles[0] in body must be of type string: \"null\"",
        );
        check(|m| m["spec"]["destination"] = Value::Null, "spec.destination in body must be of type object");
        check(
            |m| {
                m["spec"].as_object_mut().unwrap().remove("project");
            },
            "spec.project: Required value",
        );
        check(
            |m| m["spec"]["source"]["targetRevision"] = json!(1.5),
            "spec.source.targetRevision: Invalid value: \"number\"",
        );
        check(|m| m["spec"]["destination"]["name"] = json!("b"), "only one of server and name");
        check(|m| m["spec"]["source"]["path"] = json!(""), "either path or chart");
        check(|m| m["spec"]["source"]["helm"]["version"] = json!("v2"), "\"v2\" is not supported");
        check(|m| m["spec"]["source"]["directory"] = json!({"recurse": true}), "only one of helm, directory");
        check(|m| m["spec"]["sourceHydrator"] = json!({}), "not supported yet");
    }

    #[test]
    fn durations_are_go_s() {
        for (text, expected) in
            [("5s", Some(5.0)), ("1h30m", Some(5400.0)), ("7", Some(7.0)), ("x", None), ("5", Some(5.0))]
        {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
