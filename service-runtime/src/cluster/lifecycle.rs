//! A service's way through the cluster, from its record to the removal of its entry.
//!
//! | when | what is done |
//! | --- | --- |
//! | before `#[start]` | the record is got or created, versions are checked |
//! | after `#[ready]` | the worker's entry is written, and again with each beat |
//! | a stop begins | the entry says `draining`, before anything is refused |
//! | after `#[stopped]` | leases are given back, the entry is removed |
//!
//! A stop waits for the store for [`PATIENCE`] at each step and no longer; an entry that stays ages.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{sleep, timeout};

use super::handle::{Cluster, ClusterError, Membership};
use super::liveness::ReportedState;
use super::record::{self, RecordError};
use crate::backoff::Backoff;
use crate::service::Context;

/// How long a step of a stop waits for the store.
const PATIENCE: Duration = Duration::from_secs(2);
const RETRY: Backoff = Backoff::doubling(Duration::from_millis(100), Duration::from_secs(5));

/// Gets the record of the service, or creates it; waits for a store that is away, if it is required.
///
/// # Errors
///
/// Returns an error that waiting cannot mend: of the configuration, of a store of another schema, of versions.
pub(crate) async fn register(cx: &Context) -> anyhow::Result<()> {
    let Some(cluster) = member(cx)? else {
        return Ok(());
    };
    if cluster.down_after() != cluster.config.down_after {
        tracing::warn!(
            service = cx.name(),
            "`[membership] down_after` is not longer than `interval`, {} is taken",
            humantime::format_duration(cluster.down_after())
        );
    }
    let mut failures = 0;
    loop {
        let error =
            match recorded(&cluster).await {
                Ok(()) => break,
                Err(
                    ClusterError::Record(RecordError::Store(error)) | ClusterError::Store(error),
                ) if !error.is_permanent() => error,
                Err(error) => return Err(error).context("cannot be recorded in the cluster"),
            };
        failures += 1;
        if !cluster.required {
            tracing::error!(
                service = cx.name(),
                "starts without a service record: {error}"
            );
            return Ok(());
        }
        if failures == 1 {
            tracing::error!(service = cx.name(), "waits for the store: {error}");
        }
        sleep(RETRY.after(failures)).await;
    }
    if failures > 0 {
        tracing::info!(service = cx.name(), failures, "the store answers");
    }
    Ok(())
}

/// Gets the record and looks at the versions of the peers.
async fn recorded(cluster: &Cluster) -> Result<(), ClusterError> {
    let version = cluster.program.version;
    cluster
        .record
        .get_or_create(&cluster.store, version)
        .await?;
    let lowest = record::lowest_version(&cluster.store, &cluster.service).await?;
    let oldest_peer = cluster.program.oldest_peer;
    let Some(lowest) = lowest.filter(|lowest| *lowest < oldest_peer) else {
        return Ok(());
    };
    if cluster.config.allow_old_peers {
        tracing::warn!(
            service = cluster.service,
            lowest,
            oldest_peer,
            "a peer is older than this program supports"
        );
        return Ok(());
    }
    Err(ClusterError::PeerTooOld {
        service: cluster.service.clone(),
        lowest,
        oldest_peer,
    })
}

/// Writes the entry of this worker, and goes on doing so.
///
/// # Errors
///
/// Returns an error of the configuration; a store that is away is tried again with each beat.
pub(crate) async fn join(cx: &Context) -> anyhow::Result<()> {
    let Some(cluster) = member(cx)? else {
        return Ok(());
    };
    if cluster.config.interval.is_zero() {
        tracing::info!(
            service = cx.name(),
            "`[membership] interval` is 0: no beats, and no entry of this worker"
        );
        return Ok(());
    }
    *cluster.membership.lock().await = Membership::Joined;
    let first = beat(&cluster).await;
    cluster.beat_went(&first);
    let after = cluster.config.forget_after;
    if let Err(error) = cluster.entry.forget(&cluster.store, after).await {
        tracing::debug!("old entries stay: {error}");
    }
    cx.tasks().background("membership", beats(cluster));
    Ok(())
}

async fn beats(cluster: Arc<Cluster>) {
    while *cluster.membership.lock().await == Membership::Joined {
        tokio::select! {
            () = sleep(cluster.config.interval) => {}
            () = cluster.changed.notified() => {}
        }
        let result = beat(&cluster).await;
        cluster.beat_went(&result);
    }
}

async fn beat(cluster: &Cluster) -> Result<(), ClusterError> {
    let membership = cluster.membership.lock().await;
    if *membership != Membership::Joined {
        return Ok(());
    }
    cluster
        .entry
        .beat(&cluster.store, cluster.reported_state())
        .await?;
    if !cluster.record.report(&cluster.store).await? {
        tracing::warn!(
            service = cluster.service,
            "the service record is gone, it is created anew"
        );
        recorded(cluster).await?;
    }
    Ok(())
}

/// Tells peers that this worker takes no new work, before it refuses any.
pub(crate) async fn drain(cx: &Context) {
    let Ok(Some(cluster)) = member(cx) else {
        return;
    };
    cluster.report_state(ReportedState::Draining);
    match timeout(PATIENCE, beat(&cluster)).await {
        Ok(result) => cluster.beat_went(&result),
        Err(_) => tracing::warn!(
            service = cx.name(),
            "the store does not take the state `draining`, the stop goes on"
        ),
    }
}

/// Gives back what the service holds, and removes its entry.
pub(crate) async fn leave(cx: &Context) {
    if !Cluster::is_declared(cx) {
        return;
    }
    let Ok(cluster) = Cluster::of(cx) else {
        return;
    };
    cluster.ending.cancel();
    let left = async {
        let mut membership = cluster.membership.lock().await;
        if std::mem::replace(&mut *membership, Membership::Left) == Membership::Joined {
            cluster.entry.leave(&cluster.store).await?;
        }
        drop(membership);
        super::lease::release_all(cx).await;
        Ok::<_, ClusterError>(())
    };
    let error = match timeout(PATIENCE, left).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(
        service = cx.name(),
        "the entry of this worker stays until it is old: {error}"
    );
}

/// Returns why peers do not see this worker, if they do not.
#[cfg(feature = "http")]
pub(crate) fn trouble(cx: &Context) -> Option<String> {
    let cluster = member(cx).ok()??;
    cluster.trouble()
}

/// Returns the service's part, unless it has none.
fn member(cx: &Context) -> Result<Option<Arc<Cluster>>, ClusterError> {
    if !Cluster::is_declared(cx) {
        return Ok(None);
    }
    let cluster = Cluster::of(cx)?;
    Ok(cluster.config.enabled.then_some(cluster))
}
