//! TCP sockets, bound.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// Binds a port on every address of the machine: one socket for IPv6 and IPv4.
///
/// A machine without IPv6 gets an IPv4 socket.
pub(super) fn bind_any(port: u16, queue: i32, reuse_port: bool) -> io::Result<OwnedFd> {
    let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let bound = bind(both, false, queue, reuse_port);
    match bound.as_ref().map_err(errno) {
        Err(Some(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL)) => {
            let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
            bind(v4, false, queue, reuse_port)
        }
        _ => bound,
    }
}

/// Binds one address; `[::]` means IPv6 alone, as it is written.
pub(super) fn bind_one(address: SocketAddr, queue: i32, reuse_port: bool) -> io::Result<OwnedFd> {
    bind(address, true, queue, reuse_port)
}

fn bind(address: SocketAddr, only_v6: bool, queue: i32, reuse_port: bool) -> io::Result<OwnedFd> {
    // `Socket::new` opens it closed on exec.
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    // A restart must not wait until the connections of the last run have left TIME_WAIT.
    socket.set_reuse_address(true)?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(queue)?;
    Ok(socket.into())
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}
