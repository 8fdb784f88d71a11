//! What the process was started with: folders, user, variables. Nothing else reads the environment.

use std::path::PathBuf;

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
    /// Our folders.
    pub paths: Paths,
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
            paths: paths(),
        }
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
