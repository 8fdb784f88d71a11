//! Base64 and base32.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::argument::{bytes, function};
use crate::template::{Function, Host, Parameter, Str, Value};

use Parameter::String as Text;

pub(super) static FUNCTIONS: &[Function] = &[
    function("b32dec", &[Text], decode_base32),
    function("b32enc", &[Text], encode_base32),
    function("b64dec", &[Text], decode_base64),
    function("b64enc", &[Text], encode_base64),
];

/// Go ignores the bits of the last character that no byte has.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Returns bytes in base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn encode_base64(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    host.spend(bytes(&args[0]).len())?;
    Ok(base64(bytes(&args[0])).into())
}

/// Line breaks are skipped. What is wrong becomes the result, not an error.
fn decode_base64(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let input = bytes(&args[0]);
    host.spend(input.len())?;
    Ok(match from_base64(input) {
        Ok(decoded) => Str::from(decoded).into(),
        Err(error) => error.into(),
    })
}

/// Returns the bytes that a text in base64 stands for, or Go's error.
pub(super) fn from_base64(input: &[u8]) -> Result<Vec<u8>, String> {
    let plain: Vec<u8> = input.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    LENIENT.decode(&plain).map_err(|_| format!("illegal base64 data at input byte {}", bad_byte(input, 4, is_base64)))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

fn is_base32(byte: u8) -> bool {
    BASE32.contains(&byte)
}

/// Returns where Go says that encoded text is wrong. Characters come in groups, of which the last may be padded.
fn bad_byte(input: &[u8], group: usize, is_digit: fn(u8) -> bool) -> usize {
    let mut places = input.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let mut in_group = 0;
    while let Some((at, byte)) = places.next() {
        if is_digit(byte) {
            in_group = (in_group + 1) % group;
            continue;
        }
        if byte != b'=' || in_group < 2 {
            return at;
        }
        for _ in in_group + 1..group {
            match places.next() {
                Some((_, b'=')) => {}
                Some((at, _)) => return at,
                None => return input.len(),
            }
        }
        return places.next().map_or(input.len(), |(at, _)| at);
    }
    input.len().saturating_sub(in_group)
}

fn encode_base32(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let input = bytes(&args[0]);
    host.spend(input.len().saturating_mul(2))?;
    let mut out = Vec::with_capacity(input.len().div_ceil(5) * 8);
    for group in input.chunks(5) {
        let bits =
            group.iter().enumerate().fold(0u64, |bits, (index, byte)| bits | u64::from(*byte) << (32 - 8 * index));
        let used = (group.len() * 8).div_ceil(5);
        for digit in 0..8 {
            let index = (bits >> (35 - 5 * digit)) & 31;
            out.push(if digit < used { BASE32[index as usize] } else { b'=' });
        }
    }
    Ok(Str::from(out).into())
}

fn decode_base32(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let input = bytes(&args[0]);
    host.spend(input.len())?;
    let plain: Vec<u8> = input.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    Ok(match base32(&plain) {
        Some(decoded) => Str::from(decoded).into(),
        None => format!("illegal base32 data at input byte {}", bad_byte(input, 8, is_base32)).into(),
    })
}

fn base32(input: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(input.len() / 8 * 5);
    let groups = input.len() / 8;
    for (index, group) in input.chunks(8).enumerate() {
        let digits = group.iter().position(|byte| *byte == b'=').unwrap_or(group.len());
        let is_padded = group.len() == 8 && group[digits..].iter().all(|byte| *byte == b'=');
        let is_whole = digits == 8 || index + 1 == groups && matches!(digits, 2 | 4 | 5 | 7);
        if !is_padded || !is_whole {
            return None;
        }
        let mut bits = 0u64;
        for (place, byte) in group[..digits].iter().enumerate() {
            let digit = BASE32.iter().position(|digit| digit == byte)?;
            bits |= (digit as u64) << (35 - 5 * place);
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + digits * 5 / 8]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use crate::helm::function::tests::check;

    #[test]
    fn base64_errors_are_results() {
        check(r#"{{ b64enc "h\u00e9" }} {{ b64dec "aMOp" }} {{ b64dec "aM\nOp\n" }}"#, "aMOp hé hé");
        check(r#"{{ b64dec "a!" }}"#, "illegal base64 data at input byte 1");
        check(r#"{{ b64dec "aGk" }}"#, "illegal base64 data at input byte 0");
        check(r#"{{ b64dec "aGVsbG8" }}"#, "illegal base64 data at input byte 4");
        check(r#"{{ b64dec "aGk=x" }}"#, "illegal base64 data at input byte 4");
        check(r#"{{ b64dec "aGl=" }}"#, "hi");
    }

    #[test]
    fn base32_both_ways() {
        for (plain, encoded) in
            [("", ""), ("f", "MY======"), ("fo", "MZXQ===="), ("foob", "MZXW6YQ="), ("fooba", "MZXW6YTB")]
        {
            check(&format!("{{{{ b32enc {plain:?} }}}}"), encoded);
            check(&format!("{{{{ b32dec {encoded:?} }}}}"), plain);
        }
        check(r#"{{ b32dec "MY" }}"#, "illegal base32 data at input byte 0");
        check(r#"{{ b32dec "M1======" }}"#, "illegal base32 data at input byte 1");
    }
}
