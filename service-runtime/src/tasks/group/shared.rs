//! What all clones of a group share: its count, its flags, its members and its listeners.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::Notify;
use tokio::task::{Id, try_id, yield_now};
use tokio_util::sync::CancellationToken;

use crate::tasks::TaskFailure;
use crate::tasks::panic::shielded;
use crate::tasks::registry::{Entry, Registry};
use crate::tasks::stamp::Stamp;

type Listener = Arc<dyn Fn(&TaskFailure) + Send + Sync>;

/// The inside of a group.
pub(in crate::tasks) struct Shared {
    pub(in crate::tasks) name: Cow<'static, str>,
    pub(in crate::tasks) registry: Registry,
    pub(super) token: CancellationToken,
    /// The same as in the shards, to be read without a lock.
    aborting: AtomicBool,
    /// Fires whenever a `wait` may have come to its end.
    ended: Notify,
    /// Tasks of this group that wait for this group, and how often each does.
    insiders: Mutex<HashMap<Id, usize>>,
    insider_count: AtomicUsize,
    listeners: RwLock<Vec<Listener>>,
}

impl Shared {
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self {
            name,
            registry: Registry::default(),
            token: CancellationToken::new(),
            aborting: AtomicBool::new(false),
            ended: Notify::new(),
            insiders: Mutex::default(),
            insider_count: AtomicUsize::new(0),
            listeners: RwLock::default(),
        }
    }

    /// Takes no more tasks. Ends loops, and aborts everything if that is asked for.
    pub(super) fn close(&self, aborting: bool) {
        for mut slots in self.registry.all() {
            slots.closed = true;
            slots.aborting |= aborting;
        }
        if aborting {
            self.aborting.store(true, Ordering::Release);
        }
        self.token.cancel();
        // Nothing joins any more, and what has not waited yet looks at the flags before it does. So
        // this sees all there is to wake.
        let wakers = self.registry.collect(|entry| {
            entry.since.get_or_insert_with(Stamp::now);
            if let Some(run) = &entry.run {
                run.stop();
            }
            let waits = entry
                .waits
                .as_ref()
                .filter(|_| aborting || entry.run.is_some());
            waits.map(|(waker, _)| waker.clone())
        });
        for waker in wakers {
            waker.wake();
        }
        self.ended.notify_waiters();
    }

    /// Wakes those who wait for the group, if the task that has left may be what they waited for.
    pub(super) fn has_left(&self, maybe_last: bool) {
        if maybe_last || self.insider_count.load(Ordering::SeqCst) > 0 {
            self.ended.notify_waiters();
        }
    }

    /// Waits until the group is closed and no task is left but those that wait here themselves.
    pub(super) async fn wait(&self) {
        let inside = match try_id() {
            None => None,
            Some(id) => {
                // Having waited once, a task of this group is entered with its id.
                yield_now().await;
                self.has(id).then(|| Insider::new(self, id))
            }
        };
        loop {
            let mut ended = pin!(self.ended.notified());
            ended.as_mut().enable();
            if self.is_over(inside.is_some()) {
                return;
            }
            ended.await;
        }
    }

    /// Returns whether tasks are aborted.
    pub(in crate::tasks) fn is_aborting(&self) -> bool {
        self.aborting.load(Ordering::Acquire)
    }

    /// Returns whether the task of this id belongs to the group.
    fn has(&self, id: Id) -> bool {
        let is_it =
            |entry: &mut Entry| entry.waits.as_ref().filter(|(_, its)| *its == id).map(drop);
        !self.registry.collect(is_it).is_empty()
    }

    fn is_over(&self, inside: bool) -> bool {
        let waiting = if inside {
            self.insider_count.load(Ordering::SeqCst)
        } else {
            0
        };
        let (mut closed, mut live) = (true, 0);
        for slots in self.registry.all() {
            closed &= slots.closed;
            live += slots.live;
        }
        closed && live <= waiting
    }

    pub(super) fn listen(&self, listener: Listener) {
        self.listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
    }

    /// Tells all listeners of a failure; without any, the log.
    pub(in crate::tasks) fn report(&self, failure: &TaskFailure) {
        // Cloned, so that a listener may add listeners.
        let listeners = self
            .listeners
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if listeners.is_empty() {
            let (group, task) = (&*self.name, &*failure.task);
            tracing::error!(
                group,
                task,
                error = failure.message(),
                "{} failed",
                failure.kind
            );
        }
        for listener in &listeners {
            shielded("a listener for failures of tasks", &failure.task, || {
                listener(failure)
            });
        }
    }
}

/// Marks a task of the group as one that waits for the group.
struct Insider<'a> {
    shared: &'a Shared,
    id: Id,
}

impl<'a> Insider<'a> {
    fn new(shared: &'a Shared, id: Id) -> Self {
        let mut insiders = shared
            .insiders
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *insiders.entry(id).or_default() += 1;
        shared.insider_count.store(insiders.len(), Ordering::SeqCst);
        drop(insiders);
        // One more that nobody has to wait for: another insider may be done.
        shared.ended.notify_waiters();
        Self { shared, id }
    }
}

impl Drop for Insider<'_> {
    fn drop(&mut self) {
        let mut insiders = self
            .shared
            .insiders
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(waits) = insiders.get_mut(&self.id) {
            *waits -= 1;
            if *waits == 0 {
                insiders.remove(&self.id);
            }
        }
        self.shared
            .insider_count
            .store(insiders.len(), Ordering::SeqCst);
    }
}
