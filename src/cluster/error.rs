//! What a cluster answers when it does not do what it was asked, in plain words.

use std::error::Error as _;

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
        Self { code, ..Self::new(kind_of(code, text("reason")), text("message")) }
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let message = if status.message.is_empty() { status.reason.clone() } else { status.message.clone() };
                Self { code: status.code, ..Self::new(kind_of(status.code, &status.reason), message) }
            }
            kube::Error::Auth(error) => {
                Self::new(ErrorKind::Unauthorized, format!("credentials cannot be had: {error}"))
            }
            other => Self::new(ErrorKind::Unreachable, unreachable_words(&other)),
        }
    }
}

fn kind_of(code: u16, reason: &str) -> ErrorKind {
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

/// Returns the innermost causes, which say more than the wrappers around them.
fn unreachable_words(error: &kube::Error) -> String {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push(inner.to_string());
        cause = inner.source();
    }
    let all = words.join(": ").to_lowercase();
    let plain = [
        ("connection refused", "connection refused: nothing listens there"),
        ("dns error", "the host name cannot be resolved"),
        ("failed to lookup address", "the host name cannot be resolved"),
        ("certificate has expired", "the server's certificate has expired"),
        ("certexpired", "the server's certificate has expired"),
        ("certificate expired", "the server's certificate has expired"),
        ("unknownissuer", "the server's certificate is signed by an unknown authority"),
        ("invalid peer certificate", "the server's certificate is not accepted"),
        ("timed out", "no answer in time"),
        ("deadline has elapsed", "no answer in time"),
        ("network is unreachable", "the network is unreachable"),
        ("no route to host", "there is no route to the host"),
        ("connection reset", "the connection was reset"),
    ];
    if let Some((_, said)) = plain.iter().find(|(sign, _)| all.contains(sign)) {
        return (*said).to_owned();
    }
    words.pop().unwrap_or_default()
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
