//! The whole story of one operation or journal entry: per application, object by object.

use ratatui::layout::Rect;

use super::activity::{outcome, seconds};
use super::detail::{position, window};
use super::frame::{bar, plural};
use super::pen::{Pen, Text, centred, wrap};
use crate::model::{AppProgress, AuditEntry, Operation, OperationId, Outcome, Phase, ResultStatus};
use crate::tui::action::Action;
use crate::tui::age;
use crate::tui::sign::Sign;
use crate::tui::state::State;
use crate::tui::theme::Ink;

/// Draws an operation's story; it is live while the operation runs.
pub fn operation(pen: &mut Pen, area: Rect, state: &State, id: OperationId, top: usize) {
    let Some(operation) = state.fleet.operation(id) else {
        return draw(pen, area, "Operation", top, |pen, _| {
            let mut text = pen.text();
            text.space(1).add(Ink::Dim, "This operation is no longer known; the journal has it.");
            vec![text]
        });
    };
    draw(pen, area, &operation.title, top, |pen, width| operation_lines(pen, state, operation, width));
}

/// Draws a journal entry's story.
pub fn entry(pen: &mut Pen, area: Rect, state: &State, id: &str) {
    let Some(entry) = state.fleet.audit.iter().find(|entry| entry.id == id) else { return };
    draw(pen, area, &entry.title, 0, |pen, width| entry_lines(pen, state, entry, width));
}

fn draw(pen: &mut Pen, area: Rect, title: &str, top: usize, lines: impl FnOnce(&Pen, usize) -> Vec<Text>) {
    let width = usize::from(area.width).saturating_sub(4).min(120);
    let lines = lines(pen, width.saturating_sub(3));
    let frame = centred(area, width, (lines.len() + 2).min(usize::from(area.height).saturating_sub(4)));
    let inside = pen.boxed(frame, title);
    let top = window(pen, inside, top, &lines);
    position(pen, frame, top, usize::from(inside.height), lines.len());
}

fn operation_lines(pen: &Pen, state: &State, operation: &Operation, width: usize) -> Vec<Text> {
    let sign = Sign::phase(operation.phase);
    let mut head = pen.text();
    head.space(1).sign(sign).space(1).add(sign.ink(), operation.phase.as_str()).space(2);
    head.add(Ink::Dim, &format!("{} by {}", age::day(operation.started, &state.zone), operation.actor)).space(2);
    let end = operation.finished.unwrap_or(state.now).as_second() - operation.started.as_second();
    head.add(Ink::Dim, &age::duration(end));
    let mut lines = vec![head];
    for words in wrap(&operation.message, width).iter().filter(|words| !words.is_empty()) {
        let mut text = pen.text();
        text.space(1).add(Ink::Text, words);
        lines.push(text);
    }
    if !operation.phase.is_over() {
        let total: usize = operation.apps.iter().map(|app| app.total).sum();
        let done: usize = operation.apps.iter().map(|app| app.results.len().min(app.total)).sum();
        let mut text = pen.text();
        text.space(1).append(bar(state, done, total, 24)).space(3);
        text.add(Ink::Strong, state.keymap.key(Action::CancelOperation))
            .add(Ink::Dim, " stops it after the object in hand");
        lines.push(text);
    }
    for app in &operation.apps {
        lines.push(pen.text());
        progress(pen, &mut lines, app, width);
    }
    lines
}

fn progress(pen: &Pen, lines: &mut Vec<Text>, app: &AppProgress, width: usize) {
    let sign = app.phase.map_or(Sign::Waiting, Sign::phase);
    let word = match app.phase {
        None => "waits",
        Some(phase) => phase.as_str(),
    };
    let mut text = pen.text();
    text.space(1).sign(sign).space(1).add(Ink::Strong, app.app.as_str()).space(2);
    text.add(Ink::Dim, &format!("on {}", app.cluster)).space(2).add(sign.ink(), word);
    if app.total > 0 || app.phase == Some(Phase::Running) {
        let word = plural(app.total, "object", "objects");
        text.add(Ink::Dim, &format!("  {} of {} {word}", app.results.len(), app.total));
    }
    lines.push(text);
    for words in wrap(&app.message, width.saturating_sub(4)).iter().filter(|words| !words.is_empty()) {
        let mut text = pen.text();
        text.space(4).add(Ink::Text, words);
        lines.push(text);
    }
    for result in &app.results {
        let (sign, ink) = match result.status {
            ResultStatus::Synced => (Sign::Synced, Ink::Text),
            ResultStatus::Pruned => (Sign::Synced, Ink::Warn),
            ResultStatus::PruneSkipped => (Sign::Suspended, Ink::Dim),
            ResultStatus::SyncFailed => (Sign::Broken, Ink::Bad),
        };
        let mut text = pen.text();
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
                let mut text = pen.text();
                text.space(8).add(Ink::Text, &words);
                lines.push(text);
            }
        } else {
            text.add(ink, &result.message);
            lines.push(text);
        }
    }
}

fn entry_lines(pen: &Pen, state: &State, entry: &AuditEntry, width: usize) -> Vec<Text> {
    let (sign, word) = outcome(entry.outcome);
    let mut head = pen.text();
    head.space(1).sign(sign).space(1).add(sign.ink(), word).space(2);
    head.add(Ink::Dim, &format!("{} by {}  {}", age::day(entry.at, &state.zone), entry.actor, seconds(entry.seconds)));
    let mut lines = vec![head];
    let mut paragraph = |words: &str, ink: Ink| {
        for words in wrap(words, width).iter().filter(|words| !words.is_empty()) {
            let mut text = pen.text();
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
        lines.push(pen.text());
        let mut text = pen.text();
        text.space(1).add(Ink::Heading, title);
        lines.push(text);
        for item in items {
            let mut text = pen.text();
            text.space(3).add(Ink::Text, item);
            lines.push(text);
        }
    }
    lines.push(pen.text());
    let mut text = pen.text();
    text.space(1).add(Ink::Dim, &format!("journal entry {}", entry.id));
    lines.push(text);
    lines
}
