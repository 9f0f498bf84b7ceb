//! The listener of an async runtime, over a descriptor that the holder bound.
//!
//! Several processes accept from one descriptor. Its mode is theirs together: it never blocks, and
//! nobody may change that.

use std::io;
#[cfg(all(feature = "http", workers))]
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
#[cfg(all(feature = "http", workers))]
use std::time::Duration;

#[cfg(all(feature = "http", workers))]
use socket2::SockFilter;
#[cfg(feature = "http")]
use socket2::SockRef;
#[cfg(feature = "http")]
use tokio::net::TcpStream;
use tokio::net::{TcpListener, UnixListener, UnixStream};
#[cfg(all(feature = "http", workers))]
use tokio::time::Instant;

use super::accept_errors::Pressure;
#[cfg(all(feature = "http", workers))]
use super::pending_handshakes;
use super::{Address, Peer, Stream, socket};
use crate::os::unix_queue::UnixQueue;

/// Accepts connections.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    pressure: Pressure,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixQueue),
}

/// How long a second look for half-open connections waits.
#[cfg(all(feature = "http", workers))]
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Drops the first segment of each connection: it has SYN and no ACK, in byte 13 of its header.
#[cfg(all(feature = "http", workers))]
const DROP_FIRST_SEGMENTS: [SockFilter; 5] = [
    // Load the byte, keep the two bits, and go on behind the next instruction unless SYN is alone.
    SockFilter::new(0x30, 0, 0, 13),
    SockFilter::new(0x54, 0, 0, 0x12),
    SockFilter::new(0x15, 0, 1, 0x02),
    SockFilter::new(0x06, 0, 0, 0),
    SockFilter::new(0x06, 0, 0, u32::MAX),
];

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
            _ => Socket::Unix(UnixQueue::new(fd.into())?),
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
    /// says so in the log once. When the program ends and a process of it has let the last client of a
    /// unix socket in, this waits without end.
    ///
    /// # Errors
    ///
    /// Returns the errors that no later call would get rid of.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        let mut attempts = self.pressure.attempts();
        loop {
            match self.accept_once().await {
                Ok(accepted) => {
                    attempts.accepted();
                    return Ok(accepted);
                }
                Err(error) => attempts.failed(error).await?,
            }
        }
    }

    async fn accept_once(&self) -> io::Result<(Stream, Peer)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Peer::tcp(from)))
            }
            Socket::Unix(listener) => {
                let stream = listener.accept().await?;
                unix_stream(stream)
            }
        }
    }

    /// Lets nobody else into the queue, in whatever process the socket is open.
    ///
    /// For the end of a program: who is let in after the last look into the queue is reset when the
    /// socket is closed. A TCP client that comes now is not answered, and refused when it asks again; one
    /// that is half let in gets in. A client of a unix socket is refused at once.
    #[cfg(all(feature = "http", workers))]
    pub(crate) fn let_nobody_in(&self) -> io::Result<()> {
        match &self.socket {
            Socket::Tcp(_) => SockRef::from(self).attach_filter(&DROP_FIRST_SEGMENTS),
            Socket::Unix(_) => SockRef::from(self).shutdown(Shutdown::Read),
        }
    }

    /// Waits until nobody is half let in any more, and for `limit` at most.
    ///
    /// Where the kernel does not tell, this waits for all of `limit`.
    #[cfg(all(feature = "http", workers))]
    pub(crate) async fn half_let_in(&self, limit: Duration) {
        let Ok(Address::Tcp(address)) = self.local_addr() else {
            return;
        };
        let end = Instant::now() + limit;
        loop {
            match pending_handshakes::exist(address) {
                Ok(false) => return,
                Ok(true) if Instant::now() < end => tokio::time::sleep(LOOK_AGAIN).await,
                Ok(true) => return,
                Err(error) => {
                    tracing::debug!(%error, "half-open connections cannot be counted");
                    return tokio::time::sleep_until(end).await;
                }
            }
        }
    }

    /// Takes a connection that waits in the queue already, and never waits itself.
    ///
    /// For the end of accepting: what is left in the queue when the last process closes the socket
    /// is reset. The runtime is passed over, for it has not been told yet what came a moment ago.
    #[cfg(feature = "http")]
    pub(crate) fn take(&self) -> Option<(Stream, Peer)> {
        let (socket, _) = SockRef::from(self).accept().ok()?;
        match &self.socket {
            Socket::Tcp(_) => {
                socket.set_nonblocking(true).ok()?;
                let stream = TcpStream::from_std(socket.into()).ok()?;
                let from = stream.peer_addr().ok()?;
                Some((Stream::Tcp(stream), Peer::tcp(from)))
            }
            Socket::Unix(_) => unix_stream(socket.into()).ok(),
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
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with I/O enabled.
    pub fn into_unix(self) -> Result<UnixListener, Self> {
        match self.socket {
            Socket::Unix(listener) => Ok(UnixListener::from_std(listener.into_inner())
                .expect("the runtime has had this descriptor until now")),
            socket => Err(Self { socket, ..self }),
        }
    }
}

/// Makes a client of a unix socket one of the runtime's.
fn unix_stream(stream: StdUnixStream) -> io::Result<(Stream, Peer)> {
    stream.set_nonblocking(true)?;
    let stream = UnixStream::from_std(stream)?;
    let pid = stream.peer_cred().ok().and_then(|cred| cred.pid());
    Ok((Stream::Unix(stream), Peer::Unix { pid }))
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(listener) => listener.as_fd(),
            Socket::Unix(listener) => listener.as_fd(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    #[cfg(all(feature = "http", workers))]
    use std::task::{Context, Poll, Waker};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    #[cfg(not(feature = "http"))]
    use tokio::net::TcpStream;

    use super::*;

    fn tcp() -> OwnedFd {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().into()
    }

    /// Listens on an abstract name, which leaves no file behind.
    #[cfg(workers)]
    fn unix(test: &str) -> (OwnedFd, std::os::unix::net::SocketAddr) {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("listener-{test}-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
        (
            std::os::unix::net::UnixListener::bind_addr(&address)
                .unwrap()
                .into(),
            address,
        )
    }

    /// Sends a word both ways over an accepted connection.
    async fn talk(mut stream: Stream, mut client: impl AsyncReadExt + AsyncWriteExt + Unpin) {
        let mut word = [0; 4];
        client.write_all(b"ping").await.unwrap();
        stream.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"ping");
        let parts = [IoSlice::new(b"po"), IoSlice::new(b"ng")];
        assert_eq!(stream.write_vectored(&parts).await.unwrap(), 4);
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "pong");
    }

    #[tokio::test]
    async fn a_tcp_connection_is_accepted_with_its_peer() {
        let listener = Listener::from_fd(tcp()).unwrap();
        let address = listener.local_addr().unwrap().tcp().unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        let from = client.local_addr().unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, Peer::Tcp(from));
        assert_eq!(peer.to_string(), from.to_string());
        talk(stream, client).await;
    }

    #[cfg(workers)]
    #[tokio::test]
    async fn a_unix_connection_is_accepted_with_its_peer() {
        let (fd, address) = unix("accept");
        let listener = Listener::from_fd(fd).unwrap();
        let shown = listener.local_addr().unwrap().to_string();
        assert_eq!(
            shown,
            format!("unix:@listener-accept-{}", std::process::id())
        );
        let client = std::os::unix::net::UnixStream::connect_addr(&address).unwrap();
        client.set_nonblocking(true).unwrap();
        let client = UnixStream::from_std(client).unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer.to_string(), format!("unix pid={}", std::process::id()));
        talk(stream, client).await;
    }

    #[cfg(all(feature = "http", workers))]
    #[tokio::test]
    async fn a_closed_queue_gives_out_who_is_in_it_and_refuses_who_comes_later() {
        let (fd, address) = unix("closed");
        let other = Listener::from_fd(fd.try_clone().unwrap()).unwrap();
        let listener = Listener::from_fd(fd).unwrap();
        let connect = || std::os::unix::net::UnixStream::connect_addr(&address);
        let clients = [connect().unwrap(), connect().unwrap()];
        listener.let_nobody_in().unwrap();
        let refused = connect().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        for client in clients {
            let (stream, _) = listener.take().unwrap();
            client.set_nonblocking(true).unwrap();
            talk(stream, UnixStream::from_std(client).unwrap()).await;
        }
        assert!(listener.take().is_none());
        // Another process that accepts there waits for its own stop, and has nothing to do meanwhile.
        let mut accepting = std::pin::pin!(other.accept());
        for _ in 0..100 {
            let woken = accepting
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(woken, Poll::Pending), "{woken:?}");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn copies_of_one_descriptor_share_the_queue() {
        let fd = tcp();
        let copy = fd.try_clone().unwrap();
        let (one, two) = (
            Listener::from_fd(fd).unwrap(),
            Listener::from_fd(copy).unwrap(),
        );
        let address = one.local_addr().unwrap().tcp().unwrap();
        let first = TcpStream::connect(address).await.unwrap();
        let second = TcpStream::connect(address).await.unwrap();
        let mut peers = [one.accept().await.unwrap().1, two.accept().await.unwrap().1];
        let mut clients = [first, second].map(|client| Peer::Tcp(client.local_addr().unwrap()));
        peers.sort_by_key(ToString::to_string);
        clients.sort_by_key(ToString::to_string);
        assert_eq!(peers, clients);
    }

    #[cfg(workers)]
    #[tokio::test]
    async fn a_listener_becomes_tokios_of_its_own_kind_alone() {
        let tcp = Listener::from_fd(tcp()).unwrap().into_unix().unwrap_err();
        assert!(tcp.into_tcp().is_ok());
        let unix = Listener::from_fd(unix("into").0)
            .unwrap()
            .into_tcp()
            .unwrap_err();
        assert!(unix.into_unix().is_ok());
    }

    #[tokio::test]
    async fn what_does_not_listen_is_refused() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let error = Listener::from_fd(file.into()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(Listener::from_fd(datagrams.into()).is_err());
    }
}
