//! A choice: what is typed narrows the list.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::detail::position;
use super::frame::tail;
use super::pen::{Pen, centred, nth_row, split_top};
use crate::tui::picker::Picker;
use crate::tui::theme::Ink;

/// The box: as high as all of its items need, so that it stays where it is while it is narrowed.
fn height(area: Rect, picker: &Picker) -> usize {
    (picker.items.len() + 4).min(usize::from(area.height).saturating_sub(4)).max(6)
}

/// Returns how many items are left, and how many of them are on screen.
pub fn extent(area: Rect, picker: &Picker) -> (usize, usize) {
    (picker.shown().count(), height(area, picker) - 4)
}

/// Draws the choice.
pub fn draw(pen: &mut Pen, area: Rect, picker: &Picker) {
    let width = usize::from(area.width).saturating_sub(4).min(100);
    let height = height(area, picker);
    let frame = centred(area, width, height);
    let inside = pen.boxed(frame, &picker.title);
    let (head, list) = split_top(inside, 2);
    let mut text = pen.text();
    let typed = crate::model::text::line(&picker.text);
    text.space(1).add(Ink::Accent, "› ").add(Ink::Strong, &tail(&typed, width.saturating_sub(8)));
    text.add(Ink::Accent, "█");
    if picker.text.is_empty() {
        text.add(Ink::Dim, " type to narrow");
    }
    pen.line(head, 0, &text);
    let shown: Vec<_> = picker.shown().collect();
    if shown.is_empty() {
        let mut text = pen.text();
        text.space(3).add(Ink::Dim, "nothing matches");
        pen.line(list, 0, &text);
        return;
    }
    let label = shown.iter().map(|item| item.label.width()).max().unwrap_or(0).min(width / 2) + 2;
    let height = usize::from(list.height);
    let mut cursor = picker.cursor;
    cursor.follow(shown.len(), height);
    for (row, item) in shown.iter().enumerate().skip(cursor.top).take(height) {
        let Some(line) = nth_row(list, row - cursor.top) else { break };
        let selected = row == cursor.at;
        if selected {
            pen.tint(line, Ink::Selected);
        }
        let mut text = pen.text();
        text.column(Ink::Accent, if selected { " ›" } else { "" }, 3);
        text.column(if selected { Ink::Strong } else { Ink::Text }, &item.label, label - 1).space(1);
        text.add(Ink::Dim, &item.note);
        pen.line(line, 0, &text);
    }
    position(pen, frame, cursor.top, height, shown.len());
}
