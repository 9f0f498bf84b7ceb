//! A call as its handler sees it, and how it is carried on to further calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

tokio::task_local! {
    /// The call that this task handles.
    static CURRENT: Call;
}

/// A call that is being handled: who asks, until when, and whether anybody still waits.
///
/// What a handler calls in its own task is a part of the call: it gets the context, and no more time
/// than is left. For a task that the handler spawns, hand the call over by
/// [`within`](Self::within).
#[derive(Clone)]
pub struct Call(Arc<Inner>);

struct Inner {
    id: String,
    method: String,
    context: Map<String, Value>,
    deadline: Option<Instant>,
    cancelled: CancellationToken,
}

impl Call {
    pub(super) fn new(
        id: String,
        method: String,
        context: Map<String, Value>,
        timeout: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Inner {
            id,
            method,
            context,
            deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            cancelled: CancellationToken::new(),
        }))
    }

    /// Returns the call that the current task handles, if it handles one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Returns the id of the call, as it stands in the logs of both sides.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns the name of the method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// Returns what the caller sent along, by key.
    #[must_use]
    pub fn context(&self) -> &Map<String, Value> {
        &self.0.context
    }

    /// Returns how long the caller still waits; `None` for a cast, whose sender waits for nothing.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.0.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Waits until nobody waits for the answer any more: the caller is gone, or its time is over.
    ///
    /// A handler that nobody waits for runs on, unless it listens to this. It never comes for a cast.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn cancelled(&self) {
        self.0.cancelled.cancelled().await;
    }

    /// Returns whether nobody waits for the answer any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.is_cancelled()
    }

    /// Runs a future as a part of this call: what it calls gets the context, and the time that is left.
    pub async fn within<F: Future>(&self, future: F) -> F::Output {
        CURRENT.scope(self.clone(), future).await
    }

    pub(super) fn cancel(&self) {
        self.0.cancelled.cancel();
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("id", &self.id())
            .field("method", &self.method())
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}
