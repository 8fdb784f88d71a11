//! Strings.

use super::argument::{bytes, function, int, made, spend_items, strval, text, texts, variadic};
use crate::template::format::write_value;
use crate::template::{Function, Host, Map, MapKind, Parameter, Str, Value, quote};

use Parameter::{Any, Int, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    variadic("cat", &[Any], cat),
    function("contains", &[Text, Text], |_, args| Ok(contains(bytes(&args[1]), bytes(&args[0])).into())),
    function("hasPrefix", &[Text, Text], |_, args| Ok(bytes(&args[1]).starts_with(bytes(&args[0])).into())),
    function("hasSuffix", &[Text, Text], |_, args| Ok(bytes(&args[1]).ends_with(bytes(&args[0])).into())),
    function("hello", &[], |_, _| Ok("Hello!".into())),
    function("indent", &[Int, Text], |host, args| indented(host, args, b"")),
    function("join", &[Text, Any], join),
    function("lower", &[Text], |_, args| Ok(text(&args[0]).chars().map(lower).collect::<String>().into())),
    function("nindent", &[Int, Text], |host, args| indented(host, args, b"\n")),
    function("nospace", &[Text], |_, args| Ok(without_blanks(bytes(&args[0])).into())),
    function("plural", &[Text, Text, Int], |_, args| Ok(args[usize::from(int(&args[2]) != 1)].clone())),
    variadic("quote", &[Any], |host, args| quoted(host, args, quote)),
    function("repeat", &[Int, Text], repeat),
    function("replace", &[Text, Text, Text], replaced),
    function("split", &[Text, Text], |host, args| numbered(host, &args[1], &args[0], None)),
    function("splitList", &[Text, Text], split_list),
    function("splitn", &[Text, Int, Text], |host, args| {
        numbered(host, &args[2], &args[0], usize::try_from(int(&args[1])).ok())
    }),
    variadic("squote", &[Any], |host, args| quoted(host, args, |text| [b"'", text, b"'"].concat())),
    function("substr", &[Int, Int, Text], substr),
    function("swapcase", &[Text], |_, args| Ok(swap_case(&text(&args[0])).into())),
    function("title", &[Text], |_, args| Ok(title(&text(&args[0])).into())),
    function("toString", &[Any], |host, args| strval(host, &args[0]).map(Value::from)),
    function("toStrings", &[Any], |host, args| texts(host, &args[0]).map(Value::strings)),
    function("trim", &[Text], |_, args| Ok(trim(bytes(&args[0]), char::is_whitespace).into())),
    function("trimAll", &[Text, Text], trim_all),
    function("trimPrefix", &[Text, Text], |_, args| {
        let whole = bytes(&args[1]);
        Ok(Str::from(whole.strip_prefix(bytes(&args[0])).unwrap_or(whole)).into())
    }),
    function("trimSuffix", &[Text, Text], |_, args| {
        let whole = bytes(&args[1]);
        Ok(Str::from(whole.strip_suffix(bytes(&args[0])).unwrap_or(whole)).into())
    }),
    function("trimall", &[Text, Text], trim_all),
    function("trunc", &[Int, Text], trunc),
    function("untitle", &[Text], |_, args| Ok(untitle(&text(&args[0])).into())),
    function("upper", &[Text], |_, args| Ok(text(&args[0]).chars().map(upper).collect::<String>().into())),
];

/// Returns a character's capital, if that is one character.
pub(super) fn upper(c: char) -> char {
    let mut capital = c.to_uppercase();
    if capital.len() == 1 { capital.next().unwrap_or(c) } else { c }
}

/// Returns the form of a character that starts a word: the capital, but for letters that are two in one.
fn title_letter(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        _ => upper(c),
    }
}

/// Returns a capital's small letter.
pub(super) fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Returns bytes as text in which every byte is one character.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    match (std::str::from_utf8(whole), std::str::from_utf8(part)) {
        (Ok(whole), Ok(part)) => whole.contains(part),
        _ => latin1(whole).contains(&latin1(part)),
    }
}

/// Returns the pieces between separators, at most `most` of them. Without a separator the characters are the pieces.
pub(super) fn pieces<'t>(whole: &'t [u8], separator: &[u8], most: usize) -> Vec<&'t [u8]> {
    if separator.is_empty() {
        return characters(whole, most);
    }
    match (std::str::from_utf8(whole), std::str::from_utf8(separator)) {
        (Ok(whole), Ok(separator)) => whole.splitn(most, separator).map(str::as_bytes).collect(),
        _ => {
            let mut at = 0;
            let (text, mark) = (latin1(whole), latin1(separator));
            let sizes = text.splitn(most, &mark).map(|piece| piece.chars().count());
            let slice = |size: usize| {
                let piece = &whole[at..at + size];
                at += size + separator.len();
                piece
            };
            sizes.map(slice).collect()
        }
    }
}

fn characters(whole: &[u8], most: usize) -> Vec<&[u8]> {
    let (mut found, mut rest) = (Vec::new(), whole);
    while !rest.is_empty() && found.len() < most {
        let width = if found.len() + 1 == most { rest.len() } else { first_width(rest) };
        let (first, behind) = rest.split_at(width);
        found.push(first);
        rest = behind;
    }
    found
}

/// Returns how many bytes the first character has; a byte that is not UTF-8 counts as one.
fn first_width(bytes: &[u8]) -> usize {
    let start = &bytes[..bytes.len().min(4)];
    let valid = start.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid.chars().next().map_or(start.len().min(1), char::len_utf8)
}

fn cat(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for (index, arg) in args.iter().filter(|arg| !arg.is_nil()).enumerate() {
        if index > 0 {
            all.push(b' ');
        }
        write_value(&mut all, arg);
    }
    made(host, all)
}

fn join(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let parts = texts(host, &args[1])?;
    let separator = bytes(&args[0]);
    let size = parts.iter().map(|part| part.len().saturating_add(separator.len())).fold(0, usize::saturating_add);
    host.spend(size)?;
    Ok(Str::from(parts.iter().map(|part| &part[..]).collect::<Vec<_>>().join(separator)).into())
}

fn quoted(host: &mut dyn Host, args: &[Value], quote: fn(&[u8]) -> Vec<u8>) -> Result<Value, String> {
    let mut parts = Vec::new();
    for arg in args.iter().filter(|arg| !arg.is_nil()) {
        parts.push(quote(&strval(host, arg)?));
    }
    made(host, parts.join(&b' '))
}

fn indented(host: &mut dyn Host, args: &[Value], start: &[u8]) -> Result<Value, String> {
    let whole = bytes(&args[1]);
    let width = usize::try_from(int(&args[0])).map_err(|_| "strings: negative Repeat count")?;
    let lines = 1 + whole.iter().filter(|byte| **byte == b'\n').count();
    let size = lines.saturating_mul(width).saturating_add(whole.len() + start.len());
    host.spend(size)?;
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(start);
    for line in whole.split_inclusive(|byte| *byte == b'\n') {
        out.resize(out.len() + width, b' ');
        out.extend_from_slice(line);
    }
    if whole.is_empty() || whole.ends_with(b"\n") {
        out.resize(out.len() + width, b' ');
    }
    Ok(Str::from(out).into())
}

fn repeat(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let count = usize::try_from(int(&args[0])).map_err(|_| "strings: negative Repeat count")?;
    let part = bytes(&args[1]);
    host.spend(part.len().saturating_mul(count))?;
    Ok(Str::from(part.repeat(count)).into())
}

fn replaced(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let (old, new, whole) = (bytes(&args[0]), bytes(&args[1]), bytes(&args[2]));
    let parts = pieces(whole, old, usize::MAX);
    host.spend(whole.len().saturating_add(parts.len().saturating_mul(new.len() + 1)))?;
    let mut out = parts.join(new);
    if old.is_empty() {
        // Between, before and behind all characters.
        out.splice(0..0, new.iter().copied());
        if !whole.is_empty() {
            out.extend_from_slice(new);
        }
    }
    Ok(Str::from(out).into())
}

fn split_list(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let parts = pieces(bytes(&args[1]), bytes(&args[0]), usize::MAX);
    spend_items(host, bytes(&args[1]).len() + parts.len())?;
    Ok(Value::strings(parts))
}

/// Splits into a map of `_0`, `_1` and so on.
fn numbered(host: &mut dyn Host, whole: &Value, separator: &Value, most: Option<usize>) -> Result<Value, String> {
    let parts = pieces(bytes(whole), bytes(separator), most.unwrap_or(usize::MAX));
    spend_items(host, bytes(whole).len() + parts.len())?;
    let entries = parts.into_iter().enumerate();
    let entries = entries.map(|(index, part)| (format!("_{index}").into(), Str::from(part).into()));
    Ok(Map::from_entries(MapKind::String, entries.collect()).into())
}

/// Returns part of a string, or the panic of Go's slice expression.
fn cut(whole: &[u8], from: i64, to: i64) -> Result<Value, String> {
    let length = whole.len();
    let end = usize::try_from(to).ok().filter(|end| *end <= length);
    let wrong_end = || match to {
        ..0 => format!("runtime error: slice bounds out of range [:{to}]"),
        _ => format!("runtime error: slice bounds out of range [:{to}] with length {length}"),
    };
    let end = end.ok_or_else(wrong_end)?;
    let part = usize::try_from(from).ok().and_then(|start| whole.get(start..end));
    let wrong = || {
        let shown = if from < 0 { format!("{from}:") } else { format!("{from}:{to}") };
        format!("runtime error: slice bounds out of range [{shown}]")
    };
    Ok(Str::from(part.ok_or_else(wrong)?).into())
}

fn substr(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let (from, to, whole) = (int(&args[0]), int(&args[1]), bytes(&args[2]));
    let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    if from < 0 {
        cut(whole, 0, to)
    } else if to < 0 || to > length {
        if from > length {
            return Err(format!("runtime error: slice bounds out of range [{from}:{length}]"));
        }
        cut(whole, from, length)
    } else {
        cut(whole, from, to)
    }
}

fn trunc(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let whole = bytes(&args[1]);
    let width = int(&args[0]);
    let size = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    if size >= whole.len() {
        return Ok(args[1].clone());
    }
    let part = if width < 0 { &whole[whole.len() - size..] } else { &whole[..size] };
    Ok(Str::from(part).into())
}

fn trim(whole: &[u8], is_cut: impl Fn(char) -> bool) -> Str {
    match std::str::from_utf8(whole) {
        Ok(text) => text.trim_matches(is_cut).into(),
        Err(_) => {
            let is_kept = |byte: &u8| !byte.is_ascii() || !is_cut(char::from(*byte));
            let start = whole.iter().position(is_kept).unwrap_or(whole.len());
            let end = whole.iter().rposition(is_kept).map_or(start, |last| last + 1);
            Str::from(&whole[start..end])
        }
    }
}

fn trim_all(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let cutset = text(&args[0]);
    Ok(trim(bytes(&args[1]), |c| cutset.contains(c)).into())
}

/// Tells whether a letter behind this character starts a word.
fn is_separator(c: char) -> bool {
    if c.is_ascii() { !c.is_ascii_alphanumeric() && c != '_' } else { c.is_whitespace() }
}

/// Leaves blanks out, taking each byte for a character. That changes other characters too, if there are blanks at all.
fn without_blanks(whole: &[u8]) -> Str {
    let kept: String = latin1(whole).replace(char::is_whitespace, "");
    if kept.chars().count() == whole.len() { whole.into() } else { kept.into() }
}

fn title(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let starts = is_separator(before);
            before = c;
            if starts { title_letter(c) } else { c }
        })
        .collect()
}

fn untitle(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let starts = before.is_whitespace();
            before = c;
            if starts { lower(c) } else { c }
        })
        .collect()
}

fn swap_case(text: &str) -> String {
    let mut starts = true;
    text.chars()
        .map(|c| {
            let swapped = match c {
                _ if c.is_uppercase() || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ') => lower(c),
                _ if c.is_lowercase() => {
                    if starts {
                        title_letter(c)
                    } else {
                        upper(c)
                    }
                }
                _ => {
                    starts = c.is_whitespace();
                    return c;
                }
            };
            starts = false;
            swapped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::argument::lossy;
    use super::*;
    use crate::helm::function::tests::{check, check_error};

    #[test]
    fn pieces_are_those_of_go() {
        let check = |whole: &str, separator: &str, most: usize, expected: &[&str]| {
            let found = pieces(whole.as_bytes(), separator.as_bytes(), most);
            assert_eq!(found.iter().map(|part| lossy(part)).collect::<Vec<_>>(), expected, "{whole:?} {separator:?}");
        };
        check("a,b,c", ",", usize::MAX, &["a", "b", "c"]);
        check("a,b,c", ",", 2, &["a", "b,c"]);
        check("a,b", ",", 0, &[]);
        check(",", ",", usize::MAX, &["", ""]);
        check("", ",", usize::MAX, &[""]);
        check("", "", usize::MAX, &[]);
        check("aéb", "", usize::MAX, &["a", "é", "b"]);
        check("aéb", "", 2, &["a", "éb"]);
        let raw: &[u8] = b"a\xffb\xffc";
        assert_eq!(pieces(raw, b"\xff", usize::MAX), [b"a", b"b", b"c"]);
        assert_eq!(pieces(raw, b"b", 2), [&raw[..2], &raw[3..]]);
        assert_eq!(pieces(raw, b"", 3), [&raw[..1], &raw[1..2], &raw[2..]]);
    }

    #[test]
    fn parts_of_strings() {
        check(r#"{{ trunc 3 "héllo" }} {{ trunc -3 "hello" }} {{ trunc -9 "abc" }}"#, "hé llo abc");
        check(r#"{{ substr -1 3 "hello" }} {{ substr 2 -1 "hello" }} {{ substr 1 3 "hello" }}"#, "hel llo el");
        check_error(r#"{{ substr 3 1 "hello" }}"#, "runtime error: slice bounds out of range [3:1]");
        check_error(r#"{{ trunc 2.5 "a" }}"#, "expected integer; found 2.5");
        check(r#"{{ trimAll "-" "--a-b--" }} {{ trimSuffix "b" "abb" }} {{ trimPrefix "a" "aab" }}"#, "a-b ab ab");
        check(r#"[{{ trim " \n\va\u00a0" }}] {{ nospace " a b\t" }}"#, "[a] ab");
        check(r#"{{ contains "a" "cat" }} {{ hasPrefix "a" "cat" }} {{ hasSuffix "t" "cat" }}"#, "true false true");
    }

    #[test]
    fn letters() {
        check(
            r#"{{ upper "aé" }} {{ lower "AÉ" }} {{ title "hello world-foo o'neil x_y" }}"#,
            "AÉ aé Hello World-Foo O'Neil X_y",
        );
        check(
            r#"{{ nospace "é b" }} {{ nospace "é" }} {{ title "ǆa" }} {{ swapcase "ǆǆǅ" }} {{ upper "ßﬁ" }}"#,
            "Ã©b é ǅa ǅǄǆ ßﬁ",
        );
        check(r#"{{ untitle "Hello World" }} {{ swapcase "aBc dEf" }}"#, "hello world AbC DeF");
    }

    #[test]
    fn strings_from_values() {
        check(r#"{{ quote "a\"b" nil 1 2.0 }} {{ squote "it's" 1 }}"#, r#""a\"b" "1" "2" 'it's' '1'"#);
        check(r#"{{ cat "a" nil 1 }}|{{ join "-" (list 1 nil "b") }}|{{ join "-" 5 }}"#, "a 1|1-b|5");
        check(r#"{{ toString 1000000.0 }} {{ toStrings (list 1 nil "a") }}"#, "1e+06 [1 a]");
        check(
            r#"{{ split "," "a,b" }} {{ splitn "," 0 "a,b" }} {{ splitList "" "ab" }}"#,
            "map[_0:a _1:b] map[] [a b]",
        );
        check(r#"{{ plural "one" "many" 1 }} {{ plural "one" "many" 0 }}"#, "one many");
    }

    #[test]
    fn longer_strings() {
        check(r#"{{ indent 2 "a\n\nb\n" }}|{{ nindent 1 "" }}|"#, "  a\n  \n  b\n  |\n |");
        check(
            r#"{{ repeat 3 "ab" }} {{ replace "a" "xy" "banana" }} {{ replace "" "-" "ab" }}"#,
            "ababab bxynxynxy -a-b-",
        );
        check_error(r#"{{ repeat -1 "a" }}"#, "strings: negative Repeat count");
        check_error(r#"{{ repeat 9000000000 "a" }}"#, "steps allows");
        check_error(r#"{{ indent 9000000000 "a" }}"#, "steps allows");
    }
}
