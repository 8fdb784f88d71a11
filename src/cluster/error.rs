//! What a cluster answers when it does not do what it was asked, in plain words.

/// Which kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such object or kind.
    NotFound,
    /// Somebody else changed it, or it exists already.
    Conflict,
    /// We may not do this.
    Forbidden,
    /// We are not known, or the credentials have expired.
    Unauthorized,
    /// The object is wrong.
    Invalid,
    /// The resource version is too old.
    Gone,
    /// The server asks to come back later.
    TooManyRequests,
    /// No answer: refused, unknown host, time-out, broken TLS.
    Unreachable,
    /// Anything else.
    Other,
}

/// A request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    code: u16,
}

impl Error {
    /// Makes an error.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = crate::model::text::line(&message.into()).into_owned();
        Self { kind, message, code: 0 }
    }

    /// Makes an error of an answer with an HTTP status.
    pub(super) fn answered(kind: ErrorKind, code: u16, message: impl Into<String>) -> Self {
        Self { code, ..Self::new(kind, message) }
    }

    /// Returns which kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the HTTP status, 0 if there was no answer.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Says whether the same read may work a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ErrorKind::TooManyRequests | ErrorKind::Unreachable) || matches!(self.code, 500 | 502..=504)
    }

    /// Makes an error of a `Status` object, as a watch delivers it.
    pub(super) fn from_status(status: &serde_json::Value) -> Self {
        let text = |name: &str| status.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let code = status
            .get("code")
            .and_then(serde_json::Value::as_u64)
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or(0);
        Self::answered(kind_of(code, text("reason")), code, text("message"))
    }
}

pub(super) fn kind_of(code: u16, reason: &str) -> ErrorKind {
    match (code, reason) {
        (404, _) | (_, "NotFound") => ErrorKind::NotFound,
        (410, _) | (_, "Expired" | "Gone") => ErrorKind::Gone,
        (409, _) => ErrorKind::Conflict,
        (403, _) => ErrorKind::Forbidden,
        (401, _) => ErrorKind::Unauthorized,
        (400 | 422, _) => ErrorKind::Invalid,
        (429, _) => ErrorKind::TooManyRequests,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Error, ErrorKind};

    #[test]
    fn answers_are_told_apart() {
        for (code, reason, kind) in [
            (404, "NotFound", ErrorKind::NotFound),
            (410, "Expired", ErrorKind::Gone),
            (409, "Conflict", ErrorKind::Conflict),
            (403, "Forbidden", ErrorKind::Forbidden),
            (401, "Unauthorized", ErrorKind::Unauthorized),
            (422, "Invalid", ErrorKind::Invalid),
            (429, "TooManyRequests", ErrorKind::TooManyRequests),
            (500, "InternalError", ErrorKind::Other),
        ] {
            let error = Error::from_status(&json!({"code": code, "reason": reason, "message": "m\u{1b}[2J"}));
            assert_eq!(error.kind(), kind, "{code}");
            assert_eq!(error.to_string(), "m[2J");
        }
        assert!(Error::from_status(&json!({"code": 503})).is_passing());
        assert!(!Error::from_status(&json!({"code": 422})).is_passing());
    }
}
