//! Whether a certificate is valid now, as its clients will see it.

use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

/// Returns what is wrong with the time of a certificate.
///
/// The chain itself is taken for trusted: who trusts it is not known here, and of the errors of a
/// verification only those of time count.
pub(super) fn reason(
    chain: &[CertificateDer<'static>],
    provider: &CryptoProvider,
) -> Option<&'static str> {
    let (first, others) = chain.split_first()?;
    let mut roots = RootCertStore::empty();
    roots.add(others.last().unwrap_or(first).clone()).ok()?;
    let provider = Arc::new(provider.clone());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().ok()?;
    let name = ServerName::try_from("localhost").ok()?;
    let verified = verifier.verify_server_cert(first, others, &name, &[], UnixTime::now());
    match verified.err()? {
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => Some("has expired"),
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => Some("is not valid yet"),
        _ => None,
    }
}
