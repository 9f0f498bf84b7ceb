//! A worker's heartbeat, and the limits of its life.
//!
//! The beat is written by the runtime that the services run on: when that stands still, so does the
//! beat, whatever other threads do.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::ipc::protocol::ToSupervisor;
use crate::os::process::page::CellRef;
use crate::os::process::{clock, look};
#[cfg(feature = "http")]
use crate::service::host::Exchange;
use crate::settings::RecycleLimits;
use crate::worker::supervisor_client::SupervisorClient;

/// How often the heart beats at the least, and memory is looked at.
const SLOWEST: Duration = Duration::from_secs(1);

/// Counts what a worker serves, until it is recycle_requested out.
pub(crate) struct Counter {
    cell: CellRef,
    /// The number of requests that wears it out; 0 for none.
    limit: u64,
    reached: Notify,
}

impl Counter {
    pub(crate) fn new(cell: CellRef, wear: &RecycleLimits) -> Self {
        let jitter = if wear.requests_jitter > 0 {
            fastrand::u64(0..=wear.requests_jitter)
        } else {
            0
        };
        let limit = if wear.requests > 0 {
            wear.requests.saturating_add(jitter)
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

    /// Takes note of a request of HTTP.
    #[cfg(feature = "http")]
    pub(crate) fn exchange(&self, exchange: Exchange) {
        match exchange {
            Exchange::Begun => self.cell.exchanges.begin(),
            Exchange::Ended { status, took } => self.cell.exchanges.end(status, took),
        }
    }
}

/// Heartbeats for as long as the runtime turns.
///
/// At one rate, whatever the limit: that may change while this worker lives.
pub(crate) async fn beat(cell: CellRef) {
    let mut pulse = interval(SLOWEST);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pulse.tick().await;
        cell.beat.store(clock::millis(), Ordering::Release);
    }
}

/// Asks for a successor when a limit is reached; the supervisor decides when.
pub(crate) async fn wear_out(link: SupervisorClient, wear: RecycleLimits) {
    let why = tokio::select! {
        () = link.counter().reached.notified() => "max_requests",
        () = end_of_life(&wear) => "max_lifetime",
        () = too_large(wear.memory) => "max_memory",
    };
    tracing::info!(limit = why, "worker asks to be replaced");
    link.send(ToSupervisor::RecycleRequested);
}

async fn end_of_life(wear: &RecycleLimits) {
    let Some(lifetime) = wear.lifetime else {
        return pending().await;
    };
    sleep(lifetime.saturating_add(wear.lifetime_jitter.mul_f64(fastrand::f64()))).await;
}

async fn too_large(limit: u64) {
    if limit == 0 {
        return pending().await;
    }
    let mut look = interval(SLOWEST);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        if look::own_memory() > limit {
            return;
        }
    }
}
