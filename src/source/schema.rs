//! What an API server checks before it takes an Application: types and required fields.

use serde_json::Value;

/// What may stand in one place.
pub(super) enum Shape {
    Text,
    Flag,
    Number,
    TextOrNumber,
    /// An object with any content.
    Open,
    Texts,
    List(&'static Shape),
    Fields {
        known: &'static [(&'static str, Shape)],
        required: &'static [&'static str],
    },
}

use Shape::{Fields, Flag, List, Number, Open, Text, TextOrNumber, Texts};

const fn fields(known: &'static [(&'static str, Shape)]) -> Shape {
    Fields { known, required: &[] }
}

const ENV: Shape = Fields { known: &[("name", Text), ("value", Text), ("code", Flag)], required: &["name", "value"] };

const HELM: Shape = fields(&[
    ("releaseName", Text),
    ("namespace", Text),
    ("valueFiles", List(&Text)),
    ("ignoreMissingValueFiles", Flag),
    ("values", Text),
    ("valuesObject", Open),
    ("parameters", List(&fields(&[("name", Text), ("value", Text), ("forceString", Flag)]))),
    ("fileParameters", List(&fields(&[("name", Text), ("path", Text)]))),
    ("skipCrds", Flag),
    ("skipTests", Flag),
    ("skipSchemaValidation", Flag),
    ("passCredentials", Flag),
    ("version", Text),
    ("kubeVersion", Text),
    ("apiVersions", List(&Text)),
]);

const KUSTOMIZE: Shape = fields(&[
    ("namePrefix", Text),
    ("nameSuffix", Text),
    ("namespace", Text),
    ("version", Text),
    ("images", List(&Text)),
    ("components", List(&Text)),
    ("commonLabels", Texts),
    ("commonAnnotations", Texts),
    ("forceCommonLabels", Flag),
    ("forceCommonAnnotations", Flag),
    ("replicas", List(&Fields { known: &[("name", Text), ("count", TextOrNumber)], required: &["name", "count"] })),
    ("patches", List(&Open)),
]);

const DIRECTORY: Shape = fields(&[
    ("recurse", Flag),
    ("disableExtensionFilter", Flag),
    ("include", Text),
    ("exclude", Text),
    ("jsonnet", fields(&[("extVars", List(&ENV)), ("tlas", List(&ENV)), ("libs", List(&Text))])),
]);

/// One source.
pub(super) const SOURCE: Shape = Fields {
    known: &[
        ("repoURL", Text),
        ("path", Text),
        ("chart", Text),
        ("targetRevision", Text),
        ("ref", Text),
        ("name", Text),
        ("tagPrefix", Text),
        ("helm", HELM),
        ("kustomize", KUSTOMIZE),
        ("directory", DIRECTORY),
        (
            "plugin",
            fields(&[
                ("name", Text),
                ("env", List(&Fields { known: &[("name", Text), ("value", Text)], required: &["name", "value"] })),
                ("parameters", List(&Open)),
            ]),
        ),
    ],
    required: &["repoURL"],
};

const RETRY: Shape = fields(&[
    ("limit", Number),
    ("refresh", Flag),
    ("backoff", fields(&[("duration", Text), ("factor", Number), ("maxDuration", Text)])),
]);

const SYNC_POLICY: Shape = fields(&[
    ("automated", fields(&[("prune", Flag), ("selfHeal", Flag), ("allowEmpty", Flag), ("enabled", Flag)])),
    ("syncOptions", List(&Text)),
    ("retry", RETRY),
    ("managedNamespaceMetadata", fields(&[("labels", Texts), ("annotations", Texts)])),
]);

/// The part of an Application that an API server checks.
pub(super) const APPLICATION: Shape = Fields {
    known: &[
        (
            "metadata",
            fields(&[
                ("name", Text),
                ("namespace", Text),
                ("labels", Texts),
                ("annotations", Texts),
                ("finalizers", List(&Text)),
            ]),
        ),
        (
            "spec",
            Fields {
                known: &[
                    ("project", Text),
                    ("source", SOURCE),
                    ("sources", List(&SOURCE)),
                    ("sourceHydrator", Open),
                    ("destination", fields(&[("server", Text), ("name", Text), ("namespace", Text)])),
                    ("syncPolicy", SYNC_POLICY),
                    (
                        "ignoreDifferences",
                        List(&Fields {
                            known: &[
                                ("group", Text),
                                ("kind", Text),
                                ("name", Text),
                                ("namespace", Text),
                                ("jsonPointers", List(&Text)),
                                ("jqPathExpressions", List(&Text)),
                                ("managedFieldsManagers", List(&Text)),
                            ],
                            required: &["kind"],
                        }),
                    ),
                    ("info", List(&Fields { known: &[("name", Text), ("value", Text)], required: &["name", "value"] })),
                    ("revisionHistoryLimit", Number),
                ],
                required: &["destination", "project"],
            },
        ),
    ],
    required: &["metadata", "spec"],
};

/// Lists what is wrong, each as `path: what`.
pub(super) fn check(shape: &Shape, value: &Value, path: &str, wrong: &mut Vec<String>) {
    let mut refuse = |wanted: &str| {
        let found = type_name(value);
        wrong.push(format!("{path}: Invalid value: \"{found}\": {path} in body must be of type {wanted}: \"{found}\""));
    };
    match shape {
        Text if !value.is_string() => refuse("string"),
        Flag if !value.is_boolean() => refuse("boolean"),
        Number if !(value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)) => {
            refuse("integer");
        }
        TextOrNumber if !(value.is_string() || value.is_i64() || value.is_u64()) => refuse("integer,string"),
        Text | Flag | Number | TextOrNumber => {}
        Open => {
            if !value.is_object() {
                refuse("object");
            }
        }
        Texts => match value.as_object() {
            Some(map) => map.iter().for_each(|(key, value)| check(&Text, value, &format!("{path}.{key}"), wrong)),
            None => refuse("object"),
        },
        List(item) => match value.as_array() {
            Some(items) => {
                for (index, value) in items.iter().enumerate() {
                    check(item, value, &format!("{path}[{index}]"), wrong);
                }
            }
            None => refuse("array"),
        },
        Fields { known, required } => match value.as_object() {
            Some(map) => {
                let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                for name in required.iter().filter(|name| !map.contains_key(**name)) {
                    wrong.push(format!("{}: Required value", below(name)));
                }
                for (name, shape) in *known {
                    if let Some(value) = map.get(*name) {
                        check(shape, value, &below(name), wrong);
                    }
                }
            }
            None => refuse("object"),
        },
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
