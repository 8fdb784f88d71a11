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
    LENIENT.decode(&plain).map_err(|_| format!("illegal base64 data at input byte {}", bad_byte(input)))
}

/// Returns where Go says that base64 is wrong. Characters come in fours, of which the last may be padded.
fn bad_byte(input: &[u8]) -> usize {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut places = input.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let mut in_group = 0;
    while let Some((at, byte)) = places.next() {
        if is_digit(byte) {
            in_group = (in_group + 1) % 4;
            continue;
        }
        if byte != b'=' || in_group < 2 {
            return at;
        }
        if in_group == 2 {
            match places.next() {
                Some((_, b'=')) => {}
                Some((at, _)) => return at - 1,
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
        Ok(decoded) => Str::from(decoded).into(),
        Err(at) => format!("illegal base32 data at input byte {at}").into(),
    })
}

/// Reads base32 up to its padding; the error is where it is wrong.
fn base32(input: &[u8]) -> Result<Vec<u8>, usize> {
    const GROUP: usize = 8;
    let mut out = Vec::with_capacity(input.len() / GROUP * 5);
    for (start, group) in (0..).step_by(GROUP).zip(input.chunks(GROUP)) {
        let left = input.len() - start;
        let (mut bits, mut digits) = (0u64, 0);
        while digits < GROUP {
            let at = start + digits;
            // A group that just ends lacks its padding.
            let byte = *group.get(digits).ok_or(start)?;
            if byte == b'=' && digits >= 2 && left - digits <= GROUP {
                padding(input, at, digits)?;
                break;
            }
            let digit = BASE32.iter().position(|digit| *digit == byte).ok_or(at)?;
            bits |= (digit as u64) << (35 - 5 * digits);
            digits += 1;
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + digits * 5 / 8]);
        if digits < GROUP {
            break;
        }
    }
    Ok(out)
}

/// Checks the padding from `at`, behind some digits of a group.
fn padding(input: &[u8], at: usize, digits: usize) -> Result<(), usize> {
    let behind = &input[at + 1..];
    let wanted = 7 - digits;
    if behind.len() < wanted {
        return Err(input.len());
    }
    if let Some(wrong) = behind[..wanted].iter().position(|byte| *byte != b'=') {
        return Err(at + wrong);
    }
    if matches!(digits, 3 | 6) { Err(at) } else { Ok(()) }
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
        check(r#"{{ b64dec "aG=s" }}"#, "illegal base64 data at input byte 2");
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
        check(r#"{{ b32dec "NBS=====" }}"#, "illegal base32 data at input byte 3");
        check(r#"{{ b32dec "NB======NB======" }}"#, "illegal base32 data at input byte 2");
        check(r#"{{ b32dec "NB=====A" }}"#, "illegal base32 data at input byte 6");
        check(r#"{{ b32dec "NB=" }}"#, "illegal base32 data at input byte 3");
    }
}
