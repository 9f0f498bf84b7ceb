//! A lease that is held: renewed until it is given back or lost.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::row::Claim;
use super::tenure::Tenure;
use crate::cluster::clock;
use crate::cluster::store::Store;
use crate::service::Context;

/// A lease that was granted.
pub(super) struct Hold {
    pub(super) claim: Claim,
    pub(super) store: Store,
    pub(super) ttl: Duration,
    tenure: Mutex<Tenure>,
    /// Cancelled when it is lost or given back.
    pub(super) over: CancellationToken,
}

/// The leases that a service holds.
#[derive(Default)]
pub(super) struct Holds(Mutex<Vec<Arc<Hold>>>);

impl Hold {
    /// Takes over a lease that was granted, and renews it in the background of the service.
    pub(super) fn begin(
        cx: &Context,
        claim: Claim,
        store: Store,
        ttl: Duration,
        (fence, asked): (i64, u64),
    ) -> Arc<Self> {
        let ttl_millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX / 4);
        let hold = Arc::new(Self {
            claim,
            store,
            ttl,
            tenure: Mutex::new(Tenure::new(fence, ttl_millis, asked)),
            over: CancellationToken::new(),
        });
        let holds = holds(cx);
        holds.add(&hold);
        let kept = Arc::clone(&hold);
        cx.tasks().background("lease", async move {
            kept.keep().await;
            holds.remove(&kept);
        });
        hold
    }

    /// Returns the fencing number.
    pub(super) fn fence(&self) -> i64 {
        self.with(|tenure| tenure.fence())
    }

    /// Returns whether the lease may be relied on at this moment.
    pub(super) fn is_held(&self) -> bool {
        !self.over.is_cancelled() && self.with(|tenure| tenure.holds(clock::millis()))
    }

    /// Gives the lease back; nothing happens if it is lost or given back already.
    pub(super) async fn release(&self) {
        if self.over.is_cancelled() {
            return;
        }
        // First nobody relies on it any more, and then another may have it.
        self.over.cancel();
        if let Err(error) = self.claim.release(&self.store, self.fence()).await {
            tracing::warn!(
                lease = self.claim.name,
                "the lease is not given back, it runs out by itself: {error}"
            );
        }
    }

    /// Renews the lease until it is over.
    async fn keep(&self) {
        let kept = async {
            while self.is_held() {
                let now = clock::millis();
                let (due, until) = self.with(|tenure| (tenure.due(), tenure.until()));
                if now < due {
                    sleep(Duration::from_millis(due - now)).await;
                    continue;
                }
                // An answer after that moment would come too late.
                let left = Duration::from_millis(until.saturating_sub(now));
                let asked = self.claim.renew(&self.store, self.fence(), self.ttl);
                let answer = timeout(left, asked).await;
                let heard = clock::millis();
                self.with(|tenure| match &answer {
                    Ok(Ok(true)) => tenure.renewed(now, heard),
                    Ok(Ok(false)) => tenure.refused(),
                    Ok(Err(_)) | Err(_) => tenure.unanswered(heard),
                });
                if let Ok(Err(error)) = answer {
                    tracing::warn!(lease = self.claim.name, "the lease is not renewed: {error}");
                }
            }
        };
        tokio::select! {
            () = self.over.cancelled() => return,
            () = kept => {}
        }
        tracing::error!(
            lease = self.claim.name,
            fence = self.fence(),
            "the lease is lost, what ran under it is cancelled"
        );
        self.over.cancel();
    }

    fn with<T>(&self, act: impl FnOnce(&mut Tenure) -> T) -> T {
        act(&mut self.tenure.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Holds {
    fn add(&self, hold: &Arc<Hold>) {
        self.lock().push(Arc::clone(hold));
    }

    fn remove(&self, hold: &Arc<Hold>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, hold));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Hold>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives back every lease that the service holds.
pub(crate) async fn release_all(cx: &Context) {
    let held: Vec<_> = holds(cx).lock().clone();
    for hold in held {
        hold.release().await;
    }
}

fn holds(cx: &Context) -> Arc<Holds> {
    let made = cx.extension(|| Ok::<_, Infallible>(Holds::default()));
    match made {
        Ok(holds) => holds,
        Err(never) => match never {},
    }
}
