//! How a context is reached, in words without secrets: its credential plugin and its proxy.

use std::error::Error as Cause;
use std::io;

use kube::client::AuthError;
use tokio_rustls::rustls::{self, CertificateError};

use super::error::kind_of;
use super::{Error, ErrorKind};

/// What stands between a request and the cluster, as far as the kubeconfig tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    /// The context.
    pub context: String,
    /// The program that gets the credentials; empty if there is none.
    pub plugin: String,
    /// The host and the port of the proxy; empty if there is none.
    pub proxy: String,
}

impl Way {
    /// Puts a failure into words: what, where, what next.
    ///
    /// What a plugin printed is left out, and so are its arguments and its environment: all three may hold tokens.
    pub(super) fn explain(&self, error: &kube::Error) -> Error {
        if let kube::Error::Api(status) = error {
            let kind = kind_of(status.code, &status.reason);
            let said = if status.message.is_empty() { &status.reason } else { &status.message };
            if kind == ErrorKind::Unauthorized && matches!(said.as_str(), "" | "Unauthorized") {
                let words = format!("the server does not accept the credentials; {}", self.by_hand("to log in again"));
                return Error::answered(kind, status.code, words);
            }
            return Error::answered(kind, status.code, said.as_str());
        }
        if let Some(refused) = causes(error).find_map(|cause| cause.downcast_ref::<AuthError>()) {
            return Error::new(ErrorKind::Unauthorized, self.no_credentials(refused));
        }
        if let kube::Error::ProxyProtocolUnsupported { .. } = error {
            let words = "has a form that is not known: proxy-url takes http, https and socks5";
            return Error::new(ErrorKind::Other, format!("the proxy {} {words}", self.proxy));
        }
        Error::new(ErrorKind::Unreachable, self.no_answer(error))
    }

    /// Says that the plugin did not end in time.
    pub(super) fn plugin_hangs(&self, seconds: u64) -> Error {
        let words = format!("{} does not end within {seconds} s; {}", self.program(), self.by_hand("to see why"));
        Error::new(ErrorKind::Unauthorized, words)
    }

    fn no_credentials(&self, error: &AuthError) -> String {
        let program = self.program();
        match error {
            AuthError::AuthExecRun { out, .. } => {
                let end = match out.status.code() {
                    Some(code) => format!("failed with exit code {code}"),
                    None => "was ended by a signal".to_owned(),
                };
                format!(
                    "{program} {end}: {}; its output is not shown here, as it may hold tokens",
                    self.by_hand("to see why")
                )
            }
            AuthError::AuthExecStart(why) => match why.kind() {
                io::ErrorKind::NotFound => format!("{program} is not installed, or not in the PATH"),
                _ => format!("{program} cannot be started: {why}"),
            },
            AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed | AuthError::UnrefreshableTokenResponse => {
                let next = self.by_hand("to see whether it works there");
                format!("{program} ended well but gave no credentials that can be read; {next}")
            }
            AuthError::MissingCommand => "the kubeconfig names a credential plugin without a command".to_owned(),
            AuthError::ReadTokenFile(why, path) => format!("the token file {} cannot be read: {why}", path.display()),
            _ => format!("the kubeconfig's credentials cannot be used; {}", self.by_hand("to see why")),
        }
    }

    fn no_answer(&self, error: &kube::Error) -> String {
        if let Some(words) = causes(error).find_map(certificate_words) {
            return words;
        }
        let words: Vec<String> = causes(error).map(ToString::to_string).collect();
        let all = words.join(": ").to_lowercase();
        let plain = PLAIN.iter().find(|(sign, _)| all.contains(sign)).map(|(_, said)| (*said).to_owned());
        let plain = plain.unwrap_or_else(|| words.last().cloned().unwrap_or_default());
        let is_at_proxy = all.contains("tunnel error") || all.contains("socks error");
        if self.proxy.is_empty() || !is_at_proxy {
            return plain;
        }
        let proxy = &self.proxy;
        if all.contains("proxy authorization required") {
            return format!("the proxy {proxy} wants a name and a password: put them into proxy-url");
        }
        if all.contains("tunnel error: unsuccessful") {
            return format!("the proxy {proxy} does not let this through to the server");
        }
        format!("the proxy {proxy} does not work: {plain}; see proxy-url in the kubeconfig")
    }

    fn program(&self) -> String {
        if self.plugin.is_empty() {
            "the credential plugin".into()
        } else {
            format!("credential plugin {}", self.plugin)
        }
    }

    fn by_hand(&self, why: &str) -> String {
        format!("run `kubectl --context {} version` {why}", self.context)
    }
}

/// Signs of what went wrong, and what to say of it.
const PLAIN: [(&str, &str); 10] = [
    ("connection refused", "connection refused: nothing listens there"),
    ("dns error", "the host name cannot be resolved"),
    ("failed to lookup address", "the host name cannot be resolved"),
    ("received fatal alert: certificateexpired", "the kubeconfig's client certificate has expired: get a new one"),
    ("invalid peer certificate", "the server's certificate is not accepted"),
    ("timed out", "no answer in time"),
    ("deadline has elapsed", "no answer in time"),
    ("network is unreachable", "the network is unreachable"),
    ("no route to host", "there is no route to the host"),
    ("connection reset", "the connection was reset"),
];

/// Walks from an error to its innermost cause.
fn causes<'a>(error: &'a (dyn Cause + 'static)) -> impl Iterator<Item = &'a (dyn Cause + 'static)> {
    // What an `io::Error` wraps is not its source.
    std::iter::successors(Some(error), |outer: &&'a (dyn Cause + 'static)| {
        let outer: &'a (dyn Cause + 'static) = *outer;
        match outer.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => outer.source(),
        }
    })
}

/// Says what is wrong with the server's certificate, if that is what the cause is.
fn certificate_words(cause: &(dyn Cause + 'static)) -> Option<String> {
    let rustls::Error::InvalidCertificate(why) = cause.downcast_ref()? else { return None };
    let day = |time: &rustls::pki_types::UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds)
            .map_or_else(|_| String::new(), |at| at.strftime(" on %Y-%m-%d").to_string())
    };
    Some(match why {
        CertificateError::Expired => "the server's certificate has expired: renew it on the cluster".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the server's certificate expired{}: renew it on the cluster", day(not_after))
        }
        CertificateError::NotValidYet => "the server's certificate is not valid yet: see this computer's clock".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the server's certificate becomes valid{}: see this computer's clock", day(not_before))
        }
        // A cluster that was made anew often has an authority of the same name with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is signed by an unknown authority: see certificate-authority-data in the kubeconfig"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name: see server and tls-server-name in the kubeconfig".to_owned()
        }
        other => format!("the server's certificate is not accepted: {other}"),
    })
}
