//! The whole story of one operation or journal entry: per application, object by object.

use ratatui::layout::Rect;

use super::activity::{outcome, seconds};
use super::detail::{position, window};
use super::frame::{bar, plural};
use super::pen::{Pen, Text, centred, wrap};
use crate::model::{AppProgress, AuditEntry, ObjectResult, OperationId, Outcome, Phase, ResultStatus};
use crate::tui::action::Action;
use crate::tui::age;
use crate::tui::sign::Sign;
use crate::tui::state::{Look, State};
use crate::tui::theme::Ink;

/// Draws an operation's story; it is live while the operation runs.
pub fn operation(pen: &mut Pen, area: Rect, state: &State, id: OperationId, top: usize) {
    let title = state.fleet.operation(id).map_or("Operation", |operation| &operation.title);
    draw(pen, area, title, top, &operation_lines(state, id, room(area)));
}

/// Returns how many lines an operation's story has, and how many of them are on screen.
pub fn operation_extent(state: &State, area: Rect, id: OperationId) -> (usize, usize) {
    (operation_lines(state, id, room(area)).len(), most(area))
}

/// Draws a journal entry's story.
pub fn entry(pen: &mut Pen, area: Rect, state: &State, id: &str) {
    let Some(entry) = state.fleet.audit.iter().find(|entry| entry.id == id) else { return };
    draw(pen, area, &entry.title, 0, &entry_lines(state, entry, room(area)));
}

/// The box's width.
fn width(area: Rect) -> usize {
    usize::from(area.width).saturating_sub(4).min(120)
}

/// The width of its text.
fn room(area: Rect) -> usize {
    width(area).saturating_sub(4)
}

/// The most lines that it shows.
fn most(area: Rect) -> usize {
    usize::from(area.height).saturating_sub(6)
}

fn draw(pen: &mut Pen, area: Rect, title: &str, top: usize, lines: &[Text]) {
    let frame = centred(area, width(area), lines.len().min(most(area)) + 2);
    let inside = pen.boxed(frame, title);
    let top = window(pen, inside, top, lines);
    position(pen, frame, top, usize::from(inside.height), lines.len());
}

fn operation_lines(state: &State, id: OperationId, width: usize) -> Vec<Text> {
    let new = || Text::new(&state.look);
    let Some(operation) = state.fleet.operation(id) else {
        let mut text = new();
        text.space(1).add(Ink::Dim, "This operation is not known yet, or no longer; the journal keeps everything.");
        return vec![text];
    };
    let sign = Sign::phase(operation.phase);
    let mut head = new();
    head.space(1).sign(sign).space(1).add(sign.ink(), operation.phase.as_str()).space(2);
    head.add(Ink::Dim, &format!("{} by {}", age::day(operation.started, &state.zone), operation.actor)).space(2);
    let end = operation.finished.unwrap_or(state.now).as_second() - operation.started.as_second();
    head.add(Ink::Dim, &age::duration(end));
    let mut lines = vec![head];
    for words in wrap(&operation.message, width).iter().filter(|words| !words.is_empty()) {
        let mut text = new();
        text.space(1).add(Ink::Text, words);
        lines.push(text);
    }
    if !operation.phase.is_over() {
        let total: usize = operation.apps.iter().map(|app| app.total).sum();
        let done: usize = operation.apps.iter().map(|app| app.results.len().min(app.total)).sum();
        let mut text = new();
        text.space(1).append(bar(state, done, total, 24)).space(3);
        text.add(Ink::Strong, state.keymap.key(Action::CancelOperation))
            .add(Ink::Dim, " stops it after the object in hand");
        lines.push(text);
    }
    for app in &operation.apps {
        lines.push(new());
        progress(&state.look, &mut lines, app, width);
    }
    lines
}

fn progress(look: &Look, lines: &mut Vec<Text>, app: &AppProgress, width: usize) {
    let new = || Text::new(look);
    let sign = app.phase.map_or(Sign::Waiting, Sign::phase);
    let word = match app.phase {
        None => "waits",
        Some(phase) => phase.as_str(),
    };
    let mut text = new();
    text.space(1).sign(sign).space(1).add(Ink::Strong, app.app.as_str()).space(2);
    text.add(Ink::Dim, &format!("on {}", app.cluster)).space(2).add(sign.ink(), word);
    if app.total > 0 || app.phase == Some(Phase::Running) {
        let word = plural(app.total, "object", "objects");
        text.add(Ink::Dim, &format!("  {} of {} {word}", app.results.len(), app.total));
    }
    lines.push(text);
    for words in wrap(&app.message, width.saturating_sub(4)).iter().filter(|words| !words.is_empty()) {
        let mut text = new();
        text.space(4).add(Ink::Text, words);
        lines.push(text);
    }
    let (same, changed): (Vec<_>, Vec<_>) = app.results.iter().partition(|result| is_unchanged(result));
    for result in changed {
        let (sign, ink) = match result.status {
            ResultStatus::Synced => (Sign::Synced, Ink::Text),
            ResultStatus::Pruned => (Sign::Synced, Ink::Warn),
            ResultStatus::PruneSkipped => (Sign::Suspended, Ink::Dim),
            ResultStatus::SyncFailed => (Sign::Broken, Ink::Bad),
        };
        let mut text = new();
        text.space(4).sign(sign).space(1);
        if result.message.is_empty() {
            text.add(ink, &format!("{} {}", result.key, result.status.as_str()));
            lines.push(text);
            continue;
        }
        let failed = result.status == ResultStatus::SyncFailed;
        if failed {
            text.add(ink, &result.key.to_string());
            lines.push(text);
            for words in wrap(&result.message, width.saturating_sub(8)) {
                let mut text = new();
                text.space(8).add(Ink::Text, &words);
                lines.push(text);
            }
        } else {
            text.add(ink, &result.message);
            lines.push(text);
        }
    }
    if !same.is_empty() {
        let mut text = new();
        let words = plural(same.len(), "object was right already", "objects were right already");
        text.space(4).add(Ink::Dim, &format!("· {} {words}", same.len()));
        lines.push(text);
    }
}

/// Says whether nothing had to be written: that is worth a number, not a line.
fn is_unchanged(result: &ObjectResult) -> bool {
    result.status == ResultStatus::Synced && result.message.ends_with(" unchanged")
}

fn entry_lines(state: &State, entry: &AuditEntry, width: usize) -> Vec<Text> {
    let new = || Text::new(&state.look);
    let (sign, word) = outcome(entry.outcome);
    let mut head = new();
    head.space(1).sign(sign).space(1).add(sign.ink(), word).space(2);
    head.add(Ink::Dim, &format!("{} by {}  {}", age::day(entry.at, &state.zone), entry.actor, seconds(entry.seconds)));
    let mut lines = vec![head];
    let mut paragraph = |words: &str, ink: Ink| {
        for words in wrap(words, width).iter().filter(|words| !words.is_empty()) {
            let mut text = new();
            text.space(1).add(ink, words);
            lines.push(text);
        }
    };
    paragraph(&entry.message, Ink::Text);
    if entry.outcome == Outcome::Interrupted {
        paragraph(
            "The program ended before this did. Ask for the same again: what was done already is left alone.",
            Ink::Accent,
        );
    }
    for (title, items) in [("References", &entry.moves), ("Applications", &entry.apps)] {
        if items.is_empty() {
            continue;
        }
        lines.push(new());
        let mut text = new();
        text.space(1).add(Ink::Heading, title);
        lines.push(text);
        for item in items {
            let mut text = new();
            text.space(3).add(Ink::Text, item);
            lines.push(text);
        }
    }
    lines.push(new());
    let mut text = new();
    text.space(1).add(Ink::Dim, &format!("journal entry {}", entry.id));
    lines.push(text);
    lines
}
