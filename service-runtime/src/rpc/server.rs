//! A server, as its connections see it.

use super::dispatch::Dispatch;
use crate::service::Context;

/// What a topic offers, and to whom its calls belong.
pub(super) struct Server {
    pub(super) cx: Context,
    pub(super) topic: String,
    pub(super) dispatch: Dispatch,
    /// The largest message in bytes.
    pub(super) limit: usize,
}
