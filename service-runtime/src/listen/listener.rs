//! The listener of an async runtime, over a descriptor that the holder bound.
//!
//! Several processes accept from one descriptor. Its mode is theirs together: it never blocks, and
//! nobody may change that.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tokio::net::{TcpListener, UnixListener};

use super::pressure::Pressure;
use super::{Address, Peer, Stream, socket};

/// Accepts connections.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    pressure: Pressure,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Accepts from a listening stream socket, made not to block.
    ///
    /// # Errors
    ///
    /// Returns an error if the descriptor is no listening stream socket of TCP or unix kind, or if
    /// the runtime cannot take it.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with I/O enabled.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Self> {
        if !socket::listens(fd.as_fd()) {
            let reason = "the descriptor is no listening stream socket";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        socket::prepare(fd.as_fd())?;
        let socket = match socket::local_address(&fd)? {
            Address::Tcp(_) => Socket::Tcp(TcpListener::from_std(fd.into())?),
            _ => Socket::Unix(UnixListener::from_std(fd.into())?),
        };
        Ok(Self {
            socket,
            pressure: Pressure::default(),
        })
    }

    /// Waits for the next connection.
    ///
    /// A client that went away again is passed over. While the process or the machine is out of
    /// descriptors or memory this waits, a tenth of a second first and then up to one second, and
    /// says so in the log once.
    ///
    /// # Errors
    ///
    /// Returns the errors that no later call would get rid of.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, from) = self.pressure.retry(|| listener.accept()).await?;
                Ok((Stream::Tcp(stream), Peer::Tcp(from)))
            }
            Socket::Unix(listener) => {
                let (stream, _) = self.pressure.retry(|| listener.accept()).await?;
                let pid = stream.peer_cred().ok().and_then(|cred| cred.pid());
                Ok((Stream::Unix(stream), Peer::Unix { pid }))
            }
        }
    }

    /// Returns the address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// Returns what the operating system says.
    pub fn local_addr(&self) -> io::Result<Address> {
        socket::local_address(&self.as_fd())
    }

    /// Returns tokio's listener if this is a TCP one.
    ///
    /// # Errors
    ///
    /// Returns the listener itself if it is of another kind.
    pub fn into_tcp(self) -> Result<TcpListener, Self> {
        match self.socket {
            Socket::Tcp(listener) => Ok(listener),
            socket => Err(Self { socket, ..self }),
        }
    }

    /// Returns tokio's listener if this is a unix one.
    ///
    /// # Errors
    ///
    /// Returns the listener itself if it is of another kind.
    pub fn into_unix(self) -> Result<UnixListener, Self> {
        match self.socket {
            Socket::Unix(listener) => Ok(listener),
            socket => Err(Self { socket, ..self }),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(listener) => listener.as_fd(),
            Socket::Unix(listener) => listener.as_fd(),
        }
    }
}
