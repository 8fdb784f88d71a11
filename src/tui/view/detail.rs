//! Long texts in a window: lines with a position, drawn only where they can be seen.

use ratatui::layout::Rect;

use super::pen::{Pen, Text, wrap};
use crate::tui::theme::Ink;

/// Draws lines from a first one on; returns the first one that was drawn, which no list can scroll past.
pub fn window(pen: &mut Pen, area: Rect, top: usize, lines: &[Text]) -> usize {
    let height = usize::from(area.height);
    let top = top.min(lines.len().saturating_sub(height));
    for (row, text) in lines.iter().skip(top).take(height).enumerate() {
        pen.line(area, row, text);
    }
    top
}

/// Says in the lower edge of a box how much lies above and below.
pub fn position(pen: &mut Pen, area: Rect, top: usize, height: usize, len: usize) {
    if len <= height || area.height == 0 {
        return;
    }
    let mut text = pen.text();
    text.add(Ink::Dim, &format!(" {}–{} of {len} ", top + 1, (top + height).min(len)));
    let edge = Rect { width: area.width.saturating_sub(2), ..area };
    pen.line_right(edge, usize::from(area.height) - 1, &text);
}

/// Writes a sentence in full below a list, after a blank line; what does not fit is marked.
pub fn in_full(pen: &mut Pen, area: Rect, words: &str) {
    let lines = wrap(words, usize::from(area.width).saturating_sub(6));
    let most = usize::from(area.height).saturating_sub(1);
    for (row, words) in lines.iter().take(most).enumerate() {
        let mut text = pen.text();
        text.space(2).add(Ink::Text, words);
        if row + 1 == most && lines.len() > most {
            text.add(Ink::Dim, " …");
        }
        pen.line(area, row + 1, &text);
    }
}

/// Returns a line of YAML with its key apart from its value.
pub fn yaml(pen: &Pen, line: &str) -> Text {
    let mut text = pen.text();
    let bare = line.trim_start();
    if bare.starts_with('#') || bare == "---" {
        text.add(Ink::Dim, line);
    } else if let Some((key, value)) = key_of(line) {
        text.add(Ink::Info, key).add(Ink::Text, value);
    } else {
        text.add(Ink::Text, line);
    }
    text
}

/// Splits `  key: value` behind the colon.
fn key_of(line: &str) -> Option<(&str, &str)> {
    let at = line.find(": ").map(|at| at + 1).or_else(|| line.ends_with(':').then_some(line.len()))?;
    let key = &line[..at];
    let bare = key.trim_start_matches([' ', '-']);
    (!bare.is_empty() && !bare.starts_with(['"', '\'']) && !bare.contains(' ')).then(|| line.split_at(at))
}
