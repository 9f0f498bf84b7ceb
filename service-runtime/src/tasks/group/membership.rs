//! How one task joins its group, lives in it, and leaves.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::task::Context;

use tokio::task;

use super::Shared;
use crate::tasks::looping::LoopState;
use crate::tasks::panic::shielded;
use crate::tasks::registry::{Callback, Entry, Place, Slots};
use crate::tasks::stamp::Stamp;
use crate::tasks::{FailureCause, TaskEnd, TaskFailure, TaskKind};

/// What a task is started with, besides its future.
pub(in crate::tasks) struct Start {
    pub(in crate::tasks) name: Cow<'static, str>,
    pub(in crate::tasks) kind: TaskKind,
    pub(in crate::tasks) run: Option<Arc<LoopState>>,
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
    /// Enters a task that is about to be spawned, unless the group takes no more.
    pub(super) fn join(&self, start: Start) -> Result<Place, Cow<'static, str>> {
        let Start { name, kind, run } = start;
        let started = Stamp::now();
        let (shard, mut slots) = self.registry.any();
        if slots.closed {
            return Err(name);
        }
        let (waits, callbacks) = (None, Vec::new());
        Ok(slots.insert(
            shard,
            Entry {
                name,
                kind,
                started,
                run,
                waits,
                callbacks,
            },
        ))
    }

    /// Notes that a task waits for the first time, so that it can be woken to its end.
    ///
    /// Returns `false` if the task is to end now instead.
    pub(in crate::tasks) fn waits(&self, place: Place, cx: &Context<'_>) -> bool {
        let waits = Some((cx.waker().clone(), task::id()));
        let mut slots = self.registry.of(place);
        if slots.aborting {
            return false;
        }
        if let Some(entry) = slots.get(place) {
            entry.waits = waits;
        }
        true
    }

    /// Takes a task out: tells everybody who asked, and counts it no more.
    pub(in crate::tasks) fn leave(&self, place: Place, end: &TaskEnd) {
        if let TaskEnd::Panicked(message) = end {
            self.fail(place, FailureCause::Panicked(message.clone()));
        }
        let mut slots = self.registry.of(place);
        // A callback may add a callback.
        while let Some((name, callbacks)) = callbacks(&mut slots, place) {
            drop(slots);
            for callback in callbacks {
                tell(&name, callback, end);
            }
            slots = self.registry.of(place);
        }
        let entry = slots.remove(place);
        let last = slots.closed && slots.live == 0;
        drop(slots);
        drop(entry);
        self.has_left(last);
    }

    /// Adds a callback for the end of a task, or gives it back if the task has ended.
    pub(in crate::tasks) fn on_done(&self, place: Place, callback: Callback) -> Option<Callback> {
        match self.registry.of(place).get(place) {
            Some(entry) => entry.callbacks.push(callback),
            None => return Some(callback),
        }
        None
    }

    /// Ends a loop, after the run in progress.
    pub(in crate::tasks) fn stop_one(&self, place: Place) {
        let waker = self.registry.of(place).get(place).and_then(|entry| {
            entry.run.as_ref()?.stop();
            entry.waits.as_ref().map(|(waker, _)| waker.clone())
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    #[cold]
    fn fail(&self, place: Place, cause: FailureCause) {
        let task = self
            .registry
            .of(place)
            .get(place)
            .map(|entry| (entry.name.clone(), entry.kind));
        if let Some((task, kind)) = task {
            self.report(&TaskFailure {
                group: self.name.clone(),
                task,
                kind,
                cause,
            });
        }
    }
}

/// Takes the callbacks of a task, if it has any, and its name to go with them.
fn callbacks(slots: &mut Slots, place: Place) -> Option<(Cow<'static, str>, Vec<Callback>)> {
    let entry = slots
        .get(place)
        .filter(|entry| !entry.callbacks.is_empty())?;
    Some((entry.name.clone(), mem::take(&mut entry.callbacks)))
}

/// Calls a callback for the end of a task.
pub(in crate::tasks) fn tell(task: &str, callback: Callback, end: &TaskEnd) {
    shielded("a callback for the end of a task", task, || callback(end));
}
