//! What is the same for every listening socket, wherever its descriptor came from.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::socket::{getsockopt, sockopt};
use socket2::{SockAddr, SockRef, Type};

use super::Address;

/// Tells whether a descriptor is a stream socket that listens.
pub(super) fn listens(fd: BorrowedFd<'_>) -> bool {
    let stream = SockRef::from(&fd)
        .r#type()
        .is_ok_and(|kind| kind == Type::STREAM);
    stream && getsockopt(&fd, sockopt::AcceptConn).unwrap_or(false)
}

/// Makes a descriptor from outside behave as one of our own: no exec inherits it, no accept blocks.
pub(super) fn prepare(fd: BorrowedFd<'_>) -> io::Result<()> {
    let socket = SockRef::from(&fd);
    socket.set_cloexec(true)?;
    socket.set_nonblocking(true)
}

/// Returns the address that a socket is bound to.
pub(super) fn local_address(socket: &impl AsFd) -> io::Result<Address> {
    let fd = socket.as_fd();
    address(&SockRef::from(&fd).local_addr()?)
}

fn address(found: &SockAddr) -> io::Result<Address> {
    if let Some(address) = found.as_socket() {
        return Ok(Address::Tcp(address));
    }
    if let Some(path) = found.as_pathname() {
        return Ok(Address::Unix(path.to_string_lossy().into_owned()));
    }
    if let Some(name) = found.as_abstract_namespace() {
        return Ok(Address::Abstract(
            String::from_utf8_lossy(name).into_owned(),
        ));
    }
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "the socket speaks neither TCP nor the unix stream protocol",
    ))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixListener;

    use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};

    use super::*;

    #[test]
    fn only_a_listening_stream_socket_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(listens(listener.as_fd()));
        assert!(!listens(client.as_fd()));
        assert!(!listens(datagrams.as_fd()));
        assert!(!listens(file.as_fd()));
    }

    #[test]
    fn a_prepared_descriptor_is_closed_on_exec_and_never_blocks() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        fcntl(&listener, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        prepare(listener.as_fd()).unwrap();
        let flags = FdFlag::from_bits_retain(fcntl(&listener, FcntlArg::F_GETFD).unwrap());
        assert!(flags.contains(FdFlag::FD_CLOEXEC));
        let status = OFlag::from_bits_retain(fcntl(&listener, FcntlArg::F_GETFL).unwrap());
        assert!(status.contains(OFlag::O_NONBLOCK));
    }

    #[test]
    fn the_local_address_is_what_the_socket_was_bound_to() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let bound = tcp.local_addr().unwrap();
        assert_eq!(local_address(&tcp).unwrap(), Address::Tcp(bound));
        let path = std::env::temp_dir().join(format!("local-address-{}.sock", std::process::id()));
        let unix = UnixListener::bind(&path).unwrap();
        let text = path.to_str().unwrap().to_owned();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(local_address(&unix).unwrap(), Address::Unix(text));
    }
}
