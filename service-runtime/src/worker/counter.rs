//! What a worker has served, in memory that the supervisor reads.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;

#[cfg(feature = "http")]
use crate::metrics::exchanges::Exchanges;
use crate::os::process::page::CellRef;
#[cfg(feature = "http")]
use crate::service::host::Exchange;
use crate::settings::RecycleLimits;

/// Counts what a worker serves, until it has served as many as it may.
pub(crate) struct Counter {
    cell: CellRef,
    /// After how many requests it is to be replaced; 0 for never.
    limit: u64,
    reached: Notify,
}

impl Counter {
    pub(crate) fn new(cell: CellRef, limits: &RecycleLimits) -> Self {
        let jitter = if limits.requests_jitter > 0 {
            fastrand::u64(0..=limits.requests_jitter)
        } else {
            0
        };
        let limit = if limits.requests > 0 {
            limits.requests.saturating_add(jitter)
        } else {
            0
        };
        Self {
            cell,
            limit,
            reached: Notify::new(),
        }
    }

    /// Returns how long this worker may take to stop, once its supervisor has said so.
    pub(crate) fn stop_limit(&self) -> Option<Option<Duration>> {
        self.cell.limit()
    }

    /// Counts one request.
    pub(crate) fn count(&self) {
        let count = self.cell.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if count == self.limit {
            self.reached.notify_one();
        }
    }

    /// Waits until as many requests were served as this worker may.
    pub(crate) async fn limit_reached(&self) {
        self.reached.notified().await;
    }

    /// Takes note of a request of HTTP.
    #[cfg(feature = "http")]
    pub(crate) fn exchange(&self, exchange: Exchange) {
        let exchanges = Exchanges::of(&self.cell.counters);
        match exchange {
            Exchange::Begun => exchanges.begin(),
            Exchange::Ended { status, took } => exchanges.end(status, took),
        }
    }
}
