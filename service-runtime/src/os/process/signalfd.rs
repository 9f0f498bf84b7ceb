//! Signals read as values, with their senders.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals of a set, which must be blocked, as a descriptor to poll.
#[derive(Debug)]
pub(crate) struct SignalQueue(SignalFd);

/// A signal that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Received {
    /// Which one.
    pub(crate) signal: Signal,
    /// Who sent it.
    pub(crate) sender: Sender,
}

/// Who sent a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The kernel: a terminal, a timer, the end of a child.
    Kernel,
    /// A process.
    Process {
        /// Its id; 0 if it is in a pid namespace that this process cannot see.
        pid: u32,
        /// The user it ran as.
        uid: u32,
    },
}

impl SignalQueue {
    /// Opens a descriptor for the signals of `set`.
    pub(crate) fn open(set: &SigSet) -> nix::Result<Self> {
        SignalFd::with_flags(set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map(Self)
    }

    /// Takes the next signal, or `None` if none waits.
    pub(crate) fn next(&self) -> nix::Result<Option<Received>> {
        let Some(info) = self.0.read_signal()? else {
            return Ok(None);
        };
        let number = i32::try_from(info.ssi_signo).map_err(|_| nix::errno::Errno::EINVAL)?;
        let signal = Signal::try_from(number)?;
        let sender = if info.ssi_code == nix::libc::SI_USER || info.ssi_code == nix::libc::SI_QUEUE
        {
            Sender::Process {
                pid: info.ssi_pid,
                uid: info.ssi_uid,
            }
        } else {
            Sender::Kernel
        };
        Ok(Some(Received { signal, sender }))
    }
}

impl AsFd for SignalQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel => f.write_str("the kernel"),
            Self::Process { pid: 0, uid } => write!(f, "a process of another namespace, uid {uid}"),
            Self::Process { pid, uid } => write!(f, "pid {pid}, uid {uid}"),
        }
    }
}
