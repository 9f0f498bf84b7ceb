//! Drives a connection to its end: hyper's part of it, the clocks, and a stop.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::StatusCode;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep_until};

use super::streams::StreamTasks;
use crate::http::Handler;
use crate::http::connection::{Connection, Overdue, Socket};
use crate::http::exchange::{ExchangeParts, Exchanger, NO_ANSWER, limit_of};
use crate::http::shared::Shared;

/// How long a connection that was asked to end may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A timer that is set again only when it has to be.
struct Alarm {
    /// Nothing until something has to be waited for.
    sleep: Option<Pin<Box<Sleep>>>,
    armed: u64,
}

/// Serves a connection until it ends.
pub(super) async fn drive<S, H>(
    socket: Socket<S>,
    handler: H,
    builder: Arc<Builder<StreamTasks>>,
    parts: Arc<ExchangeParts>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let connection = Arc::clone(socket.connection());
    let log = Arc::clone(&parts);
    let server = Arc::clone(&connection.server);
    // An upgraded socket outlives this future.
    let socket = TokioIo::new(socket);
    let exchanger = Exchanger::new(Arc::clone(&connection), parts, handler);
    let mut serving = pin!(builder.serve_connection_with_upgrades(socket, exchanger));
    let mut draining = pin!(server.drain().cancelled());
    let mut drains = false;
    let mut asked_to_end = None;
    // The rest of a head has not come in time.
    let mut late = false;
    let mut alarm = Alarm {
        sleep: None,
        armed: u64::MAX,
    };
    let end = poll_fn(|cx| {
        loop {
            if let Poll::Ready(result) = serving.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            for status in connection.take_refused() {
                log.unreadable(&connection.peer, status);
            }
            if !drains && draining.as_mut().poll(cx).is_ready() {
                drains = true;
            }
            // HTTP/2 announces the end by itself and finishes what was sent before the client knew.
            let announces = drains || connection.is_announced();
            if announces && asked_to_end.is_none() && connection.is_http2() {
                asked_to_end = Some(u64::MAX);
                serving.as_mut().graceful_shutdown();
                continue;
            }
            let Some((at, why)) = connection.due() else {
                return Poll::Pending;
            };
            let at = match asked_to_end {
                Some(end) if end != u64::MAX && why != Overdue::NotTaken => end,
                _ => at,
            };
            if at > server.now() {
                if alarm.rings_before(at, &server, cx) {
                    continue;
                }
                return Poll::Pending;
            }
            let last = asked_to_end.is_some_and(|end| end != u64::MAX);
            if last || why == Overdue::NotTaken {
                tracing::debug!(peer = %connection.peer, ?why, "connection cut");
                return Poll::Ready(Ok(()));
            }
            if why == Overdue::Head && connection.has_part_of_head() {
                late = true;
            }
            let words = u64::try_from(LAST_WORDS.as_millis()).unwrap_or(0);
            asked_to_end = Some(server.now() + words);
            serving.as_mut().graceful_shutdown();
        }
    })
    .await;
    let error = end.as_ref().err().map(|error| error.as_ref());
    for status in refused_at_the_end(&connection, error, late) {
        log.unreadable(&connection.peer, status);
        let limit = if late {
            Some("head_timeout")
        } else {
            limit_of(status)
        };
        if let Some(limit) = limit {
            server.metrics.refused(limit);
        }
    }
    if let Some(error) = error {
        tracing::debug!(peer = %connection.peer, "connection ended: {error}");
    }
}

/// Returns the status of each request that has come and was not begun by the end of its connection.
fn refused_at_the_end(
    connection: &Connection,
    error: Option<&(dyn std::error::Error + Send + Sync + 'static)>,
    late: bool,
) -> Vec<StatusCode> {
    let error = error.and_then(|error| error.downcast_ref::<hyper::Error>());
    if let Some(status) = error.and_then(refused_by_parser) {
        return vec![status];
    }
    if late {
        return vec![StatusCode::REQUEST_TIMEOUT];
    }
    if connection.has_part_of_head() && error.is_some_and(hyper::Error::is_incomplete_message) {
        return vec![NO_ANSWER];
    }
    let otherwise = match error {
        Some(_) => StatusCode::BAD_REQUEST,
        None => NO_ANSWER,
    };
    connection.take_rest_refused(otherwise)
}

/// Returns the status that hyper has answered a head with that is no head, if it was one of HTTP/1.
fn refused_by_parser(error: &hyper::Error) -> Option<StatusCode> {
    if error.is_parse_too_large() {
        // The one is told from the other by its text alone.
        return Some(match error.to_string().as_str() {
            "URI too long" => StatusCode::URI_TOO_LONG,
            _ => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        });
    }
    error.is_parse().then_some(StatusCode::BAD_REQUEST)
}

impl Alarm {
    /// Sees to it that the task wakes at `at`, or before; tells whether it has to look again now.
    fn rings_before(&mut self, at: u64, server: &Shared, cx: &mut Context<'_>) -> bool {
        let until = server.at(at);
        let sleep = self.sleep.get_or_insert_with(|| {
            self.armed = at;
            Box::pin(sleep_until(until))
        });
        if at < self.armed {
            sleep.as_mut().reset(until);
            self.armed = at;
        }
        if sleep.as_mut().poll(cx).is_ready() {
            // What it was set for has been put off meanwhile.
            self.armed = u64::MAX;
            return true;
        }
        false
    }
}
