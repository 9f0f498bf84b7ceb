//! The handle of a spawned task.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::thread;

use tokio::task::{JoinError, JoinHandle, unconstrained};

use crate::tasks::group::{Shared, tell};
use crate::tasks::panic::message;
use crate::tasks::registry::EntryRef;
use crate::tasks::tracked::NoValue;
use crate::tasks::{TaskEnd, TaskError};

/// Cancels, waits for and gives the value of one task.
///
/// Dropping it lets the task run on; the group still knows the task. The handle is also a future of
/// what [`wait`](Self::wait) returns, for use in `select!`; like any future it must not be polled
/// again once it is ready.
pub struct TaskHandle<T> {
    join: JoinHandle<Result<T, NoValue>>,
    known: Known<T>,
    group: Arc<Shared>,
    place: EntryRef,
    name: Cow<'static, str>,
}

/// What the handle knows of the end of its task.
enum Known<T> {
    Nothing,
    /// What `wait` is still to return.
    All(Box<Result<T, TaskError>>),
    /// `wait` has returned a value.
    Completed,
    /// `wait` has returned an error.
    Failed(Box<TaskEnd>),
}

impl<T> TaskHandle<T> {
    pub(super) fn new(
        join: JoinHandle<Result<T, NoValue>>,
        group: Arc<Shared>,
        place: EntryRef,
        name: Cow<'static, str>,
    ) -> Self {
        Self {
            join,
            known: Known::Nothing,
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
    /// let mut task = group.spawn("rows", async { 3 }).await?;
    /// task.on_done(move |end| tell.send(end.clone()).unwrap());
    /// task.wait().await?;
    /// assert_eq!(told.recv()?, TaskEnd::Completed);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn on_done(&mut self, callback: impl FnOnce(&TaskEnd) + Send + 'static) {
        let Some(callback) = self.group.on_done(self.place, Box::new(callback)) else {
            return;
        };
        let end = self.end();
        tell(&self.name, callback, &end);
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

    /// Returns how the task ended, which has left its group.
    fn end(&mut self) -> TaskEnd {
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            match &self.known {
                Known::All(ended) => return TaskEnd::of(ended),
                Known::Completed => return TaskEnd::Completed,
                Known::Failed(end) => return TaskEnd::clone(end),
                // Without a budget, which may be used up: it says nothing of this task.
                Known::Nothing => match pin!(unconstrained(&mut self.join)).poll(&mut cx) {
                    Poll::Ready(ended) => self.known = Known::All(Box::new(self.result(ended))),
                    // Another thread is about to store the value, and has nothing else left to do.
                    Poll::Pending => thread::yield_now(),
                },
            }
        }
    }

    fn result(&self, ended: Result<Result<T, NoValue>, JoinError>) -> Result<T, TaskError> {
        let task = self.name.clone();
        match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(NoValue::Panicked(message))) => Err(TaskError::Panicked {
                task,
                message: *message,
            }),
            Ok(Err(NoValue::Aborted)) => Err(TaskError::Cancelled { task }),
            Err(error) => Err(match error.try_into_panic() {
                // The future panicked while it was dropped, after it was cancelled.
                Ok(payload) => TaskError::Panicked {
                    task,
                    message: message(payload),
                },
                Err(_) => TaskError::Cancelled { task },
            }),
        }
    }
}

impl<T> Future for TaskHandle<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let known = mem::replace(&mut self.known, Known::Nothing);
        let ended = if let Known::All(ended) = known {
            *ended
        } else {
            let ended = ready!(Pin::new(&mut self.join).poll(cx));
            self.result(ended)
        };
        self.known = match TaskEnd::of(&ended) {
            TaskEnd::Completed => Known::Completed,
            end => Known::Failed(Box::new(end)),
        };
        Poll::Ready(ended)
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
