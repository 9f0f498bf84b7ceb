//! The socket of a connection, under watch: when bytes come, when the client takes none, and an end
//! that does not cut off what was sent before.

use std::future::Future;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::frames::{FrameReader, Frames};
use super::list::Open;
use super::state::Connection;

/// How long what a client still sends is thrown away, so that it gets to read its answer.
const DISCARD: Duration = Duration::from_secs(2);

/// How much is read at first: most requests as a whole.
const AHEAD: usize = 2048;

/// A socket that tells its connection what happens.
pub(crate) struct Socket<S> {
    stream: S,
    connection: Open,
    /// What was read and not asked for yet.
    ahead: Bytes,
    /// Whether nothing has been read so far.
    fresh: bool,
    frames: Frames,
    agreed: Agreed,
    /// What the server sends, where it is looked at.
    answers: FrameReader,
    closing: Closing,
}

/// What a client has agreed to speak, by ALPN.
///
/// hyper looks at the first bytes alone, also where it is told which version is the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// Nothing was asked: it may speak either.
    Nothing,
    #[cfg(feature = "tls")]
    Http1,
    #[cfg(feature = "tls")]
    Http2,
}

/// How far the end of the connection has come.
enum Closing {
    No,
    /// Our side is shut; what still comes is thrown away for a while, whose clock starts with it.
    Discarding(Option<Pin<Box<Sleep>>>),
    Done,
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S, connection: Open, agreed: Agreed) -> Self {
        Self {
            stream,
            connection,
            agreed,
            ahead: Bytes::new(),
            fresh: true,
            frames: Frames::default(),
            answers: FrameReader::default(),
            closing: Closing::No,
        }
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Takes note of bytes that the client has sent; fails if they are of a version that it has not agreed
    /// to speak.
    fn received(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let progress = self.frames.received(bytes);
        let broken = match self.agreed {
            Agreed::Nothing => false,
            #[cfg(feature = "tls")]
            Agreed::Http1 => self.frames.is_http2(),
            #[cfg(feature = "tls")]
            Agreed::Http2 => self.frames.is_http1(),
        };
        if broken {
            let text = "the client does not speak the version of HTTP that it has agreed to";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        if self.fresh && self.frames.is_http1() {
            self.connection.speaks_http1();
        }
        if let Some(refusals) = &self.connection.refusals {
            let heads = self.frames.take_heads();
            if heads > 0 {
                refusals.heads(heads);
            }
        }
        self.connection.received(progress);
        Ok(())
    }

    /// Takes note of bytes that have left: the first so many of these.
    fn sent<'a>(&mut self, length: usize, slices: impl Iterator<Item = &'a [u8]>) {
        let Some(refusals) = &self.connection.refusals else {
            return;
        };
        if !self.frames.is_http2() {
            return;
        }
        let mut left = length;
        for slice in slices {
            let length = slice.len().min(left);
            self.answers
                .read(&slice[..length], |frame| refusals.sent(frame));
            left -= length;
            if left == 0 {
                break;
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Socket<S> {
    /// Reads more than is asked for, and keeps the rest: the first bytes tell which version a client
    /// speaks, and whoever looks at them takes no more than that needs.
    fn poll_ahead(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut more = [MaybeUninit::uninit(); AHEAD];
        let mut more = ReadBuf::uninit(&mut more);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut more))?;
        self.received(more.filled())?;
        let (asked, rest) = more
            .filled()
            .split_at(more.filled().len().min(buffer.remaining()));
        buffer.put_slice(asked);
        self.ahead = Bytes::copy_from_slice(rest);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.ahead.is_empty() {
            let length = this.ahead.len().min(buffer.remaining());
            buffer.put_slice(&this.ahead.split_to(length));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        if this.fresh && buffer.remaining() < AHEAD {
            ready!(this.poll_ahead(cx, buffer))?;
        } else {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
            this.received(&buffer.filled()[before..])?;
        }
        this.fresh = false;
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
        if let Poll::Ready(Ok(length)) = poll {
            self.sent(length, std::iter::once(bytes));
        }
        poll
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.connection.sent(poll.is_pending());
        if let Poll::Ready(Ok(length)) = poll {
            self.sent(length, slices.iter().map(|slice| &**slice));
        }
        poll
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        // What was written has left only now where something between us and the socket keeps it, as TLS does.
        self.connection.sent(poll.is_pending());
        poll
    }

    /// Shuts our side, and throws away what the client still sends: a socket that is closed with
    /// something unread is reset, and the reset can overtake the answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.closing, Closing::No) {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.closing = Closing::Discarding(None);
        }
        let Closing::Discarding(clock) = &mut this.closing else {
            return Poll::Ready(Ok(()));
        };
        let unread = this.connection.is_unread() || !this.ahead.is_empty();
        let mut waste = [MaybeUninit::uninit(); 4096];
        loop {
            let mut waste = ReadBuf::uninit(&mut waste);
            match Pin::new(&mut this.stream).poll_read(cx, &mut waste) {
                Poll::Ready(Ok(())) if !waste.filled().is_empty() => {
                    // More than one piece means that the client does not stop by itself yet.
                    this.connection.leave_unread();
                    if rings(clock, cx).is_ready() {
                        break;
                    }
                }
                Poll::Ready(_) => break,
                Poll::Pending if unread || this.connection.is_unread() => {
                    ready!(rings(clock, cx));
                    break;
                }
                Poll::Pending => break,
            }
        }
        this.closing = Closing::Done;
        Poll::Ready(Ok(()))
    }
}

/// Waits for the end of [`DISCARD`], from the first call on.
fn rings(clock: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<()> {
    let clock = clock.get_or_insert_with(|| Box::pin(sleep(DISCARD)));
    clock.as_mut().poll(cx)
}
