//! The screen as a picture: what the terminal would show, drawn as SVG.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crossterm::event::{KeyEvent, KeyModifiers};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use tokio::time::{Instant, timeout_at};

use super::keymap;
use super::runtime::Options;
use super::state::{Effect, Message, State};
use super::update::update;
use crate::engine::Handle;

/// Width and height of a cell in the picture's units.
const CELL: (f64, f64) = (8.4, 18.0);

/// How long answers are waited for after a key.
const PAUSE: Duration = Duration::from_millis(700);

/// Presses keys, such as `2` or `/pay<enter>`, and draws what is on screen then.
///
/// # Errors
/// When a key is none, or the size cannot be drawn.
pub async fn picture(handle: &Handle, options: Options, keys: &str, size: (u16, u16)) -> Result<String, String> {
    let mut state = State::new(handle.fleet(), Timestamp::now(), size);
    state.look = options.look;
    state.keymap = options.keymap;
    state.help_note = options.help_note;
    state.zone = options.zone;
    let mut facts = handle.events();
    let mut snapshots = handle.subscribe();
    for press in presses(keys)? {
        let mut modifiers = KeyModifiers::NONE;
        modifiers.set(KeyModifiers::CONTROL, press.ctrl);
        take(&mut state, handle, Message::Key(KeyEvent::new(press.code, modifiers)));
        let until = Instant::now() + PAUSE;
        loop {
            let message = tokio::select! {
                fact = timeout_at(until, facts.recv()) => match fact {
                    Ok(Ok(fact)) => Message::Engine(fact),
                    Ok(Err(_)) => continue,
                    Err(_) => break,
                },
                Ok(()) = snapshots.changed() => Message::Fleet(snapshots.borrow_and_update().clone()),
            };
            take(&mut state, handle, message);
        }
    }
    take(&mut state, handle, Message::Tick(Timestamp::now()));
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).map_err(|error| error.to_string())?;
    terminal.draw(|frame| super::view::draw(frame, &state)).map_err(|error| error.to_string())?;
    Ok(svg(terminal.backend().buffer()))
}

fn take(state: &mut State, handle: &Handle, message: Message) {
    for effect in update(state, message) {
        if let Effect::Send(request) = effect {
            handle.send(*request);
        }
    }
}

fn presses(keys: &str) -> Result<Vec<keymap::Press>, String> {
    let mut presses = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let (name, after) = match rest.strip_prefix('<').and_then(|inner| inner.split_once('>')) {
            Some((name, after)) => (name, after),
            None if first == ' ' => ("space", &rest[1..]),
            None => rest.split_at(first.len_utf8()),
        };
        presses.extend(keymap::parse(name).ok_or_else(|| format!("{name:?} is no key"))?);
        rest = after;
    }
    Ok(presses)
}

/// Draws a terminal's cells as SVG, a text element for each run of one style.
fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (f64::from(area.width) * CELL.0, f64::from(area.height) * CELL.1);
    let ground = ground(buffer);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{ground}\"/>\n"
    );
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let cell = &buffer[(x, y)];
            let mut text = String::new();
            let start = x;
            while x < area.width && is_alike(cell, &buffer[(x, y)]) {
                text.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            run(&mut out, &ground, cell, &text, (start, y, x - start));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Returns the colour that most cells lie on.
fn ground(buffer: &Buffer) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for cell in &buffer.content {
        *counts.entry(colour(cell.bg).unwrap_or_else(|| "#12161c".to_owned())).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(colour, _)| colour).unwrap_or_default()
}

fn is_alike(one: &ratatui::buffer::Cell, other: &ratatui::buffer::Cell) -> bool {
    one.fg == other.fg && one.bg == other.bg && one.modifier == other.modifier
}

fn run(out: &mut String, ground: &str, cell: &ratatui::buffer::Cell, text: &str, (x, y, columns): (u16, u16, u16)) {
    let (mut fg, mut bg) = (colour(cell.fg).unwrap_or_else(|| "#d5dbe3".to_owned()), colour(cell.bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        let before = bg.unwrap_or_else(|| ground.to_owned());
        bg = Some(std::mem::replace(&mut fg, before));
    }
    let (left, top) = (f64::from(x) * CELL.0, f64::from(y) * CELL.1);
    let width = f64::from(columns) * CELL.0;
    if let Some(bg) = bg.filter(|bg| bg != ground) {
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{bg}\"/>",
            CELL.1
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let weight = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let escaped = text.trim_end().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let length = f64::from(u16::try_from(text.trim_end().chars().count()).unwrap_or(columns)) * CELL.0;
    let _ = writeln!(
        out,
        "<text x=\"{left:.1}\" y=\"{:.1}\" fill=\"{fg}\"{weight} textLength=\"{length:.1}\" xml:space=\"preserve\">{escaped}</text>",
        top + CELL.1 * 0.75
    );
}

fn colour(colour: Color) -> Option<String> {
    match colour {
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn cells_become_runs_of_text() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
        buffer.set_string(0, 0, "a<b", Style::new().fg(Color::Rgb(255, 0, 0)));
        buffer.set_string(3, 0, "c", Style::new().bg(Color::Rgb(0, 0, 255)));
        let svg = svg(&buffer);
        assert!(svg.contains(">a&lt;b</text>") && svg.contains("fill=\"#ff0000\""), "{svg}");
        assert!(svg.contains("<rect x=\"25.2\"") && svg.contains("fill=\"#0000ff\""), "{svg}");
        assert_eq!(svg.matches("<text").count(), 2);
    }

    #[test]
    fn keys_are_read() {
        let keys = presses("/a b<enter>").expect("keys");
        assert_eq!(keys.len(), 5);
        assert!(presses("<what>").is_err());
    }
}
