//! Heartbeats read from the shared page, and workers that hang.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::event_loop::EventLoop;
use super::log_events::Worker;
use super::policy::{PoolId, Time, WorkerId};
use crate::os::process::look;

/// A sleep that lasted this much longer than was asked for was no sleep: the machine, or this
/// process, was suspended.
pub(super) const OVERSLEPT: Duration = Duration::from_secs(1);

/// A heart that has not beaten for so long does not count as alive; one beats every second.
const HEARTLESS: Duration = Duration::from_secs(5);

impl EventLoop {
    /// Reads when the runtime of each worker last turned; one under a debugger counts as turning.
    pub(super) fn beats(&self, now: Time) -> Vec<(WorkerId, Time)> {
        self.processes
            .iter()
            .map(|(id, process)| {
                let beat = self.page.cell(process.cell).beat.load(Ordering::Acquire);
                let beat = Duration::from_millis(beat).saturating_sub(self.started);
                let is_late = beat + OVERSLEPT < now;
                let traced = is_late && look::is_traced(process.child.pid());
                (*id, if traced { now } else { beat })
            })
            .collect()
    }

    /// Returns whether every service has a ready worker whose heart beats: one without is as good as
    /// none.
    pub(super) fn is_alive(&self, now: Time) -> bool {
        let beats: BTreeMap<WorkerId, Time> = self.beats(now).into_iter().collect();
        let alive: BTreeSet<PoolId> = self
            .machine
            .workers()
            .filter(|worker| worker.is_ready())
            .filter(|worker| {
                beats
                    .get(&worker.id)
                    .is_some_and(|beat| *beat + HEARTLESS >= now)
            })
            .filter_map(|worker| Some(self.processes.get(&worker.id)?.place.pool))
            .collect();
        self.machine.pools().keys().all(|pool| alive.contains(pool))
    }

    /// Logs where a worker hangs, and aborts it.
    pub(super) fn abort(&self, id: WorkerId) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let Worker { pid, slot, .. } = Worker::of(process);
        for line in look::threads(process.child.pid()) {
            tracing::error!(slot, pid, "{line}");
        }
        self.signal(id, Signal::SIGABRT);
    }
}
