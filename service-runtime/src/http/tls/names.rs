//! Which pair a client gets, by the server name that it asks for.

use std::sync::Arc;

use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// Pairs; the first is for who asks for no name, or for one that no certificate has.
#[derive(Debug)]
pub(super) struct ByName {
    first: Arc<CertifiedKey>,
    more: Vec<Arc<CertifiedKey>>,
}

impl ByName {
    pub(super) fn new(first: CertifiedKey) -> Self {
        let first = Arc::new(first);
        let more = Vec::new();
        Self { first, more }
    }

    pub(super) fn push(&mut self, pair: CertifiedKey) {
        self.more.push(Arc::new(pair));
    }

    fn of(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        if self.more.is_empty() {
            return None;
        }
        let name = ServerName::try_from(name).ok()?;
        let all = std::iter::once(&self.first).chain(&self.more);
        all.into_iter().find(|pair| {
            let cert = pair.end_entity_cert().ok();
            let cert = cert.and_then(|cert| ParsedCertificate::try_from(cert).ok());
            cert.is_some_and(|cert| verify_server_name(&cert, &name).is_ok())
        })
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.of(name));
        Some(Arc::clone(named.unwrap_or(&self.first)))
    }
}
