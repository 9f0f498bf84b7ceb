//! What a process has served, until it has served as many requests as it may.

use std::fmt;
use std::sync::atomic::Ordering;
#[cfg(feature = "http")]
use std::time::Duration;

use tokio::sync::Notify;

#[cfg(feature = "http")]
use super::exchanges::{Exchanges, Figures};
use crate::os::process::counter_memory::CounterMemory;

/// Counts the requests of a process.
pub(crate) struct RequestCounters {
    memory: CounterMemory,
    /// After how many requests the process is to be replaced; 0 for never.
    limit: u64,
    limit_reached: Notify,
}

impl RequestCounters {
    pub(crate) fn new(memory: CounterMemory, limit: u64) -> Self {
        Self {
            memory,
            limit,
            limit_reached: Notify::new(),
        }
    }

    /// Counts one request that is served.
    pub(crate) fn count(&self) {
        let count = self.memory.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if count == self.limit {
            self.limit_reached.notify_one();
        }
    }

    /// Waits until as many requests were served as the process may.
    #[cfg(workers)]
    pub(crate) async fn limit_reached(&self) {
        self.limit_reached.notified().await;
    }

    /// Returns how many requests were counted.
    pub(crate) fn total(&self) -> u64 {
        self.memory.requests.load(Ordering::Relaxed)
    }

    /// Counts a request of HTTP that has begun.
    #[cfg(feature = "http")]
    pub(crate) fn begin(&self) {
        self.count();
        Exchanges::of(&self.memory.numbers).begin();
    }

    /// Counts its end: with the status of its answer, or with none.
    #[cfg(feature = "http")]
    pub(crate) fn end(&self, status: Option<u16>, took: Duration) {
        Exchanges::of(&self.memory.numbers).end(status, took);
    }

    /// Returns what there is to tell of requests of HTTP; nothing if there was none.
    #[cfg(feature = "http")]
    pub(crate) fn figures(&self) -> Option<Figures> {
        Exchanges::of(&self.memory.numbers).figures()
    }
}

impl fmt::Debug for RequestCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestCounters")
            .field("total", &self.total())
            .finish_non_exhaustive()
    }
}
