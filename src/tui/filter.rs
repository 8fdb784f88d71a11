//! The filter: `payments status:outofsync cluster:prod-01 -l team=ops !redis`.

use crate::model::{App, ConditionKind};

/// A filter that was read; empty lets everything through.
#[derive(Default)]
pub struct Filter {
    terms: Vec<Term>,
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
        Self { terms }
    }

    /// Says whether an application passes.
    pub fn passes(&self, app: &App) -> bool {
        self.terms.iter().all(|term| holds(&term.test, app) != term.not)
    }
}

fn holds(test: &Test, app: &App) -> bool {
    let starts = |text: &str, wanted: &str| {
        text.len() >= wanted.len()
            && text.is_char_boundary(wanted.len())
            && text[..wanted.len()].eq_ignore_ascii_case(wanted)
    };
    match test {
        Test::Word(word) => resembles(&app.name, word) || app.namespace.contains(word.as_str()),
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

/// A word resembles a name that holds it, or holds its letters close together. A gap costs as much as it is wide; one that ends where a part of
/// the name begins costs less, so that `stpay` finds `stag-01-payments`.
fn resembles(name: &str, word: &str) -> bool {
    if name.contains(word) {
        return true;
    }
    let (name, word) = (name.as_bytes(), word.as_bytes());
    let [first, rest @ ..] = word else { return true };
    if rest.len() < 2 {
        return false;
    }
    let starts = name.iter().enumerate().filter(|(_, letter)| letter.eq_ignore_ascii_case(first));
    starts.into_iter().any(|(start, _)| cost(name, start + 1, rest).is_some_and(|cost| cost <= 2 * word.len()))
}

/// What the gaps cost between letters that follow one another from a place on; nothing if the letters are not there.
fn cost(name: &[u8], from: usize, letters: &[u8]) -> Option<usize> {
    let (mut at, mut cost) = (from, 0);
    for wanted in letters {
        let gap = name.get(at..)?.iter().position(|letter| letter.eq_ignore_ascii_case(wanted))?;
        if gap > 0 {
            let begins_part = matches!(name.get(at + gap - 1), Some(b'-' | b'.' | b'/' | b'_'));
            cost += (gap + 2).saturating_sub(if begins_part { 8 } else { 0 });
        }
        at += gap + 1;
    }
    Some(cost)
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
    use super::resembles;

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
            assert_eq!(resembles(name, word), expected, "{word} in {name}");
        }
    }
}
