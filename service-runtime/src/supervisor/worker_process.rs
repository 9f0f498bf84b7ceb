//! One forked worker, as the supervisor holds it.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::ipc::WorkerSlot;
use crate::ipc::protocol::{ToSupervisor, ToWorker};
use crate::listen::SocketId;
use crate::os::process::channel::{Channel, Closed};
use crate::os::process::child::{Child, Ended};
use crate::os::process::fork::{ForkError, Forked, fork};
use crate::os::process::page::{CELLS, CellRef, Page};

/// A forked worker that has not been reaped.
pub(super) struct WorkerProcess {
    child: Child,
    slot: WorkerSlot,
    /// The service that has its pool to itself.
    pool: Option<Arc<str>>,
    generation: u64,
    cell: usize,
    forked_at: Instant,
    /// The sockets that it listens on.
    sockets: BTreeSet<SocketId>,
    /// The last thing that went wrong in it, in its own words.
    error: Option<String>,
    /// It could not be set up: the machine is short of something.
    setup_failed: bool,
    /// `None` once the worker has closed its end.
    channel: Option<Channel>,
}

/// Which side of the fork of a worker this is.
pub(super) enum ForkSide {
    /// The supervisor's, with its hold on the worker.
    Parent(Box<WorkerProcess>),
    /// The worker's, with its end of the channel.
    Worker(Channel, CellRef),
}

/// Why there is no new worker.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpawnError {
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
    slot: WorkerSlot,
    pool: Option<Arc<str>>,
    generation: u64,
    page: &Page,
    is_taken: impl Fn(usize) -> bool,
) -> Result<ForkSide, SpawnError> {
    let free = (0..CELLS).find(|cell| !is_taken(*cell));
    let cell = free.ok_or(SpawnError::Full)?;
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
            Ok(ForkSide::Parent(Box::new(WorkerProcess {
                child,
                slot,
                pool,
                generation,
                cell,
                forked_at: Instant::now(),
                sockets: BTreeSet::new(),
                error: None,
                setup_failed: false,
                channel: Some(ours),
            })))
        }
    }
}

impl WorkerProcess {
    pub(super) fn pid(&self) -> Pid {
        self.child.pid()
    }

    pub(super) fn slot(&self) -> WorkerSlot {
        self.slot
    }

    /// Returns the service that has its pool to itself.
    pub(super) fn pool(&self) -> Option<&str> {
        self.pool.as_deref()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the index of its cell in the shared page.
    pub(super) fn cell(&self) -> usize {
        self.cell
    }

    /// Returns how long ago it was forked.
    pub(super) fn age(&self) -> Duration {
        self.forked_at.elapsed()
    }

    /// Returns the last thing that went wrong in it, in its own words.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(super) fn set_error(&mut self, error: String) {
        self.error = Some(error);
    }

    /// Returns whether it said that it could not be set up, because the machine is short of something.
    pub(super) fn setup_failed(&self) -> bool {
        self.setup_failed
    }

    pub(super) fn set_setup_failed(&mut self) {
        self.setup_failed = true;
    }

    /// Returns the sockets that it listens on.
    pub(super) fn sockets(&self) -> &BTreeSet<SocketId> {
        &self.sockets
    }

    pub(super) fn add_socket(&mut self, socket: SocketId) {
        self.sockets.insert(socket);
    }

    /// Returns the descriptors that tell of its messages and of its end.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let channel = self.channel.as_ref().map(AsFd::as_fd);
        [Some(self.child.as_fd()), channel].into_iter().flatten()
    }

    /// Returns how it ended, once it has; it is reaped then.
    pub(super) fn reap(&self) -> Option<Ended> {
        self.child.reap().ok().flatten()
    }

    pub(super) fn signal(&self, signal: Signal) {
        if let Err(error) = self.child.signal(signal) {
            let pid = self.pid().as_raw();
            tracing::error!(pid, %signal, "cannot signal a worker: {error}");
        }
    }

    /// Takes the next message that waits, with the file that came with it.
    pub(super) fn receive(&mut self) -> Option<(ToSupervisor, Option<OwnedFd>)> {
        loop {
            match self.channel.as_ref()?.receive() {
                Ok(Some(mut message)) => match ToSupervisor::decode(&message.bytes) {
                    Some(decoded) => return Some((decoded, message.fds.pop())),
                    None => tracing::error!(
                        pid = self.pid().as_raw(),
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
