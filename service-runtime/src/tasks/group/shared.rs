//! What all clones of a group share: its count, its flags, its members and its listeners.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{Notify, Semaphore};
use tokio::task::{Id, try_id};
use tokio_util::sync::CancellationToken;

use crate::tasks::TaskFailure;
use crate::tasks::panic::shielded;
use crate::tasks::registry::Registry;

/// No more tasks are taken.
const CLOSED: usize = 1;
/// Tasks are not waited for but aborted.
const ABORTING: usize = 2;
/// One task, in the count above the flags.
const ONE: usize = 4;

type Listener = Arc<dyn Fn(&TaskFailure) + Send + Sync>;

/// The inside of a group.
pub(in crate::tasks) struct Shared {
    pub(in crate::tasks) name: Cow<'static, str>,
    pub(in crate::tasks) registry: Registry,
    pub(super) limit: Option<(Arc<Semaphore>, NonZeroUsize)>,
    pub(super) token: CancellationToken,
    /// Count and flags in one word: no task slips in between the check and the count.
    state: AtomicUsize,
    /// Fires whenever a `wait` may have come to its end.
    ended: Notify,
    /// Tasks of this group that wait for this group, and how often each does.
    insiders: Mutex<HashMap<Id, usize>>,
    insider_count: AtomicUsize,
    listeners: RwLock<Vec<Listener>>,
}

/// What `stop` has been asked for.
pub(in crate::tasks) struct Flags {
    pub(in crate::tasks) closed: bool,
    pub(in crate::tasks) aborting: bool,
}

impl Shared {
    pub(super) fn new(name: Cow<'static, str>, limit: Option<NonZeroUsize>) -> Self {
        Self {
            name,
            registry: Registry::default(),
            limit: limit.map(|limit| {
                let permits = limit.get().min(Semaphore::MAX_PERMITS);
                (Arc::new(Semaphore::new(permits)), limit)
            }),
            token: CancellationToken::new(),
            state: AtomicUsize::new(0),
            ended: Notify::new(),
            insiders: Mutex::default(),
            insider_count: AtomicUsize::new(0),
            listeners: RwLock::default(),
        }
    }

    pub(in crate::tasks) fn flags(&self) -> Flags {
        let state = self.state.load(Ordering::SeqCst);
        Flags {
            closed: state & CLOSED != 0,
            aborting: state & ABORTING != 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.state.load(Ordering::SeqCst) / ONE
    }

    /// Counts one task more and returns how many there were, or nothing if the group is closed.
    pub(super) fn one_more(&self) -> Option<usize> {
        let before = self.state.fetch_add(ONE, Ordering::SeqCst);
        if before & CLOSED != 0 {
            self.one_less();
            return None;
        }
        Some(before / ONE)
    }

    /// Counts one task less, and wakes those who wait for the last.
    pub(in crate::tasks) fn one_less(&self) {
        let before = self.state.fetch_sub(ONE, Ordering::SeqCst);
        let last = before & CLOSED != 0 && before / ONE == 1;
        if last || self.insider_count.load(Ordering::SeqCst) > 0 {
            self.ended.notify_waiters();
        }
    }

    /// Raises the flags; they are never taken back.
    pub(super) fn close(&self, aborting: bool) {
        let flags = if aborting { CLOSED | ABORTING } else { CLOSED };
        let before = self.state.fetch_or(flags, Ordering::SeqCst);
        self.token.cancel();
        if let Some((semaphore, _)) = &self.limit {
            semaphore.close();
        }
        if before & CLOSED == 0 {
            self.ended.notify_waiters();
        }
    }

    /// Waits until the group is closed and no task is left but those that wait here themselves.
    pub(super) async fn wait(&self) {
        let inside = try_id().filter(|id| {
            !self
                .registry
                .collect(|entry| (entry.abort.id() == *id).then_some(()))
                .is_empty()
        });
        let _inside = inside.map(|id| Insider::new(self, id));
        loop {
            let mut ended = pin!(self.ended.notified());
            ended.as_mut().enable();
            let state = self.state.load(Ordering::SeqCst);
            let left = if inside.is_some() {
                self.insider_count.load(Ordering::SeqCst)
            } else {
                0
            };
            if state & CLOSED != 0 && state / ONE <= left {
                return;
            }
            ended.await;
        }
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
