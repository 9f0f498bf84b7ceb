//! What carries requests: the sockets of this machine, or a broker.

use std::fmt;
use std::io;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use tokio::time::Instant;

use super::address::Target;
use super::server::Server;

/// A request that is ready to be sent.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) target: Target,
    /// The id of the request.
    #[cfg(feature = "nats")]
    pub(super) id: String,
    /// The request behind its length, as `frame` writes it.
    pub(super) frame: Vec<u8>,
    /// The largest answer in bytes.
    pub(super) limit: usize,
    /// Until when somebody waits for the answer.
    pub(super) deadline: Instant,
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Delivery {
    /// It was answered, by these bytes.
    Answered(Vec<u8>),
    /// Nobody was there to take it: it has not begun.
    Nobody,
    /// It was taken, and the server is gone: it may have begun.
    Lost,
    /// The time is over; whether it was taken is not known.
    TimedOut,
    /// The answer cannot be read.
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
}

/// Carries requests between the processes that meet.
///
/// What is promised, whatever carries them: a request that may have begun is not sent twice; a server that is
/// gone is told from one that takes long; a service that stops gives back what it has not begun, and answers
/// what it has.
pub(super) trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request to one server of its target, never twice to one that may have begun.
    ///
    /// # Errors
    ///
    /// Returns an error if it was not sent.
    fn deliver<'a>(&'a self, outbound: &'a Outbound) -> BoxFuture<'a, io::Result<Delivery>>;

    /// Sends a request to every worker of a topic, to all at once, and returns the answers that are waited for.
    ///
    /// # Errors
    ///
    /// Returns an error if it was sent to none.
    fn deliver_to_all<'a>(
        &'a self,
        outbound: &'a Outbound,
    ) -> BoxFuture<'a, io::Result<Vec<Delivery>>>;

    /// Serves a topic by tasks of the service, until that stops.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be served.
    fn serve(&self, server: Arc<Server>) -> BoxFuture<'_, anyhow::Result<Arc<dyn OwnAddress>>>;
}

/// The address of this worker alone, by which it finds out whether calls reach it.
pub(super) trait OwnAddress: Send + Sync {
    /// Sends a ping to this worker on the way that calls take, and waits for its answer.
    fn ping(&self) -> BoxFuture<'_, anyhow::Result<()>>;
}
