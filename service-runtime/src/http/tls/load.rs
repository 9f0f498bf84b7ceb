//! From files to what rustls serves with.

use std::error::Error;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, version};

use super::names::ByName;
use super::validity;
use crate::http::TlsConfig;
use crate::http::config::{Wrong, tls_version};

/// Loads every file of the table; nothing if it names no certificate.
pub(super) fn load(config: &TlsConfig) -> Result<Option<Arc<ServerConfig>>, Wrong> {
    tls_version(&config.min_version).map_err(|text| Wrong::new("tls.min_version", text))?;
    let (cert, key) = match (&config.cert, &config.key) {
        (Some(cert), Some(key)) => (cert, key),
        (Some(_), None) => return Err(Wrong::new("tls.cert", "given without `tls.key`")),
        (None, Some(_)) => return Err(Wrong::new("tls.key", "given without `tls.cert`")),
        (None, None) if config.more.is_empty() => return Ok(None),
        (None, None) => return Err(Wrong::new("tls.more", "given without `tls.cert`")),
    };
    let provider = Arc::new(ring::default_provider());
    let first = pair("tls.cert", cert, "tls.key", key, &provider)?;
    let mut pairs = ByName::new(first);
    for more in &config.more {
        pairs.push(pair(
            "tls.more", &more.cert, "tls.more", &more.key, &provider,
        )?);
    }
    let versions: &[_] = match config.min_version.as_str() {
        "1.3" => &[&version::TLS13],
        _ => &[&version::TLS13, &version::TLS12],
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| Wrong::new("tls.min_version", error.to_string()))?;
    let builder = match &config.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(clients(path, provider)?),
    };
    let mut server = builder.with_cert_resolver(Arc::new(pairs));
    // A session of a client with a certificate is bound to who was trusted when it began, so it is resumed
    // only within the configuration that has seen the certificate.
    if config.client_ca.is_none()
        && let Some(tickets) = super::tickets()
    {
        server.ticketer = tickets;
    }
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(server)))
}

fn pair(
    cert_key: &'static str,
    cert: &Path,
    key_key: &'static str,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Wrong> {
    let chain = certificates(cert_key, cert)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        let reason = if is_encrypted(key) {
            "it is encrypted, and nobody is there to give the passphrase; write it anew by `openssl pkey`".to_owned()
        } else {
            in_words(&error)
        };
        let text = format!("cannot read the key {}: {reason}", key.display());
        Wrong::new(key_key, text)
    })?;
    warn_of_readers(key);
    if let Some(reason) = validity::reason(&chain, provider) {
        // Clients decide; a program that does not start would serve those that do not mind even less.
        tracing::warn!(
            "the certificate {} {reason}: clients refuse it",
            cert.display()
        );
    }
    if let Err(error) = provider.key_provider.load_private_key(private.clone_key()) {
        let key = key.display();
        let text = format!(
            "the key {key} is none that is supported (RSA, ECDSA P-256 or P-384, Ed25519): {error}"
        );
        return Err(Wrong::new(key_key, text));
    }
    CertifiedKey::from_der(chain, private, provider).map_err(|error| {
        let (cert, key) = (cert.display(), key.display());
        let reason = match error {
            rustls::Error::InconsistentKeys(_) => {
                "the key is not that of the certificate".to_owned()
            }
            error if error.to_string().contains("UnsupportedCertVersion") => {
                "the certificate is of version 1 of X.509, and only version 3 is supported"
                    .to_owned()
            }
            error => error.to_string(),
        };
        let text = format!("cannot use the certificate {cert} with the key {key}: {reason}");
        Wrong::new(key_key, text)
    })
}

fn clients(
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Wrong> {
    let wrong = |error: &dyn Error| {
        let text = format!("cannot use {}: {error}", path.display());
        Wrong::new("tls.client_ca", text)
    };
    let mut roots = RootCertStore::empty();
    for root in certificates("tls.client_ca", path)? {
        roots.add(root).map_err(|error| wrong(&error))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| wrong(&error)).map(|it| it as _)
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => {
            let text = format!("{} holds no certificate", path.display());
            Err(Wrong::new(key, text))
        }
        Err(error) => {
            let path = path.display();
            let text = format!("cannot read the certificates {path}: {}", in_words(&error));
            Err(Wrong::new(key, text))
        }
    }
}

/// Says what is wrong with a file of sections; its own text quotes bytes as numbers.
///
/// Of what stands between the sections nothing is quoted: it may be the key.
fn in_words(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            let marker = String::from_utf8_lossy(end_marker);
            let kind = marker.trim_matches(|c: char| c == '-' || c.is_whitespace());
            let kind = kind.strip_prefix("END ").unwrap_or(kind).escape_debug();
            format!("it is cut off: there is no line `-----END {kind}-----`")
        }
        pem::Error::IllegalSectionStart { line } => {
            let line = String::from_utf8_lossy(line);
            // What comes after the name may be the key itself.
            let name = line.trim_start_matches('-').split('-').next();
            let name: String = name.unwrap_or_default().chars().take(24).collect();
            format!(
                "a line begins with `-----{}` and is not of the form `-----BEGIN NAME-----`",
                name.escape_debug()
            )
        }
        pem::Error::Base64Decode(_) => {
            "what stands between its lines BEGIN and END is not base64".to_owned()
        }
        pem::Error::NoItemsFound => "there is no such section in it".to_owned(),
        pem::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// Tells whether the file of a key holds one that only a passphrase opens.
fn is_encrypted(key: &Path) -> bool {
    let text = std::fs::read_to_string(key).unwrap_or_default();
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("Proc-Type: 4,ENCRYPTED")
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
