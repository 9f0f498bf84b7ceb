//! What goes in and what comes out.
#![cfg_attr(
    not(feature = "control"),
    allow(dead_code, reason = "without a control socket nobody gives orders")
)]

use std::time::Duration;

use super::{Policy, PoolId, RecycleLimit, WorkerSlot};

/// Time since the supervisor started, on a clock that never goes back.
pub(crate) type Time = Duration;

/// One worker process. Never used again, unlike a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(pub(crate) u64);

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The supervisor is set up.
    Start,
    /// A worker was forked as asked.
    Forked(WorkerId),
    /// The operating system refused to fork it.
    ForkRefused(WorkerId),
    /// Its services are started.
    Ready(WorkerId),
    /// It ended and was reaped; with which code, if it exited.
    Exited(WorkerId, Option<i32>),
    /// It cannot start, and another try could not go better; with which code it exits.
    Hopeless(WorkerId, i32),
    /// The configuration asked for was read and checked.
    Loaded(Result<Policy, ()>),
    /// A worker has taken over the mutable options, or could not.
    Mutated(WorkerId, Result<(), ()>),
    /// When the runtimes of these workers last turned.
    Heartbeats(Vec<(WorkerId, Time)>),
    /// A worker has reached a limit of its life and asks to be replaced.
    RecycleRequested(WorkerId, RecycleLimit),
    /// All services of a worker have come to their end, or it has none: it exits by itself.
    Done(WorkerId),
    /// The program that was started anew is ready, or will never be.
    Upgraded(Result<(), ()>),
    /// The supervisor itself did not run for a while: nobody could have beaten in its sight.
    Resumed,
    /// Somebody wants something.
    Asked(Request),
    /// Somebody wants something, and to know what becomes of it.
    Ordered(OrderId, Order),
    /// Time has passed.
    Clock,
}

/// What an operator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// A graceful stop; asked again, a quick one.
    Stop,
    /// A quick stop.
    Quit,
    /// A reload or mutation.
    Reload,
    /// One worker more.
    More,
    /// One worker fewer.
    Fewer,
    /// The program file is started anew and takes over.
    Upgrade,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Fork a worker.
    Fork {
        /// Who it will be.
        worker: WorkerId,
        /// Its slot.
        slot: WorkerSlot,
        /// The configuration it gets.
        generation: u64,
    },
    /// Ask a worker to stop, within this time if there is a limit.
    Stop(WorkerId, Option<Duration>),
    /// Abort a worker that hangs, and log where it does.
    Abort(WorkerId),
    /// Kill a worker.
    Kill(WorkerId),
    /// Read and check the configuration, to become this generation's.
    Load(u64),
    /// Give up the reading.
    CancelLoad,
    /// Send the configuration just loaded to these workers.
    Mutate(Vec<WorkerId>),
    /// This generation's configuration is the good one; drop all others.
    Keep(u64),
    /// This worker of the pool runs what runs once in the program.
    Lead(PoolId, Option<WorkerId>),
    /// Start the program file anew.
    Upgrade,
    /// End the program that was started anew.
    CancelUpgrade,
    /// Leave everything to it; it has to reload if this was asked for meanwhile.
    HandOver {
        /// Whether a reload was asked for.
        reload: bool,
    },
    /// Tell the service manager.
    Announce(Announcement),
    /// Tell who gave an order what became of it.
    Answer(OrderId, OrderOutcome),
    /// Tell the log.
    Log(LogEvent),
    /// End the supervisor.
    Exit(LaunchOutcome),
}

/// What the service manager is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announcement {
    /// Every slot is ready; a reload has ended.
    Ready,
    /// A reload has begun.
    Reloading,
    /// A stop has begun.
    Stopping,
}

/// What the log is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogEvent {
    /// A worker is ready.
    Ready(WorkerId),
    /// A worker died unasked; its slot gets another after this time.
    Died {
        /// Who.
        worker: WorkerId,
        /// How soon its slot is filled again.
        retry_in: Duration,
    },
    /// A fork was refused; it is tried again after this time.
    ForkRefused {
        /// Which slot waits.
        slot: usize,
        /// How soon it is tried again.
        retry_in: Duration,
    },
    /// A worker did not get ready in time.
    StartTimedOut(WorkerId),
    /// A worker did not stop in time.
    StopTimedOut(WorkerId),
    /// A worker's heartbeat stood still for this long.
    Hung(WorkerId, Duration),
    /// A worker that reached a limit of its life is being replaced.
    Recycling(WorkerId),
    /// A worker has reached this limit so soon that the limit cannot be meant.
    LimitTooLow(WorkerId, RecycleLimit),
    /// So many workers died within this time that the launch ends.
    TooManyDeaths(usize, Duration),
    /// A reload has begun.
    Reloading(u64),
    /// A reload has replaced every worker.
    Reloaded(u64),
    /// The mutable options are in place; so many workers could not take them over, or did not say so.
    Mutated(usize),
    /// A reload changed nothing.
    ReloadRefused(Cause),
    /// Every replaced worker has its old configuration again.
    Undone(u64),
    /// The number of workers of a pool has changed.
    Scaled(PoolId, usize),
    /// A worker has nothing left to do, and its slot gets no other.
    Done(WorkerId),
    /// Nobody has anything left to do.
    AllDone,
    /// An upgrade cannot be begun now.
    UpgradeRefused(Busy),
    /// The program that was started anew is not ready in time.
    UpgradeTimedOut(Duration),
    /// The program that was started anew will not get ready.
    UpgradeFailed,
    /// It is ready, and takes over.
    Upgraded,
    /// The launch is given up.
    LaunchFailed(WorkerId),
    /// The stop ran out of time.
    OutOfTime(Vec<WorkerId>),
}

/// What an upgrade would have to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    /// The workers are being started.
    Starting,
    /// A reload is under way.
    Reloading,
    /// Another upgrade is.
    Upgrading,
}

/// Why a reload was refused or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The configuration is wrong; the reader has said how.
    Configuration,
    /// Checking it took longer than a start may.
    CheckTimedOut,
    /// A worker of the new generation ended before it was ready, or was not ready in time.
    Worker(WorkerId),
}

/// How the launch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaunchOutcome {
    /// As asked, everybody within the time limit.
    Stopped,
    /// As asked, but a worker ended with an error, or was out of time and ended itself.
    Unclean,
    /// As asked, some killed at the time limit.
    OutOfTime,
    /// By another process of the program, which took over.
    Replaced,
    /// Too many workers died.
    GaveUp,
    /// At once, as asked.
    Quit,
    /// No worker got ready; the code that the last of them exited with.
    LaunchFailed(Option<i32>),
}

/// One order. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderId(pub(crate) u64);

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A reload or mutation; done when the last worker has been replaced, or has taken the options over.
    Reload,
    /// The program file is started anew; done when it has taken over.
    Upgrade,
    /// A number of workers for a pool; done when so many are ready and no other is left.
    Scale(PoolId, usize),
    /// Every ready worker is replaced; done when the last of them has ended.
    Recycle,
    /// A graceful stop. Its outcome is the exit.
    Stop,
    /// A quick stop. Its outcome is the exit.
    Quit,
    /// A slot of a pool is emptied and stays so; done when its worker has ended.
    Drain(PoolId, usize),
    /// A slot that was emptied is filled; done when its worker is ready.
    Fill(PoolId, usize),
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderOutcome {
    /// It is carried out.
    Done,
    /// It cannot be carried out now; nothing is changed.
    Refused(Refusal),
    /// It was begun and came to nothing.
    Failed(OrderFailure),
}

/// Why an order cannot be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The program stops.
    Stopping,
    /// Something else is under way.
    Busy(Busy),
    /// A pool has at least one worker and at most so many.
    Number(usize),
    /// There is no such pool.
    Pool,
    /// There is no such slot.
    Slot,
    /// It is the last slot with a worker of its pool.
    LastSlot,
}

/// Why an order came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderFailure {
    /// The reload was refused or undone.
    Reload(Cause),
    /// So many workers could not take the mutable options over.
    Mutation(usize),
    /// The program that was started anew did not get ready.
    Upgrade,
    /// This worker ended before it was ready; another is tried.
    Worker(WorkerId),
    /// Another order has asked for something else meanwhile.
    Superseded,
    /// The program stops, or another process of it has taken over.
    Stopping,
}
