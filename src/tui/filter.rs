//! The filter: `payments status:outofsync cluster:prod-01 -l team=ops !redis`.

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;

use crate::model::{App, ConditionKind};

/// A filter that was read; empty lets everything through.
#[derive(Default)]
pub struct Filter {
    terms: Vec<Term>,
    matcher: SkimMatcherV2,
}

struct Term {
    not: bool,
    test: Test,
}

enum Test {
    Word(String),
    Status(String),
    Health(String),
    Cluster(String),
    Environment(String),
    Group(String),
    Project(String),
    Namespace(String),
    Why(String),
    Label(String, Option<String>),
    Broken,
    Lost,
}

impl Filter {
    /// Reads a filter. Everything is a filter; an unknown term is a word.
    pub fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut parts = text.split_whitespace();
        while let Some(part) = parts.next() {
            if part == "-l" {
                if let Some(label) = parts.next() {
                    terms.push(Term { not: false, test: label_test(label) });
                }
                continue;
            }
            let (not, part) = part.strip_prefix('!').map_or((false, part), |rest| (true, rest));
            if part.is_empty() {
                continue;
            }
            terms.push(Term { not, test: test(part) });
        }
        Self { terms, matcher: SkimMatcherV2::default() }
    }

    /// Says whether an application passes.
    pub fn passes(&self, app: &App) -> bool {
        self.terms.iter().all(|term| self.holds(&term.test, app) != term.not)
    }

    fn holds(&self, test: &Test, app: &App) -> bool {
        let starts = |text: &str, wanted: &str| {
            text.len() >= wanted.len()
                && text.is_char_boundary(wanted.len())
                && text[..wanted.len()].eq_ignore_ascii_case(wanted)
        };
        match test {
            Test::Word(word) => self.resembles(&app.name, word) || app.namespace.contains(word.as_str()),
            Test::Status(wanted) => starts(app.sync.as_str(), wanted),
            Test::Health(wanted) => starts(app.health.status.as_str(), wanted),
            Test::Cluster(wanted) => starts(app.cluster.as_str(), wanted),
            Test::Environment(wanted) => app.environment.as_ref().is_some_and(|name| starts(name.as_str(), wanted)),
            Test::Group(wanted) => starts(&app.group, wanted),
            Test::Project(wanted) => starts(&app.project, wanted),
            Test::Namespace(wanted) => starts(&app.namespace, wanted),
            Test::Why(wanted) => app.why.to_lowercase().contains(wanted.as_str()),
            Test::Label(key, value) => {
                app.labels.iter().any(|(name, is)| name == key && value.as_ref().is_none_or(|wanted| wanted == is))
            }
            Test::Broken => app.conditions.iter().any(|condition| {
                condition.kind.blocks_sync()
                    && !matches!(condition.kind, ConditionKind::NoContext | ConditionKind::Unreachable)
            }),
            Test::Lost => app
                .conditions
                .iter()
                .any(|condition| matches!(condition.kind, ConditionKind::NoContext | ConditionKind::Unreachable)),
        }
    }

    /// A word resembles a name that holds it, or holds its letters close together.
    fn resembles(&self, name: &str, word: &str) -> bool {
        if name.contains(word) {
            return true;
        }
        if word.len() < 3 || !is_subsequence(name, word) {
            return false;
        }
        let best = i64::try_from(word.len()).unwrap_or(i64::MAX).saturating_mul(14);
        self.matcher.fuzzy_match(name, word).is_some_and(|score| score >= best)
    }
}

/// Says whether a text has these letters in this order: most have not, and that is found out fast.
fn is_subsequence(text: &str, word: &str) -> bool {
    let mut letters = text.chars();
    word.chars().all(|wanted| letters.any(|letter| letter.eq_ignore_ascii_case(&wanted)))
}

fn test(part: &str) -> Test {
    let lower = part.to_lowercase();
    let Some((name, value)) = lower.split_once(':') else { return Test::Word(lower) };
    let value = value.to_owned();
    match name {
        "status" | "sync" => Test::Status(value),
        "health" => Test::Health(value),
        "cluster" => Test::Cluster(value),
        "env" | "environment" => Test::Environment(value),
        "group" => Test::Group(value),
        "project" => Test::Project(value),
        "namespace" | "ns" => Test::Namespace(value),
        "why" => Test::Why(value),
        "label" => label_test(&part["label:".len()..]),
        "is" if "broken".starts_with(&value) => Test::Broken,
        "is" if "lost".starts_with(&value) => Test::Lost,
        _ => Test::Word(lower),
    }
}

fn label_test(text: &str) -> Test {
    match text.split_once('=') {
        Some((key, value)) => Test::Label(key.to_owned(), Some(value.to_owned())),
        None => Test::Label(text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn a_word_resembles_what_holds_its_letters_close_together() {
        for (name, word, expected) in [
            ("prod-01-payments", "payments", true),
            ("prod-01-payments", "paymnts", true),
            ("prod-01-payments", "pymnt", true),
            ("stag-01-payments", "stpay", true),
            ("prod-01-storefront", "redis", false),
            ("prod-01-payments", "pt", false),
            ("prod-01-checkout", "coot", false),
            ("straße-01", "strase", false),
        ] {
            assert_eq!(Filter::default().resembles(name, word), expected, "{word} in {name}");
        }
    }
}
