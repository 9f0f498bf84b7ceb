//! Why a timer, loop or periodic task was not started.

#[cfg(feature = "cron")]
use std::error::Error;

use crate::tasks::SpawnError;

/// Why a timer, loop or periodic task was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodicError {
    /// The interval is zero.
    #[error("the interval must not be zero")]
    Interval,
    /// Another setting makes no sense; the text says which and what it must be.
    #[error("{0}")]
    Setting(&'static str),
    /// The cron expression cannot be parsed, or never comes true.
    #[cfg(feature = "cron")]
    #[error("wrong cron expression `{expression}`")]
    Cron {
        /// The expression as it was given.
        expression: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// There is no time zone of this name.
    #[cfg(feature = "cron")]
    #[error("unknown time zone `{name}`")]
    TimeZone {
        /// The name as it was given.
        name: String,
        /// Why it is not known.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The group takes no more tasks.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}
