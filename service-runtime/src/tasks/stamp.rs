//! Since when a task lives, told by a clock that is cheap to read.
//!
//! Every task that waits reads it once, and the exact clock would cost a tenth of a spawn.

use std::time::Duration;

/// A moment, to a few milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp(Duration);

impl Stamp {
    pub(super) fn now() -> Self {
        Self(now())
    }

    pub(super) fn elapsed(self) -> Duration {
        now().saturating_sub(self.0)
    }
}

#[cfg(workers)]
fn now() -> Duration {
    use nix::time::{ClockId, clock_gettime};

    clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).map_or(Duration::ZERO, Duration::from)
}

#[cfg(not(workers))]
fn now() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;

    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_never_in_the_future() {
        let stamp = Stamp::now();
        assert!(stamp.elapsed() < Duration::from_secs(60));
    }
}
