//! The socket of a connection, under watch: when bytes come, when the client takes none, and an end
//! that does not cut off what was sent before.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::http::server::Open;

/// How long what a client still sends is thrown away, so that it gets to read its answer.
const DISCARD: Duration = Duration::from_secs(2);

/// A socket that tells its connection what happens.
pub(super) struct Socket<S> {
    stream: S,
    connection: Open,
    closing: Closing,
}

/// How far the end of the connection has come.
enum Closing {
    No,
    /// Our side is shut; what still comes is thrown away for a while.
    Discarding(Pin<Box<Sleep>>),
    Done,
}

impl<S> Socket<S> {
    pub(super) fn new(stream: S, connection: Open) -> Self {
        Self {
            stream,
            connection,
            closing: Closing::No,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.connection.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.connection.sent(poll.is_pending());
        poll
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.connection.sent(poll.is_pending());
        poll
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        if poll.is_pending() {
            self.connection.sent(true);
        }
        poll
    }

    /// Shuts our side, and throws away what the client still sends: a socket that is closed with
    /// something unread is reset, and the reset can overtake the answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.closing, Closing::No) {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.closing = Closing::Discarding(Box::pin(sleep(DISCARD)));
        }
        let this = &mut *self;
        let Closing::Discarding(time) = &mut this.closing else {
            return Poll::Ready(Ok(()));
        };
        let unread = this.connection.is_unread();
        let mut waste = [0; 4096];
        loop {
            let mut waste = ReadBuf::new(&mut waste);
            match Pin::new(&mut this.stream).poll_read(cx, &mut waste) {
                Poll::Ready(Ok(())) if !waste.filled().is_empty() => {
                    // More than one piece means that the client does not stop by itself yet.
                    this.connection.leave_unread();
                    if time.as_mut().poll(cx).is_ready() {
                        break;
                    }
                }
                Poll::Ready(_) => break,
                Poll::Pending if unread || this.connection.is_unread() => {
                    ready!(time.as_mut().poll(cx));
                    break;
                }
                Poll::Pending => break,
            }
        }
        this.closing = Closing::Done;
        Poll::Ready(Ok(()))
    }
}
