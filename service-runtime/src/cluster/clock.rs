//! The clock of a holder: it never goes back, and goes on while the machine is suspended.

use nix::time::{ClockId, clock_gettime};

#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::CLOCK_BOOTTIME;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;

/// Returns the milliseconds since some moment before this process.
pub(super) fn millis() -> u64 {
    let now = clock_gettime(CLOCK).map_or(std::time::Duration::ZERO, std::time::Duration::from);
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
