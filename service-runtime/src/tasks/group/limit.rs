//! How many tasks of a group may run at a time.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Shared;

/// How many tasks may run at a time.
#[derive(Clone)]
pub(super) struct Limit {
    semaphore: Arc<Semaphore>,
    tasks: NonZeroUsize,
}

/// A permit that is taken, until this is dropped.
pub(super) struct Taken {
    _permit: OwnedSemaphorePermit,
}

pin_project! {
    /// A task's future with the room that it takes, dropped after it.
    struct Within<F> {
        #[pin]
        future: F,
        taken: Taken,
    }
}

impl Limit {
    pub(super) fn new(tasks: NonZeroUsize) -> Self {
        let permits = tasks.get().min(Semaphore::MAX_PERMITS);
        Self {
            semaphore: Arc::new(Semaphore::new(permits)),
            tasks,
        }
    }

    pub(super) fn tasks(&self) -> NonZeroUsize {
        self.tasks
    }

    /// Waits for room; `None` once the group has been told to stop.
    pub(super) async fn wait(&self, shared: &Shared) -> Option<Taken> {
        tokio::select! {
            biased;
            () = shared.token.cancelled() => None,
            permit = Arc::clone(&self.semaphore).acquire_owned() => permit.ok().map(Taken::new),
        }
    }

    /// Takes room if there is any.
    pub(super) fn take(&self) -> Option<Taken> {
        let permit = Arc::clone(&self.semaphore).try_acquire_owned();
        permit.ok().map(Taken::new)
    }
}

impl Taken {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit }
    }

    /// Makes a future hold the room until it is dropped.
    pub(super) fn by<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        let taken = self;
        Within { future, taken }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}
