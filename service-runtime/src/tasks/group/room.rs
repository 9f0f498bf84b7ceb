//! How many tasks may run at a time, and room for one more.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Shared, Start, TaskGroup};
use crate::tasks::{SpawnError, TaskHandle};

/// How many tasks may run at a time.
#[derive(Clone)]
pub(super) struct Limit {
    semaphore: Arc<Semaphore>,
    tasks: NonZeroUsize,
}

/// Room that is taken, until this is dropped.
pub(super) struct Taken {
    _permit: OwnedSemaphorePermit,
}

pin_project! {
    /// A task's future with the room that it takes, dropped after it.
    struct Within<F> {
        #[pin]
        future: F,
        taken: Taken,
    }
}

/// Room for one task in a group, kept until it is used or dropped.
///
/// From [`TaskGroup::room`].
#[must_use = "room that is dropped is free again"]
pub struct Room {
    group: TaskGroup,
    taken: Option<Taken>,
}

impl TaskGroup {
    /// Returns this group with a limit: of the tasks that are spawned through what this returns, at
    /// most `limit` run at a time.
    ///
    /// They are tasks of this group like all others, to be stopped and waited for with it. So one
    /// service can bound its connections and not its other work.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use service_runtime::tasks::TaskGroup;
    /// use std::num::NonZeroUsize;
    ///
    /// let group = TaskGroup::new("echo");
    /// let connections = group.limited(NonZeroUsize::MIN);
    /// let first = connections.try_spawn("connection", std::future::pending::<()>())?;
    /// assert!(connections.try_spawn("connection", async {}).is_err());
    /// assert!(group.try_spawn("other work", async {}).is_ok());
    /// # first.cancel();
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn limited(&self, limit: NonZeroUsize) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            limit: Some(Limit::new(limit)),
        }
    }

    /// Waits until the group's limit has room for one more task, and keeps it; `None` if the group
    /// has been told to stop, also while this waits.
    ///
    /// For who must not take work before there is room for it, such as a loop that accepts
    /// connections: what it does not accept waits in the accept queue, where another worker finds
    /// it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up its place among those that wait; no room is lost.
    pub async fn room(&self) -> Option<Room> {
        let taken = match &self.limit {
            None if self.is_stopping() => return None,
            None => None,
            Some(limit) => Some(limit.wait(&self.shared).await?),
        };
        let group = self.clone();
        Some(Room { group, taken })
    }
}

impl Room {
    /// Spawns a task into the room.
    ///
    /// # Errors
    ///
    /// Returns [`SpawnError::Closed`] if the group has been told to stop.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub fn spawn<F>(
        self,
        name: impl Into<Cow<'static, str>>,
        future: F,
    ) -> Result<TaskHandle<F::Output>, SpawnError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let start = Start::task(name.into());
        match self.taken {
            Some(taken) => self.group.start(start, taken.by(future)),
            None => self.group.start(start, future),
        }
    }
}

impl Limit {
    fn new(tasks: NonZeroUsize) -> Self {
        let permits = tasks.get().min(Semaphore::MAX_PERMITS);
        Self {
            semaphore: Arc::new(Semaphore::new(permits)),
            tasks,
        }
    }

    pub(super) fn tasks(&self) -> NonZeroUsize {
        self.tasks
    }

    /// Waits for room; `None` once the group has been told to stop.
    pub(super) async fn wait(&self, shared: &Shared) -> Option<Taken> {
        tokio::select! {
            biased;
            () = shared.token.cancelled() => None,
            permit = Arc::clone(&self.semaphore).acquire_owned() => permit.ok().map(Taken::new),
        }
    }

    /// Takes room if there is any.
    pub(super) fn take(&self) -> Option<Taken> {
        let permit = Arc::clone(&self.semaphore).try_acquire_owned();
        permit.ok().map(Taken::new)
    }
}

impl Taken {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit }
    }

    /// Makes a future hold the room until it is dropped.
    pub(super) fn by<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        let taken = self;
        Within { future, taken }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn one() -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    #[tokio::test]
    async fn a_limit_holds_for_what_is_spawned_through_it_alone() {
        let group = TaskGroup::new("group");
        let limited = group.limited(one());
        let (end, ended) = oneshot::channel::<()>();
        let first = limited.try_spawn("first", ended).unwrap();
        let full = limited.clone().try_spawn("second", async {}).unwrap_err();
        assert!(matches!(full, SpawnError::Full { limit: 1, .. }), "{full}");
        let other = group.try_spawn("other", async { 1 }).unwrap();
        assert_eq!(other.wait().await, Ok(1));
        assert_eq!((group.limit(), group.len()), (None, 1));
        end.send(()).unwrap();
        first.wait().await.unwrap().unwrap();
        let second = limited.try_spawn("second", async { 2 }).unwrap();
        assert_eq!(second.wait().await, Ok(2));
    }

    #[tokio::test]
    async fn room_that_is_kept_is_nobody_elses_until_it_is_dropped() {
        let group = TaskGroup::with_limit("group", one());
        let room = group.room().await.unwrap();
        assert!(group.try_spawn("task", async {}).is_err());
        drop(room);
        let room = group.room().await.unwrap();
        let task = room.spawn("task", async { 1 }).unwrap();
        assert_eq!(task.wait().await, Ok(1));
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait_for_room() {
        let group = TaskGroup::new("group");
        let limited = group.limited(one());
        let (_end, ended) = oneshot::channel::<()>();
        let first = limited.try_spawn("first", ended).unwrap();
        let (room, late) = (limited.room(), limited.spawn("late", async {}));
        let waiting = async { tokio::join!(room, late) };
        let stop = async { group.stop(true) };
        let ((room, late), ()) = tokio::join!(waiting, stop);
        assert!(room.is_none());
        assert!(matches!(late, Err(SpawnError::Closed { .. })));
        assert!(group.room().await.is_none());
        let closed = limited.try_spawn("late", async {}).unwrap_err();
        assert!(matches!(closed, SpawnError::Closed { .. }), "{closed}");
        first.cancel();
        group.wait().await;
    }
}
