//! The state of one loop that others may see, and the word that ends it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

use crate::tasks::TaskInfo;

/// No instant.
const NEVER: u64 = u64::MAX;

/// Counters, instants and the stop flag of a loop.
///
/// Only the loop's own task writes the counters and instants, so plain loads and stores will do, and
/// a tick takes no lock.
pub(in crate::tasks) struct LoopState {
    /// Instants are kept in nanoseconds from here.
    origin: Instant,
    runs: AtomicU64,
    skipped: AtomicU64,
    gated: AtomicU64,
    failures: AtomicU64,
    last_run: AtomicU64,
    next_run: AtomicU64,
    running_since: AtomicU64,
    stop: AtomicBool,
    /// The waker of the loop's task. It never changes, because a spawned task never moves to another.
    waker: OnceLock<Waker>,
}

impl LoopState {
    pub(in crate::tasks) fn new() -> Self {
        Self {
            origin: Instant::now(),
            runs: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            gated: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_run: AtomicU64::new(NEVER),
            next_run: AtomicU64::new(NEVER),
            running_since: AtomicU64::new(NEVER),
            stop: AtomicBool::new(false),
            waker: OnceLock::new(),
        }
    }

    /// Tells the loop to end: at once if it waits, else after the run in progress.
    pub(in crate::tasks) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Returns whether the loop is to end, and if not sees to it that `stop` wakes it.
    pub(super) fn stopped(&self, cx: &Context<'_>) -> bool {
        if self.waker.get().is_none() {
            let _ = self.waker.set(cx.waker().clone());
            // Either `stop` sees the waker or this sees the flag.
            fence(Ordering::SeqCst);
        }
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn waits_until(&self, next: Instant) {
        self.next_run.store(self.stamp(next), Ordering::Relaxed);
    }

    pub(super) fn begins(&self, now: Instant) {
        let now = self.stamp(now);
        add(&self.runs, 1);
        self.next_run.store(NEVER, Ordering::Relaxed);
        self.last_run.store(now, Ordering::Relaxed);
        self.running_since.store(now, Ordering::Relaxed);
    }

    pub(super) fn ends(&self) {
        self.running_since.store(NEVER, Ordering::Relaxed);
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

    pub(in crate::tasks) fn describe(&self, info: &mut TaskInfo) {
        let at = |nanos: &AtomicU64| match nanos.load(Ordering::Relaxed) {
            NEVER => None,
            nanos => self.origin.checked_add(Duration::from_nanos(nanos)),
        };
        info.runs = self.runs.load(Ordering::Relaxed);
        info.skipped = self.skipped.load(Ordering::Relaxed);
        info.gated = self.gated.load(Ordering::Relaxed);
        info.failures = self.failures.load(Ordering::Relaxed);
        info.last_run = at(&self.last_run);
        info.next_run = at(&self.next_run);
        info.running_since = at(&self.running_since);
    }

    fn stamp(&self, at: Instant) -> u64 {
        let nanos = at.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(nanos).unwrap_or(NEVER - 1)
    }
}

/// Adds without a locked instruction: there is one writer.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(
        counter.load(Ordering::Relaxed).wrapping_add(more),
        Ordering::Relaxed,
    );
}
