//! Permits for tasks of a group, taken in advance.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::limit::{Limit, Taken};
use super::{Shared, Start, TaskGroup};
use crate::tasks::TaskHandle;

/// A permit for one task in a group, kept until it is used or dropped.
///
/// From [`TaskGroup::reserve`].
#[must_use = "a permit that is dropped is free again"]
pub struct Permit {
    group: TaskGroup,
    taken: Option<Taken>,
    reserved: Reserved,
}

/// Keeps a group open until it is dropped.
struct Reserved(Arc<Shared>);

impl Drop for Reserved {
    fn drop(&mut self) {
        self.0.release();
    }
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
    pub async fn reserve(&self) -> Option<Permit> {
        let taken = match &self.limit {
            None if self.is_stopping() => return None,
            None => None,
            Some(limit) => Some(limit.wait(&self.shared).await?),
        };
        self.shared.reserve();
        let reserved = Reserved(Arc::clone(&self.shared));
        if self.is_closed() {
            return None;
        }
        let group = self.clone();
        Some(Permit {
            group,
            taken,
            reserved,
        })
    }
}

impl Permit {
    /// Spawns a task with this permit.
    ///
    /// A stop of the group does not come between: the group stays open for as long as a permit of it is kept.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub fn spawn<F>(self, name: impl Into<Cow<'static, str>>, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let start = Start::task(name.into());
        let spawned = match self.taken {
            Some(taken) => self.group.start(start, taken.by(future)),
            None => self.group.start(start, future),
        };
        drop(self.reserved);
        spawned.expect("a group is open while a permit of it is kept")
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::tasks::SpawnError;
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
        let permit = group.reserve().await.unwrap();
        assert!(group.try_spawn("task", async {}).is_err());
        drop(permit);
        let permit = group.reserve().await.unwrap();
        let task = permit.spawn("task", async { 1 });
        assert_eq!(task.wait().await, Ok(1));
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait_for_room() {
        let group = TaskGroup::new("group");
        let limited = group.limited(one());
        let (_end, ended) = oneshot::channel::<()>();
        let first = limited.try_spawn("first", ended).unwrap();
        let (permit, late) = (limited.reserve(), limited.spawn("late", async {}));
        let waiting = async { tokio::join!(permit, late) };
        let stop = async { group.stop(true) };
        let ((permit, late), ()) = tokio::join!(waiting, stop);
        assert!(permit.is_none());
        assert!(matches!(late, Err(SpawnError::Closed { .. })));
        assert!(group.reserve().await.is_none());
        let full = limited.try_spawn("late", async {}).unwrap_err();
        assert!(matches!(full, SpawnError::Full { .. }), "{full}");
        first.cancel();
        group.wait().await;
        let closed = limited.try_spawn("late", async {}).unwrap_err();
        assert!(matches!(closed, SpawnError::Closed { .. }), "{closed}");
    }

    #[tokio::test]
    async fn a_group_stays_open_for_as_long_as_room_in_it_is_kept() {
        let group = TaskGroup::new("group");
        let permit = group.reserve().await.unwrap();
        group.stop(true);
        let waited = group.clone();
        let mut waiting = std::pin::pin!(waited.wait());
        tokio::select! {
            biased;
            () = &mut waiting => panic!("the group ended while room in it was kept"),
            () = tokio::task::yield_now() => {}
        }
        let task = permit.spawn("task", async { 1 });
        assert_eq!(task.wait().await, Ok(1));
        waiting.await;
        assert!(group.reserve().await.is_none());
    }
}
