//! The API server's refusals, in the JSON form `Status`.

use serde_json::{Value, json};

use super::resource::ResourceType;

/// A refusal: HTTP code, reason, message and details.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, such as `NotFound`.
    pub reason: &'static str,
    /// What a person reads.
    pub message: String,
    /// `details`, or null.
    pub details: Value,
}

/// One field that validation refuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// Path, such as `spec.selector`.
    pub field: String,
    /// Such as `FieldValueInvalid`.
    pub reason: &'static str,
    /// Text after the path.
    pub message: String,
}

impl Cause {
    /// `Required value`.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Self { field: field.into(), reason: "FieldValueRequired", message }
    }

    /// `Invalid value`, the value shown as JSON.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self { field: field.into(), reason: "FieldValueInvalid", message: format!("Invalid value: {value}: {detail}") }
    }

    /// `Forbidden`.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self { field: field.into(), reason: "FieldValueForbidden", message: format!("Forbidden: {detail}") }
    }
}

impl Status {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null }
    }

    /// 404 for an object.
    pub fn not_found(resource: &ResourceType, name: &str) -> Self {
        let mut status = Self::new(404, "NotFound", format!("{} \"{name}\" not found", resource.qualified()));
        status.details = json!({"name": name, "group": resource.group, "kind": resource.plural});
        status
    }

    /// 404 for a path that names no resource.
    pub fn no_resource() -> Self {
        let mut status = Self::new(404, "NotFound", "the server could not find the requested resource");
        status.details = json!({});
        status
    }

    /// 409 for a create.
    pub fn already_exists(resource: &ResourceType, name: &str) -> Self {
        let mut status = Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", resource.qualified()));
        status.details = json!({"name": name, "group": resource.group, "kind": resource.plural});
        status
    }

    /// 409 for an update with an old resourceVersion or a failed precondition.
    pub fn conflict(resource: &ResourceType, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        let mut status = Self::new(409, "Conflict", message);
        status.details = json!({"name": name, "group": resource.group, "kind": resource.plural});
        status
    }

    /// 409 for a server-side apply that meets other managers' fields: (message, field) pairs.
    pub fn apply_conflict(message: String, causes: &[(String, String)]) -> Self {
        let mut status = Self::new(409, "Conflict", message);
        let causes: Vec<Value> = causes
            .iter()
            .map(|(message, field)| json!({"reason": "FieldManagerConflict", "message": message, "field": field}))
            .collect();
        status.details = json!({"causes": causes});
        status
    }

    /// 422 with the refused fields.
    pub fn invalid(resource: &ResourceType, name: &str, causes: &[Cause]) -> Self {
        let kind = if resource.group.is_empty() {
            resource.kind.clone()
        } else {
            format!("{}.{}", resource.kind, resource.group)
        };
        let texts: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let text = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut status = Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {text}"));
        let causes: Vec<Value> = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        status.details = json!({"name": name, "group": resource.group, "kind": resource.kind, "causes": causes});
        status
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalError", message)
    }

    /// 403.
    pub fn forbidden(resource: &ResourceType, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
        let mut status = Self::new(403, "Forbidden", message);
        status.details = json!({"name": name, "group": resource.group, "kind": resource.plural});
        status
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        let mut status =
            Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        status.details = json!({});
        status
    }

    /// 410 for a resourceVersion that is no longer kept.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 415.
    pub fn unsupported_media(content_type: &str) -> Self {
        Self::new(
            415,
            "UnsupportedMediaType",
            format!("the body of the request was in an unknown format - unsupported content type: {content_type}"),
        )
    }

    /// A scripted failure with any code.
    pub fn scripted(code: u16) -> Self {
        let (reason, message) = match code {
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", "forbidden: the simulator was told to refuse"),
            404 => ("NotFound", "the server could not find the requested resource"),
            409 => ("Conflict", "the object has been modified; please apply your changes to the latest version"),
            429 => ("TooManyRequests", "too many requests, please try again later"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "the server was unable to return a response in the time allotted"),
            _ => ("InternalError", "an error on the server has prevented the request from succeeding"),
        };
        let mut status = Self::new(code, reason, message);
        if code == 429 {
            status.details = json!({"retryAfterSeconds": 1});
        }
        status
    }

    /// Returns the JSON.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if !self.details.is_null() {
            json["details"] = self.details.clone();
        }
        json
    }
}

/// Returns the answer to a delete that is complete.
pub fn deleted(resource: &ResourceType, name: &str, uid: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": name, "group": resource.group, "kind": resource.plural, "uid": uid},
    })
}
