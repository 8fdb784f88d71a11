//! Strings made shorter, or broken into lines.

use super::argument::{bytes, function, int};
use crate::template::{Function, Host, Parameter, Str, Value};

use Parameter::{Int, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("abbrev", &[Int, Text], |_, args| abbreviated(0, int(&args[0]), bytes(&args[1]))),
    function("abbrevboth", &[Int, Int, Text], |_, args| abbreviated(int(&args[0]), int(&args[1]), bytes(&args[2]))),
    function("initials", &[Text], |_, args| Ok(initials(bytes(&args[0])).into())),
    function("wrap", &[Int, Text], |host, args| wrapped(host, &args[1], int(&args[0]), b"\n", false)),
    function("wrapWith", &[Int, Text, Text], |host, args| {
        wrapped(host, &args[2], int(&args[0]), bytes(&args[1]), true)
    }),
];

/// Stands for what is left out.
const MARK: &[u8] = b"...";

/// Cuts a string to `width` bytes; what is before `offset` may go as well.
fn abbreviated(offset: i64, width: i64, whole: &[u8]) -> Result<Value, String> {
    let fits = |width: usize| whole.len() <= width;
    let Ok(width) = usize::try_from(width) else { return Ok(Str::from(whole).into()) };
    if width < 4 || offset > 0 && width < 7 || fits(width) {
        return Ok(Str::from(whole).into());
    }
    let room = width - MARK.len();
    let offset = usize::try_from(offset).unwrap_or_default().min(whole.len() - room);
    let short = if offset <= 4 {
        [&whole[..room], MARK].concat()
    } else if offset + room < whole.len() {
        // Room for both marks.
        [MARK, &whole[offset..offset + room - MARK.len()], MARK].concat()
    } else {
        [MARK, &whole[whole.len() - room..]].concat()
    };
    Ok(Str::from(short).into())
}

/// Returns the first byte of each word, read as a character.
fn initials(whole: &[u8]) -> String {
    let mut before = ' ';
    whole
        .iter()
        .map(|byte| char::from(*byte))
        .filter(|c| {
            let starts = before.is_whitespace() && !c.is_whitespace();
            before = *c;
            starts
        })
        .collect()
}

/// Breaks a string at blanks into lines of `width` bytes; longer words are broken too, or not.
fn wrapped(
    host: &mut dyn Host,
    whole: &Value,
    width: i64,
    line_break: &[u8],
    breaks_words: bool,
) -> Result<Value, String> {
    let whole = bytes(whole);
    let line_break = if line_break.is_empty() { b"\n" } else { line_break };
    let width = usize::try_from(width).unwrap_or_default().max(1);
    host.spend(whole.len().saturating_add((whole.len() / width).saturating_mul(line_break.len())))?;
    let (mut out, mut rest) = (Vec::with_capacity(whole.len()), whole);
    while rest.len() > width {
        if let Some(after) = rest.strip_prefix(b" ") {
            rest = after;
            continue;
        }
        let (end, next) = if let Some(blank) = rest[..=width].iter().rposition(|byte| *byte == b' ') {
            (blank, blank + 1)
        } else if breaks_words {
            (width, width)
        } else if let Some(blank) = rest[width..].iter().position(|byte| *byte == b' ') {
            (width + blank, width + blank + 1)
        } else {
            break;
        };
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(line_break);
        rest = &rest[next..];
    }
    out.extend_from_slice(rest);
    Ok(Str::from(out).into())
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::check;

    #[test]
    fn shorter() {
        check(r#"{{ abbrev 5 "hello world" }} {{ abbrev 3 "hello" }} {{ abbrev 9 "hello" }}"#, "he... hello hello");
        check(
            r#"{{ abbrevboth 5 10 "1234 5678 9123" }} {{ abbrevboth 0 10 "1234 5678 9123" }}"#,
            "...5678... 1234 56...",
        );
        check(r#"{{ abbrevboth 12 10 "1234 5678 9123" }} {{ abbrevboth 2 6 "1234 5678" }}"#, "...78 9123 1234 5678");
        check(r#"{{ initials "First Try" }} {{ initials "john t. doe-smith" }}"#, "FT jtd");
    }

    #[test]
    fn lines() {
        check(r#"{{ wrap 5 "a bc def ghij klmnopq r" }}"#, "a bc\ndef\nghij\nklmnopq\nr");
        check(r#"{{ wrapWith 5 "\t" "abcdefghij klm" }}"#, "abcde\tfghij\tklm");
        check(r#"{{ wrap 0 "ab c" }}|{{ wrap 80 "ab c" }}|{{ wrap 3 "abcdef" }}"#, "ab\nc|ab c|abcdef");
    }
}
