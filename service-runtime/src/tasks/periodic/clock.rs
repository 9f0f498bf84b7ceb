//! The wall clock, which tests replace.

use jiff::Timestamp;

/// Tells the time of day. It may jump, unlike tokio's time.
pub(super) trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// The clock of the system.
#[derive(Debug, Clone, Copy)]
pub(super) struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
