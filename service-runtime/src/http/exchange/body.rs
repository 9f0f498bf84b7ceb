//! The body of a request, within its limits.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::http::StatusCode;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::http::BoxError;
use crate::http::config::limit;
use crate::http::connection::{Connection, InFlight};
use crate::http::ongoing::Ongoing;

/// The body of a request; reading it past `body_max`, or from a client that pauses for longer than
/// `body_timeout`, is an error.
pub struct RequestBody {
    body: Incoming,
    connection: Arc<Connection>,
    request: Arc<Ongoing>,
    /// How many bytes may still come, if there is a limit.
    left: Option<u64>,
    pause: Option<Pin<Box<Sleep>>>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// More may come.
    Open,
    /// The end was seen.
    Read,
    /// A limit was broken.
    Broken,
}

/// The client has paused for longer than `body_timeout`.
#[derive(Debug, thiserror::Error)]
#[error("the client does not send the rest of the body")]
pub(crate) struct StillSending;

impl RequestBody {
    pub(super) fn new(body: Incoming, in_flight: &InFlight) -> Self {
        let connection = in_flight.connection();
        let state = if body.is_end_stream() {
            State::Read
        } else {
            State::Open
        };
        let max = connection.server.config.body_max.bytes();
        Self {
            body,
            connection: Arc::clone(connection),
            request: Arc::clone(in_flight.request()),
            left: (max > 0).then_some(max),
            pause: None,
            state,
        }
    }

    fn breaks(&mut self, status: StatusCode) {
        self.state = State::Broken;
        self.request.broke(status);
    }

    fn pauses(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(time) = limit(self.connection.server.config.body_timeout) else {
            return Poll::Pending;
        };
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(time)));
        pause.as_mut().poll(cx)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.state != State::Open {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Pending if this.pauses(cx).is_ready() => {
                this.breaks(StatusCode::REQUEST_TIMEOUT);
                return Poll::Ready(Some(Err(StillSending.into())));
            }
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => {
                this.state = State::Read;
                return Poll::Ready(None);
            }
            Poll::Ready(Some(frame)) => frame?,
        };
        if let (Some(pause), Some(time)) = (
            &mut this.pause,
            limit(this.connection.server.config.body_timeout),
        ) {
            pause.as_mut().reset(Instant::now() + time);
        }
        if let (Some(left), Some(data)) = (&mut this.left, frame.data_ref()) {
            match left.checked_sub(data.len() as u64) {
                Some(rest) => *left = rest,
                None => {
                    this.breaks(StatusCode::PAYLOAD_TOO_LARGE);
                    return Poll::Ready(Some(Err(Box::new(TooLong))));
                }
            }
        }
        if this.body.is_end_stream() {
            this.state = State::Read;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.state == State::Read
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body is longer than `body_max`.
#[derive(Debug, thiserror::Error)]
#[error("the body is longer than `body_max`")]
pub(crate) struct TooLong;

impl Drop for RequestBody {
    fn drop(&mut self) {
        if self.state != State::Read && !self.body.is_end_stream() {
            self.connection.leave_unread();
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
