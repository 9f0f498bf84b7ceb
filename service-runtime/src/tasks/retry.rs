//! Retry of a fallible call, which ends when its group stops.
//!
//! The delays are [backon]'s: any of its builders will do, and they are re-exported here. What
//! this adds is that a retry belongs to a group: it begins no further try and waits no further delay
//! once the group has been told to stop.

use std::fmt;
use std::future::Future;

pub use backon::{BackoffBuilder, ConstantBuilder, ExponentialBuilder, FibonacciBuilder};
use tokio::time::sleep;

use crate::tasks::TaskGroup;

/// Why a retried call has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryError<E> {
    /// The error is not one to retry after, or no tries are left.
    GaveUp(E),
    /// The group was told to stop. This is the error of the latest try.
    Stopped(E),
}

impl<E> RetryError<E> {
    /// Returns the error of the latest try.
    pub fn into_inner(self) -> E {
        match self {
            RetryError::GaveUp(error) | RetryError::Stopped(error) => error,
        }
    }
}

impl<E> fmt::Display for RetryError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RetryError::GaveUp(_) => "gave up trying",
            RetryError::Stopped(_) => "stopped trying, because the group stops",
        })
    }
}

impl<E: std::error::Error + 'static> std::error::Error for RetryError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RetryError::GaveUp(error) | RetryError::Stopped(error) => Some(error),
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
    /// assert_eq!(connected, Ok("connected"));
    /// # });
    /// ```
    pub async fn retry<T, E, Fut>(
        &self,
        backoff: impl BackoffBuilder,
        mut again: impl FnMut(&E) -> bool,
        mut call: impl FnMut() -> Fut,
    ) -> Result<T, RetryError<E>>
    where
        Fut: Future<Output = Result<T, E>>,
    {
        let mut delays = backoff.build();
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) if !again(&error) => return Err(RetryError::GaveUp(error)),
                Err(error) => error,
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn delays() -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(SECOND)
            .with_factor(2.0)
            .with_max_times(3)
    }

    #[tokio::test(start_paused = true)]
    async fn delays_grow_until_no_tries_are_left() {
        let (group, tries, start) = (TaskGroup::new("g"), AtomicU32::new(0), Instant::now());
        let call = || async { Err::<(), _>(tries.fetch_add(1, Ordering::SeqCst)) };
        assert_eq!(
            group.retry(delays(), |_| true, call).await,
            Err(RetryError::GaveUp(3))
        );
        assert_eq!(start.elapsed(), 7 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_is_not_to_be_retried_ends_it() {
        let (group, tries) = (TaskGroup::new("g"), AtomicU32::new(0));
        let call = || async { Err::<(), _>(tries.fetch_add(1, Ordering::SeqCst)) };
        let ended = group.retry(delays(), |error| *error < 1, call).await;
        assert_eq!(ended, Err(RetryError::GaveUp(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_delay_but_not_the_try() {
        let (group, start) = (TaskGroup::new("g"), Instant::now());
        let own = group.clone();
        let task = group.try_spawn("r", async move {
            let call = || async {
                sleep(5 * SECOND).await;
                Err::<(), _>("refused")
            };
            own.retry(delays().with_min_delay(60 * SECOND), |_| true, call)
                .await
        });
        sleep(SECOND).await;
        group.stop(true);
        let ended = task.unwrap().wait().await.unwrap().unwrap_err();
        assert_eq!(
            (ended, start.elapsed()),
            (RetryError::Stopped("refused"), 5 * SECOND)
        );
        assert_eq!(ended.to_string(), "stopped trying, because the group stops");
        assert_eq!(ended.into_inner(), "refused");
    }
}
