//! The process that this one is to replace, as the new process sees it.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{InheritedState, ToPredecessor, ToSuccessor, VARIABLE, VERSION};
use crate::listen::Listeners;
use crate::os::process::channel::{Channel, Message};

/// How long the old process may take to send what it has, and to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process that this one is to replace.
#[derive(Debug)]
pub(crate) struct Predecessor {
    channel: Channel,
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
        let number = value.strip_prefix(VERSION)?.strip_prefix(':')?;
        Some(Self {
            channel: Channel::inherited(number)?,
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
            match (ToSuccessor::decode(&bytes), fds.pop()) {
                (
                    Some(ToSuccessor::Socket {
                        name,
                        address,
                        slot,
                    }),
                    Some(fd),
                ) => {
                    let adopted = address
                        .parse()
                        .map_err(|error| crate::error_chain::chain(&error))
                        .and_then(|address| {
                            let adopted = listeners.adopt(name.as_deref(), address, slot, fd);
                            adopted.map_err(|error| crate::error_chain::chain(&error))
                        });
                    adopted.map_err(|error| format!("cannot take a socket over: {error}"))?;
                }
                (Some(ToSuccessor::PidFile), fd) => inherited.pid_file = fd,
                (Some(ToSuccessor::End), _) => return Ok(inherited),
                _ => {}
            }
        }
    }

    /// Says that this process will not get ready.
    pub(crate) fn failed(&self, why: &str) {
        let message = ToPredecessor::Failed(why.to_owned());
        // One that is gone has nobody to tell.
        let _ = self.channel.send(&message.encode(), &[]);
    }

    /// Says that this process is ready.
    pub(crate) fn ready(&self) {
        let _ = self.channel.send(&ToPredecessor::Ready.encode(), &[]);
    }

    /// Returns the answer, if it has come.
    ///
    /// An old process that is gone leaves the field too.
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

impl AsFd for Predecessor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}
