//! Writing on the screen: every text is cleaned, measured and cut here, and nowhere else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::model::text;
use crate::tui::sign::Sign;
use crate::tui::state::Look;
use crate::tui::theme::Ink;

/// One line made of pieces, each with its meaning. It measures itself, so that columns can be built from left to right.
#[derive(Clone, Debug, Default)]
pub struct Text {
    pieces: Vec<(Ink, String)>,
    width: usize,
    ascii: bool,
}

impl Text {
    /// Begins a line.
    pub fn new(look: &Look) -> Self {
        Self { pieces: Vec::new(), width: 0, ascii: look.ascii }
    }

    /// Returns how many columns it takes so far.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Says whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.width == 0
    }

    /// Adds text.
    pub fn add(&mut self, ink: Ink, words: &str) -> &mut Self {
        let words = clean(words, self.ascii);
        self.width += words.width();
        self.pieces.push((ink, words));
        self
    }

    /// Adds spaces.
    pub fn space(&mut self, columns: usize) -> &mut Self {
        self.pieces.push((Ink::Text, " ".repeat(columns)));
        self.width += columns;
        self
    }

    /// Adds spaces up to a column.
    pub fn to(&mut self, column: usize) -> &mut Self {
        self.space(column.saturating_sub(self.width))
    }

    /// Adds text in a column of its own: cut or filled to the width.
    pub fn column(&mut self, ink: Ink, words: &str, width: usize) -> &mut Self {
        let end = self.width + width;
        self.fit(ink, words, width).to(end)
    }

    /// Adds text, cut to a width.
    pub fn fit(&mut self, ink: Ink, words: &str, width: usize) -> &mut Self {
        let words = cut(&clean(words, self.ascii), width, self.ascii);
        self.width += words.width();
        self.pieces.push((ink, words));
        self
    }

    /// Adds text against the right edge of a column.
    pub fn right(&mut self, ink: Ink, words: &str, width: usize) -> &mut Self {
        let words = cut(&clean(words, self.ascii), width, self.ascii);
        self.space(width.saturating_sub(words.width())).add(ink, &words)
    }

    /// Adds a sign.
    pub fn sign(&mut self, sign: Sign) -> &mut Self {
        let glyph = sign.glyph(self.ascii);
        self.add(sign.ink(), glyph)
    }

    /// Adds another line's pieces.
    pub fn append(&mut self, other: Self) -> &mut Self {
        self.width += other.width;
        self.pieces.extend(other.pieces);
        self
    }

    /// Gives everything one meaning: what is old is dim as a whole.
    pub fn all(mut self, ink: Ink) -> Self {
        for piece in &mut self.pieces {
            piece.0 = ink;
        }
        self
    }
}

/// The screen's buffer with the look to draw in.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    look: &'a Look,
}

impl<'a> Pen<'a> {
    /// Takes the buffer.
    pub fn new(buffer: &'a mut Buffer, look: &'a Look) -> Self {
        Self { buffer, look }
    }

    /// Begins a line in this look.
    pub fn text(&self) -> Text {
        Text::new(self.look)
    }

    /// Returns the look.
    pub fn look(&self) -> &'a Look {
        self.look
    }

    fn style(&self, ink: Ink) -> Style {
        self.look.theme.style(ink)
    }

    /// Empties an area.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        let style = Style::reset().patch(self.style(Ink::Text));
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buffer[(x, y)].set_symbol(" ").set_style(style);
            }
        }
    }

    /// Gives an area a style and leaves its text.
    pub fn tint(&mut self, area: Rect, ink: Ink) {
        let style = self.style(ink);
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// Makes an area step back behind what lies over it.
    pub fn fade(&mut self, area: Rect) {
        let ground = Style { bg: self.style(Ink::Text).bg, ..Style::new() };
        let style = ground.patch(self.style(Ink::Dim)).remove_modifier(Modifier::BOLD | Modifier::REVERSED);
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// The style of words: ordinary ones leave the ground that they stand on.
    fn words(&self, ink: Ink) -> Style {
        let style = self.style(ink);
        if ink == Ink::Text { Style { bg: None, ..style } } else { style }
    }

    /// Writes a line into a row of an area, counted from its top; what does not fit is cut with a sign.
    pub fn line(&mut self, area: Rect, row: usize, text: &Text) {
        let Some(area) = nth_row(area, row).filter(|area| self.buffer.area.intersects(*area)) else { return };
        let area = area.intersection(self.buffer.area);
        let width = usize::from(area.width);
        let overflows = text.width > width;
        let mut used = 0;
        for (ink, words) in &text.pieces {
            let left = width.saturating_sub(used);
            if left == 0 {
                break;
            }
            let own = words.width();
            let words = if overflows && own >= left { cut_marked(words, left, text.ascii) } else { words.clone() };
            let x = area.x.saturating_add(u16::try_from(used).unwrap_or(u16::MAX));
            let style = self.words(*ink);
            self.buffer.set_stringn(x, area.y, &words, left, style);
            used += own;
        }
    }

    /// Writes a line so that it ends at the right edge; returns the columns that are left before it.
    pub fn line_right(&mut self, area: Rect, row: usize, text: &Text) -> usize {
        let width = usize::from(area.width);
        let own = text.width.min(width);
        let start = width - own;
        let shifted = Rect { x: area.x + narrow(start), width: narrow(own), ..area };
        self.line(shifted, row, text);
        start
    }

    /// Draws a horizontal rule.
    pub fn rule(&mut self, area: Rect, row: usize) {
        let mut text = self.text();
        text.add(Ink::Border, &"─".repeat(usize::from(area.width)));
        self.line(area, row, &text);
    }

    /// Draws a box with a title, empties its inside and returns it.
    pub fn boxed(&mut self, area: Rect, title: &str) -> Rect {
        let area = area.intersection(self.buffer.area);
        self.clear(Rect { x: area.x.saturating_sub(1), width: area.width.saturating_add(2), ..area });
        if area.width < 4 || area.height < 3 {
            return area;
        }
        let inside = usize::from(area.width) - 2;
        let mut head = self.text();
        head.add(Ink::Border, "┌");
        if title.is_empty() {
            head.add(Ink::Border, &"─".repeat(inside));
        } else {
            head.space(1).fit(Ink::Strong, title, inside - 2).space(1);
            let left = (inside + 1).saturating_sub(head.width());
            head.add(Ink::Border, &"─".repeat(left));
        }
        head.add(Ink::Border, "┐");
        self.line(area, 0, &head);
        let mut foot = self.text();
        foot.add(Ink::Border, "└").add(Ink::Border, &"─".repeat(inside)).add(Ink::Border, "┘");
        self.line(area, usize::from(area.height) - 1, &foot);
        let mut side = self.text();
        side.add(Ink::Border, "│");
        for row in 1..usize::from(area.height) - 1 {
            self.line(area, row, &side);
            self.line_right(area, row, &side);
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }
}

/// Returns one row of an area.
pub fn nth_row(area: Rect, row: usize) -> Option<Rect> {
    (row < usize::from(area.height)).then(|| Rect { y: area.y + narrow(row), height: 1, ..area })
}

/// Cuts rows off the top: `(they, the rest)`.
pub fn split_top(area: Rect, rows: usize) -> (Rect, Rect) {
    let rows = narrow(rows).min(area.height);
    (Rect { height: rows, ..area }, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

/// Cuts columns off the left: `(they, the rest)`.
pub fn split_left(area: Rect, columns: usize) -> (Rect, Rect) {
    let columns = narrow(columns).min(area.width);
    (Rect { width: columns, ..area }, Rect { x: area.x + columns, width: area.width - columns, ..area })
}

/// Returns a box of at most that size in the middle of an area.
pub fn centred(area: Rect, width: usize, height: usize) -> Rect {
    let (width, height) = (narrow(width).min(area.width), narrow(height).min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// Returns the length as the screen counts.
pub fn narrow(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn clean(words: &str, ascii: bool) -> String {
    let words = text::line(words);
    if ascii && !words.is_ascii() { words.chars().map(plain).collect() } else { words.into_owned() }
}

/// The nearest ASCII character of the signs that screens use.
fn plain(c: char) -> char {
    match c {
        c if c.is_ascii() => c,
        '─' => '-',
        '│' | '┃' | '├' | '┊' => '|',
        '┌' | '┐' | '└' | '┘' | '┼' => '+',
        '→' | '›' | '▶' => '>',
        '←' | '‹' => '<',
        '▸' => '>',
        '▾' => 'v',
        '·' => '.',
        '█' => '#',
        '░' => '.',
        '●' | '•' | '×' => '*',
        '↑' => '^',
        '↓' => 'v',
        '…' => '~',
        '–' | '—' => '-',
        '’' => '\'',
        '≠' => '#',
        '✓' => '=',
        '✗' => '!',
        '♥' => '+',
        '▼' => 'v',
        _ => '?',
    }
}

/// Cuts text to a width; what is cut off is marked.
pub fn cut(words: &str, width: usize, ascii: bool) -> String {
    if words.width() <= width { words.to_owned() } else { cut_marked(words, width, ascii) }
}

fn cut_marked(words: &str, width: usize, ascii: bool) -> String {
    let mark = if ascii { ".." } else { "…" };
    if width <= mark.width() {
        return if width == 0 { String::new() } else { mark[..].graphemes(true).take(width).collect() };
    }
    let mut used = 0;
    let mut kept = String::with_capacity(words.len());
    for letter in words.graphemes(true) {
        let own = letter.width();
        if used + own > width - mark.width() {
            break;
        }
        used += own;
        kept.push_str(letter);
    }
    kept + mark
}

/// Breaks a text into lines of at most a width, at spaces where there are some.
pub fn wrap(words: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text::block(words).lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in words_of(paragraph) {
            for part in pieces_of(word, width) {
                let own = part.width();
                if used + own > width {
                    lines.push(line.trim_end().to_owned());
                    line.clear();
                    used = 0;
                    if part.trim().is_empty() {
                        continue;
                    }
                }
                line.push_str(part);
                used += own;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Words and the spaces between them.
fn words_of(paragraph: &str) -> impl Iterator<Item = &str> {
    let mut rest = paragraph;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c: char| c.is_whitespace() != first.is_whitespace()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// A word that is wider than a line, in parts that are not.
fn pieces_of(word: &str, width: usize) -> Vec<&str> {
    if word.width() <= width {
        return vec![word];
    }
    let mut parts = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, letter) in word.grapheme_indices(true) {
        let own = letter.width();
        if used + own > width && at > start {
            parts.push(&word[start..at]);
            (start, used) = (at, 0);
        }
        used += own;
    }
    parts.push(&word[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::{cut, wrap};

    #[test]
    fn text_is_cut_by_columns() {
        for (words, width, expected) in [
            ("payments", 8, "payments"),
            ("payments", 5, "paym…"),
            ("日本語", 4, "日…"),
            ("日本語", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(cut(words, width, false), expected, "{words} in {width}");
        }
        assert_eq!(cut("payments", 5, true), "pay..");
    }

    #[test]
    fn text_is_broken_at_spaces() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("a\n\nb", 9), ["a", "", "b"]);
    }
}
