//! How a loop ends.

use std::time::Duration;

use crate::tasks::TaskHandle;

/// The handle of a loop: [`wait`](TaskHandle::wait) tells how the loop ended.
pub type LoopHandle<T> = TaskHandle<LoopResult<T>>;

/// What a loop's handle carries.
pub type LoopResult<T> = Result<LoopEnd<T>, LoopError>;

/// Says why a loop ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopEnd<T> {
    /// A run ended it early, with this value.
    Value(T),
    /// It was told to stop, or its group was.
    Stopped,
}

impl<T> LoopEnd<T> {
    /// Returns the value of an early end.
    pub fn value(self) -> Option<T> {
        match self {
            LoopEnd::Value(value) => Some(value),
            LoopEnd::Stopped => None,
        }
    }
}

/// Why a loop failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoopError {
    /// A run returned an error, and the policy is to stop or to fail.
    #[error("a run failed")]
    Failed(#[source] anyhow::Error),
    /// The loop used up its time.
    #[error("timed out after {}", humantime::format_duration(*after))]
    TimedOut {
        /// The time it had.
        after: Duration,
        /// The error of the last run, where the time was time spent failing.
        #[source]
        error: Option<anyhow::Error>,
    },
}
