//! The queue of a unix socket, for a process with a runtime; somebody may have closed it.
#![expect(
    unsafe_code,
    reason = "the runtime has to be promised that a descriptor stays what it is"
)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Gives out those who wait in the queue of a unix socket.
///
/// Tokio's own listener turns for ever in a queue that was closed, because that counts as ready.
#[derive(Debug)]
pub(crate) struct UnixQueue(AsyncFd<UnixListener>);

impl UnixQueue {
    /// Lets the runtime of this process wait for a listener that does not block.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with I/O enabled.
    pub(crate) fn new(listener: UnixListener) -> io::Result<Self> {
        // SAFETY: `as_raw_fd` returns the descriptor that `listener` owns, open for as long as it lives;
        // nothing in this file replaces it, and `self.0` is private and gives no `&mut` away.
        let watched = unsafe { AsyncFd::register_with_interest(listener, Interest::READABLE) };
        watched
            .map(Self)
            .map_err(|error| io::Error::other(error.to_string()))
    }

    /// Waits for the next one; without end when the queue is closed and empty.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nobody.
    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let mut ready = self.0.readable().await?;
            let is_closed = ready.ready().is_read_closed();
            match ready.try_io(|listener| listener.get_ref().accept()) {
                Ok(accepted) => return accepted.map(|(stream, _)| stream),
                Err(_) if is_closed => std::future::pending().await,
                Err(_) => {}
            }
        }
    }

    /// Returns the listener.
    pub(crate) fn into_inner(self) -> UnixListener {
        self.0.into_inner()
    }
}

impl AsFd for UnixQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
