//! The record of one task: shared by its future, its handle and the registry of its group.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::tasks::group::Shared;
use crate::tasks::looping::LoopState;
use crate::tasks::panic::shielded;
use crate::tasks::registry::{Callback, Entry};
use crate::tasks::{FailureCause, TaskEnd, TaskFailure, TaskInfo, TaskKind};

/// Not entered yet: the spawning thread has not come that far.
const NEW: u32 = u32::MAX;
/// The task has ended, and is not in the registry.
const ENDED: u32 = u32::MAX - 1;

/// What is known of one task.
pub(super) struct Record {
    pub(super) group: Arc<Shared>,
    pub(super) name: Cow<'static, str>,
    pub(super) kind: TaskKind,
    /// Only loops have one.
    pub(super) run: Option<Arc<LoopState>>,
    started: Instant,
    shard: usize,
    /// The place in the shard, [`NEW`] or [`ENDED`]; only touched under the shard's lock.
    place: AtomicU32,
    /// How the task ended; empty for a task that lives or that completed.
    end: OnceLock<TaskEnd>,
}

impl Record {
    pub(super) fn new(
        group: Arc<Shared>,
        name: Cow<'static, str>,
        kind: TaskKind,
        run: Option<Arc<LoopState>>,
        shard: usize,
    ) -> Self {
        let (started, place, end) = (Instant::now(), AtomicU32::new(NEW), OnceLock::new());
        Self {
            group,
            name,
            kind,
            run,
            started,
            shard,
            place,
            end,
        }
    }

    /// Enters the task that was just spawned, unless it has already ended.
    pub(super) fn enter(self: &Arc<Self>, abort: AbortHandle) {
        let mut slots = self.group.registry.shard(self.shard);
        if self.place.load(Ordering::Relaxed) == ENDED {
            return;
        }
        let entry = Entry {
            record: Arc::clone(self),
            abort,
            callbacks: Vec::new(),
        };
        let index = slots.insert(entry);
        self.place.store(index, Ordering::Relaxed);
        // `stop` raises its flags before it walks the shards: either it sees the entry or this
        // sees the flags.
        let flags = self.group.flags();
        if !flags.closed {
            return;
        }
        let abort = slots.get_mut(index).map(|entry| entry.abort.clone());
        drop(slots);
        if let Some(run) = &self.run {
            run.stop();
        }
        if let Some(abort) = abort.filter(|_| flags.aborting) {
            abort.abort();
        }
    }

    /// Takes the task out, tells everybody who asked, and gives its place in the group free.
    pub(super) fn leave(&self, end: TaskEnd) {
        let mut slots = self.group.registry.shard(self.shard);
        let entry = slots.remove(self.place.swap(ENDED, Ordering::Relaxed));
        if end != TaskEnd::Completed {
            self.end.get_or_init(|| end.clone());
        }
        drop(slots);
        for callback in entry.map(|entry| entry.callbacks).into_iter().flatten() {
            shielded("a callback for the end of a task", &self.name, || {
                callback(&end)
            });
        }
        if let TaskEnd::Panicked(message) = end {
            self.fail(FailureCause::Panicked(message));
        }
    }

    /// Calls `callback` when the task ends, at once if it has ended.
    pub(super) fn on_done(&self, callback: Callback) {
        let mut slots = self.group.registry.shard(self.shard);
        match slots.get_mut(self.place.load(Ordering::Relaxed)) {
            Some(entry) => entry.callbacks.push(callback),
            None => {
                drop(slots);
                let end = self.end.get().unwrap_or(&TaskEnd::Completed);
                shielded("a callback for the end of a task", &self.name, || {
                    callback(end)
                });
            }
        }
    }

    /// Reports a failure of this task to those who listen to the group's failures.
    pub(super) fn fail(&self, cause: FailureCause) {
        let (group, task) = (self.group.name.clone(), self.name.clone());
        self.group.report(&TaskFailure {
            group,
            task,
            kind: self.kind,
            cause,
        });
    }

    pub(super) fn info(&self, now: Instant) -> TaskInfo {
        let mut info = TaskInfo {
            name: self.name.clone(),
            kind: self.kind,
            age: now.saturating_duration_since(self.started),
            runs: 0,
            skipped: 0,
            gated: 0,
            failures: 0,
            last_run: None,
            next_run: None,
            running_since: None,
        };
        if let Some(run) = &self.run {
            run.describe(&mut info);
        }
        info
    }
}
