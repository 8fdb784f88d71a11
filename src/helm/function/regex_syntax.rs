//! Go's regular expressions, written as the `regex` crate reads them.
//!
//! Both match alike; what differs is which texts are expressions, what is said of those that are none, and that `\d`, `\w`,
//! `\s` and `\b` know only ASCII in Go.

/// The most repetitions, also of repetitions in each other.
const MOST_REPETITIONS: u32 = 1000;

/// How deep groups may be in each other.
const DEEPEST: usize = 1000;

/// An expression as the `regex` crate reads it.
#[derive(Debug)]
pub(super) struct Translation {
    pub pattern: String,
    /// The names of the groups, from the first one on.
    pub names: Vec<Option<String>>,
}

/// Translates an expression, or returns Go's error.
pub(super) fn translate(expression: &str) -> Result<Translation, String> {
    let mut translator = Translator {
        whole: expression,
        rest: expression,
        out: String::new(),
        names: Vec::new(),
        flags: Flags::default(),
        written: Flags::default(),
        groups: Vec::new(),
        weight: None,
        heaviest: 1,
    };
    translator.run()?;
    Ok(Translation { pattern: translator.out, names: translator.names })
}

fn problem(what: &str, part: &str) -> String {
    format!("error parsing regexp: {what}: `{part}`")
}

/// Returns a text up to where its end begins.
fn before<'a>(text: &'a str, rest: &str) -> &'a str {
    &text[..text.len() - rest.len()]
}

/// `i`, `m`, `s` and `U`, in this order.
#[derive(Clone, Copy, Default, PartialEq)]
struct Flags([bool; 4]);

const FLAGS: [char; 4] = ['i', 'm', 's', 'U'];

impl Flags {
    fn is_lazy(self) -> bool {
        self.0[3]
    }

    /// Returns the text that sets all of them.
    fn text(self) -> String {
        let named =
            |is_on: bool| FLAGS.iter().zip(self.0).filter(move |(_, flag)| *flag == is_on).map(|(name, _)| *name);
        let (on, off) = (String::from_iter(named(true)), String::from_iter(named(false)));
        if off.is_empty() { on } else { format!("{on}-{off}") }
    }
}

/// What comes back when a group ends.
struct Group {
    flags: Flags,
    heaviest: u32,
}

struct Translator<'a> {
    whole: &'a str,
    rest: &'a str,
    out: String,
    names: Vec<Option<String>>,
    flags: Flags,
    /// The flags that are written; others are as soon as something follows that they count for.
    written: Flags,
    groups: Vec<Group>,
    /// How often the last piece is repeated inside of itself; `None` if there is nothing to repeat.
    weight: Option<u32>,
    /// The greatest such number of this group.
    heaviest: u32,
}

impl<'a> Translator<'a> {
    fn run(&mut self) -> Result<(), String> {
        // Where the repetition before starts, which must not be repeated by another.
        let mut last_repetition = None;
        while let Some(c) = self.rest.chars().next() {
            let start = self.rest;
            let mut repetition = None;
            match c {
                '(' => self.open()?,
                '|' => {
                    self.write("|");
                    self.rest = &self.rest[1..];
                    self.weight = None;
                }
                ')' => self.close()?,
                '^' | '$' | '.' => self.piece(&c.to_string(), 1),
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.rest = &self.rest[1..];
                    self.repeat(start, &c.to_string(), 1, last_repetition)?;
                    repetition = Some(start);
                }
                '{' => match Repetition::read(start) {
                    None => self.piece("\\{", 1),
                    Some(Repetition { least, most, rest }) => {
                        let is_valid = |count: Option<u32>| count.is_some_and(|count| count <= MOST_REPETITIONS);
                        let ends = most.is_none_or(|most| is_valid(most) && most >= least);
                        if !is_valid(least) || !ends {
                            return Err(problem("invalid repeat count", before(start, rest)));
                        }
                        self.rest = rest;
                        let count = most.flatten().or(least).unwrap_or_default();
                        self.repeat(start, before(start, rest), count, last_repetition)?;
                        repetition = Some(start);
                    }
                },
                '\\' => self.escape()?,
                _ => self.piece(&regex::escape(&c.to_string()), c.len_utf8()),
            }
            last_repetition = repetition;
        }
        if self.groups.is_empty() { Ok(()) } else { Err(problem("missing closing )", self.whole)) }
    }

    /// Writes something that flags count for.
    fn write(&mut self, translated: &str) {
        if self.flags != self.written {
            self.out.push_str(&format!("(?{})", self.flags.text()));
            self.written = self.flags;
        }
        self.out.push_str(translated);
    }

    /// Writes something that can be repeated, and which is so many bytes long.
    fn piece(&mut self, translated: &str, length: usize) {
        self.write(translated);
        self.rest = &self.rest[length..];
        self.weight = Some(1);
    }

    fn repeat(&mut self, start: &str, operator: &str, count: u32, last: Option<&str>) -> Result<(), String> {
        // What is repeated may stand before flags, which still say whether as little as possible is taken.
        self.out.push_str(operator);
        let rest = self.rest.strip_prefix('?');
        if rest.is_some() != (self.flags.is_lazy() != self.written.is_lazy()) {
            self.out.push('?');
        }
        self.rest = rest.unwrap_or(self.rest);
        if let Some(last) = last {
            return Err(problem("invalid nested repetition operator", before(last, self.rest)));
        }
        let Some(weight) = self.weight else {
            return Err(problem("missing argument to repetition operator", before(start, self.rest)));
        };
        let weight = weight.saturating_mul(count);
        if weight > MOST_REPETITIONS {
            return Err(problem("invalid repeat count", before(start, self.rest)));
        }
        self.heaviest = self.heaviest.max(weight);
        self.weight = Some(weight);
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        let start = self.rest;
        if let Some(flags) = start.strip_prefix("(?") {
            let named = flags.strip_prefix("P<").or_else(|| flags.strip_prefix('<'));
            return match named.filter(|name| !name.is_empty()) {
                Some(name) => self.open_named(start, name),
                None => self.open_flags(start, flags),
            };
        }
        self.rest = &start[1..];
        self.names.push(None);
        self.open_group("(")
    }

    fn open_group(&mut self, text: &str) -> Result<(), String> {
        self.open_group_with(text, self.flags)
    }

    fn open_group_with(&mut self, text: &str, flags: Flags) -> Result<(), String> {
        self.groups.push(Group { flags: self.flags, heaviest: self.heaviest });
        if self.groups.len() > DEEPEST {
            return Err(problem("expression nests too deeply", self.whole));
        }
        self.write(text);
        (self.flags, self.written) = (flags, flags);
        (self.weight, self.heaviest) = (None, 1);
        Ok(())
    }

    fn open_named(&mut self, start: &'a str, name: &'a str) -> Result<(), String> {
        let Some((name, rest)) = name.split_once('>') else {
            return Err(problem("invalid named capture", start));
        };
        if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            return Err(problem("invalid named capture", before(start, rest)));
        }
        self.rest = rest;
        // Go lets groups share a name, so that names are kept apart from the pattern.
        self.names.push(Some(name.to_owned()));
        self.open_group("(")
    }

    fn open_flags(&mut self, start: &str, text: &'a str) -> Result<(), String> {
        let mut flags = self.flags;
        let (mut is_on, mut saw_flag) = (true, false);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '-' if is_on => (is_on, saw_flag) = (false, false),
                ':' | ')' if is_on || saw_flag => {
                    self.rest = rest;
                    let text = flags.text();
                    if c == ':' {
                        return self.open_group_with(&format!("(?{text}:"), flags);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => match FLAGS.iter().position(|flag| *flag == c) {
                    Some(place) => (flags.0[place], saw_flag) = (is_on, true),
                    None => break,
                },
            }
        }
        Err(problem("invalid or unsupported Perl syntax", before(start, rest)))
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(group) = self.groups.pop() else {
            return Err(problem("unexpected )", self.whole));
        };
        let weight = self.heaviest;
        (self.flags, self.written) = (group.flags, group.flags);
        self.heaviest = group.heaviest.max(weight);
        self.piece(")", 1);
        self.weight = Some(weight);
        Ok(())
    }

    /// Translates what starts with a backslash outside of classes.
    fn escape(&mut self) -> Result<(), String> {
        let start = self.rest;
        match start[1..].chars().next() {
            Some('Q') => {
                let quoted = &start[2..];
                let (quoted, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                for c in quoted.chars() {
                    self.piece(&regex::escape(&c.to_string()), 0);
                }
                self.rest = rest;
            }
            Some(c @ ('A' | 'z')) => self.piece(&format!("\\{c}"), 2),
            Some(c @ ('b' | 'B')) => self.piece(&format!("(?-u:\\{c})"), 2),
            Some('p' | 'P') => {
                let (class, rest) = unicode_class(start)?;
                self.piece(&class, start.len() - rest.len());
            }
            Some(c) if perl_class(c).is_some() => self.piece(perl_class(c).unwrap_or_default(), 2),
            _ => {
                let (c, rest) = character(start)?;
                self.piece(&literal(c), start.len() - rest.len());
            }
        }
        Ok(())
    }

    /// Translates a class in brackets.
    fn class(&mut self) -> Result<(), String> {
        let start = self.rest;
        let mut out = String::from("[");
        let mut rest = &start[1..];
        if let Some(after) = rest.strip_prefix('^') {
            out.push('^');
            rest = after;
        }
        let mut is_first = true;
        while is_first || !rest.starts_with(']') {
            is_first = false;
            if rest.is_empty() {
                return Err(problem("missing closing ]", start));
            }
            if let Some((name, after)) = rest.strip_prefix("[:").and_then(|name| name.split_once(":]")) {
                if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
                    return Err(problem("invalid character class range", before(rest, after)));
                }
                out.push_str(before(rest, after));
                rest = after;
                continue;
            }
            if rest.starts_with("\\p") || rest.starts_with("\\P") {
                let (class, after) = unicode_class(rest)?;
                out.push_str(&class);
                rest = after;
                continue;
            }
            if let Some(class) = rest.strip_prefix('\\').and_then(|name| perl_class(name.chars().next()?)) {
                out.push_str(class);
                rest = &rest[2..];
                continue;
            }
            let range = rest;
            let (low, after) = class_character(rest, start)?;
            rest = after;
            out.push_str(&literal(low));
            if rest.len() >= 2 && rest.starts_with('-') && !rest.starts_with("-]") {
                let (high, after) = class_character(&rest[1..], start)?;
                rest = after;
                if high < low {
                    return Err(problem("invalid character class range", before(range, rest)));
                }
                out.push('-');
                out.push_str(&literal(high));
            }
        }
        out.push(']');
        self.piece(&out, start.len() - rest.len() + 1);
        Ok(())
    }
}

/// The names of the classes in `[:` and `:]`.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// Returns a class that is a letter after a backslash; it can also be inside of a class.
fn perl_class(name: char) -> Option<&'static str> {
    Some(match name {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\f\r ]",
        'S' => r"[^\t\n\f\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// Translates `\pL` and `\p{Greek}`.
fn unicode_class(text: &str) -> Result<(String, &str), String> {
    let is_negative = text.starts_with("\\P");
    let inner = &text[2..];
    let (name, rest) = match inner.strip_prefix('{') {
        Some(braced) => braced.split_once('}').ok_or_else(|| problem("invalid character class range", text))?,
        None => inner.split_at(inner.chars().next().map_or(0, char::len_utf8)),
    };
    let (is_negative, name) = match name.strip_prefix('^') {
        Some(name) => (!is_negative, name),
        None => (is_negative, name),
    };
    let class = match name {
        "Any" => "Any".to_owned(),
        _ if name.len() <= 2 => format!("gc={name}"),
        _ => format!("sc={name}"),
    };
    let class = format!("\\{}{{{class}}}", if is_negative { 'P' } else { 'p' });
    match name.starts_with(char::is_uppercase) && regex::Regex::new(&class).is_ok() {
        true => Ok((class, rest)),
        false => Err(problem("invalid character class range", before(text, rest))),
    }
}

/// Reads a character of a class; `class` is where that starts.
fn class_character<'a>(text: &'a str, class: &str) -> Result<(char, &'a str), String> {
    match text.chars().next() {
        None => Err(problem("missing closing ]", class)),
        Some('\\') => character(text),
        Some(c) => Ok((c, &text[c.len_utf8()..])),
    }
}

/// Reads a character that is written with a backslash.
fn character(text: &str) -> Result<(char, &str), String> {
    let escaped = &text[1..];
    let Some(c) = escaped.chars().next() else {
        return Err(problem("trailing backslash at end of expression", ""));
    };
    let rest = &escaped[c.len_utf8()..];
    let simple = match c {
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '0' => return octal(escaped).ok_or_else(|| problem("invalid escape sequence", before(text, rest))),
        // One digit would be a reference to a group.
        '1'..='7' if rest.starts_with(|c| matches!(c, '0'..='7')) => {
            return octal(escaped).ok_or_else(|| problem("invalid escape sequence", before(text, rest)));
        }
        'x' => return hexadecimal(text, rest),
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return Err(problem("invalid escape sequence", before(text, rest))),
    };
    Ok((simple, rest))
}

/// Reads up to three octal digits.
fn octal(text: &str) -> Option<(char, &str)> {
    let count = text.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let number = u32::from_str_radix(&text[..count], 8).ok()?;
    Some((char::from_u32(number)?, &text[count..]))
}

/// Reads `\x41` and `\x{41}` from behind the `x`.
fn hexadecimal<'a>(text: &str, digits: &'a str) -> Result<(char, &'a str), String> {
    let split = match digits.strip_prefix('{') {
        Some(braced) => braced.split_once('}'),
        None => digits.split_at_checked(2),
    };
    let read = split
        .filter(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|(digits, rest)| Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, rest)));
    read.ok_or_else(|| {
        // What is named ends where the digits do.
        let braced = digits.strip_prefix('{').unwrap_or(digits);
        let good = braced.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let bad = good.chars().next().map_or(0, char::len_utf8);
        problem("invalid escape sequence", before(text, &good[bad..]))
    })
}

/// Returns a character as it can stand anywhere.
fn literal(c: char) -> String {
    if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\x{{{:X}}}", u32::from(c)) }
}

/// `{2}`, `{2,}` or `{2,3}`.
struct Repetition<'a> {
    /// `None` if the number is far too great.
    least: Option<u32>,
    /// `None` if there is no greatest number.
    most: Option<Option<u32>>,
    rest: &'a str,
}

impl<'a> Repetition<'a> {
    /// Reads a repetition; `None` if the brace is only a brace.
    fn read(text: &'a str) -> Option<Self> {
        let (least, rest) = count(text.strip_prefix('{')?)?;
        let (most, rest) = match rest.strip_prefix(',') {
            None => (Some(least), rest),
            Some(rest) if rest.starts_with('}') => (None, rest),
            Some(rest) => count(rest).map(|(most, rest)| (Some(most), rest))?,
        };
        Some(Self { least, most, rest: rest.strip_prefix('}')? })
    }
}

/// Reads a number without zeros before it.
fn count(text: &str) -> Option<(Option<u32>, &str)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = before(text, rest);
    let is_number = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
    is_number.then(|| (digits.parse().ok().filter(|_| digits.len() <= 8), rest))
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn what_is_no_expression_is_named_as_in_go() {
        let check = |expression: &str, expected: &str| {
            let error = translate(expression).expect_err(expression);
            assert_eq!(error, format!("error parsing regexp: {expected}"), "{expression}");
        };
        check("a(b", "missing closing ): `a(b`");
        check("a)b", "unexpected ): `a)b`");
        check("x[a-", "missing closing ]: `[a-`");
        check("[z-a]", "invalid character class range: `z-a`");
        check("[[:foo:]]", "invalid character class range: `[:foo:]`");
        check(r"\p{Foo}", r"invalid character class range: `\p{Foo}`");
        check("*a", "missing argument to repetition operator: `*`");
        check("(|+?)", "missing argument to repetition operator: `+?`");
        check("a**", "invalid nested repetition operator: `**`");
        check("a{2}{3}", "invalid nested repetition operator: `{2}{3}`");
        check("a{1001}", "invalid repeat count: `{1001}`");
        check("a{3,2}", "invalid repeat count: `{3,2}`");
        check("((a{40}){30})", "invalid repeat count: `{30}`");
        check(r"\1", r"invalid escape sequence: `\1`");
        check(r"\Z", r"invalid escape sequence: `\Z`");
        check("a\\", "trailing backslash at end of expression: ``");
        check("(?<=a)b", "invalid named capture: `(?<=a)b`");
        check("(?P<a b>c)", "invalid named capture: `(?P<a b>`");
        check("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
        check("(?x)a", "invalid or unsupported Perl syntax: `(?x`");
    }

    #[test]
    fn expressions_mean_what_they_mean_in_go() {
        let check = |expression: &str, text: &str, expected: bool| {
            let pattern = translate(expression).expect(expression).pattern;
            let regex = regex::bytes::Regex::new(&pattern).expect(&pattern);
            assert_eq!(regex.is_match(text.as_bytes()), expected, "{expression} as {pattern} on {text:?}");
        };
        check(r"^\d+$", "١٢", false);
        check(r"^[\d\s-]+$", "1 2-3", true);
        check("^[[a&&b]+$", "[&a&b", true);
        check("^[]a]+$", "]a", true);
        check(r"^\Qa.b*\E+$", "a.b**", true);
        check(r"^\141\x62\x{63}\_$", "abc_", true);
        check("^a{,2}$", "a{,2}", true);
        check("(?i)^k$", "K", true);
        check("(?U)^a+b?$", "aab", true);
        check("(?ii-s:a.)", "a\n", false);
        check("^a(?i)*b$", "aaB", true);
        check("^(a|(?i)b)c$", "BC", false);
        check(r"é\bfoo", "éfoo", true);
        check(r"^\pL\P{Greek}[\p{Lu}]$", "äbC", true);
        check("(?P<n>a)(?P<n>b)", "ab", true);
    }
}
