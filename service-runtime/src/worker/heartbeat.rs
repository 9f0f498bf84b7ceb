//! A worker's heartbeat, and the limits of its life.
//!
//! The heartbeat is written by the runtime that the services run on: when that stands still, so does the
//! heartbeat, whatever other threads do.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::ipc::RecycleLimit;
use crate::ipc::protocol::ToSupervisor;
use crate::os::process::shared_page::CellRef;
use crate::os::process::{clock, procfs};
use crate::runner::host_backend::HostBackend;
use crate::settings::RecycleLimits;
use crate::worker::supervisor_client::SupervisorClient;

/// How often a heartbeat is written, and memory looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Returns after how many requests this worker asks to be replaced; 0 for never.
pub(crate) fn request_limit(limits: &RecycleLimits) -> u64 {
    if limits.requests == 0 {
        return 0;
    }
    limits
        .requests
        .saturating_add(fastrand::u64(0..=limits.requests_jitter))
}

/// Writes heartbeats for as long as the runtime runs.
///
/// At one rate, whatever the limit: that may change while this worker lives.
pub(crate) async fn write_heartbeats(cell: CellRef) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        cell.heartbeat.store(clock::millis(), Ordering::Release);
    }
}

/// Asks for a successor when a limit is reached, counted from when this worker is ready; the supervisor
/// decides when.
pub(crate) async fn request_recycling(client: SupervisorClient, limits: RecycleLimits) {
    client.until_ready().await;
    let limit = tokio::select! {
        () = client.requests().limit_reached() => RecycleLimit::Requests,
        () = lifetime_over(&limits) => RecycleLimit::Lifetime,
        () = too_large(limits.memory) => RecycleLimit::Memory,
    };
    tracing::info!(%limit, "worker asks to be replaced");
    client.send(ToSupervisor::RecycleRequested(limit));
}

async fn lifetime_over(limits: &RecycleLimits) {
    let Some(lifetime) = limits.lifetime else {
        return pending().await;
    };
    sleep(lifetime.saturating_add(limits.lifetime_jitter.mul_f64(fastrand::f64()))).await;
}

async fn too_large(limit: u64) {
    if limit == 0 {
        return pending().await;
    }
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if procfs::own_memory() > limit {
            return;
        }
    }
}
