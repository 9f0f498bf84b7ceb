//! A server, as what carries its calls sees it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::address::Target;
use super::dispatch::Dispatch;
use super::stats::TopicStats;
use crate::service::Context;

/// What a topic offers, and to whom its calls belong.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) cx: Context,
    /// The topic, and the name of this server.
    pub(super) target: Target,
    /// The name of this server.
    pub(super) name: String,
    pub(super) dispatch: Dispatch,
    /// The methods that every topic has.
    pub(super) base: Dispatch,
    /// The largest message in bytes.
    pub(super) limit: usize,
    /// How many calls are handled at a time.
    pub(super) slots: NonZeroUsize,
    /// From when on a call is slow.
    pub(super) slow: Option<Duration>,
    pub(super) stats: Arc<TopicStats>,
}

impl Server {
    pub(super) fn topic(&self) -> &str {
        &self.target.topic
    }
}
