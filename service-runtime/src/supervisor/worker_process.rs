//! One forked worker, as the supervisor holds it.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::error_chain::chain;
use crate::ipc::WorkerSlot;
use crate::ipc::protocol::{ToSupervisor, ToWorker};
use crate::ipc::queued_channel::{QueuedChannel, SendError};
use crate::listen::SocketId;
use crate::metrics::{ArenaClaim, ProgramMetrics};
use crate::os::process::channel::{Channel, Closed};
use crate::os::process::child::{Child, Ended};
use crate::os::process::fork::{ForkError, Forked, fork};
use crate::os::process::shared_page::{CELLS, CellRef, Page};

/// How many messages may wait for a worker that does not read.
const MOST_UNSENT: usize = 64;

/// A forked worker that has not been reaped.
pub(super) struct WorkerProcess {
    child: Child,
    slot: WorkerSlot,
    /// The service that has its pool to itself.
    pool: Option<Arc<str>>,
    generation: u64,
    cell: usize,
    arena: ArenaClaim,
    forked_at: Instant,
    /// The sockets that it listens on.
    sockets: BTreeSet<SocketId>,
    /// The last thing that went wrong in it, in its own words.
    error: Option<String>,
    /// It could not be set up: the machine is short of something.
    setup_failed: bool,
    /// `None` once the worker has closed its end.
    channel: Option<QueuedChannel>,
}

/// Which side of the fork of a worker this is.
pub(super) enum ForkSide {
    /// The supervisor's, with its hold on the worker.
    Parent(Box<WorkerProcess>),
    /// The worker's, with what is its own.
    Worker(WorkerEnd),
}

/// What a worker has of its own.
pub(super) struct WorkerEnd {
    /// Its end of the channel.
    pub(super) channel: Channel,
    pub(super) cell: CellRef,
    /// Where it counts.
    pub(super) arena: ArenaClaim,
}

/// Why there is no new worker.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerSpawnError {
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
    (page, metrics): (&Page, &ProgramMetrics),
    is_taken: impl Fn(usize) -> bool,
) -> Result<ForkSide, WorkerSpawnError> {
    let free = (0..CELLS).find(|cell| !is_taken(*cell));
    let cell = free.ok_or(WorkerSpawnError::Full)?;
    let (ours, theirs) = Channel::pair()?;
    page.cell(cell).clear();
    let arena = metrics.claim();
    match fork().inspect_err(|_| metrics.release(arena, 0))? {
        Forked::Child => {
            drop(ours);
            Ok(ForkSide::Worker(WorkerEnd {
                channel: theirs,
                cell: page.cell(cell),
                arena,
            }))
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
                arena,
                forked_at: Instant::now(),
                sockets: BTreeSet::new(),
                error: None,
                setup_failed: false,
                channel: Some(QueuedChannel::new(ours, MOST_UNSENT)),
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

    /// Returns where it counts.
    pub(super) fn arena(&self) -> ArenaClaim {
        self.arena
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
                Err(Closed::End) => {
                    self.channel = None;
                    return None;
                }
                Err(Closed::Os(error)) => {
                    self.break_off(&error);
                    return None;
                }
            }
        }
    }

    /// Sends a message, perhaps with a descriptor: now, or as soon as it can be sent.
    ///
    /// A worker to which nothing can be sent any more is to end, because it would wait for ever for what
    /// it has asked for: it takes the end of its channel for the end of the supervisor.
    ///
    /// # Errors
    ///
    /// Returns an error if the message is lost; the log says why.
    pub(super) fn send(
        &mut self,
        message: &ToWorker,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), SendError> {
        let channel = self.channel.as_mut().ok_or(SendError::Gone)?;
        let sent = channel.send(message.encode(), fds);
        self.broken_off_by(sent)
    }

    /// Sends a message if that can be done now; returns whether it was sent.
    pub(super) fn try_send(&self, message: &ToWorker) -> bool {
        let channel = self.channel.as_ref();
        channel.is_some_and(|channel| channel.try_send(&message.encode()))
    }

    /// Sends what waits, as far as that can be done now.
    pub(super) fn flush(&mut self) {
        if let Some(channel) = &mut self.channel {
            let flushed = channel.flush();
            let _ = self.broken_off_by(flushed);
        }
    }

    /// Returns whether messages wait to be sent.
    pub(super) fn is_waiting_to_send(&self) -> bool {
        self.channel.as_ref().is_some_and(QueuedChannel::is_waiting)
    }

    fn broken_off_by(&mut self, sent: Result<(), SendError>) -> Result<(), SendError> {
        match &sent {
            Ok(()) => {}
            Err(SendError::Gone) => self.channel = None,
            Err(error) => self.break_off(error),
        }
        sent
    }

    fn break_off(&mut self, error: &dyn std::error::Error) {
        self.channel = None;
        tracing::error!(
            slot = self.slot.number,
            pid = self.pid().as_raw(),
            "the channel of a worker is closed, so that it ends: {}",
            chain(error)
        );
    }
}
