//! Which applications a command means.

use std::sync::Arc;

use super::args::Selection;
use crate::model::{App, Fleet, Problem};

impl Selection {
    /// Returns the applications that are meant, in the fleet's order.
    ///
    /// # Errors
    /// When a name or a selector matches nothing that exists.
    pub fn choose(&self, fleet: &Fleet) -> Result<Vec<Arc<App>>, Problem> {
        for name in &self.apps {
            if !fleet.apps.iter().any(|app| is_named(app, name)) {
                return Err(unknown("application", name, fleet.apps.iter().map(|app| app.name.as_str())));
            }
        }
        if let Some(name) = &self.cluster
            && !fleet.clusters.iter().any(|cluster| cluster.name.as_str() == name)
        {
            return Err(unknown("cluster", name, fleet.clusters.iter().map(|cluster| cluster.name.as_str())));
        }
        if let Some(name) = &self.environment
            && !fleet.environments.iter().any(|environment| environment.name.as_str() == name)
        {
            return Err(unknown(
                "environment",
                name,
                fleet.environments.iter().map(|environment| environment.name.as_str()),
            ));
        }
        let terms = self.selector.as_deref().map(Requirement::parse_all).transpose()?.unwrap_or_default();
        Ok(fleet
            .apps
            .iter()
            .filter(|app| self.apps.is_empty() || self.apps.iter().any(|name| is_named(app, name)))
            .filter(|app| self.cluster.as_deref().is_none_or(|name| app.cluster.as_str() == name))
            .filter(|app| {
                self.environment
                    .as_deref()
                    .is_none_or(|name| app.environment.as_ref().is_some_and(|own| own.as_str() == name))
            })
            .filter(|app| terms.iter().all(|term| term.matches(app)))
            .cloned()
            .collect())
    }

    /// Says whether nothing narrows the selection.
    pub fn is_everything(&self) -> bool {
        self.apps.is_empty() && self.cluster.is_none() && self.environment.is_none() && self.selector.is_none()
    }
}

fn is_named(app: &App, name: &str) -> bool {
    app.name == name || app.id.as_str() == name
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Problem {
    let mut near: Vec<(usize, &str)> = known.map(|known| (distance(name, known), known)).collect();
    near.sort_unstable();
    near.dedup();
    let problem = Problem::new(format!("there is no {what} {name:?}"));
    match near.first() {
        Some((edits, nearest)) if *edits <= name.chars().count() / 3 => {
            problem.hint(format!("did you mean {nearest:?}?"))
        }
        Some(_) => {
            let names: Vec<&str> = near.iter().take(5).map(|(_, name)| *name).collect();
            problem.hint(format!("there is {}", names.join(", ")))
        }
        None => problem,
    }
}

/// Counts the edits between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// One requirement of a label selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`.
#[derive(Debug, PartialEq)]
enum Requirement {
    Is(String, String),
    IsNot(String, String),
    Has(String),
    HasNot(String),
}

impl Requirement {
    fn parse_all(text: &str) -> Result<Vec<Self>, Problem> {
        text.split(',').map(|term| Self::parse(term.trim())).collect()
    }

    fn parse(term: &str) -> Result<Self, Problem> {
        let wrong =
            || Problem::new(format!("label selector term {term:?} is not understood")).hint("write a=b, a!=b, a or !a");
        let requirement = if let Some((key, value)) = term.split_once("!=") {
            Self::IsNot(key.trim().to_owned(), value.trim().to_owned())
        } else if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
            Self::Is(key.trim().to_owned(), value.trim().to_owned())
        } else if let Some(key) = term.strip_prefix('!') {
            Self::HasNot(key.trim().to_owned())
        } else {
            Self::Has(term.to_owned())
        };
        let key = match &requirement {
            Self::Is(key, _) | Self::IsNot(key, _) | Self::Has(key) | Self::HasNot(key) => key,
        };
        if key.is_empty() || key.contains(char::is_whitespace) { Err(wrong()) } else { Ok(requirement) }
    }

    fn matches(&self, app: &App) -> bool {
        let label = |name: &str| app.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match self {
            Self::Is(key, value) => label(key) == Some(value),
            Self::IsNot(key, value) => label(key) != Some(value),
            Self::Has(key) => label(key).is_some(),
            Self::HasNot(key) => label(key).is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Requirement, distance};

    #[test]
    fn selectors_are_read_as_kubectl_reads_them() {
        let read = |text: &str| Requirement::parse_all(text);
        assert_eq!(read("a=b").unwrap(), [Requirement::Is("a".into(), "b".into())]);
        assert_eq!(
            read("a==b, c!=d,e,!f").unwrap(),
            [
                Requirement::Is("a".into(), "b".into()),
                Requirement::IsNot("c".into(), "d".into()),
                Requirement::Has("e".into()),
                Requirement::HasNot("f".into())
            ]
        );
        for wrong in ["", "=b", "a,,b", "a b"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn near_names_are_near() {
        assert_eq!(distance("payments", "payment"), 1);
        assert_eq!(distance("web", "web"), 0);
        assert_eq!(distance("ab", "ba"), 2);
    }
}
