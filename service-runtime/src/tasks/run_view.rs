//! What a group sees of a loop.

use tokio::time::Instant;

/// A loop, as its group sees it.
pub(super) trait RunView: Send + Sync {
    /// Tells the loop to end when it next looks; whoever calls this also wakes it.
    fn stop(&self);

    /// Returns whether it was told to end.
    fn is_stopped(&self) -> bool;

    /// Returns what it has done so far.
    fn counts(&self) -> RunCounts;
}

/// What a loop has done so far.
#[derive(Debug, Default)]
pub(super) struct RunCounts {
    pub(super) runs: u64,
    pub(super) skipped: u64,
    pub(super) gated: u64,
    pub(super) failures: u64,
    pub(super) last_run: Option<Instant>,
    pub(super) next_run: Option<Instant>,
    pub(super) running_since: Option<Instant>,
}
