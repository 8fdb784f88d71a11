//! What the process was started with: folders, user, variables. Nothing else reads the environment.

use std::path::{Path, PathBuf};

use crate::store::Paths;

/// The surroundings of the process.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where it was started.
    pub folder: PathBuf,
    /// Kubeconfig files: `KUBECONFIG`, else the usual one.
    pub kubeconfig: Vec<PathBuf>,
    /// Who acts, for the journal.
    pub user: String,
    /// Whether colours are unwanted (`NO_COLOR`).
    pub no_color: bool,
    /// Whether the terminal shows more than ASCII, by its locale.
    pub is_utf8: bool,
    /// Whether the terminal shows 24-bit colours (`COLORTERM`).
    pub is_true_color: bool,
    /// Helm's and docker's files about chart repositories.
    pub charts: ChartFiles,
    /// Our folders.
    pub paths: Paths,
}

/// Where helm and docker say which chart repositories there are and who asks there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartFiles {
    /// Helm's `repositories.yaml`.
    pub repositories: PathBuf,
    /// Files with credentials for registries, the strongest first.
    pub registries: Vec<PathBuf>,
}

impl Surroundings {
    /// Reads them.
    #[expect(clippy::disallowed_methods, reason = "this is the place in `config` where the environment is read")]
    pub fn read() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned());
        let home = directories::BaseDirs::new().map(|base| base.home_dir().to_owned());
        let kubeconfig = match variable("KUBECONFIG") {
            Some(list) => std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect(),
            None => home.iter().map(|home| home.join(".kube").join("config")).collect(),
        };
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| text(name)).unwrap_or_default().to_lowercase();
        Self {
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            kubeconfig,
            user: text("USER").or_else(|| text("LOGNAME")).unwrap_or_else(|| "unknown".to_owned()),
            no_color: variable("NO_COLOR").is_some(),
            // A bare locale is common in containers, whose terminals are not: only an explicit other encoding counts.
            is_utf8: !locale.contains('.') || locale.contains("utf"),
            is_true_color: text("COLORTERM")
                .is_some_and(|value| value.contains("truecolor") || value.contains("24bit")),
            charts: chart_files(&|name| variable(name).map(PathBuf::from), home.as_deref()),
            paths: paths(),
        }
    }
}

/// Returns the files that helm and docker would read.
fn chart_files(variable: &dyn Fn(&str) -> Option<PathBuf>, home: Option<&Path>) -> ChartFiles {
    let home = home.unwrap_or(Path::new(""));
    let usual = if cfg!(target_os = "macos") {
        home.join("Library/Preferences/helm")
    } else {
        variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("helm")
    };
    let helm = variable("HELM_CONFIG_HOME").unwrap_or(usual);
    let docker = variable("DOCKER_CONFIG").unwrap_or_else(|| home.join(".docker"));
    ChartFiles {
        repositories: variable("HELM_REPOSITORY_CONFIG").unwrap_or_else(|| helm.join("repositories.yaml")),
        registries: vec![
            variable("HELM_REGISTRY_CONFIG").unwrap_or_else(|| helm.join("registry").join("config.json")),
            docker.join("config.json"),
        ],
    }
}

fn paths() -> Paths {
    let Some(project) = directories::ProjectDirs::from("", "", "quarterdeck") else {
        return Paths::below(&std::env::temp_dir().join("quarterdeck"));
    };
    let data = project.data_dir().to_owned();
    Paths {
        config: project.config_dir().to_owned(),
        cache: project.cache_dir().to_owned(),
        state: project.state_dir().map_or_else(|| data.clone(), std::borrow::ToOwned::to_owned),
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, PathBuf, chart_files};

    #[test]
    #[cfg(target_os = "linux")]
    fn the_files_of_helm_and_docker_are_found() {
        let with = |pairs: &'static [(&str, &str)]| {
            let variable = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, path)| PathBuf::from(path));
            let files = chart_files(&variable, Some(Path::new("/h")));
            let paths = [&files.repositories, &files.registries[0], &files.registries[1]];
            paths.map(|path| path.display().to_string())
        };
        let usual =
            ["/h/.config/helm/repositories.yaml", "/h/.config/helm/registry/config.json", "/h/.docker/config.json"];
        assert_eq!(with(&[]), usual);
        assert_eq!(
            with(&[("HELM_CONFIG_HOME", "/c"), ("DOCKER_CONFIG", "/d")])[1..],
            ["/c/registry/config.json", "/d/config.json"]
        );
        assert_eq!(with(&[("HELM_REPOSITORY_CONFIG", "/r"), ("HELM_REGISTRY_CONFIG", "/g")])[..2], ["/r", "/g"]);
    }
}
