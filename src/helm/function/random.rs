//! Functions that give something else every time.

use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::argument::{function, int, text};
use super::encode::base64;
use super::hash::hex;
use crate::helm::state::State;
use crate::template::{Function, Host, Parameter, Value};

use Parameter::{Int, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("randAlpha", &[Int], |host, args| characters(host, "randAlpha", &args[0])),
    function("randAlphaNum", &[Int], |host, args| characters(host, "randAlphaNum", &args[0])),
    function("randAscii", &[Int], |host, args| characters(host, "randAscii", &args[0])),
    function("randBytes", &[Int], random_bytes),
    function("randInt", &[Int, Int], random_int),
    function("randNumeric", &[Int], |host, args| characters(host, "randNumeric", &args[0])),
    function("shuffle", &[Text], shuffle),
    function("uuidv4", &[], uuid),
];

/// Returns random bytes that nobody can guess.
pub(super) fn bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

fn characters(host: &mut dyn Host, name: &'static str, count: &Value) -> Result<Value, String> {
    State::note_random(host, name);
    // A count below zero is an error that sprig drops.
    let count = usize::try_from(int(count)).unwrap_or_default();
    host.spend(count)?;
    let alphabet: Vec<u8> = (b' '..=b'~')
        .filter(|byte| match name {
            "randAlpha" => byte.is_ascii_alphabetic(),
            "randAlphaNum" => byte.is_ascii_alphanumeric(),
            "randNumeric" => byte.is_ascii_digit(),
            _ => true,
        })
        .collect();
    let mut random = rand::rng();
    let text: Vec<u8> = (0..count).filter_map(|_| alphabet.choose(&mut random).copied()).collect();
    Ok(Value::String(text.into()))
}

fn random_bytes(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    State::note_random(host, "randBytes");
    let count = usize::try_from(int(&args[0])).map_err(|_| "runtime error: makeslice: len out of range")?;
    host.spend(count)?;
    Ok(base64(&bytes(count)).into())
}

fn random_int(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    State::note_random(host, "randInt");
    let (from, to) = (int(&args[0]), int(&args[1]));
    if to.wrapping_sub(from) <= 0 {
        return Err("invalid argument to Intn".into());
    }
    Ok(Value::Int(from.wrapping_add(rand::random_range(0..to.wrapping_sub(from)))))
}

fn shuffle(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    State::note_random(host, "shuffle");
    let mut characters: Vec<char> = text(&args[0]).chars().collect();
    host.spend(characters.len())?;
    characters.shuffle(&mut rand::rng());
    Ok(String::from_iter(characters).into())
}

fn uuid(host: &mut dyn Host, _: &[Value]) -> Result<Value, String> {
    State::note_random(host, "uuidv4");
    let mut bytes = bytes(16);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let parts = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]];
    Ok(parts.map(hex).join("-").into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error, run};

    #[test]
    fn texts_have_the_length_and_the_characters_asked_for() {
        let check = |template: &str, length: usize, fits: fn(char) -> bool| {
            let text = run(template).unwrap();
            assert!(text.len() == length && text.chars().all(fits), "{template}: {text:?}");
            assert_ne!(text, run(template).unwrap(), "{template}");
        };
        check("{{ randAlpha 30 }}", 30, |c| c.is_ascii_alphabetic());
        check("{{ randAlphaNum 30 }}", 30, |c| c.is_ascii_alphanumeric());
        check("{{ randNumeric 30 }}", 30, |c| c.is_ascii_digit());
        check("{{ randAscii 30 }}", 30, |c| (' '..='~').contains(&c));
        check("{{ randBytes 30 | b64dec | sha1sum }}", 40, |c| c.is_ascii_hexdigit());
        check("{{ uuidv4 }}", 36, |c| c.is_ascii_hexdigit() || c == '-');
        check(r#"{{ shuffle "abcdefghijklmnopqrstuvwxyz" }}"#, 26, |c| c.is_ascii_lowercase());
    }

    #[test]
    fn identifiers_tell_their_version() {
        let id = run("{{ uuidv4 }}").unwrap();
        assert!(id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
    }

    #[test]
    fn limits_are_kept() {
        check("{{ randInt 7 8 }}{{ randAlphaNum -1 }}", "7");
        check_error("{{ randInt 1 1 }}", "error calling randInt: invalid argument to Intn");
        check_error("{{ randBytes -1 }}", "runtime error: makeslice: len out of range");
        assert!(run("{{ randAlphaNum 1000000000000 }}").is_err());
    }
}
