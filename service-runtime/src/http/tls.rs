//! TLS by rustls: a pair of certificate and key that can change while the program runs.
//!
//! A new pair is built whole before it takes the place of the old one; connections keep the pair that
//! they began with.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, bail};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring, version};
use tokio_rustls::{Accept, TlsAcceptor};

use super::{HttpConfig, TlsConfig};
use crate::service::Context;

/// TLS with the pair of the moment.
#[derive(Clone)]
pub(crate) struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

impl Tls {
    /// Loads the pair, if there is one, and again at every mutation, by a task of the service.
    ///
    /// # Errors
    ///
    /// Returns an error, with the file, if the pair cannot be used.
    pub(crate) fn start(cx: &Context, config: &TlsConfig) -> anyhow::Result<Option<Self>> {
        let Some(loaded) = load(config)? else {
            return Ok(None);
        };
        let tls = Self(Arc::new(RwLock::new(loaded)));
        let (own, cx) = (tls.clone(), cx.clone());
        let mut snapshots = cx.host().snapshots();
        let group = cx.tasks().clone();
        group.try_spawn("tls", async move {
            loop {
                tokio::select! {
                    changed = snapshots.changed() => if changed.is_err() { return },
                    () = cx.stopping() => return,
                }
                let config = snapshots
                    .borrow_and_update()
                    .section::<HttpConfig>(cx.name());
                let loaded = config
                    .map_err(anyhow::Error::from)
                    .and_then(|config| load(&config.tls));
                match loaded {
                    Ok(Some(new)) => {
                        *own.0.write().unwrap_or_else(PoisonError::into_inner) = new;
                        tracing::info!(service = cx.name(), "TLS certificate loaded");
                    }
                    Ok(None) => {}
                    Err(error) => tracing::error!(
                        service = cx.name(),
                        "the old TLS certificate stays: {error:#}"
                    ),
                }
            }
        })?;
        Ok(Some(tls))
    }

    /// Begins a handshake with the pair of the moment.
    pub(crate) fn accept(&self, stream: TcpStream) -> Accept<TcpStream> {
        let config = self.0.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config)).accept(stream)
    }
}

fn load(config: &TlsConfig) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    let Some(cert) = &config.cert else {
        return Ok(None);
    };
    let Some(key) = &config.key else {
        bail!("tls.cert is given, and tls.key is not");
    };
    let chain = certificates(cert)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the key {}", key.display()))?;
    warn_of_readers(key);
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = match config.min_version.as_str() {
        "1.2" => &[&version::TLS13, &version::TLS12],
        "1.3" => &[&version::TLS13],
        other => bail!("tls.min_version is `1.2` or `1.3`, and not `{other}`"),
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)?;
    let builder = match &config.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots
                    .add(root)
                    .with_context(|| format!("cannot use {}", path.display()))?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut server = builder.with_single_cert(chain, private).with_context(|| {
        let (cert, key) = (cert.display(), key.display());
        format!("cannot use the certificate {cert} with the key {key}")
    })?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(server)))
}

fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let wrong = || format!("cannot read the certificates {}", path.display());
    let read = CertificateDer::pem_file_iter(path).with_context(wrong)?;
    let all: Vec<_> = read.collect::<Result<_, _>>().with_context(wrong)?;
    if all.is_empty() {
        bail!("{} holds no certificate", path.display());
    }
    Ok(all)
}

fn warn_of_readers(key: &Path) {
    let mode = std::fs::metadata(key).map(|found| found.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o004 != 0) {
        tracing::warn!(
            "everybody may read the key {}: `chmod o-r` it",
            key.display()
        );
    }
}
