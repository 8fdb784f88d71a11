//! Chart repositories: a real HTTP server that serves files, and a real OCI registry.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use quarterdeck::model::ChartRequest;
use quarterdeck::registry::{
    Credential, Credentials, DockerConfig, Found, Look, Mirrors, Registry, Repositories, Setup,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio_rustls::rustls;

/// Returns a packed chart.
pub fn chart(name: &str, version: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-{{ .Chart.Name }}}\ndata:\n  chart: \
                    {{ .Chart.Version | quote }}\n  color: {{ .Values.color | quote }}\n";
    let mut files: BTreeMap<&str, &str> = BTreeMap::from([
        ("Chart.yaml", about.as_str()),
        ("values.yaml", "color: blue\n"),
        ("templates/config.yaml", template),
    ]);
    files.extend(more.iter().copied());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{name}/{path}"), text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a test's server is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub authorization: Option<String>,
    pub body: String,
}

/// What it answers.
pub struct Said {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Said {
    pub fn file(bytes: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: Some(bytes.into()) }
    }

    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Some(b"no".to_vec()) }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A file that never ends.
    fn endless() -> Self {
        Self { status: 200, headers: Vec::new(), body: None }
    }
}

type Answers = Arc<dyn Fn(&Asked) -> Said + Send + Sync>;

/// A server of files on this machine, until it is dropped.
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub fn start(answers: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        Self::listen(answers, None)
    }

    fn listen(
        answers: impl Fn(&Asked) -> Said + Send + Sync + 'static,
        acceptor: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let (asked, answers): (Arc<Mutex<Vec<Asked>>>, Answers) = (Arc::default(), Arc::new(answers));
        let log = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            // Connections end with the server, so that a dropped one is really gone.
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
                let service =
                    hyper::service::service_fn(move |request| answer(request, Arc::clone(&log), Arc::clone(&answers)));
                let acceptor = acceptor.clone();
                open.spawn(async move {
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    match acceptor {
                        None => drop(builder.serve_connection(TokioIo::new(stream), service).await),
                        Some(acceptor) => {
                            // Who does not trust the certificate hangs up.
                            let Ok(stream) = acceptor.accept(stream).await else { return };
                            drop(builder.serve_connection(TokioIo::new(stream), service).await);
                        }
                    }
                });
            }
        });
        Self { url, asked, task }
    }

    /// The same behind TLS; returns the authority that signed its certificate too.
    fn start_encrypted(answers: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> (Self, String) {
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(params, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned()];
        let leaf = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        (Self::listen(answers, Some(tokio_rustls::TlsAcceptor::from(Arc::new(config)))), authority)
    }

    /// Serves files by path.
    pub fn files(files: Vec<(String, Vec<u8>)>) -> Self {
        Self::start(move |asked| {
            let found = files.iter().find(|(path, _)| *path == asked.path);
            found.map_or_else(|| Said::status(404), |(_, bytes)| Said::file(bytes.clone()))
        })
    }

    /// Returns what was asked since the last time.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Body = Either<Full<Bytes>, http_body_util::combinators::BoxBody<Bytes, Infallible>>;

async fn answer(
    request: hyper::Request<hyper::body::Incoming>,
    log: Arc<Mutex<Vec<Asked>>>,
    answers: Answers,
) -> Result<hyper::Response<Body>, Infallible> {
    let path = request.uri().path_and_query().unwrap().to_string();
    let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let asked = Asked { path, authorization, body: String::from_utf8_lossy(&body).into_owned() };
    let said = answers(&asked);
    log.lock().unwrap().push(asked);
    let mut response = hyper::Response::builder().status(said.status);
    for (name, value) in said.headers {
        response = response.header(name, value);
    }
    let body = match said.body {
        Some(bytes) => Either::Left(Full::new(Bytes::from(bytes))),
        None => {
            let zeros = Bytes::from(vec![b' '; 1 << 20]);
            let stream = futures::stream::repeat_with(move || Ok(Frame::data(zeros.clone())));
            Either::Right(BodyExt::boxed(StreamBody::new(stream)))
        }
    };
    Ok(response.body(body).unwrap())
}

fn index(entries: &[(&str, &str, &str, &str)]) -> Vec<u8> {
    let mut text = String::from("apiVersion: v1\nentries:\n");
    let mut last = "";
    for (name, version, url, digest) in entries {
        if *name != last {
            text += &format!("  {name}:\n");
            last = name;
        }
        text += &format!(
            "  - name: {name}\n    version: {version}\n    created: 2020-01-01T00:00:00Z\n    urls: [\"{url}\"]\n"
        );
        if !digest.is_empty() {
            text += &format!("    digest: \"{digest}\"\n");
        }
    }
    text.into_bytes()
}

pub fn wanted(repository: &str, name: &str, version: &str) -> ChartRequest {
    ChartRequest { repository: repository.into(), name: name.into(), version: version.into() }
}

fn registry(cache: &Path, change: impl FnOnce(&mut Setup)) -> Registry {
    let mut setup = Setup::new(cache.to_owned());
    change(&mut setup);
    Registry::new(setup)
}

async fn pull(registry: &Registry, request: &ChartRequest) -> Result<Found, String> {
    registry.pull(request, Look::Needed).await.map_err(|error| error.to_string())
}

async fn version(registry: &Registry, request: &ChartRequest) -> String {
    pull(registry, request).await.map_or_else(|error| error, |found| found.archive.version)
}

fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn versions_are_chosen_from_an_index() {
    let packed: Vec<_> = ["1.0.0", "1.1.0", "2.0.0-rc.1"].map(|version| chart("web", version, &[])).into();
    let digests: Vec<_> = packed.iter().map(|bytes| sha256(bytes)).collect();
    let elsewhere = Server::files(vec![("/x/web-1.0.0.tgz".into(), packed[0].clone())]);
    let server = Server::files(vec![
        (
            "/charts/index.yaml".into(),
            index(&[
                ("web", "1.0.0", &format!("{}/x/web-1.0.0.tgz", elsewhere.url), &digests[0]),
                ("web", "2.0.0-rc.1", "web-2.tgz", &format!("sha256:{}", digests[2])),
                ("web", "1.1.0", "sub/web-1.1.0.tgz", ""),
            ]),
        ),
        ("/charts/sub/web-1.1.0.tgz".into(), packed[1].clone()),
        ("/charts/web-2.tgz".into(), packed[2].clone()),
    ]);
    let folder = TempDir::new().unwrap();
    let registry = registry(folder.path(), |_| {});
    let url = format!("{}/charts", server.url);
    for (asked, expected, bytes) in [
        ("", "1.1.0", &packed[1]),
        ("1.0.0", "1.0.0", &packed[0]),
        ("v1.0.0", "1.0.0", &packed[0]),
        ("~1.0", "1.0.0", &packed[0]),
        (">=1", "1.1.0", &packed[1]),
        (">=1-0", "2.0.0-rc.1", &packed[2]),
    ] {
        let found = pull(&registry, &wanted(&url, "web", asked)).await.unwrap();
        assert_eq!((found.archive.version.as_str(), &*found.archive.bytes), (expected, bytes.as_slice()), "{asked}");
        assert_eq!(found.archive.digest, sha256(bytes));
        assert!(found.warnings.is_empty());
    }
    let indexes = server.paths().iter().filter(|path| *path == "/charts/index.yaml").count();
    assert_eq!(indexes, 1, "the index is read once");
    let error = version(&registry, &wanted(&url, "web", "^3")).await;
    assert!(error.contains("version \"^3\" not found in") && error.contains("newest is 2.0.0-rc.1"), "{error}");
    let error = version(&registry, &wanted(&url, "api", "")).await;
    assert!(error.contains("chart \"api\" not found in"), "{error}");
    let error = version(&registry, &wanted(&url, "web", "main")).await;
    assert!(error.contains("neither a version nor a constraint"), "{error}");
}

#[tokio::test]
async fn what_is_not_what_was_promised_is_refused() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/index.yaml" => {
            Said::file(index(&[("web", "1.0.0", "web.tgz", &"0".repeat(64)), ("big", "1.0.0", "big.tgz", "")]))
        }
        "/web.tgz" => Said::file(chart("web", "1.0.0", &[])),
        "/html/index.yaml" => Said::file("<html><body>log in</body></html>"),
        "/yaml/index.yaml" => Said::file("apiVersion: v1\nentries: [\n"),
        "/endless/index.yaml" | "/big.tgz" => Said::endless(),
        "/gone/index.yaml" => Said::status(410),
        _ => Said::status(404),
    });
    let folder = TempDir::new().unwrap();
    let registry = registry(folder.path(), |_| {});
    for (below, chart, expected) in [
        ("", "web", "was promised"),
        ("", "big", "larger than 104857600 bytes"),
        ("/html", "web", "is no chart index: it names no apiVersion"),
        ("/yaml", "web", "is no chart index"),
        ("/endless", "web", "larger than 67108864 bytes"),
        ("/gone", "web", "answers 410"),
        ("/none", "web", "answers 404"),
    ] {
        let error = pull(&registry, &wanted(&format!("{}{below}", server.url), chart, "")).await.unwrap_err();
        assert!(error.contains(expected) && error.contains(&server.url), "{error} lacks {expected}");
    }
    assert_eq!(files_below(&folder.path().join("blobs")), 0, "nothing of it is kept");
}

#[tokio::test]
async fn credentials_stay_with_their_host() {
    let packed = chart("web", "1.0.0", &[]);
    let other = Server::files(vec![("/web.tgz".into(), packed.clone()), ("/moved.tgz".into(), packed.clone())]);
    let target = other.url.clone();
    let server = Server::start(move |asked| {
        if asked.authorization.as_deref() != Some("Basic YW5hOmh1bnRlcjI=") {
            return Said::status(401).header("www-authenticate", "Basic realm=\"charts\"");
        }
        match asked.path.as_str() {
            "/index.yaml" => Said::status(302).header("location", "/real/index.yaml"),
            "/real/index.yaml" => Said::file(index(&[
                ("web", "1.0.0", &format!("{target}/web.tgz"), ""),
                ("web", "2.0.0", "here.tgz", ""),
            ])),
            "/here.tgz" => Said::status(307).header("location", format!("{target}/moved.tgz")),
            _ => Said::status(404),
        }
    });
    let folder = TempDir::new().unwrap();
    let host = server.url.strip_prefix("http://").unwrap();
    let open = registry(folder.path(), |_| {});
    let error = version(&open, &wanted(&server.url, "web", "")).await;
    assert!(error.ends_with("asks for credentials"), "{error}");
    let error = version(&open, &wanted(&format!("http://ana:wrong-one@{host}"), "web", "")).await;
    assert!(
        error.ends_with("refuses the credentials") && !error.contains("wrong-one") && !error.contains("ana"),
        "{error}"
    );

    std::fs::write(
        folder.path().join("repositories.yaml"),
        format!("repositories:\n- {{name: team, url: '{}/', username: ana, password: hunter2}}\n", server.url),
    )
    .unwrap();
    let repositories = Repositories::read(&folder.path().join("repositories.yaml")).unwrap();
    assert_eq!(repositories.by_name("team").unwrap().url, format!("{}/", server.url));
    let known = registry(&folder.path().join("known"), |setup| setup.credentials.repositories = repositories);
    assert!(!format!("{known:?}").contains("hunter2"));
    let given = registry(&folder.path().join("given"), |setup| {
        setup.credentials.given = Some((server.url.clone(), Credential::new("ana", "hunter2")));
    });
    let carried = registry(&folder.path().join("carried"), |_| {});
    for (registry, url) in
        [(&known, server.url.clone()), (&given, server.url.clone()), (&carried, format!("http://ana:hunter2@{host}"))]
    {
        assert_eq!(version(registry, &wanted(&url, "web", "1.0.0")).await, "1.0.0");
        assert_eq!(version(registry, &wanted(&url, "web", "2.0.0")).await, "2.0.0");
        let asked = other.asked();
        assert_eq!(asked.len(), 2);
        assert!(asked.iter().all(|asked| asked.authorization.is_none()), "another host saw credentials");
    }
}

#[tokio::test]
async fn encrypted_stays_encrypted() {
    let plain = Server::files(vec![("/web.tgz".into(), chart("web", "1.0.0", &[]))]);
    let target = plain.url.clone();
    let (server, authority) = Server::start_encrypted(move |asked| match asked.path.as_str() {
        "/index.yaml" => Said::file(index(&[
            ("web", "1.0.0", "web.tgz", ""),
            ("web", "2.0.0", "moved.tgz", ""),
            ("web", "3.0.0", &format!("{target}/web.tgz"), ""),
        ])),
        "/web.tgz" => Said::file(chart("web", "1.0.0", &[])),
        "/moved.tgz" => Said::status(302).header("location", format!("{target}/web.tgz")),
        _ => Said::status(404),
    });
    let folder = TempDir::new().unwrap();
    let stranger = registry(folder.path(), |_| {});
    let error = version(&stranger, &wanted(&server.url, "web", "1.0.0")).await;
    assert!(error.contains("cannot be reached") && error.contains("certificate"), "{error}");
    std::fs::write(folder.path().join("ca.pem"), authority).unwrap();
    let listed = format!(
        "repositories:\n- {{name: team, url: '{}', username: ana, password: hunter2, caFile: '{}'}}\n",
        server.url,
        folder.path().join("ca.pem").display()
    );
    std::fs::write(folder.path().join("repositories.yaml"), listed).unwrap();
    let friend = registry(folder.path(), |setup| {
        setup.credentials.repositories = Repositories::read(&folder.path().join("repositories.yaml")).unwrap();
    });
    assert_eq!(version(&friend, &wanted(&server.url, "web", "1.0.0")).await, "1.0.0");
    for moved in ["2.0.0", "3.0.0"] {
        let error = version(&friend, &wanted(&server.url, "web", moved)).await;
        assert!(error.contains("leads to") && error.ends_with("that is not encrypted"), "{error}");
    }
    assert!(plain.asked().is_empty(), "nothing is asked without encryption");
}

#[tokio::test]
async fn what_was_had_once_needs_no_network() {
    static NOW: AtomicI64 = AtomicI64::new(1_000_000);
    fn clock() -> Timestamp {
        Timestamp::from_second(NOW.load(Ordering::Relaxed)).unwrap()
    }
    let newest = Arc::new(Mutex::new("1.1.0"));
    let offered = Arc::clone(&newest);
    let server = Server::start(move |asked| {
        let newest = *offered.lock().unwrap();
        match asked.path.as_str() {
            "/index.yaml" => {
                Said::file(index(&[("web", "1.0.0", "1.0.0.tgz", ""), ("web", newest, &format!("{newest}.tgz"), "")]))
            }
            "/1.9.0.tgz" => Said::status(503),
            path => Said::file(chart("web", path.trim_start_matches('/').trim_end_matches(".tgz"), &[])),
        }
    });
    let folder = TempDir::new().unwrap();
    let fresh = || registry(folder.path(), |setup| setup.clock = clock);
    let (exact, range) = (wanted(&server.url, "web", "1.0.0"), wanted(&server.url, "web", "^1"));
    assert_eq!(version(&fresh(), &exact).await, "1.0.0");
    assert_eq!(version(&fresh(), &range).await, "1.1.0");
    assert_eq!(server.paths(), ["/index.yaml", "/1.0.0.tgz", "/1.1.0.tgz"], "the second one knows the versions");

    *newest.lock().unwrap() = "1.2.0";
    NOW.fetch_add(100, Ordering::Relaxed);
    assert_eq!(version(&fresh(), &range).await, "1.1.0");
    assert_eq!(server.paths(), [""; 0], "so soon nothing is asked");
    let found = fresh().pull(&range, Look::Anew).await.unwrap();
    assert_eq!(found.archive.version, "1.2.0", "but it can be wanted");
    server.asked();

    NOW.fetch_add(100_000, Ordering::Relaxed);
    assert_eq!(version(&fresh(), &exact).await, "1.0.0");
    assert_eq!(server.paths(), [""; 0], "an exact version is what it is");
    *newest.lock().unwrap() = "1.9.0";
    let found = pull(&fresh(), &range).await.unwrap();
    assert_eq!(found.archive.version, "1.0.0", "of what the index still names this one is here");
    assert!(found.warnings[0].contains("answers 503"), "{:?}", found.warnings);

    let blobs = folder.path().join("blobs/sha256");
    for entry in std::fs::read_dir(&blobs).unwrap() {
        std::fs::write(entry.unwrap().path(), "broken").unwrap();
    }
    assert_eq!(version(&fresh(), &exact).await, "1.0.0", "what is broken is had again");

    // What the record says is no longer so: the file has moved.
    *newest.lock().unwrap() = "1.5.0";
    NOW.fetch_add(100_000, Ordering::Relaxed);
    assert_eq!(version(&fresh(), &wanted(&server.url, "web", "~1.5")).await, "1.5.0");
    *newest.lock().unwrap() = "1.6.0";
    assert_eq!(version(&fresh(), &wanted(&server.url, "web", "1.6.0")).await, "1.6.0", "so new that no record has it");
    *newest.lock().unwrap() = "1.7.0";
    assert_eq!(version(&fresh(), &wanted(&server.url, "web", "~1.7")).await, "1.7.0", "nor this one");
    let full = folder.path().join("file");
    std::fs::write(&full, "").unwrap();
    let found = pull(&registry(&full, |_| {}), &exact).await.unwrap();
    assert!(found.warnings[0].contains("charts cannot be kept in"), "{:?}", found.warnings);

    let url = server.url.clone();
    drop(server);
    tokio::task::yield_now().await;
    NOW.fetch_add(100_000, Ordering::Relaxed);
    assert_eq!(version(&fresh(), &exact).await, "1.0.0");
    let found = pull(&fresh(), &range).await.unwrap();
    assert_eq!(found.archive.version, "1.7.0");
    assert!(found.warnings[0].contains("cannot be reached"), "{:?}", found.warnings);
    let error = version(&fresh(), &wanted(&url, "other", "1.0.0")).await;
    assert!(error.contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn mirrors_are_asked_instead() {
    let packed = chart("web", "1.0.0", &[]);
    let server = Server::files(vec![
        (
            "/mirror/stable/index.yaml".into(),
            index(&[("web", "1.0.0", "https://charts.example.org/files/web.tgz", "")]),
        ),
        ("/mirror/files/web.tgz".into(), packed),
    ]);
    let folder = TempDir::new().unwrap();
    let registry = registry(folder.path(), |setup| {
        setup.mirrors = Mirrors::new([("https://charts.example.org".to_owned(), format!("{}/mirror/", server.url))]);
    });
    assert_eq!(version(&registry, &wanted("https://charts.example.org/stable", "web", "")).await, "1.0.0");
}

#[tokio::test]
async fn registries_hand_out_tokens() {
    let packed = chart("web", "1.0.0", &[]);
    let digest = sha256(&packed);
    let manifest = manifest(&packed);
    let auth = Server::start(|asked| match asked.authorization.as_deref() {
        Some("Basic YW5hOmh1bnRlcjI=") => Said::file("{\"token\": \"for-ana\"}"),
        None if asked.body.contains("refresh_token=identity%2Ba") => Said::file("{\"access_token\": \"for-ana\"}"),
        _ => Said::status(401),
    });
    let realm = auth.url.clone();
    let server = Server::start(move |asked| {
        if asked.authorization.as_deref() != Some("Bearer for-ana") {
            let challenge =
                format!("Bearer realm=\"{realm}/token\",service=\"charts\",scope=\"repository:c/web:pull\"");
            return Said::status(401).header("www-authenticate", challenge);
        }
        match asked.path.as_str() {
            "/v2/c/web/tags/list" => {
                Said::file("{\"tags\": [\"1.0.0_b1\"]}").header("link", "</v2/c/web/tags/list?last=1>; rel=\"next\"")
            }
            "/v2/c/web/tags/list?last=1" => Said::file("{\"tags\": [\"0.9.0\", \"latest\"]}"),
            "/v2/c/web/manifests/1.0.0_b1" => Said::file(manifest.clone()),
            path if path == format!("/v2/c/web/blobs/sha256:{digest}") => Said::file(packed.clone()),
            _ => Said::status(404),
        }
    });
    let host = server.url.strip_prefix("http://").unwrap().to_owned();
    let request = wanted(&format!("oci://{host}/c"), "web", "");
    let check = async |config: &str| {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let registry = registry(&folder.path().join("cache"), |setup| {
            setup.credentials.registries = vec![DockerConfig::read(&folder.path().join("config.json")).unwrap()];
        });
        version(&registry, &request).await
    };
    assert_eq!(check(&format!("{{\"auths\": {{\"{host}\": {{\"auth\": \"YW5hOmh1bnRlcjI=\"}}}}}}")).await, "1.0.0+b1");
    let asked = auth.asked();
    assert_eq!(asked.len(), 1, "one token serves all requests: {asked:?}");
    assert_eq!(asked[0].path, "/token?service=charts&scope=repository%3Ac%2Fweb%3Apull");
    assert_eq!(
        check(&format!("{{\"auths\": {{\"{host}\": {{\"identitytoken\": \"identity+a\"}}}}}}")).await,
        "1.0.0+b1"
    );
    let error = check("{}").await;
    assert!(error.ends_with("asks for credentials"), "{error}");
    let error = check(&format!("{{\"auths\": {{\"{host}\": {{\"auth\": \"YW5hOndyb25n\"}}}}}}")).await;
    assert!(error.ends_with("refuses the credentials"), "{error}");
}

/// Returns the manifest of a chart in a registry.
fn manifest(packed: &[u8]) -> Vec<u8> {
    let layer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    manifest_of(layer, packed)
}

fn manifest_of(layer: &str, packed: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": format!("sha256:{}", sha256(b"{}")), "size": 2},
        "layers": [{"mediaType": layer, "digest": format!("sha256:{}", sha256(packed)), "size": packed.len()}],
    }))
    .unwrap()
}

/// A real registry, until it is dropped.
pub struct OciRegistry {
    pub host: String,
    child: Child,
    folder: TempDir,
}

impl OciRegistry {
    /// Starts one; `None` where there is nothing to start. `users` are pairs of name and password; none means that nobody is asked.
    pub fn start(users: &[(&str, &str)]) -> Option<Self> {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let Some(program) =
            std::env::split_paths(&paths).map(|path| path.join("docker-registry")).find(|path| path.exists())
        else {
            assert!(std::env::var_os("CI").is_none(), "docker-registry is not on PATH, and CI must not skip this");
            println!("skipped: docker-registry is not on PATH; Debian has a package of that name");
            return None;
        };
        let folder = TempDir::new().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {0}/data}}\nhttp: {{addr: '{address}', secret: x}}\n",
            folder.path().display()
        );
        if !users.is_empty() {
            let lines: String = users
                .iter()
                .map(|(name, password)| format!("{name}:{}\n", bcrypt::hash(password, 4).unwrap()))
                .collect();
            // The registry reads only hashes of the older spelling.
            std::fs::write(folder.path().join("users"), lines.replace("$2b$", "$2y$")).unwrap();
            config += &format!("auth:\n  htpasswd: {{realm: charts, path: {}/users}}\n", folder.path().display());
        }
        std::fs::write(folder.path().join("config.yml"), config).unwrap();
        let child = Command::new(program)
            .arg("serve")
            .arg(folder.path().join("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "the registry does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { host: address.to_string(), child, folder })
    }

    /// Pushes a chart with plain HTTP calls; returns the digest of its manifest.
    pub async fn push(&self, path: &str, tag: &str, packed: &[u8], user: Option<(&str, &str)>) -> String {
        self.push_manifest(path, tag, packed, manifest(packed), user).await
    }

    async fn push_manifest(
        &self,
        path: &str,
        tag: &str,
        packed: &[u8],
        manifest: Vec<u8>,
        user: Option<(&str, &str)>,
    ) -> String {
        let base = format!("http://{}/v2/{path}", self.host);
        for blob in [b"{}".as_slice(), packed] {
            let (status, headers) = send("POST", &format!("{base}/blobs/uploads/"), "", Vec::new(), user).await;
            assert_eq!(status, 202);
            let place = headers["location"].to_str().unwrap().to_owned();
            let glue = if place.contains('?') { '&' } else { '?' };
            let url = format!("{place}{glue}digest=sha256:{}", sha256(blob));
            assert_eq!(send("PUT", &url, "application/octet-stream", blob.to_vec(), user).await.0, 201);
        }
        let digest = sha256(&manifest);
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let tag = tag.replace('+', "_");
        assert_eq!(send("PUT", &format!("{base}/manifests/{tag}"), kind, manifest, user).await.0, 201);
        digest
    }

    /// Breaks the stored bytes of a blob.
    fn spoil(&self, digest: &str) {
        let path = self
            .folder
            .path()
            .join("data/docker/registry/v2/blobs/sha256")
            .join(&digest[..2])
            .join(digest)
            .join("data");
        let size = std::fs::metadata(&path).unwrap().len();
        std::fs::write(path, vec![b'x'; usize::try_from(size).unwrap()]).unwrap();
    }
}

impl Drop for OciRegistry {
    fn drop(&mut self) {
        // It has to go even if a test fails; whether that worked is not the test's matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn send(
    method: &str,
    url: &str,
    kind: &str,
    body: Vec<u8>,
    user: Option<(&str, &str)>,
) -> (u16, hyper::HeaderMap) {
    let url: hyper::Uri = url.parse().unwrap();
    let stream = tokio::net::TcpStream::connect(url.authority().unwrap().as_str()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let path = url.path_and_query().unwrap().as_str();
    let mut request =
        hyper::Request::builder().method(method).uri(path).header("host", url.authority().unwrap().as_str());
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    if let Some((name, password)) = user {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        request = request.header("authorization", format!("Basic {pair}"));
    }
    let response = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
    (response.status().as_u16(), response.headers().clone())
}

#[tokio::test]
async fn charts_come_from_a_real_registry() {
    let Some(oci) = OciRegistry::start(&[]) else { return };
    let (old, new) = (chart("web", "1.0.0", &[]), chart("web", "1.1.0+b.1", &[]));
    let pinned = oci.push("team/web", "1.0.0", &old, None).await;
    oci.push("team/web", "1.1.0+b.1", &new, None).await;
    oci.push("team/web", "latest", &old, None).await;
    oci.push("team/web", "v9.0.0", &old, None).await;
    let image = manifest_of("application/vnd.oci.image.layer.v1.tar+gzip", &old);
    oci.push_manifest("team/image", "1.0.0", &old, image, None).await;
    let folder = TempDir::new().unwrap();
    let fresh = || registry(folder.path(), |_| {});
    let base = format!("oci://{}/team", oci.host);
    for (repository, name, asked, expected, bytes) in [
        (base.clone(), "web", "1.0.0", "1.0.0", &old),
        (base.clone(), "web", "1.1.0+b.1", "1.1.0+b.1", &new),
        (base.clone(), "web", "", "1.1.0+b.1", &new),
        (format!("{}/team", oci.host), "web", "~1.0", "1.0.0", &old),
        (format!("{base}/web"), "", "^1", "1.1.0+b.1", &new),
        (format!("{base}/web:latest"), "", "", "latest", &old),
        (format!("{base}/web@sha256:{pinned}"), "", "", &format!("sha256:{pinned}"), &old),
    ] {
        let found = pull(&fresh(), &wanted(&repository, name, asked)).await.unwrap();
        assert_eq!(
            (found.archive.version.as_str(), &*found.archive.bytes),
            (expected, bytes.as_slice()),
            "{repository} {asked}"
        );
    }
    for (path, asked, expected) in [
        ("web", "2.0.0", "answers 404"),
        ("web", "1.1", "answers 404"),
        ("web:1.0.0", "1.1.0", "chart reference and version mismatch: 1.1.0 is not 1.0.0"),
        ("web", "^2", "repository; its newest is 1.1.0+b.1"),
        ("none", "^2", "answers 404"),
        ("image", "1.0.0", "it holds application/vnd.oci.image.layer.v1.tar+gzip"),
    ] {
        let error = version(&fresh(), &wanted(&format!("{base}/{path}"), "", asked)).await;
        assert!(error.contains(expected), "{error} lacks {expected}");
    }
    let broken = chart("web", "3.0.0", &[]);
    oci.push("team/web", "3.0.0", &broken, None).await;
    oci.spoil(&sha256(&broken));
    let error = version(&fresh(), &wanted(&base, "web", "3.0.0")).await;
    assert!(error.contains("was promised") || error.contains("answers"), "{error}");

    drop(oci);
    assert_eq!(version(&fresh(), &wanted(&base, "web", "1.0.0")).await, "1.0.0");
    let found = fresh().pull(&wanted(&base, "web", "^1"), Look::Anew).await.unwrap();
    assert_eq!(found.archive.version, "1.1.0+b.1");
    assert!(found.warnings[0].contains("cannot be reached"), "{:?}", found.warnings);
}

#[tokio::test]
async fn a_real_registry_knows_its_users() {
    let user = ("ana", "hunter2");
    let Some(oci) = OciRegistry::start(&[user]) else { return };
    let packed = chart("web", "1.0.0", &[]);
    oci.push("web", "1.0.0", &packed, Some(user)).await;
    let request = wanted(&format!("oci://{}", oci.host), "web", "1.0.0");
    let folder = TempDir::new().unwrap();
    let with = |name: &str, credentials: Credentials| {
        registry(&folder.path().join(name), |setup| setup.credentials = credentials)
    };
    let docker = |text: String| {
        let path = folder.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        Credentials { registries: vec![DockerConfig::read(&path).unwrap()], ..Credentials::default() }
    };
    let error = version(&with("none", Credentials::default()), &request).await;
    assert!(error.ends_with("asks for credentials"), "{error}");
    let wrong = docker(format!("{{\"auths\": {{\"{}\": {{\"username\": \"ana\", \"password\": \"no\"}}}}}}", oci.host));
    let error = version(&with("wrong", wrong), &request).await;
    assert!(error.ends_with("refuses the credentials"), "{error}");
    let right = docker(format!("{{\"auths\": {{\"{}\": {{\"auth\": \"YW5hOmh1bnRlcjI=\"}}}}}}", oci.host));
    assert_eq!(version(&with("docker", right), &request).await, "1.0.0");
    let given = Some((format!("oci://{}/web", oci.host), Credential::new("ana", "hunter2")));
    assert_eq!(version(&with("given", Credentials { given, ..Credentials::default() }), &request).await, "1.0.0");
    let argo = Credentials::default();
    let pairs = [
        ("url", oci.host.as_str()),
        ("type", "helm"),
        ("enableOCI", "true"),
        ("username", "ana"),
        ("password", "hunter2"),
    ];
    let data = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect();
    argo.argo.lock().unwrap().add("repository", &data);
    assert_eq!(version(&with("argo", argo), &request).await, "1.0.0");
}
