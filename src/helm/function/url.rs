//! URLs, taken apart and put together as Go's `net/url` does.

use std::net::IpAddr;

use super::argument::{bytes, function, kind, map};
use crate::template::format::quote_text;
use crate::template::{Function, Host, Map, Parameter, Str, Value, quote};

pub(super) static FUNCTIONS: &[Function] =
    &[function("urlJoin", &[Parameter::Map], url_join), function("urlParse", &[Parameter::String], url_parse)];

fn url_parse(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let text = bytes(&args[0]);
    host.spend(text.len())?;
    let url = Url::parse(text).map_err(|error| format!("unable to parse url: {error}"))?;
    let parts = Map::new();
    parts.insert("fragment", Str::from(url.fragment));
    parts.insert("hostname", Str::from(hostname(&url.host)));
    parts.insert("host", Str::from(url.host));
    parts.insert("opaque", Str::from(url.opaque));
    parts.insert("path", Str::from(url.path));
    parts.insert("query", Str::from(url.query));
    parts.insert("scheme", url.scheme);
    parts.insert("userinfo", Str::from(url.user.unwrap_or_default()));
    Ok(parts.into())
}

fn url_join(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let parts = map(&args[0]);
    let part = |name: &str| match parts.value(name.as_bytes()) {
        None => Ok(Str::from("")),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Nil | Value::Invalid) => {
            Err("runtime error: invalid memory address or nil pointer dereference".into())
        }
        Some(other) => Err(format!("unable to parse {name} key, must be of type string, but {} found", kind(&other))),
    };
    let (scheme, hostname, path) = (part("scheme")?, part("host")?, part("path")?);
    let (query, opaque, fragment, user) = (part("query")?, part("opaque")?, part("fragment")?, part("userinfo")?);
    let user = match user.is_empty() {
        true => None,
        false => {
            let url = [b"proto://", &user[..], b"@host"].concat();
            Url::parse(&url).map_err(|error| format!("unable to parse userinfo in dict: {error}"))?.user
        }
    };
    let url = Url {
        scheme: scheme.text().into_owned(),
        opaque: opaque.to_vec(),
        user,
        host: hostname.to_vec(),
        path: path.to_vec(),
        query: query.to_vec(),
        fragment: fragment.to_vec(),
    };
    let text = url.text();
    host.spend(text.len())?;
    Ok(Str::from(text).into())
}

/// The parts of a URL; all but the opaque one, the user and the query are without escapes.
#[derive(Debug, Default)]
struct Url {
    scheme: String,
    /// What follows the scheme of a URL without slashes.
    opaque: Vec<u8>,
    /// The user and the password, with escapes.
    user: Option<Vec<u8>>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

/// Where in a URL a text is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    User,
    Host,
    /// The zone of an address of IPv6.
    Zone,
    Path,
    Fragment,
}

impl Url {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let (main, fragment) = cut(text, b'#');
        let failed = |text: &[u8], error: String| format!("parse {}: {error}", String::from_utf8_lossy(&quote(text)));
        let mut url = Self::parse_main(main).map_err(|error| failed(main, error))?;
        url.fragment = unescape(fragment.unwrap_or_default(), At::Fragment).map_err(|error| failed(text, error))?;
        Ok(url)
    }

    fn parse_main(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(u8::is_ascii_control) {
            return Err("net/url: invalid control character in URL".into());
        }
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = cut(rest, b'?');
        let mut url = Url {
            scheme: String::from_utf8_lossy(scheme).to_ascii_lowercase(),
            query: query.unwrap_or_default().to_vec(),
            ..Url::default()
        };
        let has_scheme = !url.scheme.is_empty();
        if !rest.starts_with(b"/") {
            if has_scheme {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".into());
            }
        }
        let mut path = rest;
        if rest.starts_with(b"//") && (has_scheme || !rest.starts_with(b"///")) {
            let authority = &rest[2..];
            let end = authority.iter().position(|byte| *byte == b'/').unwrap_or(authority.len());
            path = &authority[end..];
            url.read_authority(&authority[..end])?;
        }
        url.path = unescape(path, At::Path)?;
        Ok(url)
    }

    fn read_authority(&mut self, authority: &[u8]) -> Result<(), String> {
        let at = authority.iter().rposition(|byte| *byte == b'@');
        self.host = parse_host(&authority[at.map_or(0, |at| at + 1)..])?;
        let Some(at) = at else { return Ok(()) };
        let user = &authority[..at];
        if !user.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte)) {
            return Err("net/url: invalid userinfo".into());
        }
        let (name, password) = cut(user, b':');
        let mut user = escape(&unescape(name, At::User)?, At::User);
        if let Some(password) = password {
            user.push(b':');
            user.extend(escape(&unescape(password, At::User)?, At::User));
        }
        self.user = Some(user);
        Ok(())
    }

    fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(self.scheme.as_bytes());
            out.push(b':');
        }
        if self.opaque.is_empty() {
            let has_authority = !self.host.is_empty() || self.user.is_some();
            if has_authority || !self.scheme.is_empty() && !self.path.is_empty() {
                out.extend_from_slice(b"//");
            }
            if let Some(user) = &self.user {
                out.extend_from_slice(user);
                out.push(b'@');
            }
            out.extend(escape(&self.host, At::Host));
            let path = if self.path == b"*" { self.path.clone() } else { escape(&self.path, At::Path) };
            if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
                out.push(b'/');
            }
            // A colon must not make a scheme of the first part.
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend_from_slice(b"./");
            }
            out.extend(path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, At::Fragment));
        }
        out
    }
}

/// Cuts a text at a byte.
fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    }
}

/// Splits off the scheme; without one it is empty.
fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let end = text.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"+-.".contains(byte)));
    match end {
        Some(0) if text[0] == b':' => Err("missing protocol scheme".into()),
        Some(end) if text[end] == b':' && text[0].is_ascii_alphabetic() => Ok((&text[..end], &text[end + 1..])),
        _ => Ok((&[], text)),
    }
}

fn parse_host(host: &[u8]) -> Result<Vec<u8>, String> {
    let check_port = |port: &[u8]| match port {
        [] => Ok(()),
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(format!("invalid port {} after host", quote_text(&String::from_utf8_lossy(port)))),
    };
    if host.iter().rposition(|byte| *byte == b'[').is_some_and(|at| at > 0) {
        return Err("invalid IP-literal".into());
    }
    if host.starts_with(b"[") {
        let Some(end) = host.iter().rposition(|byte| *byte == b']') else {
            return Err("missing ']' in host".into());
        };
        check_port(&host[end + 1..])?;
        let zone = host[..end].windows(3).position(|part| part == b"%25").unwrap_or(end);
        let parts = [(&host[..zone], At::Host), (&host[zone..end], At::Zone), (&host[end..], At::Host)];
        let parts: Result<Vec<_>, String> = parts.into_iter().map(|(part, at)| unescape(part, at)).collect();
        let parts = parts?;
        check_address(&String::from_utf8_lossy(&parts[0][1..]))?;
        return Ok(parts.concat());
    }
    if let Some(colon) = host.iter().rposition(|byte| *byte == b':') {
        check_port(&host[colon..])?;
    }
    unescape(host, At::Host)
}

/// Checks what stands in brackets: an address of IPv6, without its zone.
fn check_address(text: &str) -> Result<(), String> {
    match text.parse() {
        Ok(IpAddr::V6(_)) => Ok(()),
        Ok(IpAddr::V4(_)) => Err("invalid IP-literal".into()),
        Err(_) => Err(format!("invalid host: ParseAddr({}): unable to parse IP", quote_text(text))),
    }
}

/// Returns a host without its port and without brackets.
fn hostname(host: &[u8]) -> &[u8] {
    let end = match host.iter().rposition(|byte| *byte == b':') {
        Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => colon,
        _ => host.len(),
    };
    match &host[..end] {
        [b'[', inner @ .., b']'] => inner,
        plain => plain,
    }
}

/// Tells whether a byte has to be written with `%` at a place.
fn is_escaped(byte: u8, at: At) -> bool {
    let plain: &[u8] = match at {
        At::User => b"$&+,;=",
        At::Host | At::Zone => b"!$&'()*+,;=:[]<>\"",
        At::Path => b"$&+,/:;=@",
        At::Fragment => b"$&+,/:;=?@!()*",
    };
    !(byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || plain.contains(&byte))
}

fn escape(text: &[u8], at: At) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if is_escaped(*byte, at) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
    }
    out
}

fn unescape(text: &[u8], at: At) -> Result<Vec<u8>, String> {
    let is_host = matches!(at, At::Host | At::Zone);
    let wrong =
        |part: &[u8]| format!("invalid URL escape {}", String::from_utf8_lossy(&quote(&part[..part.len().min(3)])));
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            if is_host && first.is_ascii() && is_escaped(*first, at) {
                let shown = String::from_utf8_lossy(&quote(&[*first])).into_owned();
                return Err(format!("invalid character {shown} in host name"));
            }
            out.push(*first);
            rest = after;
            continue;
        }
        let digit = |place: usize| after.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return Err(wrong(rest)) };
        let byte = (high << 4 | low) as u8;
        // Hosts may hold what is not ASCII, and zones what hosts may hold.
        let is_percent = byte == b'%';
        if at == At::Host && high < 8 && !is_percent
            || at == At::Zone && !is_percent && byte != b' ' && is_escaped(byte, At::Host)
        {
            return Err(wrong(rest));
        }
        out.push(byte);
        rest = &after[2..];
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn urls_are_taken_apart() {
        let check = |url: &str, parts: &str| {
            check(
                &format!(
                    r#"{{{{ range $k, $v := urlParse "{url}" }}}}{{{{ if $v }}}}{{{{ $k }}}}={{{{ $v }}}} {{{{ end }}}}{{{{ end }}}}"#
                ),
                parts,
            );
        };
        check(
            "HTTP://a%40b:p:w@h.io:80/x%20y?a=b%20c#d%3F",
            "fragment=d? host=h.io:80 hostname=h.io path=/x y query=a=b%20c scheme=http userinfo=a%40b:p%3Aw ",
        );
        check("mailto:a@b.c?x", "opaque=a@b.c query=x scheme=mailto ");
        check("//[fe80::1%25en0]:80", "host=[fe80::1%en0]:80 hostname=fe80::1%en0 ");
        check("a/b:c", "path=a/b:c ");
        check("///x", "path=///x ");
    }

    #[test]
    fn what_is_no_url_is_named() {
        let check = |url: &str, error: &str| {
            check_error(&format!(r#"{{{{ urlParse "{url}" }}}}"#), &format!("unable to parse url: parse {error}"));
        };
        check("%zz", r#""%zz": invalid URL escape "%zz""#);
        check(":x", r#"":x": missing protocol scheme"#);
        check("1:x", r#""1:x": first path segment in URL cannot contain colon"#);
        check("http://a b/", r#""http://a b/": invalid character " " in host name"#);
        check("http://a:x", r#""http://a:x": invalid port ":x" after host"#);
        check("http://[::1", r#""http://[::1": missing ']' in host"#);
        check("//a[::1]", r#""//a[::1]": invalid IP-literal"#);
        check("//[x]", r#""//[x]": invalid host: ParseAddr("x"): unable to parse IP"#);
        check("http://a[@b", r#""http://a[@b": net/url: invalid userinfo"#);
        check("a\\nb", r#""a\nb": net/url: invalid control character in URL"#);
    }

    #[test]
    fn urls_are_put_together() {
        let check = |parts: &str, url: &str| check(&format!("{{{{ urlJoin (dict {parts}) }}}}"), url);
        check(
            r#""scheme" "http" "userinfo" "u:p@w" "host" "h:80" "path" "a b" "query" "x=1" "fragment" "f g""#,
            "http://u:p%40w@h:80/a%20b?x=1#f%20g",
        );
        check(r#""path" "a:b/c""#, "./a:b/c");
        check(r#""scheme" "s" "path" "/p""#, "s:///p");
        check(r#""scheme" "mailto" "opaque" "a@b""#, "mailto:a@b");
        check_error(
            r#"{{ urlJoin (dict "host" 1) }}"#,
            "unable to parse host key, must be of type string, but int found",
        );
    }
}
