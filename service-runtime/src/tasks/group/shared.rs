//! What all clones of a group share: its count, its flags, its members and its listeners.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

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
    inner_waiters: Mutex<HashMap<Id, usize>>,
    inner_waiter_count: AtomicUsize,
    /// Tasks that are about to be spawned and keep the group open.
    reserved: AtomicUsize,
    /// What drives others, and ends after them.
    background: OnceLock<Arc<Self>>,
    /// It is a service's: whoever runs that ends what is in the background.
    pub(super) is_of_service: bool,
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
            inner_waiters: Mutex::default(),
            inner_waiter_count: AtomicUsize::new(0),
            reserved: AtomicUsize::new(0),
            background: OnceLock::new(),
            is_of_service: false,
            listeners: RwLock::default(),
        }
    }

    pub(super) fn of_service(name: Cow<'static, str>) -> Self {
        Self {
            is_of_service: true,
            ..Self::new(name)
        }
    }

    /// Begins the end of the group: ends loops, and aborts everything if that is asked for.
    ///
    /// What is in progress may still spawn, until the last task has ended.
    pub(super) fn stop(&self, aborting: bool) {
        for mut slots in self.registry.all() {
            slots.stopping = true;
            slots.aborting |= aborting;
        }
        if aborting {
            self.aborting.store(true, Ordering::Release);
        }
        self.token.cancel();
        // No loop joins any more, and what has not waited yet looks at the flags before it does. So this
        // sees all there is to wake.
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
        if maybe_last || self.inner_waiter_count.load(Ordering::SeqCst) > 0 {
            self.ended.notify_waiters();
        }
    }

    /// Waits until the group was told to stop and no task is left but those that wait here themselves.
    ///
    /// From then on it takes no more tasks.
    pub(super) async fn wait(&self) {
        let inside = match try_id() {
            None => None,
            Some(id) => {
                // Having waited once, a task of this group is entered with its id.
                yield_now().await;
                self.has(id).then(|| InnerWaiter::new(self, id))
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
            self.inner_waiter_count.load(Ordering::SeqCst)
        } else {
            0
        };
        // All shards at once: a task that ends in one may have spawned into another.
        let mut all: Vec<_> = self.registry.all().collect();
        let live: usize = all.iter().map(|slots| slots.live).sum();
        let is_over = all.iter().all(|slots| slots.stopping)
            && live <= waiting
            && self.reserved.load(Ordering::SeqCst) == 0;
        // Those that wait here themselves may still spawn, until they end.
        if is_over && live == 0 {
            all.iter_mut().for_each(|slots| slots.closed = true);
        }
        is_over
    }

    /// Returns whether the group takes no more tasks.
    pub(super) fn is_closed(&self) -> bool {
        self.registry.all().all(|slots| slots.closed)
    }

    /// Keeps the group open for a task that is to be spawned, until [`release`](Self::release).
    pub(super) fn reserve(&self) {
        self.reserved.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends a [`reserve`](Self::reserve).
    pub(super) fn release(&self) {
        self.reserved.fetch_sub(1, Ordering::SeqCst);
        self.has_left(self.token.is_cancelled());
    }

    /// Returns the tasks that no stop waits for.
    pub(super) fn background(&self) -> &Arc<Self> {
        self.background
            .get_or_init(|| Arc::new(Self::new(self.name.clone())))
    }

    /// Returns the tasks that no stop waits for, if there ever were any.
    pub(super) fn begun_background(&self) -> Option<&Arc<Self>> {
        self.background.get()
    }

    /// Drops the background tasks, and waits until they are gone.
    pub(super) async fn end_background(&self) {
        // One that is begun now is dropped at once.
        let background = self.background();
        background.stop(true);
        background.wait().await;
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
struct InnerWaiter<'a> {
    shared: &'a Shared,
    id: Id,
}

impl<'a> InnerWaiter<'a> {
    fn new(shared: &'a Shared, id: Id) -> Self {
        let mut inner_waiters = shared
            .inner_waiters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *inner_waiters.entry(id).or_default() += 1;
        shared
            .inner_waiter_count
            .store(inner_waiters.len(), Ordering::SeqCst);
        drop(inner_waiters);
        // One more that nobody has to wait for: another inner waiter may be done.
        shared.ended.notify_waiters();
        Self { shared, id }
    }
}

impl Drop for InnerWaiter<'_> {
    fn drop(&mut self) {
        let mut inner_waiters = self
            .shared
            .inner_waiters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(waits) = inner_waiters.get_mut(&self.id) {
            *waits -= 1;
            if *waits == 0 {
                inner_waiters.remove(&self.id);
            }
        }
        self.shared
            .inner_waiter_count
            .store(inner_waiters.len(), Ordering::SeqCst);
    }
}
