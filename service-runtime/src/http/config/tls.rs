//! The keys of TLS.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::check;
use crate::config::Config;

/// Certificates for HTTP: the table `tls` in a service's own.
#[derive(Debug, Clone, PartialEq, Deserialize, Config)]
pub struct TlsConfig {
    /// The file of the certificate and those up to its root, in PEM. TLS is on if it is given.
    pub cert: Option<PathBuf>,
    /// The file of the certificate's private key, in PEM.
    pub key: Option<PathBuf>,
    /// Further pairs, as `[{ cert = "…", key = "…" }]`: a client that asks for a server name gets
    /// the pair whose certificate has that name, any other the one of `cert` and `key`.
    #[config(default = [])]
    pub more: Vec<TlsPair>,
    /// The file of certificates, in PEM, one of which has to have signed a client's own.
    pub client_ca: Option<PathBuf>,
    /// The oldest version that a client may speak: `1.2` or `1.3`.
    #[config(default = "1.2")]
    #[serde(deserialize_with = "check::tls_version")]
    pub min_version: String,
    /// How often the files are looked at: what has changed is loaded. `0` for on SIGHUP alone.
    #[config(default = "5s")]
    pub watch: Duration,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsPair {
    /// The file of the certificate and those up to its root, in PEM.
    pub cert: PathBuf,
    /// The file of the certificate's private key, in PEM.
    pub key: PathBuf,
}
