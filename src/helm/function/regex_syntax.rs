//! Go's regular expressions in the syntax of the engine that runs them here.

/// How often an expression may be repeated, as in Go.
const MOST_REPEATS: u32 = 1000;

/// Returns an expression with the meaning that the given one has in Go: `\d`, `\w`, `\s` and `\b` know only ASCII, `[` in a
/// class stands for itself, and a `{` that is no repetition does too.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator { rest: pattern, out: String::with_capacity(pattern.len() + 16) };
    translator.run(pattern).map_err(|error| format!("error parsing regexp: {error}"))?;
    Ok(translator.out)
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
}

impl<'p> Translator<'p> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn run(&mut self, pattern: &'p str) -> Result<(), String> {
        let mut depth = 0_usize;
        let mut can_repeat = false;
        loop {
            let before = self.rest;
            let Some(c) = self.next() else { break };
            let mut repeats = true;
            match c {
                '\\' => self.escape(before)?,
                '[' => self.class(before)?,
                '(' => {
                    depth += 1;
                    self.group(before)?;
                    repeats = false;
                }
                ')' if depth == 0 => return Err(format!("unexpected ): `{pattern}`")),
                ')' => {
                    depth -= 1;
                    self.out.push(')');
                }
                '|' => {
                    self.out.push('|');
                    repeats = false;
                }
                '*' | '+' | '?' if !can_repeat => {
                    return Err(format!("missing argument to repetition operator: `{c}`"));
                }
                '{' => match repetition(before) {
                    Some((text, most)) => {
                        if most > MOST_REPEATS {
                            return Err(format!("invalid repeat count: `{text}`"));
                        }
                        if !can_repeat {
                            return Err(format!("missing argument to repetition operator: `{text}`"));
                        }
                        self.out.push_str(text);
                        self.rest = &before[text.len()..];
                    }
                    None => self.out.push_str("\\{"),
                },
                c => self.out.push(c),
            }
            can_repeat = repeats;
        }
        if depth > 0 { Err(format!("missing closing ): `{pattern}`")) } else { Ok(()) }
    }

    /// Takes `(` and what may follow it: a name or flags.
    fn group(&mut self, before: &'p str) -> Result<(), String> {
        self.out.push('(');
        let Some(flags) = self.rest.strip_prefix('?') else { return Ok(()) };
        let known = flags.starts_with("P<")
            || (flags.starts_with('<') && !flags.starts_with("<=") && !flags.starts_with("<!"))
            || flags.starts_with(|c: char| "imsU-:".contains(c));
        if known {
            return Ok(());
        }
        let shown: String = before.chars().take(if flags.starts_with('<') { 4 } else { 3 }).collect();
        Err(format!("invalid or unsupported Perl syntax: `{shown}`"))
    }

    /// Takes what follows a backslash outside of a class.
    fn escape(&mut self, before: &'p str) -> Result<(), String> {
        let Some(c) = self.next() else { return Err("trailing backslash at end of expression: ``".into()) };
        match c {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            's' => self.out.push_str(r"[\t\n\f\r ]"),
            'S' => self.out.push_str(r"[^\t\n\f\r ]"),
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' => self.out.push_str(r"(?-u:\B)"),
            'Q' => {
                let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.out.push_str(&regex::escape(text));
                self.rest = rest;
            }
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            c => self.character(c, before)?,
        }
        Ok(())
    }

    /// Takes an escape that stands for characters, in a class or not.
    fn character(&mut self, c: char, before: &str) -> Result<(), String> {
        match c {
            'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P' => {
                self.out.push('\\');
                self.out.push(c);
            }
            c if c.is_ascii_punctuation() => self.out.push_str(&literal(c)),
            c => {
                let shown = &before[..1 + c.len_utf8()];
                return Err(format!("invalid escape sequence: `{shown}`"));
            }
        }
        Ok(())
    }

    fn class(&mut self, before: &'p str) -> Result<(), String> {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.out.push('^');
            self.rest = rest;
        }
        let mut is_first = true;
        loop {
            let here = self.rest;
            let Some(c) = self.next() else { return Err(format!("missing closing ]: `{before}`")) };
            match c {
                ']' if !is_first => break,
                '[' if here.starts_with("[:") && here.contains(":]") => {
                    let end = here.find(":]").map_or(here.len(), |at| at + 2);
                    self.out.push_str(&here[..end]);
                    self.rest = &here[end..];
                }
                '\\' => self.class_escape(here)?,
                '-' => self.out.push('-'),
                c => self.out.push_str(&literal(c)),
            }
            is_first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn class_escape(&mut self, before: &'p str) -> Result<(), String> {
        let Some(c) = self.next() else { return Err("trailing backslash at end of expression: ``".into()) };
        match c {
            'd' => self.out.push_str("0-9"),
            'w' => self.out.push_str("0-9A-Za-z_"),
            's' => self.out.push_str(r"\t\n\f\r "),
            'D' => self.out.push_str("[^0-9]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            'S' => self.out.push_str(r"[^\t\n\f\r ]"),
            c => self.character(c, before)?,
        }
        Ok(())
    }
}

/// Returns a character that stands for itself, in a class and outside.
fn literal(c: char) -> String {
    match c {
        '<' | '>' | '_' | '/' | '"' | '\'' | ',' | ':' | ';' | '=' | '@' | '!' | '%' | '`' => c.into(),
        c if c.is_ascii_punctuation() => format!("\\{c}"),
        c => c.into(),
    }
}

/// Returns the repetition that a text begins with, and how often it repeats at most.
fn repetition(text: &str) -> Option<(&str, u32)> {
    let end = text.find('}')?;
    let (low, high) = match text[1..end].split_once(',') {
        Some((low, high)) => (low, high),
        None => (&text[1..end], &text[1..end]),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(low) || !(high.is_empty() || digits(high)) {
        return None;
    }
    let most = |text: &str| if text.is_empty() { 0 } else { text.parse().unwrap_or(u32::MAX) };
    Some((&text[..=end], most(low).max(most(high))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let check = |pattern: &str, wanted: &str| assert_eq!(translate(pattern).as_deref(), Ok(wanted), "{pattern}");
        check(r"^\d+\.\w$", r"^[0-9]+\.[0-9A-Za-z_]$");
        check(r"[[a\]-]", r"[\[a\]-]");
        check(r"[[:alpha:]&&x]", r"[[:alpha:]\&\&x]");
        check(r"\Qa.b\E+", r"a\.b+");
        check(r"a{2,3}{x}", r"a{2,3}\{x}");
        check(r"\_\/\<", "_/<");
        check(r"(?i:a|b)", "(?i:a|b)");
    }

    #[test]
    fn errors() {
        let check = |pattern: &str, error: &str| {
            assert_eq!(translate(pattern), Err(format!("error parsing regexp: {error}")), "{pattern}");
        };
        check("[a", "missing closing ]: `[a`");
        check("(a", "missing closing ): `(a`");
        check("a)", "unexpected ): `a)`");
        check("*", "missing argument to repetition operator: `*`");
        check("a{1001}", "invalid repeat count: `{1001}`");
        check(r"\q", r"invalid escape sequence: `\q`");
        check("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
        check("\\", "trailing backslash at end of expression: ``");
    }
}
