//! All workers: forked, watched, signalled and reaped one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::component::Component;
use super::policy::{Machine, PoolId, Time, WorkerId, WorkerSlot};
use super::worker_process::{ForkSide, WorkerEnd, WorkerProcess, WorkerSpawnError, spawn_worker};
use crate::ipc::protocol::ToSupervisor;
use crate::metrics::ProgramMetrics;
use crate::os::process::child::Ended;
use crate::os::process::procfs;
use crate::os::process::shared_page::{CellRef, Page};

/// A sleep that lasted this much longer than was asked for was no sleep: the machine, or this process,
/// was suspended.
pub(super) const OVERSLEPT: Duration = Duration::from_secs(1);

/// A worker whose last heartbeat is older does not count as alive; one is written every second.
const HEARTBEAT_FRESH: Duration = Duration::from_secs(5);

/// How many messages of one worker are taken in one turn of the loop: the others wait for theirs.
const MESSAGES_A_TURN: usize = 32;

/// How soon a message is sent again for which there was no room.
const SEND_AGAIN: Duration = Duration::from_millis(20);

/// The worker processes.
pub(super) struct Workers {
    page: Page,
    metrics: ProgramMetrics,
    /// When the supervisor started, on the clock that workers share.
    started: Duration,
    processes: BTreeMap<WorkerId, WorkerProcess>,
    /// When messages that wait are sent again, if any do.
    send_again_at: Time,
    /// How many workers of each slot have ended.
    restarts: BTreeMap<(PoolId, usize), u64>,
}

/// What a worker did.
pub(super) enum WorkerEvent {
    /// It sent a message, perhaps with a file.
    Message(WorkerId, ToSupervisor, Option<OwnedFd>),
    /// It has ended, and everything that it said has been told before.
    Ended(WorkerId, Ended),
}

impl Workers {
    pub(super) fn new(page: Page, metrics: ProgramMetrics, started: Duration) -> Self {
        Self {
            page,
            metrics,
            started,
            processes: BTreeMap::new(),
            send_again_at: Time::ZERO,
            restarts: BTreeMap::new(),
        }
    }

    /// Forks a worker; in the worker, returns what is its own.
    pub(super) fn spawn(
        &mut self,
        worker: WorkerId,
        slot: WorkerSlot,
        pool: Option<Arc<str>>,
        generation: u64,
    ) -> Result<Option<WorkerEnd>, WorkerSpawnError> {
        let processes = &self.processes;
        let is_taken = |cell| processes.values().any(|process| process.cell() == cell);
        match spawn_worker(
            slot,
            pool,
            generation,
            (&self.page, &self.metrics),
            is_taken,
        )? {
            ForkSide::Worker(end) => Ok(Some(end)),
            ForkSide::Parent(process) => {
                self.processes.insert(worker, *process);
                Ok(None)
            }
        }
    }

    pub(super) fn get(&self, id: WorkerId) -> Option<&WorkerProcess> {
        self.processes.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: WorkerId) -> Option<&mut WorkerProcess> {
        self.processes.get_mut(&id)
    }

    /// Goes through the workers that have not been reaped.
    pub(super) fn iter(&self) -> impl Iterator<Item = (WorkerId, &WorkerProcess)> {
        self.processes.iter().map(|(id, process)| (*id, process))
    }

    /// Forgets a worker that has ended, and counts its end.
    pub(super) fn remove(&mut self, id: WorkerId) -> Option<WorkerProcess> {
        let process = self.processes.remove(&id)?;
        let pid = process.pid().as_raw().unsigned_abs();
        self.metrics.release(process.arena(), pid);
        let slot = process.slot();
        *self.restarts.entry((slot.pool, slot.number)).or_default() += 1;
        Some(process)
    }

    /// Returns how many workers of a slot have ended.
    pub(super) fn restarts(&self, pool: PoolId, number: usize) -> u64 {
        self.restarts.get(&(pool, number)).copied().unwrap_or(0)
    }

    /// Returns where all workers count.
    pub(super) fn metrics(&self) -> &ProgramMetrics {
        &self.metrics
    }

    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> {
        self.processes.values().map(WorkerProcess::pid)
    }

    /// Returns the cell of a worker in the shared page.
    pub(super) fn cell(&self, process: &WorkerProcess) -> CellRef {
        self.page.cell(process.cell())
    }

    pub(super) fn signal(&self, id: WorkerId, signal: Signal) {
        if let Some(process) = self.processes.get(&id) {
            process.signal(signal);
        }
    }

    /// Asks a worker to stop; it is told first how long it may take to.
    pub(super) fn stop(&self, id: WorkerId, limit: Option<Duration>) {
        if let Some(process) = self.processes.get(&id) {
            self.page.cell(process.cell()).tell_limit(limit);
            process.signal(Signal::SIGTERM);
        }
    }

    /// Logs where a worker hangs, and aborts it; one that is stopped takes no signal but the last.
    pub(super) fn abort(&self, id: WorkerId) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let (slot, pid) = (process.slot().number, process.pid().as_raw());
        for line in procfs::threads(process.pid()) {
            tracing::error!(slot, pid, "{line}");
        }
        if procfs::is_stopped(process.pid()) {
            tracing::error!(slot, pid, "worker is stopped (state T): killed at once");
            process.signal(Signal::SIGKILL);
        } else {
            process.signal(Signal::SIGABRT);
        }
    }

    /// Lets a worker of the pool run what runs once in the program.
    pub(super) fn lead(&self, pool: PoolId, leader: Option<WorkerId>) {
        let process = leader.and_then(|id| self.processes.get(&id));
        let pid = process.map_or(0, |process| process.pid().as_raw().unsigned_abs());
        if let Some(leader) = self.page.header().leaders.get(pool.0) {
            leader.store(pid, Ordering::Release);
        }
    }

    /// Says in the shared page that the whole program ends, and its sockets with it.
    pub(super) fn announce_end(&self) {
        self.page.header().ends.store(true, Ordering::Release);
    }

    /// Reads when the runtime of each worker last answered; one under a debugger counts as answering.
    pub(super) fn heartbeats(&self, now: Time) -> Vec<(WorkerId, Time)> {
        let heartbeat = |(id, process): (&WorkerId, &WorkerProcess)| {
            let last = self
                .page
                .cell(process.cell())
                .heartbeat
                .load(Ordering::Acquire);
            let last = Duration::from_millis(last).saturating_sub(self.started);
            let is_late = last + OVERSLEPT < now;
            let is_traced = is_late && procfs::is_traced(process.pid());
            (*id, if is_traced { now } else { last })
        };
        self.processes.iter().map(heartbeat).collect()
    }

    /// Returns whether every pool has a ready worker with a fresh heartbeat.
    pub(super) fn are_alive(&self, now: Time, machine: &Machine) -> bool {
        let heartbeats: BTreeMap<WorkerId, Time> = self.heartbeats(now).into_iter().collect();
        let is_fresh = |id| {
            heartbeats
                .get(&id)
                .is_some_and(|at| *at + HEARTBEAT_FRESH >= now)
        };
        let alive: BTreeSet<PoolId> = machine
            .workers()
            .filter(|worker| worker.is_ready() && is_fresh(worker.id))
            .filter_map(|worker| Some(self.processes.get(&worker.id)?.slot().pool))
            .collect();
        machine.pools().keys().all(|pool| alive.contains(pool))
    }
}

impl Component for Workers {
    type Event = WorkerEvent;

    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.processes
            .values()
            .flat_map(WorkerProcess::fds)
            .collect()
    }

    fn deadline(&self) -> Option<Time> {
        let mut processes = self.processes.values();
        let is_waiting = processes.any(WorkerProcess::is_waiting_to_send);
        is_waiting.then_some(self.send_again_at)
    }

    fn events(&mut self, now: Time, ready: &[bool]) -> Vec<WorkerEvent> {
        self.send_again_at = now + SEND_AGAIN;
        let mut events = Vec::new();
        let mut ready = ready.iter();
        for (id, process) in &mut self.processes {
            let descriptors = process.fds().count();
            if process.is_waiting_to_send() {
                process.flush();
            }
            if !ready
                .by_ref()
                .take(descriptors)
                .fold(false, |any, is| any | is)
            {
                continue;
            }
            let ended = process.reap();
            // What it said last counts before its end.
            let limit = if ended.is_some() {
                usize::MAX
            } else {
                MESSAGES_A_TURN
            };
            for _ in 0..limit {
                match process.receive() {
                    Some((message, file)) => events.push(WorkerEvent::Message(*id, message, file)),
                    None => break,
                }
            }
            events.extend(ended.map(|ended| WorkerEvent::Ended(*id, ended)));
        }
        events
    }
}
