//! A plan, row by row: what moves, what changes where, what to know, what has to hold.

use super::frame::plural;
use super::pen::{Pen, Text, wrap};
use crate::model::{Action, AppPlan, Change, Danger, FieldChange, Gate, Plan, RefMove};
use crate::tui::sign::Sign;
use crate::tui::theme::Ink;

/// The field manager of what was written from here: no news.
const OURS: &str = "quarterdeck";

/// One row of a plan. Rows only point into the plan: they are formatted when they are on screen.
#[derive(Clone, Debug)]
pub enum Row<'a> {
    /// Nothing.
    Blank,
    /// A reference that moves.
    Move(&'a RefMove),
    /// How much changes.
    Counts,
    /// An application with its first change, and whether it goes through the same as the one before.
    App(&'a AppPlan, Option<&'a Change>, bool),
    /// A further change of an application.
    Change(&'a Change),
    /// A field of a change.
    Field(&'a FieldChange),
    /// A commit that is taken in or back.
    Commit(usize),
    /// A line of a warning, and whether it is its first.
    Warning(String, bool),
    /// A line of a gate's reason, and whether it is its first.
    Gate(bool, String, bool),
}

/// Returns the rows of a plan; commits and fields too if details are wanted.
pub fn rows(plan: &Plan, details: bool, width: usize) -> Vec<Row<'_>> {
    let mut rows: Vec<Row> = plan.moves.iter().map(Row::Move).collect();
    if details {
        rows.extend((0..plan.commits.len()).map(Row::Commit));
    }
    if !rows.is_empty() {
        rows.push(Row::Blank);
    }
    rows.extend([Row::Counts, Row::Blank]);
    let mut before: Option<&AppPlan> = None;
    for app in plan.apps.iter().filter(|app| !app.changes.is_empty() || app.skipped.is_some()) {
        let same = before.is_some_and(|before| !app.changes.is_empty() && before.changes == app.changes);
        let mut changes = if same { [].iter() } else { app.changes.iter() };
        let first = changes.next();
        rows.push(Row::App(app, first, same));
        if let (Some(change), true) = (first, details) {
            rows.extend(change.fields.iter().map(Row::Field));
        }
        for change in changes {
            rows.push(Row::Change(change));
            if details {
                rows.extend(change.fields.iter().map(Row::Field));
            }
        }
        before = Some(app);
    }
    let own = width.saturating_sub(4);
    if !plan.warnings.is_empty() && !matches!(rows.last(), Some(Row::Blank)) {
        rows.push(Row::Blank);
    }
    for warning in &plan.warnings {
        rows.extend(wrap(warning, own).into_iter().enumerate().map(|(at, words)| Row::Warning(words, at == 0)));
    }
    if !plan.gates.is_empty() && !matches!(rows.last(), Some(Row::Blank)) {
        rows.push(Row::Blank);
    }
    for Gate { open, reason, .. } in &plan.gates {
        rows.extend(wrap(reason, own).into_iter().enumerate().map(|(at, words)| Row::Gate(*open, words, at == 0)));
    }
    rows
}

/// Formats a row.
pub fn line(pen: &Pen, plan: &Plan, row: &Row, width: usize) -> Text {
    let mut text = pen.text();
    text.space(1);
    let name = name_width(plan, width);
    match row {
        Row::Blank => {}
        Row::Move(moved) => reference(&mut text, plan, moved),
        Row::Commit(at) => {
            if let Some(commit) = plan.commits.get(*at) {
                text.space(2).add(Ink::Dim, commit.id.short()).space(2).add(Ink::Text, &commit.subject);
                text.space(2).add(Ink::Dim, &commit.author);
            }
        }
        Row::Counts => counts(&mut text, plan),
        Row::App(app, first, same) => {
            text.add(Ink::Border, "▸ ").column(Ink::Strong, app.app.as_str(), name).space(2);
            match (&app.skipped, first) {
                (Some(reason), _) => text.sign(Sign::Suspended).add(Ink::Warn, " left alone: ").add(Ink::Text, reason),
                (None, Some(first)) => change(&mut text, first),
                (None, None) if *same => text.add(Ink::Dim, "the same"),
                (None, None) => text.add(Ink::Dim, "nothing to do"),
            };
        }
        Row::Change(one) => {
            text.space(2 + name + 2);
            change(&mut text, one);
        }
        Row::Field(field) => {
            text.space(6).add(Ink::Dim, &field.path).space(2);
            let mut long = pen.text();
            values(&mut long, field);
            if text.width() + long.width() > width {
                short_values(&mut text, field);
            } else {
                text.append(long);
            }
            if !field.manager.is_empty() && field.manager != OURS {
                text.add(Ink::Dim, &format!("  live by {}", field.manager));
            }
        }
        Row::Warning(words, first) => {
            text.add(Ink::Warn, if *first { "! " } else { "  " }).add(Ink::Warn, words);
        }
        Row::Gate(open, words, first) => {
            match (first, open) {
                (true, true) => text.sign(Sign::Synced).space(1),
                (true, false) => text.sign(Sign::Broken).space(1),
                (false, _) => text.space(2),
            };
            text.add(if *open { Ink::Text } else { Ink::Bad }, words);
        }
    }
    text
}

fn name_width(plan: &Plan, width: usize) -> usize {
    let longest = plan.apps.iter().map(|app| app.app.as_str().chars().count()).max().unwrap_or(0);
    longest.min(width * 3 / 10)
}

fn reference(text: &mut Text, plan: &Plan, moved: &RefMove) {
    let short = moved.reference.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/");
    text.add(Ink::Strong, short).space(3);
    let place = |name: &str, commit: Option<&crate::model::CommitId>, none: &str| {
        let commit = commit.map_or(none, |commit| commit.short()).to_owned();
        if name.is_empty() || name == commit { commit } else { format!("{name} {commit}") }
    };
    text.add(Ink::Text, &place(&moved.from_name, moved.from.as_ref(), "nothing")).add(Ink::Accent, "  →  ");
    text.add(Ink::Strong, &place(&moved.to_name, moved.to.as_ref(), "a new merge commit"));
    let count = plan.commits.len();
    if count > 0 {
        let way = if plan.kind == crate::model::PlanKind::Rollback { "back" } else { "forward" };
        text.space(4).add(Ink::Dim, &format!("{count} {} {way}", plural(count, "commit", "commits")));
    }
}

/// Returns how much changes in one line.
pub fn totals(pen: &Pen, plan: &Plan) -> Text {
    let mut text = pen.text();
    counts(&mut text, plan);
    text
}

fn counts(text: &mut Text, plan: &Plan) {
    if plan.apps.iter().all(|app| app.changes.is_empty()) {
        text.space(2).add(Ink::Dim, "no object changes");
        return;
    }
    let (changed, created, deleted) = plan.counts();
    let count =
        |wanted: Action| plan.apps.iter().flat_map(|app| &app.changes).filter(|one| one.action == wanted).count();
    text.space(2);
    for (sign, ink, number, word) in [
        ("~", Ink::Warn, changed, "changed"),
        ("+", Ink::Good, created, "created"),
        ("-", Ink::Bad, deleted, "deleted"),
    ] {
        text.add(if number > 0 { ink } else { Ink::Dim }, &format!("{sign} {number} {word}")).space(3);
    }
    for (wanted, words) in [(Action::Keep, "left, not in Git"), (Action::Hook, "hooks run")] {
        let number = count(wanted);
        if number > 0 {
            text.add(Ink::Dim, &format!("{number} {words}")).space(3);
        }
    }
    let touched: Vec<_> = plan.apps.iter().filter(|app| !app.changes.is_empty()).collect();
    let clusters: std::collections::BTreeSet<_> = touched.iter().map(|app| &app.cluster).collect();
    let (apps, clusters) = (touched.len(), clusters.len());
    let words = format!(
        "in {apps} {} on {clusters} {}",
        plural(apps, "application", "applications"),
        plural(clusters, "cluster", "clusters")
    );
    text.add(Ink::Dim, &words);
}

fn change<'a>(text: &'a mut Text, change: &Change) -> &'a mut Text {
    let (sign, ink, note) = match change.action {
        Action::Create => ("+", Ink::Good, ""),
        Action::Update => ("~", Ink::Warn, ""),
        Action::Replace => ("±", Ink::Warn, "replaced"),
        Action::Prune => ("-", Ink::Bad, ""),
        Action::Keep => ("·", Ink::Dim, "left, although Git no longer has it"),
        Action::Hook => ("»", Ink::Info, "hook"),
    };
    text.add(ink, sign).space(1).add(Ink::Text, &format!("{} {}", change.key.kind, change.key.name));
    if !note.is_empty() {
        text.space(2).add(Ink::Dim, note);
    }
    if let Some(danger) = change.danger {
        text.space(2).add(
            Ink::Bad,
            match danger {
                Danger::CustomResourceDefinition => "and every object of that kind",
                Danger::Namespace => "and everything in it",
                Danger::PersistentVolumeClaim => "and maybe its data",
            },
        );
    }
    if let Some(field) = headline(&change.fields) {
        text.space(2).add(Ink::Dim, last_part(&field.path)).space(1);
        short_values(text, field);
        if change.fields.len() > 1 {
            text.add(Ink::Dim, &format!("  and {} more", change.fields.len() - 1));
        }
    }
    text
}

/// The field that tells most: what is set rather than what is written beside it.
fn headline(fields: &[FieldChange]) -> Option<&FieldChange> {
    let is_bookkeeping =
        |field: &&FieldChange| field.path.contains("metadata.labels") || field.path.contains("metadata.annotations");
    fields.iter().find(|field| !is_bookkeeping(field)).or(fields.first())
}

/// The end of a path, as much as names the field: `image`, `replicas`, `data.a`, `[app.kubernetes.io/version]`.
fn last_part(path: &str) -> &str {
    let mut depth = 0_usize;
    let mut dots = Vec::new();
    for (at, c) in path.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => dots.push(at + 1),
            _ => {}
        }
    }
    let start = dots.pop().unwrap_or(0);
    let before = dots.pop().unwrap_or(0);
    let last = &path[start..];
    match last.find('[') {
        Some(open) if last.ends_with(']') && last[open..].contains('.') => &last[open..],
        _ if last.len() < 4 => &path[before..],
        _ => last,
    }
}

fn values(text: &mut Text, field: &FieldChange) {
    value(text, Ink::Removed, field.live.as_deref(), 0);
    text.add(Ink::Dim, " → ");
    value(text, Ink::Added, field.git.as_deref(), 0);
}

/// The same in less room: what both begin with is left out.
fn short_values(text: &mut Text, field: &FieldChange) {
    let (live, git) = (field.live.as_deref(), field.git.as_deref());
    let skip = live.zip(git).map_or(0, |(live, git)| common(live, git));
    value(text, Ink::Removed, live, skip);
    text.add(Ink::Dim, " → ");
    value(text, Ink::Added, git, skip);
}

fn value(text: &mut Text, ink: Ink, value: Option<&str>, skip: usize) {
    match value {
        Some(value) if skip > 0 => text.fit(ink, &format!("…{}", &value[skip..]), 40),
        Some(value) => text.fit(ink, value, 40),
        None => text.add(Ink::Dim, "absent"),
    };
}

/// Returns how many bytes of two values are the same up to the last `/`, `:` or `,`; 0 if that is not worth leaving out.
fn common(live: &str, git: &str) -> usize {
    let same = live
        .char_indices()
        .zip(git.chars())
        .find(|((_, a), b)| a != b)
        .map_or(live.len().min(git.len()), |((at, _), _)| at);
    let at = live[..same].rfind(['/', ':', ',']).map_or(0, |at| at + 1);
    if at >= 12 && at < live.len() && at < git.len() { at } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::{common, last_part};

    #[test]
    fn what_two_values_begin_with_is_left_out() {
        for (live, git, expected) in [
            ("registry.example.com/shop/a:1.5.0", "registry.example.com/shop/a:1.6.0", "registry.example.com/shop/a:"),
            ("registry.example.com/shop/a", "registry.example.com/shop/a:1", "registry.example.com/shop/"),
            ("a:1", "a:2", ""),
            ("guest-checkout,", "guest-checkout,express", ""),
            ("ünïcödé/ünïcödé:1", "ünïcödé/ünïcödé:é", "ünïcödé/ünïcödé:"),
        ] {
            assert_eq!(&live[..common(live, git)], expected);
        }
    }

    #[test]
    fn a_field_is_named_by_the_end_of_its_path() {
        for (path, expected) in [
            ("spec.replicas", "replicas"),
            ("data.a", "data.a"),
            ("kind", "kind"),
            ("", ""),
            ("spec.ports[0].port", "port"),
            ("metadata.labels[app.kubernetes.io/version]", "[app.kubernetes.io/version]"),
            ("spec.containers[api]", "containers[api]"),
            ("a.b", "a.b"),
        ] {
            assert_eq!(last_part(path), expected);
        }
    }
}
