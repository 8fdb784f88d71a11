//! The build environment: `$ARGOCD_APP_NAME` and the like in paths and parameters.

use crate::model::{Application, Source};

/// The variables that a source's texts may name.
pub(super) struct Variables(Vec<(&'static str, String)>);

impl Variables {
    pub(super) fn new(app: &Application, control_plane: &str, source: &Source, revision: &str) -> Self {
        let short = |digits: usize| revision.get(..digits).unwrap_or(revision).to_owned();
        Self(vec![
            ("ARGOCD_APP_NAME", app.id(control_plane).to_string()),
            ("ARGOCD_APP_NAMESPACE", app.destination.namespace.clone()),
            ("ARGOCD_APP_PROJECT_NAME", app.project.clone()),
            ("ARGOCD_APP_REVISION", revision.to_owned()),
            ("ARGOCD_APP_REVISION_SHORT", short(7)),
            ("ARGOCD_APP_REVISION_SHORT_8", short(8)),
            ("ARGOCD_APP_SOURCE_REPO_URL", source.repo_url.clone()),
            ("ARGOCD_APP_SOURCE_PATH", source.path.clone()),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", source.target_revision.clone()),
        ])
    }

    /// Replaces `$NAME` and `${NAME}`; `$$` gives one `$`, an unknown name nothing.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out += &rest[..at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
                out += self.value(name);
                rest = after;
            } else {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                if end == 0 {
                    out.push('$');
                }
                out += self.value(&rest[..end]);
                rest = &rest[end..];
            }
        }
        out + rest
    }

    fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::Variables;
    use crate::model::{Application, Source};

    #[test]
    fn replaces_names() {
        let app = Application { name: "web".into(), ..Default::default() };
        let variables = Variables::new(&app, "argocd", &Source::default(), "0123456789");
        for (text, expected) in [
            ("values-$ARGOCD_APP_NAME.yaml", "values-web.yaml"),
            ("${ARGOCD_APP_REVISION_SHORT}x", "0123456x"),
            ("$$HOME", "$HOME"),
            ("$HOME/a", "/a"),
            ("5$", "5$"),
        ] {
            assert_eq!(variables.apply(text), expected, "{text}");
        }
    }
}
