//! Line differences of two texts, as plain data for a screen.

use similar::{ChangeTag, TextDiff};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// On both sides.
    Same,
    /// Only live: goes away.
    Removed,
    /// Only in Git: comes.
    Added,
}

/// One line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// Its text without the line break, in pieces; `true` marks what differs within the line.
    pub pieces: Vec<(bool, String)>,
}

impl Line {
    /// Returns the whole text.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// Lines that differ with what stands around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// First line of the live side, from 1.
    pub live_line: usize,
    /// First line of the side in Git, from 1.
    pub git_line: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// Returns the hunks that lead from the live text to Git's, with `context` equal lines around each.
pub fn hunks(live: &str, git: &str, context: usize) -> Vec<Hunk> {
    let diff = TextDiff::from_lines(live, git);
    let mut hunks = Vec::new();
    for group in diff.grouped_ops(context) {
        let Some(first) = group.first() else { continue };
        let (live_line, git_line) = (first.old_range().start + 1, first.new_range().start + 1);
        let mut lines = Vec::new();
        for operation in &group {
            for change in diff.iter_inline_changes(operation) {
                let kind = match change.tag() {
                    ChangeTag::Equal => LineKind::Same,
                    ChangeTag::Delete => LineKind::Removed,
                    ChangeTag::Insert => LineKind::Added,
                };
                let pieces = change
                    .iter_strings_lossy()
                    .map(|(marked, text)| (marked, text.trim_end_matches(['\n', '\r']).to_owned()))
                    .filter(|(_, text)| !text.is_empty())
                    .collect();
                lines.push(Line { kind, pieces });
            }
        }
        hunks.push(Hunk { live_line, git_line, lines });
    }
    hunks
}

/// Returns the difference as unified text with three lines around each hunk; empty if there is none.
pub fn unified(live: &str, git: &str) -> String {
    let mut text = String::new();
    for hunk in hunks(live, git, 3) {
        let count = |kinds: [LineKind; 2]| hunk.lines.iter().filter(|line| kinds.contains(&line.kind)).count();
        let live_count = count([LineKind::Same, LineKind::Removed]);
        let git_count = count([LineKind::Same, LineKind::Added]);
        text.push_str(&format!("@@ -{},{live_count} +{},{git_count} @@\n", hunk.live_line, hunk.git_line));
        for line in &hunk.lines {
            text.push(match line.kind {
                LineKind::Same => ' ',
                LineKind::Removed => '-',
                LineKind::Added => '+',
            });
            text.push_str(&line.text());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn a_changed_line_is_one_hunk() {
        assert_eq!(unified("a\nb\nc\n", "a\nb\nc\n"), "");
        assert_eq!(
            unified("a\nreplicas: 5\nc\n", "a\nreplicas: 3\nc\n"),
            "@@ -1,3 +1,3 @@\n a\n-replicas: 5\n+replicas: 3\n c\n"
        );
    }
}
