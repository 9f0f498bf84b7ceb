//! The whole of a report, put together from what the supervisor knows and what the workers told.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::policy::{Machine, State, Time, WorkerId};
use super::pools::Pools;
use super::status_line::status_line;
use super::worker_process::WorkerProcess;
use super::workers::Workers;
#[cfg(feature = "http")]
use crate::metrics::exchanges::Exchanges;
use crate::os::process::page::Cell;
use crate::os::process::{clock, look};
use crate::status::{Row, usage};

/// What a report is made of.
pub(super) struct View<'a> {
    pub(super) machine: &'a Machine,
    pub(super) pools: &'a Pools,
    pub(super) workers: &'a Workers,
    pub(super) parts: &'a BTreeMap<WorkerId, String>,
    pub(super) now: Time,
}

impl View<'_> {
    /// Returns the first row, to which the program adds its own.
    pub(super) fn head(&self) -> Row {
        Row::one(status_line(self.machine, self.pools))
    }

    /// Returns a row for the supervisor, each slot and each worker.
    pub(super) fn processes(&self) -> Vec<Row> {
        let supervisor = Row::one("supervisor").with("pid", u64::from(std::process::id()));
        let mut rows = vec![usage(supervisor, nix::unistd::getpid())];
        rows.extend(self.slots());
        rows.extend(self.workers());
        rows
    }

    fn slots(&self) -> impl Iterator<Item = Row> {
        self.machine.slots().map(|slot| {
            let holder = slot.holder.and_then(|id| self.workers.get(id));
            let of = self.pools.name(slot.pool);
            Row::of_many("slot", "slots")
                .with("number", slot.number)
                .with("of", of.map(|of| of.to_string()))
                .with("worker", holder.map(|process| process.pid().as_raw()))
                .with("restarts", self.workers.restarts(slot.pool, slot.number))
                .with("young_deaths", u64::from(slot.young))
                .with("refused_forks", u64::from(slot.refused))
                .with(
                    "next_worker_in",
                    slot.retry_at.map(|at| at.saturating_sub(self.now)),
                )
        })
    }

    fn workers(&self) -> impl Iterator<Item = Row> {
        let mut workers: Vec<_> = self.machine.workers().collect();
        workers.sort_by_key(|worker| (worker.slot, worker.id));
        workers.into_iter().filter_map(|worker| {
            let process = self.workers.get(worker.id)?;
            let row = self.worker(process).with("state", state(worker.state));
            let pid = process.pid();
            Some(match self.parts.get(&worker.id) {
                Some(part) => usage(row, pid).written(part.clone()),
                None => {
                    let threads = look::threads(pid).into_iter();
                    let threads = threads.map(|thread| {
                        Row::of_many("thread", "thread_states").with("doing", thread)
                    });
                    usage(row, pid).with("answer", "none").rows(threads)
                }
            })
        })
    }

    fn worker(&self, process: &WorkerProcess) -> Row {
        let cell = self.workers.cell(process);
        let heartbeat = Duration::from_millis(cell.beat.load(Ordering::Acquire));
        let heartbeat = (!heartbeat.is_zero()).then(|| clock::now().saturating_sub(heartbeat));
        Row::of_many("worker", "workers")
            .with("slot", process.slot().number)
            .with("of", process.pool().map(str::to_owned))
            .with("pid", process.pid().as_raw())
            .with("generation", process.generation())
            .with("age", process.age())
            .with("requests", cell.counters.requests.load(Ordering::Relaxed))
            .with("http", http(&cell))
            .with("heartbeat_ago", heartbeat)
            .with("error", process.error().map(str::to_owned))
    }
}

/// Returns what a worker tells of its requests of HTTP, if there were any.
fn http(cell: &Cell) -> Option<String> {
    #[cfg(feature = "http")]
    return Exchanges::of(&cell.counters.numbers)
        .figures()
        .map(|figures| figures.to_string());
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
