//! What counts as a request in flight, until the end of its answer.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::HeaderValue;
use axum::http::request::Parts;
use tokio::time::Instant;

use super::state::Connection;
use crate::http::ongoing::Ongoing;
use crate::metrics::EndedRequest;
use crate::trace::LateTrace;

/// Counts as a request in flight until it is dropped.
pub(crate) struct InFlight {
    connection: Arc<Connection>,
    request: Arc<Ongoing>,
    /// Whether the supervisor hears of it.
    counts: bool,
    /// That of its answer, once there is one.
    status: Option<u16>,
}

impl InFlight {
    /// Begins a request; the supervisor hears of one that counts.
    pub(crate) fn begin(
        connection: &Arc<Connection>,
        head: &Parts,
        id: Option<HeaderValue>,
        trace: LateTrace,
        counts: bool,
    ) -> Self {
        let request = Arc::new(Ongoing::new(head, id, Instant::now(), trace));
        connection.begun(&request, head.version, counts);
        Self {
            connection: Arc::clone(connection),
            request,
            counts,
            status: None,
        }
    }

    /// Takes note of the answer.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status.as_u16());
    }

    pub(crate) fn request(&self) -> &Arc<Ongoing> {
        &self.request
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let (connection, request) = (&self.connection, &self.request);
        let now = Instant::now();
        if self.counts {
            connection.server.ended(&EndedRequest {
                method: request.method.as_str(),
                route: request.route().map(|route| route.as_str()),
                status: self.status,
                took: now.saturating_duration_since(request.begun),
            });
        }
        connection.ended(request, now);
    }
}
