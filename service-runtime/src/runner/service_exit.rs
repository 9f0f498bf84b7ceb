//! What a service's task is told beside its commands, and what becomes of a service.

use std::time::Duration;

use crate::backoff::Backoff;

/// How services with `on_error = "restart"` are started again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RestartPolicy {
    /// How long to wait before each start.
    pub(crate) delay: Backoff,
    pub(crate) healthy_after: Duration,
    /// How often in a row; 0 for no limit.
    pub(crate) limit: u64,
    /// How long a failed service may take to stop.
    pub(crate) stop: Option<Duration>,
}

/// What became of a service.
#[derive(Debug)]
pub(crate) enum ServiceExit {
    /// Its work is done, and it has stopped.
    Done,
    /// It has failed and stopped; the others go on.
    Ignored,
    /// It has failed and stopped, and so must all.
    Failed(String, anyhow::Error),
}

/// A configuration taken over without a restart.
#[derive(Clone)]
pub(crate) struct ConfigurationChange {
    /// The configuration before and after.
    #[cfg(feature = "config")]
    pub(crate) snapshots: (crate::config::Snapshot, crate::config::Snapshot),
}
