//! Serves simulated clusters on loopback, with TLS and HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::cluster::Cluster;
use super::fault::Fault;
use super::kubeconfig;

/// Serving failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No loopback port could be opened.
    #[error("cannot listen on 127.0.0.1 for cluster {cluster}")]
    Listen {
        /// Which cluster.
        cluster: String,
        /// Why.
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate for the simulated clusters: {0}")]
    Certificate(String),
}

/// Served clusters; they stop being served when this is dropped.
#[derive(Debug)]
pub struct Served {
    /// Text of a kubeconfig with one context per cluster, the first one current.
    pub kubeconfig: String,
    /// Where each cluster listens, in the order given.
    pub addresses: Vec<SocketAddr>,
    tasks: JoinSet<()>,
}

impl Served {
    /// Returns the URL of a cluster by its place.
    pub fn server(&self, place: usize) -> Option<String> {
        self.addresses.get(place).map(|address| format!("https://{address}"))
    }

    /// Says how many clusters are served.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Says whether none is served.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

/// Serves each cluster on a loopback port of its own.
///
/// # Errors
/// If a port or the certificate cannot be had.
pub async fn serve(clusters: &[Cluster]) -> Result<Served, Error> {
    let identity = Identity::new().map_err(Error::Certificate)?;
    let mut tasks = JoinSet::new();
    let mut addresses = Vec::new();
    for cluster in clusters {
        let listen = |source| Error::Listen { cluster: cluster.name().to_owned(), source };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(listen)?;
        addresses.push(listener.local_addr().map_err(listen)?);
        tasks.spawn(accept(listener, cluster.clone(), identity.acceptor.clone()));
    }
    let servers: Vec<String> = addresses.iter().map(|address| format!("https://{address}")).collect();
    let entries: Vec<kubeconfig::Entry<'_>> = clusters
        .iter()
        .zip(&servers)
        .map(|(cluster, server)| kubeconfig::Entry { name: cluster.name(), server })
        .collect();
    let kubeconfig = kubeconfig::write(&entries, &identity.authority, "simulated");
    Ok(Served { kubeconfig, addresses, tasks })
}

struct Identity {
    authority: String,
    acceptor: TlsAcceptor,
}

impl Identity {
    fn new() -> Result<Self, String> {
        let text = |err: rcgen::Error| err.to_string();
        let authority_key = rcgen::KeyPair::generate().map_err(text)?;
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).map_err(text)?;
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "quarterdeck simulated authority");
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::DigitalSignature];
        let authority = params.self_signed(&authority_key).map_err(text)?;
        let issuer = rcgen::Issuer::new(params, authority_key);
        let key = rcgen::KeyPair::generate().map_err(text)?;
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut leaf = rcgen::CertificateParams::new(names).map_err(text)?;
        leaf.distinguished_name.push(rcgen::DnType::CommonName, "quarterdeck simulated cluster");
        leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = leaf.signed_by(&key, &issuer).map_err(text)?;
        let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(str::to_owned)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|err| err.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|err| err.to_string())?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { authority: authority.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

async fn accept(listener: TcpListener, cluster: Cluster, acceptor: TlsAcceptor) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(converse(stream, cluster.clone(), acceptor.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, cluster: Cluster, acceptor: TlsAcceptor) {
    // A dead cluster takes no connection and breaks the open ones.
    let mut signal = cluster.inner.signal.subscribe();
    if cluster.fault() == Fault::Dead {
        return;
    }
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = TowerToHyperService::new(cluster.service());
    let server = auto::Builder::new(TokioExecutor::new());
    let connection = server.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    loop {
        tokio::select! {
            // A client that hangs up is no error of the server.
            _ = &mut connection => return,
            changed = signal.changed() => {
                if changed.is_err() || cluster.fault() == Fault::Dead {
                    return;
                }
            }
        }
    }
}
