//! Mistakes in the arguments of `template`, in helm's words.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::model::Problem;

/// Returns what helm says where `template` was called with an unknown flag, or a flag without its value.
pub fn in_helms_words(error: &clap::Error, mut args: impl Iterator<Item = String>) -> Option<Problem> {
    if args.find(|arg| !arg.starts_with('-'))? != "template" {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => "",
    };
    let name = flag.split([' ', '=', '[']).next().unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::UnknownArgument => match name.strip_prefix('-') {
            Some(short) if !short.starts_with('-') => {
                format!("unknown shorthand flag: '{}' in {name}", short.chars().next().unwrap_or_default())
            }
            _ => format!("unknown flag: {name}"),
        },
        ErrorKind::InvalidValue if value.is_empty() => match args.last() {
            Some(short) if short.starts_with('-') && !short.starts_with("--") => {
                format!("flag needs an argument: '{}' in {short}", short.chars().last().unwrap_or_default())
            }
            _ => format!("flag needs an argument: {name}"),
        },
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("invalid argument \"{value}\" for \"{name}\" flag: {reason}")
        }
        _ => return None,
    };
    Some(Problem::new(what).hint("`quarterdeck template --help` lists the flags"))
}
