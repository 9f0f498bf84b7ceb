//! What the requests of one server have in common, beside what its connections know.

use std::sync::Arc;

use super::access::AccessLog;
use super::forwarded::Proxies;
use super::health::Readiness;
use crate::http::config::HttpConfig;

/// The access log, the proxies that are believed, and the last answer to `/readyz`.
pub(crate) struct ExchangeParts {
    pub(super) access: Arc<AccessLog>,
    pub(super) proxies: Proxies,
    pub(super) readiness: Arc<Readiness>,
}

impl ExchangeParts {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        Self {
            access: Arc::new(AccessLog::new(&config.access_log)),
            proxies: Proxies::new(&config.trusted_proxies),
            readiness: Arc::default(),
        }
    }
}
