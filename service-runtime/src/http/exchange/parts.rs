//! What the requests of one server have in common, beside what its connections know.

use std::sync::Arc;

use axum::http::StatusCode;

use super::access::AccessLog;
use super::forwarded::Proxies;
use super::health::Readiness;
use crate::http::config::HttpConfig;
use crate::listen::Peer;

/// The access log, the proxies that are believed, and the last answer to `/readyz`.
pub(crate) struct ExchangeParts {
    pub(super) access: Arc<AccessLog>,
    pub(super) proxies: Proxies,
    pub(super) readiness: Arc<Readiness>,
}

impl ExchangeParts {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        Self {
            access: Arc::new(AccessLog::new(config)),
            proxies: Proxies::new(&config.trusted_proxies, config.forwarded),
            readiness: Arc::default(),
        }
    }

    /// Logs a request that could not be read.
    pub(crate) fn unreadable(&self, peer: &Peer, status: StatusCode) {
        let client = match peer {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix { .. } => None,
        };
        self.access.unreadable(client, status);
    }
}
