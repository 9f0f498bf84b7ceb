//! A request in flight: what it is, once for all who work on it, count it or log it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use axum::extract::MatchedPath;
use axum::http::header::HeaderValue;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use tokio::time::Instant;

#[cfg(feature = "log")]
use crate::log::SpanSlot;
use crate::trace::{HasTrace, LateTrace, TraceContext};

/// A request from its head to the end of its answer.
pub(crate) struct Ongoing {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) id: Option<HeaderValue>,
    pub(crate) begun: Instant,
    trace: LateTrace,
    #[cfg(feature = "log")]
    pub(crate) span: SpanSlot,
    /// The status that its broken body stands for; 0 is none.
    broken: AtomicU16,
    /// The route that has been found for it.
    route: OnceLock<MatchedPath>,
}

impl Ongoing {
    pub(crate) fn new(
        head: &Parts,
        id: Option<HeaderValue>,
        begun: Instant,
        trace: LateTrace,
    ) -> Self {
        Self {
            method: head.method.clone(),
            uri: head.uri.clone(),
            id,
            begun,
            trace,
            #[cfg(feature = "log")]
            span: SpanSlot::default(),
            broken: AtomicU16::new(0),
            route: OnceLock::new(),
        }
    }

    /// Takes note that its body has broken a limit.
    pub(crate) fn broke(&self, status: StatusCode) {
        self.broken.store(status.as_u16(), Relaxed);
    }

    /// Returns the status that its broken body stands for.
    pub(crate) fn broken(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.broken.load(Relaxed)).ok()
    }

    /// Takes note of its route; of a router within another one the first that is found is the whole one.
    pub(crate) fn found(&self, route: MatchedPath) {
        let _ = self.route.set(route);
    }

    /// Returns the template of its route, such as `/users/{id}`; none if no route matches.
    pub(crate) fn route(&self) -> Option<&MatchedPath> {
        self.route.get()
    }
}

impl HasTrace for Ongoing {
    fn trace(&self) -> &TraceContext {
        self.trace.trace()
    }
}
