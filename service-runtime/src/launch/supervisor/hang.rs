//! Heartbeats read from the shared page, and workers that hang.

use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::driver::Driver;
use super::machine::{Time, WorkerId};
use super::narrate::Worker;
use crate::process::look;

/// A sleep that lasted this much longer than was asked for was no sleep: the machine, or this
/// process, was suspended.
pub(super) const OVERSLEPT: Duration = Duration::from_secs(1);

impl Driver {
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
