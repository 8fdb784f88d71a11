//! How a cluster is reached, and what is said when it is not: credential plugins, certificates and proxies.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use quarterdeck::cluster::{Connection, Error, ErrorKind, Kubeconfig};
use quarterdeck::sim;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::git::{commit, git};

/// What must never be seen.
const CANARY: &str = "canary-4711";

/// Writes a kubeconfig with the one context `here`.
fn kubeconfig(folder: &Path, cluster: Value, user: Value) -> PathBuf {
    let path = folder.join("kubeconfig");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "ana"}}],
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "ana", "user": user}],
    });
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// Connects to the context and asks which kinds there are.
async fn reach(path: PathBuf) -> Result<usize, Error> {
    let connection = Connection::connect(&Kubeconfig::load(&[path])?, "here").await?;
    Ok(connection.discover().await?.api_versions().len())
}

/// Writes a plugin and returns the user that runs it.
fn plugin(folder: &Path, body: &str) -> Value {
    let path = folder.join("get-token");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": path,
        "args": ["--secret", CANARY],
        "env": [{"name": "SECRET", "value": CANARY}],
        "interactiveMode": "Always",
    }})
}

#[tokio::test]
async fn what_a_credential_plugin_prints_is_not_shown() {
    let shout = format!("echo token {CANARY}; echo refused {CANARY} >&2;");
    let gives = r#"echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
        "status":{"token":"t","expirationTimestamp":"2020-01-01T00:00:00Z"}}'"#;
    let cases = [
        (format!("{shout} exit 3"), "get-token failed with exit code 3"),
        (format!("{shout} kill -9 $$"), "get-token was ended by a signal"),
        (shout.clone(), "get-token ended well but gave no credentials"),
        // The first token has expired, and there is no second one.
        (
            format!("test -e \"$0.ran\" && {{ {shout} exit 4; }}\ntouch \"$0.ran\"\n{gives}"),
            "get-token failed with exit code 4",
        ),
    ];
    for (body, wanted) in cases {
        let folder = TempDir::new().unwrap();
        let path = kubeconfig(folder.path(), json!({"server": "https://127.0.0.1:1"}), plugin(folder.path(), &body));
        let error = reach(path).await.unwrap_err();
        let words = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{words}");
        assert!(words.contains(wanted) && words.contains("`kubectl --context here version`"), "{words}");
        assert!(!format!("{words}{error:?}").contains(CANARY), "{words}");
    }
}

#[tokio::test]
async fn a_credential_plugin_that_is_not_there_is_named() {
    let folder = TempDir::new().unwrap();
    let user = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin"}});
    let error = reach(kubeconfig(folder.path(), json!({"server": "https://127.0.0.1:1"}), user)).await.unwrap_err();
    assert_eq!(error.to_string(), "credential plugin no-such-plugin is not installed, or not in the PATH");
}

#[test]
fn a_broken_kubeconfig_is_not_quoted() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kubeconfig");
    for text in [
        format!("users:\n- name: ana\n  user: {{token: {CANARY}\n"),
        format!("users:\n- name: ana\n  user:\n    token: [{CANARY}]\n"),
        format!("users:\n- name: ana\n  user: {CANARY}\n"),
    ] {
        std::fs::write(&path, text).unwrap();
        let words = Kubeconfig::load(std::slice::from_ref(&path)).unwrap_err().to_string();
        assert!(words.contains("kubeconfig") && words.contains("line 3") || words.contains("line 4"), "{words}");
        assert!(!words.contains(CANARY), "{words}");
    }
}

/// A plugin that wants the terminal gets none, and what it prints is on none of the program's outputs.
#[test]
fn a_credential_plugin_cannot_write_on_the_terminal() {
    let folder = TempDir::new().unwrap();
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q"]);
    let app = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://example.org/platform.git", "path": "web", "targetRevision": "HEAD"},
            "destination": {"name": "here", "namespace": "web"},
        },
    });
    commit(&repository, "web/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    commit(&repository, "apps/web.yaml", &app.to_string());
    let body = format!("echo {CANARY}; echo {CANARY} >&2; exit 3");
    let config = kubeconfig(folder.path(), json!({"server": "https://127.0.0.1:1"}), plugin(folder.path(), &body));
    let output = Command::new(env!("CARGO_BIN_EXE_quarterdeck"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.path())
        .args(["--repo", "repository", "--kubeconfig"])
        .arg(config)
        .args(["status", "-o", "json"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("failed with exit code 3"), "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");
}

/// A TLS server with a certificate that was valid in some years, and the authority that signed it.
async fn serve(first: i32, last: i32, name: &str) -> (u16, String, JoinHandle<()>) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(params, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.not_before = rcgen::date_time_ymd(first, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(last, 1, 1);
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client hangs up when it has seen the certificate.
            drop(acceptor.accept(stream).await);
        }
    });
    (port, authority, task)
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn a_wrong_server_certificate_is_said_with_its_day() {
    let other = serve(2000, 2100, "127.0.0.1").await.1;
    for (first, last, name, is_trusted, wanted) in [
        (2019, 2020, "127.0.0.1", true, "the server's certificate expired on 2020-01-01: renew it on the cluster"),
        (
            2090,
            2100,
            "127.0.0.1",
            true,
            "the server's certificate becomes valid on 2090-01-01: see this computer's clock",
        ),
        (
            2000,
            2100,
            "other.example",
            true,
            "the server's certificate is for another name: see server and tls-server-name",
        ),
        (2000, 2100, "127.0.0.1", false, "the server's certificate is signed by an unknown authority"),
    ] {
        let folder = TempDir::new().unwrap();
        let (port, authority, _task) = serve(first, last, name).await;
        let authority = base64(if is_trusted { &authority } else { &other });
        let cluster = json!({"server": format!("https://127.0.0.1:{port}"), "certificate-authority-data": authority});
        let error = reach(kubeconfig(folder.path(), cluster, json!({"token": "t"}))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().starts_with(wanted), "{error}");
    }
}

/// A proxy that answers `CONNECT`: it joins both ends, or refuses.
async fn proxy(answer: &'static str) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(join(stream, answer));
        }
    });
    (port, task)
}

async fn join(stream: TcpStream, answer: &str) -> io::Result<()> {
    let mut client = BufReader::new(stream);
    let mut line = String::new();
    client.read_line(&mut line).await?;
    let target = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    while client.read_line(&mut line).await? > 2 {}
    client.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await?;
    if answer.starts_with("200") {
        let mut server = TcpStream::connect(target).await?;
        tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_cluster_is_reached_through_a_proxy() {
    let folder = TempDir::new().unwrap();
    let cluster = sim::Cluster::new("dev-01", sim::Options::default());
    let served = sim::serve(&[cluster]).await.unwrap();
    let file: Value = serde_yaml::from_str(&served.kubeconfig).unwrap();
    let through = |proxy_url: String| {
        let mut cluster = file["clusters"][0]["cluster"].clone();
        cluster["proxy-url"] = proxy_url.into();
        reach(kubeconfig(folder.path(), cluster, file["users"][0]["user"].clone()))
    };
    let (good, task) = proxy("200 OK").await;
    assert!(through(format!("http://127.0.0.1:{good}")).await.unwrap() > 5);
    task.abort();
    drop(task.await);

    let words = through(format!("http://ana:{CANARY}@127.0.0.1:{good}")).await.unwrap_err().to_string();
    let wanted = format!(
        "the proxy 127.0.0.1:{good} does not work: connection refused: nothing listens there; see proxy-url in the kubeconfig"
    );
    assert_eq!(words, wanted);
    for (answer, wanted) in [
        ("407 Proxy Authentication Required", "wants a name and a password: put them into proxy-url"),
        ("403 Forbidden", "does not let this through to the server"),
    ] {
        let (port, _task) = proxy(answer).await;
        let words = through(format!("http://127.0.0.1:{port}")).await.unwrap_err().to_string();
        assert_eq!(words, format!("the proxy 127.0.0.1:{port} {wanted}"));
    }
    let words = through(format!("ftp://ana:{CANARY}@127.0.0.1:1")).await.unwrap_err().to_string();
    assert_eq!(words, "the proxy 127.0.0.1:1 has a form that is not known: proxy-url takes http, https and socks5");
}
