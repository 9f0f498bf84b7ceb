//! How one task joins its group, and how it leaves.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;

use super::Shared;
use crate::tasks::looping::LoopState;
use crate::tasks::panic::shielded;
use crate::tasks::registry::{Callback, Entry, Place};
use crate::tasks::stamp::Stamp;
use crate::tasks::{FailureCause, TaskEnd, TaskFailure, TaskKind};

/// What a task is started with, besides its future.
pub(in crate::tasks) struct Start {
    pub(in crate::tasks) name: Cow<'static, str>,
    pub(in crate::tasks) kind: TaskKind,
    pub(in crate::tasks) run: Option<Arc<LoopState>>,
}

impl Start {
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
        let (abort, callbacks, end, held) = (None, Vec::new(), None, true);
        Ok(slots.insert(
            shard,
            Entry {
                name,
                kind,
                started,
                run,
                abort,
                callbacks,
                end,
                held,
            },
        ))
    }

    /// Keeps what aborts the task that has just been spawned; a stop may already have asked for it.
    pub(super) fn arm(&self, place: Place, abort: AbortHandle) {
        let mut slots = self.registry.of(place);
        if slots.aborting {
            drop(slots);
            abort.abort();
            return;
        }
        let entry = slots.get(place);
        if entry.end.is_none() {
            entry.abort = Some(abort);
        }
    }

    /// Takes a task out: tells everybody who asked, gives its room free and lets it count no more.
    pub(in crate::tasks) fn leave(
        &self,
        place: Place,
        end: TaskEnd,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        if let TaskEnd::Panicked(message) = &end {
            self.fail(place, FailureCause::Panicked(message.clone()));
        }
        drop(permit);
        let mut slots = self.registry.of(place);
        // A callback may add a callback.
        while !slots.get(place).callbacks.is_empty() {
            let entry = slots.get(place);
            let (name, callbacks) = (entry.name.clone(), std::mem::take(&mut entry.callbacks));
            drop(slots);
            for callback in callbacks {
                tell(&name, callback, &end);
            }
            slots = self.registry.of(place);
        }
        slots.live -= 1;
        let maybe_last = slots.closed && slots.live == 0;
        let entry = slots.get(place);
        let abort = entry.abort.take();
        let gone = if entry.held {
            entry.end = Some(end);
            None
        } else {
            slots.remove(place)
        };
        drop(slots);
        drop((abort, gone));
        self.has_left(maybe_last);
    }

    /// Calls `callback` when the task ends, at once if it has ended.
    pub(in crate::tasks) fn on_done(&self, place: Place, callback: Callback) {
        let mut slots = self.registry.of(place);
        let entry = slots.get(place);
        match entry.end.clone() {
            None => entry.callbacks.push(callback),
            Some(end) => {
                let name = entry.name.clone();
                drop(slots);
                tell(&name, callback, &end);
            }
        }
    }

    /// Ends a loop after the run in progress.
    pub(in crate::tasks) fn stop_one(&self, place: Place) {
        let run = self.registry.of(place).get(place).run.clone();
        if let Some(run) = run {
            run.stop();
        }
    }

    /// Lets go of a task whose handle is being dropped.
    pub(in crate::tasks) fn let_go(&self, place: Place) {
        let mut slots = self.registry.of(place);
        let entry = slots.get(place);
        entry.held = false;
        let gone = entry.end.is_some().then(|| slots.remove(place));
        drop(slots);
        drop(gone);
    }

    fn fail(&self, place: Place, cause: FailureCause) {
        let mut slots = self.registry.of(place);
        let entry = slots.get(place);
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

fn tell(task: &str, callback: Callback, end: &TaskEnd) {
    shielded("a callback for the end of a task", task, || callback(end));
}
