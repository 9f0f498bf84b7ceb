//! Leases as authors have them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::hold::Hold;
use super::row::Claim;
use crate::cluster::clock;
use crate::cluster::handle::{Cluster, ClusterError};
use crate::cluster::store::StoreError;
use crate::service::Context;

/// Why something cannot be done under a lease.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The lease was lost or given back; another may hold it.
    #[error("the lease `{0}` is lost")]
    Lost(String),
    /// The store does not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks for a lease; see [`Context::lease`].
#[must_use = "nothing is asked for until `acquire` or `try_acquire`"]
pub struct LeaseRequest<'a> {
    cx: &'a Context,
    name: String,
    ttl: Option<Duration>,
}

/// A lease that this worker holds: nobody else in the cluster does at the same time.
///
/// It is renewed in the background, and given back when the service ends, by [`release`](Self::release), or
/// by dropping all clones of it. When the store cannot be asked for too long, or says that another holds
/// it, it is lost: [`lost`](Self::lost) tells, and [`is_held`](Self::is_held) is false.
#[derive(Clone)]
pub struct Lease(Arc<Guard>);

struct Guard {
    hold: Arc<Hold>,
    cx: Context,
}

impl<'a> LeaseRequest<'a> {
    pub(in crate::cluster) fn new(cx: &'a Context, name: String) -> Self {
        Self {
            cx,
            name,
            ttl: None,
        }
    }

    /// Says how long the lease lasts when it is not renewed; by default `[membership] lease`.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Takes the lease if nobody has it.
    ///
    /// # Errors
    ///
    /// Returns an error if the program is not part of a cluster, or the store does not answer.
    ///
    /// # Cancel safety
    ///
    /// A lease that was granted to a dropped future runs out by itself.
    pub async fn try_acquire(&self) -> Result<Option<Lease>, ClusterError> {
        let cluster = Cluster::of(self.cx)?;
        // Shorter ones are lost by the time that a statement takes.
        let ttl = self.ttl.unwrap_or(cluster.config.lease);
        let ttl = ttl.max(Duration::from_millis(100));
        let asked = clock::millis();
        let claim = Claim {
            name: self.name.clone(),
            holder: format!("{} {asked}", cluster.entry.id()),
        };
        let Some(fence) = claim.acquire(&cluster.store, ttl).await? else {
            return Ok(None);
        };
        let store = cluster.store.clone();
        let hold = Hold::begin(self.cx, claim, store, ttl, (fence, asked));
        tracing::debug!(lease = self.name, fence, "lease taken");
        let cx = self.cx.clone();
        Ok(Some(Lease(Arc::new(Guard { hold, cx }))))
    }

    /// Waits until the lease is this worker's.
    ///
    /// A store that is away is asked again; the log hears of it once.
    ///
    /// # Errors
    ///
    /// Returns an error if the program is not part of a cluster, or if the store says something that waiting
    /// cannot mend.
    ///
    /// # Cancel safety
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub async fn acquire(&self) -> Result<Lease, ClusterError> {
        let mut failing = false;
        loop {
            match self.try_acquire().await {
                Ok(Some(lease)) => return Ok(lease),
                Ok(None) => failing = false,
                Err(ClusterError::Store(error)) if !error.is_permanent() => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(lease = self.name, "the lease cannot be asked for: {error}");
                    }
                }
                Err(error) => return Err(error),
            }
            let ttl = match self.ttl {
                Some(ttl) => ttl,
                None => Cluster::of(self.cx)?.config.lease,
            };
            // Many who wait do not ask together.
            sleep(ttl.div_f64(fastrand::f64().mul_add(2.0, 3.0))).await;
        }
    }
}

impl Lease {
    /// Returns the fencing number: higher than that of any holder before.
    pub fn fence(&self) -> i64 {
        self.0.hold.fence()
    }

    /// Returns whether the lease can be relied on at this moment.
    pub fn is_held(&self) -> bool {
        self.0.hold.is_held()
    }

    /// Waits until the lease is lost or given back.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn lost(&self) {
        self.0.hold.over.cancelled().await;
    }

    /// Gives the lease back, so that another can take it at once.
    pub async fn release(self) {
        self.0.hold.release().await;
    }

    /// Writes a text that belongs to the lease, such as how far the work has come.
    ///
    /// The store takes it only from the holder with the highest fencing number.
    ///
    /// # Errors
    ///
    /// Returns [`LeaseError::Lost`] if that is another one, or an error of the store.
    pub async fn save(&self, text: &str) -> Result<(), LeaseError> {
        let hold = &self.0.hold;
        if hold.is_held() && hold.claim.save(&hold.store, hold.fence(), text).await? {
            return Ok(());
        }
        Err(LeaseError::Lost(hold.claim.name.clone()))
    }

    /// Returns the text that was written last, by this holder or one before.
    ///
    /// # Errors
    ///
    /// Returns an error of the store.
    pub async fn saved(&self) -> Result<Option<String>, LeaseError> {
        let hold = &self.0.hold;
        Ok(hold.claim.saved(&hold.store).await?)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.hold.over.is_cancelled() || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let hold = Arc::clone(&self.hold);
        self.cx
            .tasks()
            .background("lease release", async move { hold.release().await });
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("name", &self.0.hold.claim.name)
            .field("fence", &self.fence())
            .field("held", &self.is_held())
            .finish()
    }
}
