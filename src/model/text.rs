//! Text from clusters and repositories, made safe for a terminal.

use std::borrow::Cow;

/// Returns the text as one line: control characters, bidirectional overrides and invisible characters are gone, line breaks and tabs became spaces.
pub fn line(text: &str) -> Cow<'_, str> {
    strip(text, |c| match c {
        '\n' | '\t' => Some(' '),
        _ => None,
    })
}

/// Returns the text with its line breaks; a tab became two spaces, everything else is as in [`line()`].
pub fn block(text: &str) -> Cow<'_, str> {
    if text.contains('\t') {
        return Cow::Owned(strip(&text.replace('\t', "  "), keep_breaks).into_owned());
    }
    strip(text, keep_breaks)
}

fn keep_breaks(c: char) -> Option<char> {
    (c == '\n').then_some('\n')
}

fn strip(text: &str, keep: impl Fn(char) -> Option<char>) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(|c| if is_hostile(c) { keep(c) } else { Some(c) }).collect())
}

/// Says whether a character can move the cursor, change the terminal or hide what is written.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{61c}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the word for a number.
pub fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// Returns a number with its word.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", plural(count, one, many))
}

#[cfg(test)]
mod tests {
    use super::{block, line};

    #[test]
    fn nothing_that_drives_a_terminal_is_left() {
        for (text, expected) in [
            ("plain é", "plain é"),
            ("a\x1b[2Jb", "a[2Jb"),
            ("a\u{9b}31mb", "a31mb"),
            ("a\r\nb\tc", "a b c"),
            ("pay\u{202e}gnp", "paygnp"),
            ("x\u{200b}y\u{7f}z\u{7}", "xyz"),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
        }
        assert_eq!(block("a\r\n\tb\x1b"), "a\n  b");
    }
}
