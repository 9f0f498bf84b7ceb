//! What others may see of a loop, and the word that ends it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Plan;
use crate::tasks::run_view::{RunCounts, RunView};

/// No instant.
const NEVER: u64 = u64::MAX;

/// The plan, the counters and the stop flag of a loop.
///
/// Only the loop's own task writes the counters and instants, so plain loads and stores will do, and
/// a tick takes no lock. What each tick touches comes first and together: with very many timers the
/// cache lines are the cost. No alignment is asked for, because the memory that it takes costs more.
#[repr(C)]
pub(in crate::tasks) struct LoopState {
    /// Instants are kept in nanoseconds from here.
    origin: Instant,
    runs: AtomicU64,
    last_run: AtomicU64,
    next_run: AtomicU64,
    running: AtomicBool,
    stop: AtomicBool,
    skipped: AtomicU64,
    gated: AtomicU64,
    failures: AtomicU64,
    pub(super) plan: Plan,
}

impl LoopState {
    pub(super) fn new(plan: Plan, now: Instant) -> Self {
        Self {
            origin: now,
            runs: AtomicU64::new(0),
            last_run: AtomicU64::new(NEVER),
            next_run: AtomicU64::new(NEVER),
            running: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            skipped: AtomicU64::new(0),
            gated: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            plan,
        }
    }

    pub(super) fn waits_until(&self, next: Instant) {
        self.next_run.store(self.stamp(next), Ordering::Relaxed);
    }

    pub(super) fn begins(&self, now: Instant) {
        add(&self.runs, 1);
        self.last_run.store(self.stamp(now), Ordering::Relaxed);
        self.running.store(true, Ordering::Relaxed);
    }

    pub(super) fn ends(&self) {
        self.running.store(false, Ordering::Relaxed);
    }

    pub(super) fn skips(&self, ticks: u64) {
        if ticks > 0 {
            add(&self.skipped, ticks);
        }
    }

    pub(super) fn is_gated(&self) {
        add(&self.gated, 1);
    }

    pub(super) fn fails(&self) {
        add(&self.failures, 1);
    }

    fn stamp(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        since
            .as_secs()
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::from(since.subsec_nanos()))
    }
}

impl RunView for LoopState {
    fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn counts(&self) -> RunCounts {
        let at = |nanos: &AtomicU64| match nanos.load(Ordering::Relaxed) {
            NEVER => None,
            nanos => self.origin.checked_add(Duration::from_nanos(nanos)),
        };
        let running = self.running.load(Ordering::Relaxed);
        let last_run = at(&self.last_run);
        RunCounts {
            runs: self.runs.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            gated: self.gated.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            last_run,
            next_run: at(&self.next_run).filter(|_| !running),
            running_since: last_run.filter(|_| running),
        }
    }
}

/// Adds without a locked instruction: there is one writer.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(
        counter.load(Ordering::Relaxed).wrapping_add(more),
        Ordering::Relaxed,
    );
}
