//! A pair of sockets between a supervisor and a worker: whole messages, with descriptors.
#![expect(
    unsafe_code,
    reason = "a received descriptor comes as a number that has to be owned"
)]

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, getsockopt,
    recv, recvmsg, sendmsg, socketpair, sockopt,
};
use tokio::io::unix::AsyncFd;

use super::inherited;

/// The longest message, in bytes. Longer data travels in a memory file.
pub(crate) const LONGEST: usize = 32 * 1024;

/// The most descriptors with one message.
pub(crate) const DESCRIPTORS: usize = 64;

/// One end of the pair. Neither end blocks.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Message {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// The descriptors that came with it, now owned by this process.
    pub(crate) fds: Vec<OwnedFd>,
}

/// Returns whether what failed may succeed in a moment: the other side has to read first, or the system
/// is short of memory.
pub(crate) fn is_transient(error: Errno) -> bool {
    matches!(
        error,
        Errno::EAGAIN | Errno::EINTR | Errno::ENOBUFS | Errno::ENOMEM | Errno::ETOOMANYREFS
    )
}

/// Why nothing could be received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The other end is gone.
    End,
    /// The operating system refused.
    Os(Errno),
}

impl Channel {
    /// Makes a connected pair: the supervisor's end and the worker's.
    pub(crate) fn pair() -> nix::Result<(Self, Self)> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (a, b) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        Ok((Self(a), Self(b)))
    }

    /// Takes an end that this process was started with, by the number that its starter told.
    ///
    /// `None` if there is no such socket, or something else has taken it.
    pub(crate) fn inherited(number: &str) -> Option<Self> {
        let number: RawFd = number.parse().ok()?;
        // What was opened here is closed on exec; what came through an exec is not.
        if inherited::flags(number)?.contains(FdFlag::FD_CLOEXEC) {
            return None;
        }
        // SAFETY: a borrowed descriptor must be open for as long as it is borrowed. It is, as `flags`
        // has just shown; and it is no descriptor of this program's, which could be closed meanwhile.
        let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
        let is_ours = getsockopt(&borrowed, sockopt::SockType) == Ok(SockType::SeqPacket);
        if !is_ours {
            return None;
        }
        let fd = inherited::take(number).ok()?;
        fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).ok()?;
        Some(Self(fd))
    }

    /// Lets the tokio runtime of this process wait for the channel; in a worker only.
    pub(crate) fn watched(self) -> std::io::Result<AsyncFd<Self>> {
        // SAFETY: `as_raw_fd` returns the descriptor that `self.0` owns, open for as long as it
        // lives; nothing in this file replaces it, and the `AsyncFd` gives no `&mut` away.
        let watched = unsafe { AsyncFd::register(self) };
        watched.map_err(|error| std::io::Error::other(error.to_string()))
    }

    /// Makes a second handle on this end.
    pub(crate) fn try_clone(&self) -> std::io::Result<OwnedFd> {
        self.0.try_clone()
    }

    /// Sends one message, whole or not at all.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if the other side has not read for long, `EPIPE` if it is gone, `EMSGSIZE` if the
    /// message is longer than [`LONGEST`].
    pub(crate) fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> nix::Result<()> {
        if bytes.len() > LONGEST {
            return Err(Errno::EMSGSIZE);
        }
        let raw: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&raw)];
        let control: &[ControlMessage<'_>] = if raw.is_empty() { &[] } else { &rights };
        let iov = [IoSlice::new(bytes)];
        loop {
            let flags = MsgFlags::MSG_NOSIGNAL;
            match sendmsg::<()>(self.0.as_raw_fd(), &iov, control, flags, None) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Receives one message, or `None` if none waits.
    pub(crate) fn receive(&self) -> Result<Option<Message>, Closed> {
        // Room for the longest message would be touched, memory page by memory page, in every worker.
        let mut bytes = match self.waiting()? {
            None => return Ok(None),
            Some(length) => vec![0; length],
        };
        let mut space = cmsg_space!([RawFd; DESCRIPTORS]);
        let (length, fds) = loop {
            let mut iov = [IoSliceMut::new(&mut bytes)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            match recvmsg::<()>(self.0.as_raw_fd(), &mut iov, Some(&mut space), flags) {
                Ok(message) => {
                    let mut fds = Vec::new();
                    // Without room for its descriptors in this process the message comes without them.
                    for control in message.cmsgs().into_iter().flatten() {
                        if let ControlMessageOwned::ScmRights(raw) = control {
                            fds.extend(raw.into_iter().map(own));
                        }
                    }
                    break (message.bytes, fds);
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::ECONNRESET) => return Err(Closed::End),
                Err(error) => return Err(Closed::Os(error)),
            }
        };
        if length == 0 {
            return Err(Closed::End);
        }
        bytes.truncate(length);
        Ok(Some(Message { bytes, fds }))
    }

    /// Returns the length of the message that waits, if one does.
    fn waiting(&self) -> Result<Option<usize>, Closed> {
        loop {
            let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC;
            match recv(self.0.as_raw_fd(), &mut [], flags) {
                Ok(0) => return Err(Closed::End),
                Ok(length) => return Ok(Some(length)),
                Err(Errno::EAGAIN) => return Ok(None),
                // Told once, when the other side ends without having read all: what it said before
                // waits behind it.
                Err(Errno::EINTR | Errno::ECONNRESET) => {}
                Err(error) => return Err(Closed::Os(error)),
            }
        }
    }
}

fn own(raw: RawFd) -> OwnedFd {
    // SAFETY: the kernel has just put this descriptor into our table for this message alone.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Channel {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::process::memory;

    #[test]
    fn a_message_arrives_whole_with_its_descriptor() {
        let (a, b) = Channel::pair().unwrap();
        let file = memory::file(c"test", b"inside").unwrap();
        a.send(b"hello", &[file.as_fd()]).unwrap();
        let mut message = b.receive().unwrap().unwrap();
        assert_eq!(message.bytes, b"hello");
        assert_eq!(memory::read(message.fds.remove(0)).unwrap(), b"inside");
    }

    #[test]
    fn an_inherited_end_is_an_open_socket_that_came_through_an_exec_and_is_taken_once() {
        for number in ["", "x", "-1", "2", "2147483647"] {
            assert!(Channel::inherited(number).is_none(), "{number}");
        }
        let (ours, theirs) = Channel::pair().unwrap();
        // It was opened here, and has an owner.
        assert!(Channel::inherited(&theirs.as_raw_fd().to_string()).is_none());
        // A number of its own: those below are used and given back by other tests.
        let number = fcntl(&theirs, FcntlArg::F_DUPFD(800)).unwrap().to_string();
        let taken = Channel::inherited(&number).unwrap();
        assert!(Channel::inherited(&number).is_none());
        taken.send(b"hello", &[]).unwrap();
        assert_eq!(ours.receive().unwrap().unwrap().bytes, b"hello");
    }

    #[test]
    fn what_may_succeed_in_a_moment_is_told_from_what_never_will() {
        for error in [
            Errno::EAGAIN,
            Errno::ENOBUFS,
            Errno::ENOMEM,
            Errno::ETOOMANYREFS,
        ] {
            assert!(is_transient(error), "{error}");
        }
        for error in [
            Errno::EPIPE,
            Errno::EBADF,
            Errno::EMSGSIZE,
            Errno::ECONNRESET,
        ] {
            assert!(!is_transient(error), "{error}");
        }
    }

    #[test]
    fn nothing_sent_is_nothing_received() {
        let (_a, b) = Channel::pair().unwrap();
        assert!(b.receive().unwrap().is_none());
    }

    #[test]
    fn last_words_arrive_from_an_end_that_has_not_read_all() {
        let (a, b) = Channel::pair().unwrap();
        a.send(b"never read", &[]).unwrap();
        b.send(b"last words", &[]).unwrap();
        drop(b);
        assert_eq!(a.receive().unwrap().unwrap().bytes, b"last words");
        assert_eq!(a.receive().unwrap_err(), Closed::End);
    }

    #[test]
    fn the_end_of_the_other_side_is_told() {
        let (a, b) = Channel::pair().unwrap();
        drop(a);
        assert_eq!(b.receive().unwrap_err(), Closed::End);
        assert_eq!(b.send(b"x", &[]), Err(Errno::EPIPE));
    }
}
