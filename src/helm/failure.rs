//! Errors of templates in the words of each helm.

use super::error::Error;
use super::manifest::DEBUG_HINT;
use super::profile::Profile;
use crate::template;

/// What `fail` and `required` put around a message, so that it is shown without the chain of calls.
pub(super) const MESSAGE_START: &str = "HELM_ERR_START";
pub(super) const MESSAGE_END: &str = "HELM_ERR_END";

/// Returns the error of a template that cannot be parsed.
pub(super) fn parse(error: &template::Error) -> Error {
    let text = error.to_string();
    let text = match (text.split(": ").nth(1), text.rsplit(": ").next()) {
        (Some(place), Some(message)) => format!("parse error at ({place}): {message}"),
        _ => format!("parse error in ({}): {text}", error.template),
    };
    Error::Render(text + DEBUG_HINT)
}

/// Returns the error of a template that failed.
pub(super) fn execution(error: &template::Error, profile: Profile) -> Error {
    let text = error.to_string();
    let text = match message(&text) {
        Some(message) => {
            let place = text.split(": ").nth(1).unwrap_or_default();
            format!("execution error at ({place}): {message}")
        }
        None if profile.is_v4() => steps(error).unwrap_or(text),
        None => without_types(text),
    };
    Error::Render(text + DEBUG_HINT)
}

/// The longest text that an error may have.
const LONGEST: usize = 4096;

/// Returns the text of an error, with its middle left out if it is too long.
pub(super) fn bounded(text: String) -> String {
    if text.len() > LONGEST { template::shortened(&text, LONGEST) } else { text }
}

/// Returns a message without the types of values that cannot be compared: only newer Go releases name them.
fn without_types(mut text: String) -> String {
    const COMPARISON: &str = "incompatible types for comparison";
    if let Some(at) = text.rfind(COMPARISON) {
        text.truncate(at + COMPARISON.len());
    }
    text
}

/// Returns a text without the marks around what `fail` said.
pub(super) fn without_marks(text: &str) -> String {
    text.replace(MESSAGE_START, "").replace(MESSAGE_END, "")
}

/// Returns what `fail` or `required` had to say.
fn message(text: &str) -> Option<&str> {
    let start = text.find(MESSAGE_START)? + MESSAGE_START.len();
    let end = text.rfind(MESSAGE_END)?;
    text.get(start..end)
}

/// Returns the chain of calls with a paragraph each, as Helm 4 shows it; nothing if helm leaves it in one line: when it
/// ends in the error of a function, or passes through `tpl`.
fn steps(error: &template::Error) -> Option<String> {
    let mut text = String::new();
    let mut step = Some(error);
    while let Some(error) = step {
        let Some(executing) = &error.executing else {
            text.push_str(&error.to_string());
            break;
        };
        let executing = template::format::quote_text(executing);
        let message = match &error.cause {
            Some(cause) => error.message.strip_suffix(&cause.to_string())?.trim_end(),
            None if error.message.starts_with("error calling ") => return None,
            None => &error.message,
        };
        if error.cause.is_some() && !is_call(message) || error.context.contains('\n') {
            return None;
        }
        text.push_str(&format!(
            "{}:{}:{}\n  executing {executing} at <{}>:\n    {message}\n",
            error.template, error.line, error.column, error.context
        ));
        step = error.cause.as_deref();
    }
    Some(text.trim().to_owned())
}

/// Says whether a message is only that a function was called, without words of the function's own.
fn is_call(message: &str) -> bool {
    message.strip_prefix("error calling ").is_some_and(|rest| rest.ends_with(':') && !rest.contains(' '))
}
