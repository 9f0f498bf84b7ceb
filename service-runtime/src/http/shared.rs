//! What the connections of one server know of it: settings, limits, the clock, and whether it drains.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::config::{HttpConfig, limit};
use crate::metrics::{EndedRequest, HttpMetrics};
use crate::service::Context;

/// Far enough for every clock.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// One server, as its connections see it.
pub(crate) struct Shared {
    pub(crate) cx: Context,
    pub(crate) config: HttpConfig,
    pub(crate) limits: Limits,
    /// Cancelled when accepting has ended.
    drain: CancellationToken,
    started: Instant,
    drains_since: AtomicU64,
    pub(crate) metrics: HttpMetrics,
}

/// The time limits of a connection, in milliseconds.
pub(crate) struct Limits {
    pub(crate) head: Option<u64>,
    pub(crate) idle: Option<u64>,
    pub(crate) send: Option<u64>,
    pub(crate) linger: u64,
}

impl Shared {
    pub(crate) fn new(cx: Context, config: HttpConfig) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 4);
        let limits = Limits {
            head: limit(config.head_timeout).map(millis),
            idle: limit(config.client_socket_timeout).map(millis),
            send: limit(config.send_timeout).map(millis),
            linger: millis(config.linger),
        };
        Self {
            metrics: HttpMetrics::of(cx.name()),
            cx,
            config,
            limits,
            drain: CancellationToken::new(),
            started: Instant::now(),
            drains_since: AtomicU64::new(0),
        }
    }

    /// Returns the time since the start in milliseconds, from 1.
    pub(crate) fn now(&self) -> u64 {
        self.millis(Instant::now())
    }

    /// Returns the time from the start to an instant, as [`now`](Self::now) does.
    pub(crate) fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.started);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX) + 1
    }

    /// Returns the instant of a time that [`now`](Self::now) gave.
    pub(crate) fn at(&self, millis: u64) -> Instant {
        self.started + Duration::from_millis(millis).min(FAR)
    }

    /// Counts a request that has begun.
    pub(crate) fn begun(&self) {
        self.cx.host().requests().begin();
        self.metrics.begin();
    }

    /// Counts a request that has ended.
    pub(crate) fn ended(&self, request: &EndedRequest<'_>) {
        self.cx.host().requests().end(request.status, request.took);
        self.metrics.end(request);
    }

    /// Returns what is cancelled when the server begins to drain.
    pub(crate) fn drain(&self) -> &CancellationToken {
        &self.drain
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drains_since.load(Relaxed) != 0
    }

    /// Returns since when the server drains, if it does.
    pub(crate) fn drains_since(&self) -> Option<u64> {
        Some(self.drains_since.load(Relaxed)).filter(|since| *since != 0)
    }

    /// Tells every connection that the server drains.
    pub(crate) fn begin_drain(&self) {
        self.drains_since.store(self.now(), Relaxed);
        self.drain.cancel();
    }
}
