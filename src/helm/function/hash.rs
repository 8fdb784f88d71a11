//! Checksums of texts.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::argument::{bytes, function};
use crate::template::{Function, Host, Parameter, Value};

use Parameter::String as Text;

pub(super) static FUNCTIONS: &[Function] = &[
    function("adler32sum", &[Text], |_, args| Ok(adler32(bytes(&args[0])).to_string().into())),
    function("sha1sum", &[Text], sum::<Sha1>),
    function("sha256sum", &[Text], sum::<Sha256>),
    function("sha512sum", &[Text], sum::<Sha512>),
];

fn sum<D: Digest>(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let data = bytes(&args[0]);
    host.spend(data.len())?;
    Ok(hex(&D::digest(data)).into())
}

/// Returns bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns Adler's checksum (RFC 1950).
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn sums_are_those_of_the_bytes() {
        check(r#"{{ sha1sum "abc" }}"#, "a9993e364706816aba3e25717850c26c9cd0d89d");
        check(r#"{{ sha256sum "" }}"#, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        check(r#"{{ sha512sum "abc" | trunc 16 }}"#, "ddaf35a193617aba");
        check(r#"{{ adler32sum "Wikipedia" }} {{ adler32sum "" }}"#, "300286872 1");
    }
}
