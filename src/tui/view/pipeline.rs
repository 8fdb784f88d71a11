//! Pipeline: environments in promotion order, what waits between them, and what keeps it there.

use ratatui::layout::Rect;

use super::frame::{held_words, plural};
use super::pen::{Pen, Text, narrow, split_left, split_top, wrap};
use super::plan;
use crate::gate;
use crate::model::{ClusterName, CommitInfo, Connection, Environment, Gate, Mode};
use crate::tui::action::Action;
use crate::tui::age;
use crate::tui::preview::{Preview, Stage};
use crate::tui::sign::{self, Sign};
use crate::tui::state::State;
use crate::tui::theme::Ink;

/// Lines of one environment with the arrow that leads out of it.
const HEIGHT: usize = 7;

/// The narrowest column that an environment of the chain is drawn in; without room for that, they stand below each other.
const COLUMN: usize = 36;
/// From here on an environment's name and its revision stand in one line.
const WIDE: usize = 70;

/// Draws the screen.
pub fn draw(pen: &mut Pen, area: Rect, state: &State) {
    let environments = &state.fleet.environments;
    if environments.is_empty() {
        let mut text = pen.text();
        text.space(2).add(Ink::Dim, "No environments: no clusters follow references of this repository");
        pen.line(area, 1, &text);
        return;
    }
    let chain = chain(state);
    let rest = if is_wide(area, &chain) {
        let rest = side_by_side(pen, area, state, &chain);
        let single = (0..environments.len()).filter(|at| !chain.contains(at));
        below_each_other(pen, rest, state, single)
    } else {
        let shown = (usize::from(area.height) / HEIGHT).max(1);
        let mut cursor = state.cursors.pipeline;
        cursor.follow(environments.len(), shown);
        below_each_other(pen, area, state, cursor.top..environments.len())
    };
    if let Some(environment) = environments.get(state.cursors.pipeline.at).filter(|_| rest.height >= 5) {
        about(pen, rest, state, environment);
    }
}

/// Returns how many environments fit into a body.
pub fn rows(state: &State, area: Rect, body: usize) -> usize {
    if is_wide(area, &chain(state)) { state.fleet.environments.len() } else { body / HEIGHT }
}

fn chain(state: &State) -> Vec<usize> {
    let environments = &state.fleet.environments;
    (0..environments.len()).filter(|&at| is_linked(state, &environments[at])).collect()
}

fn is_wide(area: Rect, chain: &[usize]) -> bool {
    chain.len() > 1 && usize::from(area.width) / chain.len() >= COLUMN
}

fn is_linked(state: &State, environment: &Environment) -> bool {
    environment.from.is_some() || state.fleet.environments.iter().any(|to| to.from.as_ref() == Some(&environment.name))
}

fn next<'a>(state: &'a State, environment: &'a Environment) -> impl Iterator<Item = &'a Environment> {
    let all = state.fleet.environments.iter();
    all.filter(|to| to.from.as_ref() == Some(&environment.name)).map(|to| &**to)
}

/// The chain from left to right; returns what is left below it.
fn side_by_side(pen: &mut Pen, area: Rect, state: &State, chain: &[usize]) -> Rect {
    let width = usize::from(area.width) / chain.len();
    let stages: Vec<Vec<Text>> =
        chain.iter().map(|&at| stage(pen, state, &state.fleet.environments[at], at, width - 2)).collect();
    let tallest = stages.iter().map(Vec::len).max().unwrap_or(0);
    let mut used = 0;
    for (place, (&at, lines)) in chain.iter().zip(&stages).enumerate() {
        let (_, right) = split_left(area, place * width);
        let column = Rect { width: right.width.min(narrow(width)), ..right };
        if at == state.cursors.pipeline.at {
            let (title, _) = split_top(column, 1);
            pen.tint(Rect { width: title.width.saturating_sub(1), ..title }, Ink::Selected);
        }
        for (row, text) in lines.iter().enumerate() {
            pen.line(column, row, text);
        }
        let (_, below) = split_top(column, tallest);
        let arrows: Vec<Text> =
            next(state, &state.fleet.environments[at]).flat_map(|to| arrow(pen, state, to, width - 2)).collect();
        for (row, text) in arrows.iter().enumerate() {
            pen.line(below, row, text);
        }
        used = used.max(tallest + arrows.len() + 1);
    }
    split_top(area, used).1
}

/// One environment below the other; returns what is left.
fn below_each_other(pen: &mut Pen, area: Rect, state: &State, places: impl Iterator<Item = usize>) -> Rect {
    let width = usize::from(area.width);
    let mut rest = area;
    for at in places {
        let environment = &state.fleet.environments[at];
        let mut lines = stage(pen, state, environment, at, width);
        for to in next(state, environment) {
            lines.extend(arrow(pen, state, to, width));
        }
        lines.push(pen.text());
        let (own, below) = split_top(rest, lines.len());
        if at == state.cursors.pipeline.at {
            pen.tint(split_top(own, 1).0, Ink::Selected);
        }
        for (row, text) in lines.iter().enumerate() {
            pen.line(own, row, text);
        }
        rest = below;
    }
    rest
}

/// One environment: its reference, what that names, and its clusters.
fn stage(pen: &Pen, state: &State, environment: &Environment, at: usize, width: usize) -> Vec<Text> {
    let policy = &environment.policy;
    let mut name = pen.text();
    let ink = if at == state.cursors.pipeline.at { Ink::Accent } else { Ink::Strong };
    name.space(1).add(ink, environment.name.as_str());
    for (holds, word) in [(policy.protected, "protected"), (policy.read_only, "read-only")] {
        if holds {
            name.space(2).add(Ink::Warn, word);
        }
    }
    let mut revision = if width >= WIDE {
        name.to(24);
        std::mem::replace(&mut name, pen.text())
    } else {
        pen.text()
    };
    revision.space(1).add(Ink::Text, environment.reference.as_str()).space(1);
    if let Some(release) = &environment.release {
        revision.add(Ink::Strong, release).space(1);
    }
    match &environment.commit {
        Some(commit) => revision.add(Ink::Dim, commit.short()),
        None => revision.add(Ink::Bad, "names no commit"),
    };
    let release = environment.releases.iter().find(|(_, commit)| Some(&commit.id) == environment.commit.as_ref());
    if let Some((_, commit)) = release {
        let words = format!("  \"{}\" {}, {}", commit.subject, commit.author, age::short(state.now, commit.at));
        revision.add(Ink::Dim, &words);
    }
    let mut lines: Vec<Text> = [name, revision].into_iter().filter(|text| !text.is_empty()).collect();
    let mut line = pen.text();
    line.space(1);
    for name in &environment.clusters {
        let one = cluster(pen, state, name);
        if line.width() > 1 && line.width() + one.width() > width + 3 {
            lines.push(std::mem::replace(&mut line, pen.text()));
            line.space(1);
        }
        line.append(one);
    }
    lines.push(line);
    if let Some(held) = state.fleet.held(environment) {
        for (row, words) in wrap(&held_words(&held, state.now), width.saturating_sub(4)).iter().enumerate() {
            let mut text = pen.text();
            text.space(1);
            match row {
                0 => text.sign(Sign::Held).space(1),
                _ => text.space(2),
            };
            text.add(Ink::Accent, words);
            lines.push(text);
        }
    }
    if let Some(reason) = &policy.frozen {
        let mut text = pen.text();
        text.space(1).sign(Sign::Held).add(Ink::Accent, " frozen: ").add(Ink::Text, reason);
        lines.push(text);
    }
    lines
}

/// A cluster with how many of its applications stand how.
fn cluster(pen: &Pen, state: &State, name: &ClusterName) -> Text {
    let mut text = pen.text();
    text.add(Ink::Text, name.as_str()).space(1);
    match state.fleet.cluster(name).map(|cluster| &cluster.connection) {
        Some(Connection::Lost { since, .. }) => {
            text.sign(Sign::Unknown).add(Ink::Bad, &format!(" lost {}", age::short(state.now, *since)));
        }
        Some(Connection::NoContext) | None => {
            text.sign(Sign::Unknown).add(Ink::Dim, " no context");
        }
        Some(_) => {
            for (sign, count) in state.lists.tallies.of(name) {
                text.sign(sign).add(sign.ink(), &format!(" {count}")).space(1);
            }
        }
    }
    text.space(3);
    text
}

/// What leads to the next environment: how much waits, and every gate that can be told now, with its reason.
fn arrow(pen: &Pen, state: &State, to: &Environment, width: usize) -> Vec<Text> {
    let mut head = pen.text();
    head.space(4).add(Ink::Border, "│");
    let mut line = pen.text();
    line.space(4).add(Ink::Border, "├─ ");
    if to.behind == 0 {
        line.sign(Sign::Synced).add(Ink::Dim, &format!(" {} has everything", to.name));
        return vec![head, line];
    }
    line.add(Ink::Info, &format!("{} {}", to.behind, plural(to.behind, "commit", "commits")));
    let preview = state.preview.as_ref().filter(|preview| preview.is_of(state, to));
    if let Some(plan) = preview.and_then(Preview::plan) {
        let (changed, created, deleted) = plan.counts();
        let objects = changed + created + deleted;
        line.add(Ink::Info, &format!(", {objects} {}", plural(objects, "object", "objects")));
    }
    line.add(Ink::Border, " ──▶ ").add(Ink::Strong, to.name.as_str());
    let mut keys = pen.text();
    keys.add(Ink::Strong, state.keymap.key(Action::Promote)).add(Ink::Dim, " shows what would change");
    let mut lines = vec![head];
    if width >= WIDE {
        line.space(3).append(keys);
        lines.push(line);
    } else {
        lines.push(line);
        let mut second = pen.text();
        second.space(4).add(Ink::Border, "│  ").append(keys);
        lines.push(second);
    }
    for gate in gates(state, to) {
        for (row, words) in wrap(&gate.reason, width.saturating_sub(9)).iter().enumerate() {
            let mut text = pen.text();
            text.space(4).add(Ink::Border, "│  ");
            match row {
                0 => text.sign(if gate.open { Sign::Synced } else { Sign::Broken }).space(1),
                _ => text.space(2),
            };
            text.add(if gate.open { Ink::Dim } else { Ink::Text }, words);
            lines.push(text);
        }
    }
    lines
}

/// The gates of a promotion, judged as the plan will judge them, as far as that can be done without the plan.
fn gates(state: &State, to: &Environment) -> Vec<Gate> {
    let standing = to.from.as_ref().and_then(|from| state.lists.tallies.environment(from));
    let unhealthy = standing.map_or(0, |standing| standing.ill.len());
    let facts = gate::Facts {
        environment: to.name.as_str(),
        policy: to.policy.clone(),
        read_only: state.read_only || state.fleet.mode == Mode::ReadOnly,
        from: to.from.as_ref().map(|name| gate::Source {
            name: name.as_str(),
            healthy_since: standing.filter(|standing| standing.ill.is_empty()).and_then(|standing| standing.since),
            unhealthy,
        }),
        now: state.now,
        ..gate::Facts::default()
    };
    let mut gates = gate::check(&facts);
    gates.retain(|gate| gate.name != "deletions");
    gates
}

/// The selected environment: what is not well in it, what waits for the next one, and the releases it can go back to.
fn about(pen: &mut Pen, area: Rect, state: &State, environment: &Environment) {
    pen.rule(area, 0);
    let height = usize::from(area.height);
    let mut lines = Vec::new();
    let standing = state.lists.tallies.environment(&environment.name);
    let ill = standing.map(|standing| standing.ill.as_slice()).unwrap_or_default();
    let most = (height / 3).max(3);
    let shown = if ill.len() <= most { ill.len() } else { most - 1 };
    for app in ill[..shown].iter().filter_map(|&at| state.fleet.apps.get(at)) {
        let badge = sign::badge(&state.fleet, app, state.now);
        let mut text = pen.text();
        text.space(1).sign(badge.sync.0).space(1).sign(badge.health.0).space(1);
        text.column(Ink::Text, &app.name, 32).add(Ink::Dim, &app.why);
        lines.push(text);
    }
    if ill.len() > shown {
        let mut text = pen.text();
        text.space(5).add(Ink::Dim, &format!("and {} more", ill.len() - shown));
        lines.push(text);
    }
    if ill.is_empty() {
        let mut text = pen.text();
        text.space(1).sign(Sign::Healthy).add(Ink::Dim, " everything here is Synced and Healthy");
        lines.push(text);
    }
    for to in next(state, environment).filter(|to| !to.waiting.is_empty()) {
        waiting(pen, state, to, height / 3, &mut lines);
        changes(pen, state, to, (usize::from(area.width), height), &mut lines);
    }
    // A tag that an environment follows moves: it is no release.
    let moves = |tag: &str| state.fleet.environments.iter().any(|environment| environment.reference.as_str() == tag);
    let releases: Vec<_> = environment.releases.iter().filter(|(tag, _)| !moves(tag)).collect();
    if !releases.is_empty() {
        lines.push(pen.text());
        let mut text = pen.text();
        text.space(1).add(Ink::Heading, "RELEASES").space(2).add(Ink::Strong, state.keymap.key(Action::Rollback));
        text.add(Ink::Dim, " rolls back to one");
        lines.push(text);
    }
    for (tag, commit) in releases.into_iter().take(usize::from(area.height)) {
        let mut text = pen.text();
        let here = environment.commit.as_ref() == Some(&commit.id);
        text.column(Ink::Accent, if here { " ›" } else { "" }, 3).column(Ink::Text, tag, 16);
        text.add(Ink::Dim, &commit_words(state, commit));
        lines.push(text);
    }
    let (_, below) = split_top(area, 1);
    for (row, text) in lines.iter().enumerate() {
        pen.line(below, row, text);
    }
}

/// The commits that a promotion would bring to an environment, newest first; as many as have room.
fn waiting(pen: &Pen, state: &State, to: &Environment, room: usize, lines: &mut Vec<Text>) {
    lines.push(pen.text());
    let mut text = pen.text();
    text.space(1).add(Ink::Heading, "WAITS FOR ").add(Ink::Heading, &to.name.as_str().to_uppercase());
    text.space(2).add(Ink::Strong, state.keymap.key(Action::Promote)).add(Ink::Dim, " promotes ");
    text.add(Ink::Dim, &format!("{} {}", to.behind, plural(to.behind, "commit", "commits")));
    lines.push(text);
    // One line is kept for how many more there are.
    let shown = if to.behind <= room.max(1) { to.waiting.len() } else { room.saturating_sub(1).max(1) };
    for commit in to.waiting.iter().take(shown) {
        let mut text = pen.text();
        text.space(3).add(Ink::Text, &commit_words(state, commit));
        lines.push(text);
    }
    let more = to.behind.saturating_sub(shown.min(to.waiting.len()));
    if more > 0 {
        let mut text = pen.text();
        text.space(3).add(Ink::Dim, &format!("and {more} more"));
        lines.push(text);
    }
}

/// What a promotion would change, per application and cluster, as far as that is known.
fn changes(pen: &Pen, state: &State, to: &Environment, (width, most): (usize, usize), lines: &mut Vec<Text>) {
    let Some(preview) = state.preview.as_ref().filter(|preview| preview.is_of(state, to)) else { return };
    lines.push(pen.text());
    let mut head = pen.text();
    head.space(1).add(Ink::Heading, "WOULD CHANGE").space(2);
    match &preview.stage {
        Stage::Resting | Stage::Asked(_) => {
            head.add(Ink::Dim, "working it out");
            lines.push(head);
        }
        Stage::Failed(problem) => {
            head.add(Ink::Bad, &problem.to_string());
            lines.push(head);
        }
        Stage::Ready(plan) => {
            lines.push(head.append(plan::totals(pen, plan)).clone());
            let rows = plan::rows(plan, false, width.saturating_sub(2));
            let rows = rows.iter().filter(|row| matches!(row, plan::Row::App(..) | plan::Row::Change(_)));
            lines.extend(rows.take(most).map(|row| plan::line(pen, plan, row, width)));
        }
    }
}

fn commit_words(state: &State, commit: &CommitInfo) -> String {
    let age = age::short(state.now, commit.at);
    format!("{}  {age:>4}  {}  {}", commit.id.short(), commit.author, commit.subject)
}
