//! What a reload that keeps the services has changed.

use crate::config;

/// What a mutation changed.
pub(crate) struct Changes {
    pub(super) options: config::Changes,
    /// Which services have a pool of their own was to change.
    pub(super) pools_stay: bool,
}

impl Changes {
    /// Logs each option that was taken over, and each that could not.
    pub(crate) fn log(&self) {
        for change in self.options.applied() {
            tracing::info!("option changed: {change}");
        }
        for change in self.options.refused() {
            tracing::warn!("option needs a restart, it stays as it was: {change}");
        }
        if self.pools_stay {
            tracing::warn!(
                "which services have workers of their own needs a restart, it stays as it was"
            );
        }
    }
}
