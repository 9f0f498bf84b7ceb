//! The handle of a spawned task.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::task::JoinHandle;

use crate::tasks::group::Shared;
use crate::tasks::panic::message;
use crate::tasks::registry::Place;

/// Cancels, waits for and gives the value of one task.
///
/// Dropping it lets the task run on; the group still knows the task. The handle is also a future of
/// what [`wait`](Self::wait) returns, for use in `select!`; like any future it must not be polled
/// again once it is ready.
pub struct TaskHandle<T> {
    join: JoinHandle<Result<T, String>>,
    group: Arc<Shared>,
    place: Place,
    name: Cow<'static, str>,
}

/// Says how a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskEnd {
    /// Its future ran to its end.
    Completed,
    /// It panicked with this message.
    Panicked(String),
    /// It was cancelled, alone or with its group.
    Cancelled,
}

/// Why a task has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// It panicked.
    #[error("task `{task}` panicked: {message}")]
    Panicked {
        /// The task's name.
        task: Cow<'static, str>,
        /// The panic's message.
        message: String,
    },
    /// It was cancelled, alone or with its group.
    #[error("task `{task}` was cancelled")]
    Cancelled {
        /// The task's name.
        task: Cow<'static, str>,
    },
}

impl<T> TaskHandle<T> {
    pub(super) fn new(
        join: JoinHandle<Result<T, String>>,
        group: Arc<Shared>,
        place: Place,
        name: Cow<'static, str>,
    ) -> Self {
        Self {
            join,
            group,
            place,
            name,
        }
    }

    /// Returns the task's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cancels the task: its future is dropped at its next await, waiting or running.
    ///
    /// A task that blocks its thread cannot be cancelled until it returns to an await. Cancelling a
    /// task that has ended does nothing.
    pub fn cancel(&self) {
        self.join.abort();
    }

    /// Ends a timer, a loop or a periodic task: at once if it waits, else after the run in progress.
    ///
    /// A plain task, from `spawn`, knows no such point and runs on.
    pub fn stop(&self) {
        self.group.stop_one(self.place);
    }

    /// Returns whether the task has ended.
    pub fn is_done(&self) -> bool {
        self.join.is_finished()
    }

    /// Calls `callback` once, when the task has ended, however that came about.
    ///
    /// The callback runs where the task ended, before [`wait`](Self::wait) returns; if the task has
    /// already ended it runs here and now. It should be short. Its panic is logged and changes
    /// nothing. Several callbacks run in the order in which they were given. Dropping the handle
    /// keeps them.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use service_runtime::tasks::{TaskEnd, TaskGroup};
    ///
    /// let group = TaskGroup::new("import");
    /// let (tell, told) = std::sync::mpsc::channel();
    /// let task = group.spawn("rows", async { 3 }).await?;
    /// task.on_done(move |end| tell.send(end.clone()).unwrap());
    /// task.wait().await?;
    /// assert_eq!(told.recv()?, TaskEnd::Completed);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn on_done(&self, callback: impl FnOnce(&TaskEnd) + Send + 'static) {
        self.group.on_done(self.place, Box::new(callback));
    }

    /// Waits until the task has ended and returns its value.
    ///
    /// # Errors
    ///
    /// Returns [`TaskError::Panicked`] if the task panicked, [`TaskError::Cancelled`] if it was
    /// cancelled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the handle, and the task runs on. To wait again, await
    /// `&mut handle` instead.
    pub async fn wait(self) -> Result<T, TaskError> {
        self.await
    }
}

impl<T> Future for TaskHandle<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = ready!(Pin::new(&mut self.join).poll(cx));
        let task = self.name.clone();
        Poll::Ready(match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(message)) => Err(TaskError::Panicked { task, message }),
            Err(error) => Err(match error.try_into_panic() {
                // The future panicked while it was being dropped, after it was cancelled.
                Ok(payload) => TaskError::Panicked {
                    task,
                    message: message(payload),
                },
                Err(_) => TaskError::Cancelled { task },
            }),
        })
    }
}

impl<T> Drop for TaskHandle<T> {
    fn drop(&mut self) {
        self.group.let_go(self.place);
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TaskHandle");
        debug
            .field("name", &self.name)
            .field("done", &self.is_done())
            .finish()
    }
}
