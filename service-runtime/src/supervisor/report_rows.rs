//! The whole of a report, put together from what the supervisor knows and what the workers told.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::policy::{Machine, State, Time, WorkerId};
use super::pools::Pools;
use super::status_line::status_line;
use super::workers::Workers;
#[cfg(feature = "http")]
use crate::metrics::exchanges::Exchanges;
use crate::os::process::shared_page::Cell;
use crate::os::process::{clock, procfs};
use crate::settings::configuration::Loaded;
use crate::status::{
    HttpStatus, ProcessStatus, ProcessUsage, ProgramInfo, ProgramStatus, RequestStatus, SlotStatus,
    WorkerAnswer, WorkerStatus,
};

/// What a report is made of.
pub(super) struct View<'a> {
    pub(super) machine: &'a Machine,
    pub(super) pools: &'a Pools,
    pub(super) workers: &'a Workers,
    pub(super) parts: &'a BTreeMap<WorkerId, String>,
    pub(super) now: Time,
    /// Whether the system is asked what each process uses: that takes time for each of them.
    pub(super) looks: bool,
}

impl View<'_> {
    /// Returns the state of the program, as far as slots and workers go.
    pub(super) fn status(&self, info: &ProgramInfo, loaded: Option<&Loaded>) -> ProgramStatus {
        let state = status_line(self.machine, self.pools).to_string();
        let process = ProcessStatus {
            is_supervisor: true,
            pid: std::process::id(),
            usage: self.usage(nix::unistd::getpid()),
            requests: None,
        };
        ProgramStatus {
            slots: self.slots().collect(),
            workers: self.workers().collect(),
            ..ProgramStatus::new(state, info, loaded, process)
        }
    }

    fn usage(&self, pid: nix::unistd::Pid) -> ProcessUsage {
        if self.looks {
            ProcessUsage::of(pid)
        } else {
            ProcessUsage::default()
        }
    }

    fn slots(&self) -> impl Iterator<Item = SlotStatus> {
        self.machine.slots().map(|slot| {
            let holder = slot.holder.and_then(|id| self.workers.get(id));
            let pool = self.pools.name(slot.pool);
            SlotStatus {
                number: slot.number,
                pool: pool.map(|pool| pool.to_string()),
                worker: holder.map(|process| process.pid().as_raw()),
                held: slot.held,
                restarts: self.workers.restarts(slot.pool, slot.number),
                early_deaths: slot.early_deaths,
                refused_forks: slot.refused,
                next_worker_in: slot.retry_at.map(|at| at.saturating_sub(self.now)),
            }
        })
    }

    fn workers(&self) -> impl Iterator<Item = WorkerStatus> {
        let mut workers: Vec<_> = self.machine.workers().collect();
        workers.sort_by_key(|worker| (worker.slot, worker.id));
        workers.into_iter().filter_map(|worker| {
            let process = self.workers.get(worker.id)?;
            let pid = process.pid();
            let answer = match self.parts.get(&worker.id) {
                Some(part) => WorkerAnswer::Written(part.clone()),
                None if self.looks => WorkerAnswer::None {
                    threads: procfs::threads(pid),
                },
                None => WorkerAnswer::NotSeen,
            };
            let cell = self.workers.cell(process);
            let heartbeat = Duration::from_millis(cell.heartbeat.load(Ordering::Acquire));
            Some(WorkerStatus {
                slot: process.slot().number,
                pool: process.pool().map(str::to_owned),
                pid: pid.as_raw(),
                generation: process.generation(),
                age: process.age(),
                requests: RequestStatus {
                    total: cell.counters.requests.load(Ordering::Relaxed),
                    http: http(&cell),
                },
                heartbeat_ago: (!heartbeat.is_zero())
                    .then(|| clock::now().saturating_sub(heartbeat)),
                error: process.error().map(str::to_owned),
                state: state(worker.state),
                usage: self.usage(pid),
                answer,
            })
        })
    }
}

/// Returns what a worker tells of its requests of HTTP, if there were any.
fn http(cell: &Cell) -> Option<HttpStatus> {
    #[cfg(feature = "http")]
    return Exchanges::of(&cell.counters.numbers)
        .figures()
        .map(HttpStatus::from);
    #[cfg(not(feature = "http"))]
    {
        let _ = cell;
        None
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Forking | State::Starting { .. } => "starting",
        State::Ready { .. } => "ready",
        State::Stopping { .. } => "stopping",
        State::Aborted { .. } => "aborted",
        State::Killed => "killed",
    }
}
