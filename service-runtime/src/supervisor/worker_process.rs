//! A worker as the driver holds it.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use super::policy::Place;
use crate::ipc::protocol::{ToSupervisor, ToWorker};
use crate::listen::SocketId;
use crate::os::process::channel::{Channel, Closed};
use crate::os::process::child::Child;
use crate::os::process::fork::{ForkError, Forked, fork};
use crate::os::process::page::{CELLS, CellRef, Page};

/// A forked worker that has not been reaped.
pub(super) struct Process {
    pub(super) child: Child,
    pub(super) place: Place,
    /// The service that has its pool to itself.
    pub(super) pool: Option<Arc<str>>,
    pub(super) generation: u64,
    pub(super) cell: usize,
    pub(super) born: Instant,
    /// The sockets that it listens on.
    pub(super) uses: BTreeSet<SocketId>,
    /// The last thing that went wrong in it, in its own words.
    pub(super) error: Option<String>,
    /// The file that came with the last message that has one.
    pub(super) file: Option<OwnedFd>,
    /// It could not be set up: the machine is short of something.
    pub(super) lacks: bool,
    /// `None` once the worker has closed its end.
    channel: Option<Channel>,
}

/// Which side of the fork of a worker this is.
pub(super) enum ForkSide {
    /// The supervisor's, with its hold on the worker.
    Parent(Box<Process>),
    /// The worker's, with its end of the channel.
    Worker(Channel, CellRef),
}

/// Why there is no new worker.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// The supervisor has other threads.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// No channel, or no hold on the child.
    #[error("cannot set a worker up")]
    Os(#[from] nix::errno::Errno),
    /// Every cell of the shared page is taken.
    #[error("there are {CELLS} workers already")]
    Full,
}

/// Forks a worker.
pub(super) fn spawn_worker(
    place: Place,
    pool: Option<Arc<str>>,
    generation: u64,
    page: &Page,
    taken: impl Fn(usize) -> bool,
) -> Result<ForkSide, Refused> {
    let cell = (0..CELLS).find(|cell| !taken(*cell)).ok_or(Refused::Full)?;
    let (ours, theirs) = Channel::pair()?;
    page.cell(cell).clear();
    match fork()? {
        Forked::Child => {
            drop(ours);
            Ok(ForkSide::Worker(theirs, page.cell(cell)))
        }
        Forked::Parent(pid) => {
            drop(theirs);
            let child = Child::forked(pid)?;
            Ok(ForkSide::Parent(Box::new(Process {
                child,
                place,
                pool,
                generation,
                cell,
                born: Instant::now(),
                uses: BTreeSet::new(),
                error: None,
                file: None,
                lacks: false,
                channel: Some(ours),
            })))
        }
    }
}

impl Process {
    /// Returns the channel's descriptor while it is open.
    pub(super) fn channel(&self) -> Option<BorrowedFd<'_>> {
        self.channel.as_ref().map(AsFd::as_fd)
    }

    /// Takes the next message that waits.
    pub(super) fn receive(&mut self) -> Option<ToSupervisor> {
        loop {
            match self.channel.as_ref()?.receive() {
                Ok(Some(mut message)) => match ToSupervisor::decode(&message.bytes) {
                    Some(decoded) => {
                        self.file = message.fds.pop();
                        return Some(decoded);
                    }
                    None => tracing::error!(
                        pid = self.child.pid().as_raw(),
                        "a worker sent a message that cannot be read"
                    ),
                },
                Ok(None) => return None,
                Err(Closed::End | Closed::Os(_)) => {
                    self.channel = None;
                    return None;
                }
            }
        }
    }

    /// Sends a message, perhaps with a descriptor.
    pub(super) fn send(
        &self,
        message: &ToWorker,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), nix::errno::Errno> {
        match &self.channel {
            Some(channel) => channel.send(&message.encode(), fds),
            None => Err(nix::errno::Errno::EPIPE),
        }
    }
}
