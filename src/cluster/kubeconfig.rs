//! The kubeconfig: one file or several, merged; its contexts.

use std::path::{Path, PathBuf};

use kube::config::{ExecInteractiveMode, Kubeconfig as File, KubeconfigError};

use super::way::Way;
use super::{Error, ErrorKind};

/// A place that can be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The API server's URL.
    pub server: String,
    /// The name of its cluster entry.
    pub cluster: String,
}

/// The contexts and credentials of a person.
#[derive(Clone, Debug)]
pub struct Kubeconfig {
    file: File,
    paths: Vec<PathBuf>,
}

impl Kubeconfig {
    /// Reads and merges files; the first one to name something wins. Files of a list that do not exist are left out, as kubectl does.
    ///
    /// # Errors
    /// When none exists, one is broken, or everybody may write to one.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Error> {
        let wrong =
            |path: &Path, why: String| Error::new(ErrorKind::Other, format!("kubeconfig {}: {why}", path.display()));
        let mut merged: Option<File> = None;
        for path in paths.iter().filter(|path| path.exists() || paths.len() == 1) {
            let about = std::fs::metadata(path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => wrong(path, "it does not exist".to_owned()),
                _ => wrong(path, error.to_string()),
            })?;
            if is_world_writable(&about) {
                return Err(wrong(path, "everybody may write to it, so it is not used (chmod o-w)".to_owned()));
            }
            let file = File::read_from(path).map_err(|error| wrong(path, unreadable(&error)))?;
            merged = Some(match merged {
                Some(first) => first.merge(file).map_err(|error| wrong(path, error.to_string()))?,
                None => file,
            });
        }
        let mut file = merged.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no kubeconfig"))?;
        for user in &mut file.auth_infos {
            if let Some(exec) = user.auth_info.as_mut().and_then(|auth| auth.exec.as_mut()) {
                // A plugin that asks on the terminal would paint over the screen.
                exec.interactive_mode = Some(ExecInteractiveMode::Never);
            }
        }
        Ok(Self { file, paths: paths.to_vec() })
    }

    /// Returns the files that were asked for.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Returns the current context's name.
    pub fn current(&self) -> Option<&str> {
        self.file.current_context.as_deref()
    }

    /// Returns the contexts, in the file's order.
    pub fn contexts(&self) -> Vec<Context> {
        let server_of = |name: &str| {
            let cluster = self.file.clusters.iter().find(|cluster| cluster.name == name)?;
            cluster.cluster.as_ref()?.server.clone()
        };
        self.file
            .contexts
            .iter()
            .filter_map(|named| {
                let context = named.context.as_ref()?;
                let server = server_of(&context.cluster).unwrap_or_default();
                Some(Context { name: named.name.clone(), server, cluster: context.cluster.clone() })
            })
            .collect()
    }

    /// Returns how a context is reached.
    pub(super) fn way(&self, context: &str) -> Way {
        let file = &self.file;
        let about = file.contexts.iter().find(|named| named.name == context).and_then(|named| named.context.as_ref());
        let user = about.and_then(|about| {
            let named = file.auth_infos.iter().find(|named| Some(&named.name) == about.user.as_ref())?;
            named.auth_info.as_ref()
        });
        let plugin = user.and_then(|user| user.exec.as_ref()).and_then(|exec| exec.command.clone());
        let cluster = about.and_then(|about| {
            let named = file.clusters.iter().find(|named| named.name == about.cluster)?;
            named.cluster.as_ref()
        });
        let proxy = cluster.and_then(|cluster| cluster.proxy_url.as_deref()).unwrap_or_default();
        Way {
            context: context.to_owned(),
            plugin: plugin.unwrap_or_default(),
            proxy: without_password(proxy).to_owned(),
        }
    }

    pub(super) fn file(&self) -> File {
        self.file.clone()
    }
}

/// Says why a file cannot be read. Its text may be a token, so that only the place in it is named.
fn unreadable(error: &KubeconfigError) -> String {
    let KubeconfigError::Parse(error) = error else { return error.to_string() };
    let place = error.location().map_or_else(String::new, |place| format!(" at line {}", place.line()));
    format!("it does not read as a kubeconfig{place}; put it right, or name another one with --kubeconfig")
}

/// Returns the host and the port of a URL.
fn without_password(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or(rest);
    rest.rsplit_once('@').map_or(rest, |(_, host)| host)
}

#[cfg(unix)]
fn is_world_writable(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o002 != 0
}

#[cfg(not(unix))]
fn is_world_writable(_: &std::fs::Metadata) -> bool {
    false
}
