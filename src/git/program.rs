//! The `git` program: fixed arguments, nothing on the screen, nothing that a repository could make it run.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::Error;

/// Longest run of one command.
const LONGEST: Duration = Duration::from_secs(120);

/// Settings that a repository could use to run programs, switched off.
const HARDENING: [&str; 10] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.editor=true",
    "diff.external=",
    "protocol.ext.allow=never",
    "protocol.fd.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "credential.interactive=false",
];

/// Runs `git` in a folder and returns what it printed.
///
/// # Errors
/// When git is not installed, fails or takes too long; the reason is what it said, without control characters and credentials.
#[expect(clippy::disallowed_methods, reason = "this is the one place that starts git")]
pub(super) async fn run(folder: &Path, arguments: &[&str], input: Option<&str>) -> Result<String, Error> {
    let command = arguments.first().copied().unwrap_or_default().to_owned();
    let failed = |reason: String| Error::Program { command: command.clone(), reason };
    let mut program = tokio::process::Command::new("git");
    for setting in HARDENING {
        program.args(["-c", setting]);
    }
    program
        .args(arguments)
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "true")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .env("LC_ALL", "C")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_EXTERNAL_DIFF")
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = program.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed("the git program is not installed".to_owned()),
        _ => failed(error.to_string()),
    })?;
    if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(text.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
    }
    let output = tokio::time::timeout(LONGEST, child.wait_with_output())
        .await
        .map_err(|_| failed(format!("no answer for {} seconds", LONGEST.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let both = if printed.is_empty() { said.into_owned() } else { format!("{printed}{said}") };
    Err(failed(readable(&both)))
}

/// Returns the telling lines of what git said, on one line.
fn readable(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("hint:"))
        .map(|line| {
            let words: Vec<String> = line.split(' ').map(super::url::without_credentials).collect();
            crate::model::text::line(&words.join(" ")).into_owned()
        })
        .collect();
    let start = lines.len().saturating_sub(6);
    let mut joined = lines[start..].join("; ");
    if joined.len() > 600 {
        let end = (0..=600).rev().find(|at| joined.is_char_boundary(*at)).unwrap_or(0);
        joined.truncate(end);
    }
    joined
}
