//! The socket of the service manager, as `NOTIFY_SOCKET` names it.

use std::ffi::OsStr;
use std::io;
#[cfg(workers)]
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// A socket to send from, and where to.
///
/// It is opened once, so that a process that has run out of descriptors can still feed its watchdog.
#[derive(Debug)]
pub(super) struct Target {
    socket: UnixDatagram,
    manager: SocketAddr,
}

impl Target {
    /// Opens a socket that never blocks; the manager need not be there yet.
    pub(super) fn open(path: &OsStr) -> io::Result<Self> {
        let manager = address(path)?;
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, manager })
    }

    /// Sends one message, whole or not at all.
    pub(super) fn send(&self, message: &[u8]) -> io::Result<()> {
        self.socket.send_to_addr(message, &self.manager).map(drop)
    }

    /// Sends one message with a descriptor.
    #[cfg(workers)]
    pub(super) fn send_with(&self, message: &[u8], fd: BorrowedFd<'_>) -> io::Result<()> {
        use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};

        let manager = match self.manager.as_pathname() {
            Some(path) => UnixAddr::new(path),
            None => {
                use std::os::linux::net::SocketAddrExt;
                UnixAddr::new_abstract(self.manager.as_abstract_name().unwrap_or_default())
            }
        }?;
        let fds = [fd.as_raw_fd()];
        let rights = [ControlMessage::ScmRights(&fds)];
        let bytes = [io::IoSlice::new(message)];
        let (socket, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_NOSIGNAL);
        sendmsg(socket, &bytes, &rights, flags, Some(&manager))?;
        Ok(())
    }
}

fn address(path: &OsStr) -> io::Result<SocketAddr> {
    match path.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(path),
        [b'@', name @ ..] => abstract_address(name),
        _ => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "only a path or an abstract name is understood",
        )),
    }
}

#[cfg(workers)]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(workers))]
fn abstract_address(_name: &[u8]) -> io::Result<SocketAddr> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "only Linux has abstract names",
    ))
}
