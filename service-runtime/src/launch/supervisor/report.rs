//! The state of everybody, into the log, when somebody asks for it.

use std::sync::atomic::Ordering;

use nix::sys::signal::Signal;

use super::driver::Driver;
use super::machine::State;
use super::narrate::{Worker, age, status};
use crate::process::page::Cell;

impl Driver {
    /// Logs how everybody is, and lets every worker log its own part.
    pub(super) fn report(&self) {
        let uptime = age(self.now());
        let lost_lines = self.logging.lost();
        tracing::info!(
            uptime,
            lost_lines,
            "report: {}",
            status(&self.machine, &self.pools)
        );
        for held in self.listeners.iter() {
            let at = held
                .local_address()
                .unwrap_or_else(|_| held.address().clone());
            tracing::info!(address = %at, name = held.name(), of_slot = held.slot(), "report: listener");
        }
        for worker in self.machine.workers() {
            let Some(process) = self.processes.get(&worker.id) else {
                continue;
            };
            let Worker {
                pid,
                slot,
                of,
                generation,
                age,
            } = Worker::of(process);
            let cell = self.page.cell(process.cell);
            let requests = cell.requests.load(Ordering::Relaxed);
            let http = http(&cell);
            let state = state(worker.state);
            tracing::info!(
                slot,
                of,
                pid,
                generation,
                age,
                state,
                requests,
                http,
                "report: worker"
            );
            let _ = process.child.signal(Signal::SIGUSR1);
        }
    }
}

/// Returns what a worker tells of its requests of HTTP, if there were any.
fn http(cell: &Cell) -> Option<String> {
    #[cfg(feature = "http")]
    return cell.exchanges.figures().map(|figures| figures.to_string());
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
