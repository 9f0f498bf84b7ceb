//! The right of one worker of the cluster to run a periodic task: a lease that is kept between its runs.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::granted::{Lease, LeaseRequest};
use crate::cluster::handle::{Cluster, ClusterError};
use crate::service::Context;

tokio::task_local! {
    static CURRENT: Lease;
}

/// Keeps the lease of a periodic task, or waits for it.
#[derive(Clone)]
pub(crate) struct TaskLease {
    lease: Arc<Mutex<Option<Lease>>>,
    /// How many runs hold on to it.
    runs: watch::Sender<usize>,
}

/// A run that has begun.
struct Run(watch::Sender<usize>);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.send_modify(|runs| *runs -= 1);
    }
}

impl TaskLease {
    /// Begins to wait for the lease of this name, until the service stops.
    ///
    /// # Errors
    ///
    /// Returns an error if the program is not part of a cluster.
    pub(crate) fn take(cx: &Context, name: &str) -> Result<Self, ClusterError> {
        Cluster::of(cx)?;
        let task_lease = Self {
            lease: Arc::default(),
            runs: watch::Sender::new(0),
        };
        let (kept, context, name) = (task_lease.clone(), cx.clone(), name.to_owned());
        cx.tasks().background("cluster task_lease", async move {
            kept.keep(&context, name).await;
        });
        Ok(task_lease)
    }

    /// Gives the turn for one run, if this worker has the lease; the run holds on to it until it is dropped.
    pub(crate) fn pass(&self) -> Option<impl Send + 'static + use<>> {
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        lease.as_ref().filter(|lease| lease.is_held())?;
        self.runs.send_modify(|runs| *runs += 1);
        Some(Run(self.runs.clone()))
    }

    /// Runs something under the lease; it is dropped when the lease is lost.
    pub(crate) async fn run<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        let lease = self.lease.lock();
        let lease = lease.unwrap_or_else(PoisonError::into_inner).clone()?;
        let lost = lease.clone();
        tokio::select! {
            biased;
            () = lost.lost() => None,
            done = CURRENT.scope(lease, run) => Some(done),
        }
    }

    async fn keep(&self, cx: &Context, name: String) {
        let request = LeaseRequest::new(cx, name);
        while !cx.is_stopping() {
            let lease = tokio::select! {
                () = cx.stopping() => return,
                lease = request.acquire() => match lease {
                    Ok(lease) => lease,
                    Err(error) => return cx.fail(error),
                },
            };
            self.set(Some(lease.clone()));
            let lost = tokio::select! {
                () = lease.lost() => true,
                () = cx.stopping() => false,
            };
            if !lost {
                // What runs finishes first: nobody else may run beside it.
                let _ = self.runs.subscribe().wait_for(|runs| *runs == 0).await;
            }
            self.set(None);
            lease.release().await;
        }
    }

    fn set(&self, lease: Option<Lease>) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
    }
}

/// Returns the lease under which the periodic task runs that asks; none outside of one.
pub(crate) fn current() -> Option<Lease> {
    CURRENT.try_with(Lease::clone).ok()
}
