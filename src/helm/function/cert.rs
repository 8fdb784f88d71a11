//! Private keys and certificates. They are new at every render, so an application that uses them never comes to rest.

use std::any::Any as StdAny;
use std::net::IpAddr;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use num_bigint::BigUint;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SanType,
};

use super::argument::{function, int, text};
use super::crypto::SLOW;
use super::rsa;
use crate::helm::state::State;
use crate::template::format::quote_text;
use crate::template::{Function, Host, Parameter, Structure, Value, print_value};

use Parameter::{Int, List, Named, String as Text};

pub(super) static FUNCTIONS: &[Function] = &[
    function("buildCustomCert", &[Text, Text], build_custom),
    function("genCA", &[Text, Int], |host, args| {
        random(host, "genCA")?;
        authority(&Wanted::authority(args)?, new_key()?)
    }),
    function("genCAWithKey", &[Text, Int, Text], |host, args| {
        random(host, "genCAWithKey")?;
        authority(&Wanted::authority(args)?, key(&text(&args[2]))?)
    }),
    function("genPrivateKey", &[Text], generate_key),
    function("genSelfSignedCert", &[Text, List, List, Int], |host, args| {
        random(host, "genSelfSignedCert")?;
        self_signed(&Wanted::server(args)?, new_key()?)
    }),
    function("genSelfSignedCertWithKey", &[Text, List, List, Int, Text], |host, args| {
        random(host, "genSelfSignedCertWithKey")?;
        self_signed(&Wanted::server(args)?, key(&text(&args[4]))?)
    }),
    function("genSignedCert", &[Text, List, List, Int, CERTIFICATE], |host, args| {
        random(host, "genSignedCert")?;
        signed(&Wanted::server(args)?, new_key()?, &args[4])
    }),
    function("genSignedCertWithKey", &[Text, List, List, Int, CERTIFICATE, Text], |host, args| {
        random(host, "genSignedCertWithKey")?;
        signed(&Wanted::server(args)?, key(&text(&args[5]))?, &args[4])
    }),
];

/// sprig's type of a certificate with its key.
const CERTIFICATE: Parameter = Named("sprig.certificate");

/// The longest that a certificate may be valid, so that its end is a date.
const MOST_DAYS: i64 = 365_000;

fn random(host: &mut dyn Host, name: &'static str) -> Result<(), String> {
    State::note_random(host, name);
    host.spend(SLOW)
}

/// A certificate with its key.
#[derive(Debug)]
struct Certificate {
    cert: String,
    key: String,
    /// The name of whoever it is for, if it was made here.
    common_name: Option<String>,
}

impl Certificate {
    fn value(self) -> Value {
        Value::Structure(Rc::new(self))
    }
}

impl Structure for Certificate {
    fn type_name(&self) -> &str {
        "sprig.certificate"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(self.cert.as_str().into()),
            "Key" => Some(self.key.as_str().into()),
            _ => None,
        }
    }

    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn print(&self) -> String {
        format!("{{{} {}}}", self.cert, self.key)
    }

    fn plain(&self) -> Value {
        let map = crate::template::Map::new();
        map.insert("Cert", self.cert.as_str());
        map.insert("Key", self.key.as_str());
        map.into()
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

/// Whom a certificate is for, and for how many days.
struct Wanted {
    common_name: String,
    names: Vec<SanType>,
    days: i64,
}

impl Wanted {
    fn authority(args: &[Value]) -> Result<Self, String> {
        Ok(Wanted { common_name: text(&args[0]).into_owned(), names: Vec::new(), days: days(&args[1])? })
    }

    fn server(args: &[Value]) -> Result<Self, String> {
        let mut names = Vec::new();
        for address in strings(&args[1], "error parsing ip")? {
            let parsed: IpAddr = address.parse().map_err(|_| format!("error parsing ip: {address}"))?;
            names.push(SanType::IpAddress(parsed));
        }
        for name in strings(&args[2], "error processing alternate dns name")? {
            let wrong =
                format!("error creating certificate: x509: {} cannot be encoded as an IA5String", quote_text(&name));
            names.push(SanType::DnsName(name.try_into().map_err(|_| wrong)?));
        }
        Ok(Wanted { common_name: text(&args[0]).into_owned(), names, days: days(&args[3])? })
    }

    fn params(&self, is_authority: bool) -> Result<CertificateParams, String> {
        let mut params = CertificateParams::new(Vec::<String>::new()).map_err(|error| error.to_string())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, self.common_name.as_str());
        params.subject_alt_names.clone_from(&self.names);
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let last = today.checked_add(self.days.days()).map_err(|error| error.to_string())?;
        params.not_before = rcgen::date_time_ymd(today.year().into(), today.month() as u8, today.day() as u8);
        // The day after, since certificates begin and end at midnight here.
        let end = last.tomorrow().map_err(|error| error.to_string())?;
        params.not_after = rcgen::date_time_ymd(end.year().into(), end.month() as u8, end.day() as u8);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        }
        Ok(params)
    }

    fn finish(self: &Wanted, certificate: &rcgen::Certificate, key: &KeyPair) -> Value {
        let (cert, key) = (unix_lines(&certificate.pem()), unix_lines(&key.serialize_pem()));
        Certificate { cert, key, common_name: Some(self.common_name.clone()) }.value()
    }
}

/// Returns the items of a list, all of which have to be texts.
fn strings(list: &Value, problem: &str) -> Result<Vec<String>, String> {
    let Value::List(list) = list else { return Ok(Vec::new()) };
    let items = list.items.iter().map(|item| match item {
        Value::String(_) => Ok(text(item).into_owned()),
        other => Err(format!("{problem}: {} is not a string", String::from_utf8_lossy(&print_value(other)))),
    });
    items.collect()
}

fn days(value: &Value) -> Result<i64, String> {
    let days = int(value);
    if days.abs() > MOST_DAYS { Err(format!("a certificate cannot be valid for {days} days")) } else { Ok(days) }
}

fn unix_lines(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}

fn new_key() -> Result<KeyPair, String> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| error.to_string())
}

/// Reads a private key: PKCS #8, or what goes inside of it for RSA and P-256.
fn key(pem: &str) -> Result<KeyPair, String> {
    let wrong = |error: rcgen::Error| format!("parsing private key: {error}");
    if !pem.contains("-----BEGIN ") {
        return Err("parsing private key: no PEM data in input".into());
    }
    // PKCS #8 holds version 0, the algorithm, and the key of its own standard as an octet string.
    const RSA: &[u8] = &[0x02, 1, 0, 0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0];
    const P256: &[u8] = &[
        0x02, 1, 0, 0x30, 19, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1,
        7,
    ];
    let rsa = pem_body(pem, "RSA PRIVATE KEY").map(|body| (body, RSA));
    let found = rsa.or_else(|| pem_body(pem, "EC PRIVATE KEY").map(|body| (body, P256)));
    let Some((body, algorithm)) = found else { return KeyPair::from_pem(pem).map_err(wrong) };
    let inner = STANDARD.decode(body).map_err(|error| format!("parsing private key: {error}"))?;
    let content = [algorithm, &der(0x04, &inner)].concat();
    let pem = as_pem("PRIVATE KEY", &der(0x30, &content));
    KeyPair::from_pem(&pem).map_err(wrong)
}

fn pem_body(pem: &str, label: &str) -> Option<String> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once("-----END")?;
    Some(body.split_whitespace().collect())
}

/// Returns a value of DER with its tag and length.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short if short < 128 => out.push(short as u8),
        long => {
            let bytes: Vec<u8> = long.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | bytes.len() as u8);
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

fn as_pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn authority(wanted: &Wanted, key: KeyPair) -> Result<Value, String> {
    let certificate = wanted.params(true)?.self_signed(&key).map_err(|error| error.to_string())?;
    Ok(wanted.finish(&certificate, &key))
}

fn self_signed(wanted: &Wanted, key: KeyPair) -> Result<Value, String> {
    let certificate = wanted.params(false)?.self_signed(&key).map_err(|error| error.to_string())?;
    Ok(wanted.finish(&certificate, &key))
}

fn signed(wanted: &Wanted, own_key: KeyPair, authority: &Value) -> Result<Value, String> {
    let Value::Structure(structure) = authority else { return Err("no certificate to sign with".into()) };
    let Some(authority) = structure.as_any().downcast_ref::<Certificate>() else {
        return Err("no certificate to sign with".into());
    };
    let Some(common_name) = &authority.common_name else {
        return Err("signing with a certificate of buildCustomCert is not supported yet".into());
    };
    let by = Wanted { common_name: common_name.clone(), names: Vec::new(), days: 0 };
    let issuer = Issuer::new(by.params(true)?, key(&authority.key)?);
    let certificate = wanted.params(false)?.signed_by(&own_key, &issuer).map_err(|error| error.to_string())?;
    Ok(wanted.finish(&certificate, &own_key))
}

fn build_custom(_: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let decoded = |value: &Value, what: &str| -> Result<String, String> {
        let bytes = STANDARD.decode(&*text(value)).map_err(|_| format!("unable to decode base64 {what}"))?;
        let pem = String::from_utf8_lossy(&bytes).into_owned();
        if pem.contains("-----BEGIN ") { Ok(pem) } else { Err(format!("unable to decode {what}")) }
    };
    let (cert, key) = (decoded(&args[0], "certificate")?, decoded(&args[1], "private key")?);
    Ok(Certificate { cert, key, common_name: None }.value())
}

fn generate_key(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    random(host, "genPrivateKey")?;
    let wrong = |error: rcgen::Error| format!("failed to generate private key: {error}");
    let pem = match &*text(&args[0]) {
        "ecdsa" => elliptic_pem(&new_key()?)?,
        "ed25519" => unix_lines(&KeyPair::generate_for(&PKCS_ED25519).map_err(wrong)?.serialize_pem()),
        "" | "rsa" => {
            host.spend(8 * SLOW)?;
            rsa_pem(&rsa::generate(4096)?)
        }
        "dsa" => return Err("keys of the outdated kind dsa cannot be generated; use ecdsa or ed25519".into()),
        other => format!("Unknown type {other}"),
    };
    Ok(pem.into())
}

/// Returns an RSA key in the form of PKCS #1.
fn rsa_pem(numbers: &[BigUint; 8]) -> String {
    let mut content = der(0x02, &[0]);
    for number in numbers {
        let bytes = number.to_bytes_be();
        // A highest bit would be a minus.
        let sign: &[u8] = if bytes.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
        content.extend(der(0x02, &[sign, &bytes].concat()));
    }
    as_pem("RSA PRIVATE KEY", &der(0x30, &content))
}

/// Returns a key of P-256 in the form of its own standard, which names the curve.
fn elliptic_pem(key: &KeyPair) -> Result<String, String> {
    const VERSION_AND_KEY: [u8; 5] = [0x02, 1, 1, 0x04, 32];
    const CURVE: [u8; 12] = [0xa0, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let whole = key.serialize_der();
    let at = whole.windows(5).position(|window| window == VERSION_AND_KEY);
    let secret = at.and_then(|at| whole.get(at..at + 5 + 32)).ok_or("the key has an unknown form")?;
    let public = der(0xa1, &der(0x03, &[&[0][..], key.public_key_raw()].concat()));
    Ok(as_pem("EC PRIVATE KEY", &der(0x30, &[secret, &CURVE, &public].concat())))
}

#[cfg(test)]
mod tests {
    use super::{rsa, rsa_pem};
    use crate::helm::function::tests::{check, check_error, run};

    #[test]
    fn keys() {
        let key = run(r#"{{ genPrivateKey "ecdsa" }}"#).expect("a key");
        assert!(
            key.starts_with("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI")
                && key.ends_with("-----END EC PRIVATE KEY-----\n")
        );
        assert_eq!(key.lines().count(), 5, "{key}");
        let key = run(r#"{{ genPrivateKey "ed25519" }}"#).expect("a key");
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{key}");
        check_error(r#"{{ genPrivateKey "dsa" }}"#, "use ecdsa or ed25519");
    }

    #[test]
    fn generated_keys_can_sign() {
        let key = rsa_pem(&rsa::generate(2048).expect("a key"));
        assert!(key.starts_with("-----BEGIN RSA PRIVATE KEY-----\nMII") && super::key(&key).is_ok(), "{key}");
        check(r#"{{ (genCAWithKey "a" 1 (genPrivateKey "ecdsa")).Cert | trunc 27 }}"#, "-----BEGIN CERTIFICATE-----");
    }

    #[test]
    fn certificates() {
        check(
            r#"{{ $ca := genCA "ca" 10 }}{{ $c := genSignedCert "a" (list "10.0.0.1") (list "a.b" "*.c") 5 $ca }}{{ $c.Cert | contains "BEGIN CERTIFICATE" }} {{ eq $c.Key $ca.Key }}"#,
            "true false",
        );
        check(r#"{{ $c := genSelfSignedCert "a" nil nil 5 }}{{ typeOf $c }}"#, "sprig.certificate");
        check(
            r#"{{ $k := genSelfSignedCert "a" nil nil 5 }}{{ $c := genCAWithKey "a" 5 $k.Key }}{{ eq $c.Key $k.Key }}"#,
            "true",
        );
        check_error(r#"{{ genSelfSignedCert "a" (list "x") nil 5 }}"#, "error parsing ip: x");
        check_error(
            r#"{{ genSelfSignedCert "a" nil (list "b" 1) 5 }}"#,
            "error processing alternate dns name: 1 is not a string",
        );
    }

    #[test]
    fn given_certificates() {
        check(
            r#"{{ $c := genCA "a" 1 }}{{ eq (buildCustomCert (b64enc $c.Cert) (b64enc $c.Key)).Cert $c.Cert }}"#,
            "true",
        );
        check_error(r#"{{ buildCustomCert "!" "!" }}"#, "unable to decode base64 certificate");
    }
}
