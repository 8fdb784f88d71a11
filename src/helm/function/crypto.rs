//! Passwords and encryption.

use aes::Aes256;
use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::argument::{bytes, function, int, text};
use super::encode::{base64, from_base64};
use super::random;
use crate::helm::state::State;
use crate::template::{Function, Host, Parameter, Str, Value};

use Parameter::{Int, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("bcrypt", &[Text], |host, args| Ok(hashed(host, "bcrypt", bytes(&args[0]))?.into())),
    function("decryptAES", &[Text, Text], decrypt),
    function("derivePassword", &[Int, Text, Text, Text, Text], derive_password),
    function("encryptAES", &[Text, Text], encrypt),
    function("htpasswd", &[Text, Text], htpasswd),
];

/// What a slow hash counts against the budget: some dozens of them use it up.
pub(super) const SLOW: usize = 1 << 20;

/// Returns a password hashed with a random salt, or what is wrong with it.
fn hashed(host: &mut dyn Host, function: &'static str, password: &[u8]) -> Result<String, String> {
    const COST: u32 = 10;
    State::note_random(host, function);
    host.spend(SLOW)?;
    if password.len() > 72 {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".into());
    }
    let mut salt = [0; 16];
    salt.copy_from_slice(&random::bytes(16));
    Ok(match bcrypt::hash_with_salt(password, COST, salt) {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    })
}

fn htpasswd(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let user = text(&args[0]);
    if user.contains(':') {
        return Ok(format!("invalid username: {user}").into());
    }
    let hash = hashed(host, "htpasswd", bytes(&args[1]))?;
    Ok(format!("{user}:{hash}").into())
}

/// Returns a key of 32 bytes: the start of the password, filled with zeros.
fn key(password: &Value) -> [u8; 32] {
    let mut key = [0; 32];
    for (byte, given) in key.iter_mut().zip(bytes(password)) {
        *byte = *given;
    }
    key
}

/// Bytes of one block, and of the random block that an encrypted text starts with.
const BLOCK: usize = 16;

fn encrypt(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    State::note_random(host, "encryptAES");
    let plain = bytes(&args[1]);
    host.spend(plain.len())?;
    if plain.is_empty() {
        return Ok("".into());
    }
    let start = random::bytes(BLOCK);
    let cipher =
        cbc::Encryptor::<Aes256>::new_from_slices(&key(&args[0]), &start).map_err(|error| error.to_string())?;
    let encrypted = cipher.encrypt_padded_vec::<Pkcs7>(plain);
    Ok(base64(&[start, encrypted].concat()).into())
}

fn decrypt(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let encoded = bytes(&args[1]);
    host.spend(encoded.len())?;
    if encoded.is_empty() {
        return Ok("".into());
    }
    let encrypted = from_base64(encoded)?;
    let Some((start, encrypted)) = encrypted.split_at_checked(BLOCK) else {
        return Err(format!("runtime error: slice bounds out of range [:{BLOCK}] with capacity {}", encrypted.len()));
    };
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(&key(&args[0]), start).map_err(|error| error.to_string())?;
    let mut plain =
        cipher.decrypt_padded_vec::<NoPadding>(encrypted).map_err(|_| "crypto/cipher: input not full blocks")?;
    // Only the length of the padding counts, not what it is made of.
    let padding = plain.last().copied().ok_or("runtime error: index out of range [-1]")?;
    let length = plain.len() as i64 - i64::from(padding);
    let end = usize::try_from(length).map_err(|_| format!("runtime error: slice bounds out of range [:{length}]"))?;
    plain.truncate(end);
    Ok(Str::from(plain).into())
}

/// The name space of the Master Password algorithm.
const MASTER_PASSWORD: &[u8] = b"com.lyndir.masterpassword";

/// Returns the forms that passwords of a kind have; each letter stands for characters to choose from.
fn forms(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

/// Returns the characters that a letter of a form stands for.
fn choices(letter: u8) -> &'static [u8] {
    match letter {
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// Derives the password of a site from a master password: always the same.
fn derive_password(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let kind = text(&args[1]);
    let Some(forms) = forms(&kind) else {
        return Ok(format!("cannot find password template {kind}").into());
    };
    host.spend(4 * SLOW)?;
    let counter = u32::try_from(int(&args[0])).map_err(|_| format!("{} overflows uint32", int(&args[0])))?;
    let named = |name: &[u8]| [MASTER_PASSWORD, &(name.len() as u32).to_be_bytes(), name].concat();
    let mut key = [0; 64];
    let params = scrypt::Params::new(15, 8, 2).map_err(|error| error.to_string())?;
    scrypt::scrypt(bytes(&args[2]), &named(bytes(&args[3])), &params, &mut key).map_err(|error| error.to_string())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    mac.update(&named(bytes(&args[4])));
    mac.update(&counter.to_be_bytes());
    let seed = mac.finalize().into_bytes();
    let form = forms[usize::from(seed[0]) % forms.len()];
    let letters = form.bytes().zip(&seed[1..]);
    let password: Vec<u8> = letters
        .map(|(letter, seed)| {
            let choices = choices(letter);
            choices[usize::from(*seed) % choices.len()]
        })
        .collect();
    Ok(Str::from(password).into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error, run};

    #[test]
    fn passwords_are_hashed_with_a_salt() {
        let hash = run(r#"{{ bcrypt "secret" }}"#).unwrap();
        assert!(hash.starts_with("$2a$10$") && bcrypt::verify("secret", &hash).unwrap(), "{hash}");
        let line = run(r#"{{ htpasswd "me" "secret" }}"#).unwrap();
        assert!(bcrypt::verify("secret", line.strip_prefix("me:").unwrap()).unwrap(), "{line}");
        check(r#"{{ htpasswd "a:b" "c" }}"#, "invalid username: a:b");
        check(
            r#"{{ bcrypt (repeat 73 "x") }}"#,
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes",
        );
    }

    #[test]
    fn what_is_encrypted_can_be_decrypted() {
        check(r#"{{ encryptAES "key" "some text" | decryptAES "key" }}"#, "some text");
        check(r#"{{ encryptAES "key" "" }}{{ decryptAES "key" "" }}"#, "");
        check(r#"{{ eq (encryptAES "key" "a") (encryptAES "key" "a") }}"#, "false");
        check(r#"{{ decryptAES "secretkey" "30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=" }}"#, "plaintext");
        check_error(r#"{{ decryptAES "key" "*" }}"#, "illegal base64 data at input byte 0");
        check_error(r#"{{ decryptAES "key" "AAAA" }}"#, "slice bounds out of range [:16] with capacity 3");
    }

    #[test]
    fn derived_passwords_are_always_the_same() {
        check(r#"{{ derivePassword 1 "long" "password" "user" "example.com" }}"#, "ZedaFaxcZaso9*");
        check(r#"{{ derivePassword 1 "pin" "p" "u" "s" }}"#, "2461");
        check(r#"{{ derivePassword 1 "odd" "p" "u" "s" }}"#, "cannot find password template odd");
    }
}
