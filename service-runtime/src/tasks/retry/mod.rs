//! Retry of a fallible call, which ends when its group stops.
//!
//! The delays are [backon]'s: any of its builders will do, and they are re-exported here. What
//! this adds is that a retry belongs to a group: it begins no further try and waits no further delay
//! once the group has been told to stop.

mod cause;
#[cfg(test)]
mod tests;

use std::future::Future;

pub use backon::{BackoffBuilder, ConstantBuilder, ExponentialBuilder, FibonacciBuilder};
use tokio::time::sleep;

pub use self::cause::RetryCause;
use crate::tasks::TaskGroup;

/// Why a retried call has no value, with the error of its latest try as the source.
///
/// It is an error like any other, whatever the call failed with: `?` hands it on. `downcast_ref` of
/// [`anyhow::Error`] finds what the call returned, if that was an error of a type of its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetryError {
    /// The error is not one to retry after, or no tries are left.
    #[error("gave up trying")]
    GaveUp(#[source] anyhow::Error),
    /// The group was told to stop. This is the error of the latest try.
    #[error("stopped trying, because the group stops")]
    Stopped(#[source] anyhow::Error),
}

impl RetryError {
    /// Returns the error of the latest try.
    pub fn into_inner(self) -> anyhow::Error {
        match self {
            RetryError::GaveUp(error) | RetryError::Stopped(error) => error,
        }
    }
}

impl TaskGroup {
    /// Calls `call` until it succeeds, with the delays of `backoff` in between.
    ///
    /// After an error for which `again` returns `false` it does not try again. The first try is made
    /// even in a group that stops, and a try in progress is never cut short.
    ///
    /// This runs in the caller's own task. For a loop that goes on after a success, see
    /// [`backoff`](Self::backoff).
    ///
    /// # Errors
    ///
    /// Returns [`RetryError::GaveUp`] if `again` or `backoff` says so, and [`RetryError::Stopped`] if
    /// the group is told to stop while another try is due.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the try in progress, and makes no other.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// use service_runtime::tasks::{TaskGroup, retry::ExponentialBuilder};
    ///
    /// let group = TaskGroup::new("db");
    /// let mut tries = 0;
    /// let dial = || {
    ///     tries += 1;
    ///     let up = tries == 3;
    ///     async move { if up { Ok("connected") } else { Err("refused") } }
    /// };
    /// let connected = group.retry(ExponentialBuilder::default(), |error| *error == "refused", dial).await;
    /// assert_eq!(connected?, "connected");
    /// # anyhow::Ok(()) }).unwrap();
    /// ```
    pub async fn retry<T, E, Kind, Fut>(
        &self,
        backoff: impl BackoffBuilder,
        mut again: impl FnMut(&E) -> bool,
        mut call: impl FnMut() -> Fut,
    ) -> Result<T, RetryError>
    where
        E: RetryCause<Kind>,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut delays = backoff.build();
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) if !again(&error) => return Err(RetryError::GaveUp(error.into_error())),
                // What waits may be moved to another thread, and not every error may.
                Err(error) => error.into_error(),
            };
            let Some(delay) = delays.next() else {
                return Err(RetryError::GaveUp(error));
            };
            tokio::select! {
                biased;
                () = self.stopping() => return Err(RetryError::Stopped(error)),
                () = sleep(delay) => {}
            }
        }
    }
}
