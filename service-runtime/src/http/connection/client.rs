//! Who asks, for handlers.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::state::Connection;
use crate::http::ongoing::Ongoing;
use crate::listen::Peer;

/// The client's side of a request's connection, among the request's extensions.
#[derive(Clone)]
pub struct Client {
    connection: Arc<Connection>,
    request: Arc<Ongoing>,
    forwarded: Option<IpAddr>,
}

impl Client {
    pub(crate) fn new(
        connection: Arc<Connection>,
        request: Arc<Ongoing>,
        forwarded: Option<IpAddr>,
    ) -> Self {
        Self {
            connection,
            request,
            forwarded,
        }
    }

    /// Returns the request that it has come with.
    pub(crate) fn request(&self) -> &Ongoing {
        &self.request
    }

    /// Returns the client's address: that of the connection, or what a proxy of `trusted_proxies`
    /// says; `None` for a unix socket without such a proxy.
    pub fn address(&self) -> Option<IpAddr> {
        self.forwarded.or(match self.peer() {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix { .. } => None,
        })
    }

    /// Returns who is at the other end of the connection.
    pub fn peer(&self) -> &Peer {
        &self.connection.peer
    }

    /// Returns a token that is cancelled when the server begins to drain.
    ///
    /// An upgraded connection, such as a WebSocket, has until the graceful timeout to end then.
    pub fn draining(&self) -> CancellationToken {
        self.connection.server.drain().child_token()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(self.peer()).finish()
    }
}
