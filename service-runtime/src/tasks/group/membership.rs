//! How one task joins its group, lives in it, and leaves.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::task::Context;

use tokio::task;

use super::Shared;
use crate::tasks::panic::shielded;
use crate::tasks::registry::{Callback, Entry, EntryKey, EntryRef};
use crate::tasks::run_view::RunView;
use crate::tasks::stamp::Stamp;
use crate::tasks::{FailureCause, TaskEnd, TaskFailure, TaskKind};

/// What a task is started with, besides its future.
pub(in crate::tasks) struct Start {
    pub(in crate::tasks) name: Cow<'static, str>,
    pub(in crate::tasks) kind: TaskKind,
    pub(in crate::tasks) run: Option<Arc<dyn RunView>>,
}

impl Start {
    /// What a plain task is started with.
    pub(super) fn task(name: Cow<'static, str>) -> Self {
        Self {
            name,
            kind: TaskKind::Task,
            run: None,
        }
    }
}

impl Shared {
    /// Enters a task that is about to be spawned, unless the group takes no more: loops until it is told to
    /// stop, others until the last task has ended.
    pub(super) fn join(&self, start: Start) -> Result<EntryRef, Cow<'static, str>> {
        let Start { name, kind, run } = start;
        let (shard, mut slots) = self.registry.any();
        if slots.closed || slots.stopping && run.is_some() {
            return Err(name);
        }
        Ok(slots.insert(shard, name, kind, run))
    }

    /// Notes that a task waits for the first time, so that it can be woken to its end.
    ///
    /// Returns `false` if the task is to end now instead.
    pub(in crate::tasks) fn waits(&self, key: EntryKey, cx: &Context<'_>) -> bool {
        let waits = Some((cx.waker().clone(), task::id()));
        let now = Stamp::now();
        let mut slots = self.registry.of(key);
        if slots.aborting {
            return false;
        }
        let entry = slots.get(key);
        entry.waits = waits;
        entry.since.get_or_insert(now);
        // A stop may have come since the loop has looked, when there was nobody to wake yet.
        let stopped = entry.run.as_ref().is_some_and(|run| run.is_stopped());
        drop(slots);
        if stopped {
            cx.waker().wake_by_ref();
        }
        true
    }

    /// Takes a task out: tells everybody who asked, and counts it no more.
    pub(in crate::tasks) fn leave(&self, key: EntryKey, end: &TaskEnd) {
        if let TaskEnd::Panicked(message) = end {
            self.fail(key, FailureCause::Panicked(message.clone()));
        }
        let mut slots = self.registry.of(key);
        while !slots.get(key).callbacks.is_empty() {
            drop(slots);
            self.tell_all(key, end);
            // A callback may have added a callback.
            slots = self.registry.of(key);
        }
        let left = slots.remove(key);
        let last = slots.stopping && slots.live == 0;
        drop(slots);
        drop(left);
        self.has_left(last);
    }

    /// Adds a callback for the end of a task, or gives it back if the task has ended.
    pub(in crate::tasks) fn on_done(
        &self,
        place: EntryRef,
        callback: Callback,
    ) -> Option<Callback> {
        let mut callback = Some(callback);
        self.registry
            .find(place, |entry| entry.callbacks.extend(callback.take()));
        callback
    }

    /// Ends a loop, after the run in progress.
    pub(in crate::tasks) fn stop_one(&self, place: EntryRef) {
        let stop = |entry: &mut Entry| {
            entry.run.as_ref()?.stop();
            entry.waits.as_ref().map(|(waker, _)| waker.clone())
        };
        if let Some(waker) = self.registry.find(place, stop).flatten() {
            waker.wake();
        }
    }

    #[cold]
    fn tell_all(&self, key: EntryKey, end: &TaskEnd) {
        let mut slots = self.registry.of(key);
        let entry = slots.get(key);
        let (name, callbacks) = (entry.name.clone(), mem::take(&mut entry.callbacks));
        drop(slots);
        for callback in callbacks {
            tell(&name, callback, end);
        }
    }

    #[cold]
    fn fail(&self, key: EntryKey, cause: FailureCause) {
        let mut slots = self.registry.of(key);
        let entry = slots.get(key);
        let (group, task, kind) = (self.name.clone(), entry.name.clone(), entry.kind);
        drop(slots);
        self.report(&TaskFailure {
            group,
            task,
            kind,
            cause,
        });
    }
}

/// Calls a callback for the end of a task.
pub(in crate::tasks) fn tell(task: &str, callback: Callback, end: &TaskEnd) {
    shielded("a callback for the end of a task", task, || callback(end));
}
