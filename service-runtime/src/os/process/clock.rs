//! The clock that all processes of a machine share and that never goes back.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Returns the time since some moment before every process of this program.
pub(crate) fn now() -> Duration {
    // The kernel knows this clock since long before the oldest that this crate runs on.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// Returns the time in whole milliseconds, as it is written into shared memory.
pub(crate) fn millis() -> u64 {
    u64::try_from(now().as_millis()).unwrap_or(u64::MAX)
}
