//! Task groups: spawn, stop, wait, count.

mod limit;
mod membership;
mod permit;
mod shared;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use self::limit::Limit;
pub(super) use self::membership::{Start, tell};
pub use self::permit::Permit;
pub(super) use self::shared::Shared;
use crate::tasks::tracked::Tracked;
use crate::tasks::{SpawnError, TaskFailure, TaskHandle, TaskInfo, TaskKind};

/// Owns tasks, timers and periodic tasks, to be stopped and waited for together.
///
/// A clone is the same group. Dropping all clones stops nothing; [`stop`](Self::stop) does. A limit
/// belongs to a clone and those made from it: see [`limited`](Self::limited).
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use service_runtime::tasks::TaskGroup;
///
/// let group = TaskGroup::new("import");
/// let rows = group.spawn("rows", async { 3 }).await?;
/// assert_eq!(rows.wait().await?, 3);
///
/// group.stop(true);
/// group.wait().await;
/// assert!(group.try_spawn("late", async {}).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct TaskGroup {
    shared: Arc<Shared>,
    limit: Option<Limit>,
}

impl TaskGroup {
    /// Creates an empty group that runs any number of tasks at a time.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            shared: Arc::new(Shared::new(name.into())),
            limit: None,
        }
    }

    /// Creates the group of a service, whose background tasks are ended by whoever runs the service.
    pub(crate) fn of_service(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            shared: Arc::new(Shared::of_service(name.into())),
            limit: None,
        }
    }

    /// Creates an empty group that runs at most `limit` spawned tasks at a time.
    ///
    /// Timers, loops and periodic tasks do not count: they mostly wait, and must not starve the
    /// tasks that they spawn.
    pub fn with_limit(name: impl Into<Cow<'static, str>>, limit: NonZeroUsize) -> Self {
        Self::new(name).limited(limit)
    }

    /// Returns the group's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Returns how many spawned tasks may run at a time, if there is a limit.
    pub fn limit(&self) -> Option<NonZeroUsize> {
        self.limit.as_ref().map(Limit::tasks)
    }

    /// Spawns a task, as soon as the group's limit has room for it.
    ///
    /// Those that wait for room get it in the order in which they came. A task that spawns into its
    /// own full group and waits for a permit holds the one that it waits for: use
    /// [`try_spawn`](Self::try_spawn) there.
    ///
    /// # Errors
    ///
    /// Returns [`SpawnError::Closed`] if the group has been told to stop and its last task has ended. With
    /// a limit, those that wait for room are refused from the moment of the stop on.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready drops `future` unspawned and gives up its place among
    /// those that wait; no room is lost.
    pub async fn spawn<F>(
        &self,
        name: impl Into<Cow<'static, str>>,
        future: F,
    ) -> Result<TaskHandle<F::Output>, SpawnError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let name = name.into();
        let Some(limit) = &self.limit else {
            return self.start(Start::task(name), future);
        };
        match limit.wait(&self.shared).await {
            Some(taken) => self.start(Start::task(name), taken.by(future)),
            None => Err(self.closed(name)),
        }
    }

    /// Spawns a task at once, or not at all.
    ///
    /// # Errors
    ///
    /// Returns [`SpawnError::Full`] if the group's limit has no room, [`SpawnError::Closed`] if the
    /// group has been told to stop and its last task has ended.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub fn try_spawn<F>(
        &self,
        name: impl Into<Cow<'static, str>>,
        future: F,
    ) -> Result<TaskHandle<F::Output>, SpawnError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let name = name.into();
        let Some(limit) = &self.limit else {
            return self.start(Start::task(name), future);
        };
        match limit.take() {
            Some(taken) => self.start(Start::task(name), taken.by(future)),
            None => Err(SpawnError::Full {
                group: self.shared.name.clone(),
                task: name,
                limit: limit.tasks().get(),
            }),
        }
    }

    /// Adds a callback that is told of every failure of a task.
    ///
    /// Failures are panics of tasks, and errors of loops and periodic tasks whose policy is
    /// [`Fail`](crate::tasks::PeriodicOnError::Fail). The error of a plain task is its value and
    /// goes to its handle. A group without any such callback logs failures as errors.
    ///
    /// The callback runs where the task ended, before it counts as ended. It may stop the group. Its
    /// panic is logged and changes nothing.
    pub fn on_failure(&self, callback: impl Fn(&TaskFailure) + Send + Sync + 'static) {
        self.shared.listen(Arc::new(callback));
    }

    /// Stops the group, for good. Returns at once; [`wait`](Self::wait) waits for the end.
    ///
    /// From here on the group takes no more timers, loops and periodic tasks, and
    /// [`stopping`](Self::stopping) fires. What is in progress finishes, and may still spawn plain tasks:
    /// the group takes those until its last task has ended. Gracefully,
    /// timers, loops and periodic tasks end at once if they wait and after the run in progress if
    /// they run, and plain tasks run to their own end. Not gracefully, every task is cancelled too:
    /// dropped at its next await. A task that blocks its thread cannot be cancelled; `wait` goes on
    /// waiting for it and [`tasks`](Self::tasks) names it.
    ///
    /// A task may stop its own group. A graceful stop may be followed by one that is not.
    pub fn stop(&self, graceful: bool) {
        self.shared.stop(!graceful);
    }

    /// Waits until the group has been stopped and nothing of it runs any more.
    ///
    /// Any number of callers may wait. A group that nobody stops is waited for without end, also
    /// when it is empty. A task of the group that calls this does not wait for itself, nor for other
    /// tasks of the group that wait here too. The [`background`](Self::background) tasks are dropped then; those
    /// of a service when the service is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing; a second call waits on.
    pub async fn wait(&self) {
        self.shared.wait().await;
        if !self.shared.is_of_service {
            self.end_background().await;
        }
    }

    /// Drops the background tasks, and waits until they are gone.
    pub(crate) async fn end_background(&self) {
        self.shared.end_background().await;
    }

    /// Spawns what others are driven by: the driver of a database connection, a flusher, a cache.
    ///
    /// No stop waits for it. It runs on while a stop lets work in progress finish, and is dropped when the
    /// last other task has ended; in a service after `#[stopped]`. One that is begun later is dropped at
    /// once. A panic is reported as that of any task.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use service_runtime::tasks::TaskGroup;
    ///
    /// let group = TaskGroup::new("shop");
    /// group.background("connection", std::future::pending::<()>());
    /// group.stop(true);
    /// group.wait().await;
    /// # });
    /// ```
    pub fn background<F>(&self, name: impl Into<Cow<'static, str>>, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let group = Self {
            shared: Arc::clone(self.shared.background()),
            limit: None,
        };
        let (name, kind, run) = (name.into(), TaskKind::Background, None);
        // Only a group whose background has ended already refuses: then there is nobody to drive.
        drop(group.start(Start { name, kind, run }, future));
    }

    /// Waits until the group has been told to stop; at once if it has been.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn stopping(&self) {
        self.shared.token.cancelled().await;
    }

    /// Returns whether the group has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.shared.token.is_cancelled()
    }

    /// Returns a token that is cancelled when the group is told to stop.
    ///
    /// Cancelling the token itself does not stop the group.
    pub fn stop_token(&self) -> CancellationToken {
        self.shared.token.child_token()
    }

    /// Returns how many tasks, timers, loops and periodic tasks live.
    pub fn len(&self) -> usize {
        self.shared.registry.live()
    }

    /// Returns whether nothing of the group lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Describes every live task, the oldest first.
    pub fn tasks(&self) -> Vec<TaskInfo> {
        let mut tasks = self
            .shared
            .registry
            .collect(|entry| Some(TaskInfo::of(entry)));
        if let Some(background) = self.shared.begun_background() {
            let background = &background.registry;
            tasks.extend(background.collect(|entry| Some(TaskInfo::of(entry))));
        }
        tasks.sort_by_key(|task| Reverse(task.age));
        tasks
    }

    /// Spawns.
    pub(super) fn start<F>(
        &self,
        start: Start,
        future: F,
    ) -> Result<TaskHandle<F::Output>, SpawnError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let name = start.name.clone();
        let place = self.shared.join(start).map_err(|name| self.closed(name))?;
        let future = Tracked::new(future, Arc::clone(&self.shared), place.key());
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        let join = tokio::spawn(future);
        Ok(TaskHandle::new(join, Arc::clone(&self.shared), place, name))
    }

    /// Starts a task that has nothing to do, for the sake of its handle.
    pub(super) fn idle(
        &self,
        name: Cow<'static, str>,
        kind: TaskKind,
    ) -> Result<TaskHandle<()>, SpawnError> {
        let run = None;
        self.start(Start { name, kind, run }, async {})
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Returns whether the last task has ended after a stop: no more are taken.
    fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    fn closed(&self, task: Cow<'static, str>) -> SpawnError {
        SpawnError::Closed {
            group: self.shared.name.clone(),
            task,
        }
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TaskGroup");
        debug
            .field("name", &self.shared.name)
            .field("len", &self.len());
        debug.field("stopping", &self.is_stopping()).finish()
    }
}
