//! The process that this one is to replace, as the new process sees it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{
    FIRST_VERSION, InheritedState, PassedSocket, ToPredecessor, ToSuccessor, VARIABLE, VERSION,
};
use crate::error_chain::chain;
use crate::listen::Listeners;
use crate::metrics::InheritedMetrics;
use crate::os::process::channel::{Channel, Message};

/// How long the old process may take to send what it has, and to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process that this one is to replace.
#[derive(Debug)]
pub(crate) struct Predecessor {
    channel: Channel,
    /// It speaks the first version of the protocol.
    is_first_version: bool,
}

/// What the old process answers when this one is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granted {
    /// A reload was asked for that it had no time for.
    pub(crate) reload: bool,
}

impl Predecessor {
    /// Finds the process that started this one to be replaced by it, if that is so.
    pub(crate) fn from_env() -> Option<Self> {
        let value = std::env::var(VARIABLE).ok()?;
        let (version, number) = value.split_once(':')?;
        if ![FIRST_VERSION, VERSION].contains(&version) {
            return None;
        }
        Some(Self {
            channel: Channel::inherited(number)?,
            is_first_version: version == FIRST_VERSION,
        })
    }

    /// Takes what the old process listens on.
    ///
    /// # Errors
    ///
    /// Returns a text for the log if the old process is gone, or sends nothing for long.
    pub(crate) fn receive(&self, listeners: &mut Listeners) -> Result<InheritedState, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut inherited = InheritedState::default();
        loop {
            let Message { bytes, mut fds } = self.next(deadline)?;
            match ToSuccessor::decode(&bytes) {
                Some(ToSuccessor::Sockets(sockets)) if sockets.len() == fds.len() => {
                    for (socket, fd) in sockets.into_iter().zip(fds) {
                        adopt(listeners, &socket, fd)
                            .map_err(|error| format!("cannot take a socket over: {error}"))?;
                    }
                }
                Some(ToSuccessor::Sockets(sockets)) => {
                    // The kernel leaves out those for which there is no number.
                    return Err(format!(
                        "only {} of {} sockets came with a message of the process to be replaced: \
                         raise the limit of open files (`limit_nofile`)",
                        fds.len(),
                        sockets.len()
                    ));
                }
                Some(ToSuccessor::PidFile) => inherited.pid_file = fds.pop(),
                Some(ToSuccessor::Metrics { layout }) => {
                    let arenas = fds.pop();
                    inherited.metrics = arenas.map(|arenas| InheritedMetrics { layout, arenas });
                }
                Some(ToSuccessor::End) => return Ok(inherited),
                Some(ToSuccessor::Go { .. }) | None => {}
            }
        }
    }

    /// Says that this process will not get ready.
    pub(crate) fn failed(&self, why: &str) {
        let message = ToPredecessor::Failed(why.to_owned());
        // One that is gone has nobody to tell.
        let _ = self.channel.send(&message.encode(), &[]);
    }

    /// Says that this process is ready, and whether the pid file that was handed over is its own.
    pub(crate) fn ready(&self, keeps_pid_file: bool) {
        let ready = ToPredecessor::Ready {
            keeps_pid_file: keeps_pid_file || self.is_first_version,
        };
        let _ = self.channel.send(&ready.encode(), &[]);
    }

    /// Returns the answer, if it has come.
    ///
    /// An old process that is gone leaves the program to this one too.
    pub(crate) fn granted(&self) -> Option<Granted> {
        loop {
            match self.channel.receive() {
                Ok(Some(Message { bytes, .. })) => {
                    if let Some(ToSuccessor::Go { reload }) = ToSuccessor::decode(&bytes) {
                        return Some(Granted { reload });
                    }
                }
                Ok(None) => return None,
                Err(_) => return Some(Granted { reload: false }),
            }
        }
    }

    /// Waits for the answer, for a while: the old process has nothing else to do.
    pub(crate) fn wait_for_grant(&self) -> Granted {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(granted) = self.granted() {
                return granted;
            }
            if !self.wait(deadline) {
                return Granted { reload: false };
            }
        }
    }

    fn next(&self, deadline: Instant) -> Result<Message, String> {
        loop {
            match self.channel.receive() {
                Ok(Some(message)) => return Ok(message),
                Ok(None) if self.wait(deadline) => {}
                Ok(None) => return Err("the process to be replaced sends nothing".to_owned()),
                Err(_) => return Err("the process to be replaced is gone".to_owned()),
            }
        }
    }

    /// Waits until something can be received; returns whether that is so in time.
    fn wait(&self, deadline: Instant) -> bool {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(self.channel.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    }
}

fn adopt(listeners: &mut Listeners, socket: &PassedSocket, fd: OwnedFd) -> Result<(), String> {
    let address = socket.address.parse().map_err(|error| chain(&error))?;
    let adopted = listeners.adopt(socket.name.as_deref(), address, socket.slot, fd);
    adopted.map(drop).map_err(|error| chain(&error))
}

impl AsFd for Predecessor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}
