//! Delays that double: how long to wait before something that failed is tried again.

use std::time::Duration;

/// A first delay that doubles with each failure in a row, up to a longest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The delay after the first failure.
    pub(crate) first: Duration,
    /// The delay that is never exceeded.
    pub(crate) longest: Duration,
}

impl Backoff {
    /// Returns the delay after this many failures in a row; none after no failure.
    pub(crate) fn after(&self, failures: u64) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else {
            return Duration::ZERO;
        };
        let doublings = u32::try_from(doublings).unwrap_or(u32::MAX);
        let factor = 2u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(30),
    };

    #[test]
    fn the_delay_doubles_from_the_first_to_the_longest() {
        let delays = (0..6).map(|failures| BACKOFF.after(failures).as_millis());
        assert_eq!(delays.collect::<Vec<_>>(), [0, 100, 200, 400, 800, 1600]);
        assert_eq!(BACKOFF.after(10), BACKOFF.longest);
        assert_eq!(BACKOFF.after(u64::MAX), BACKOFF.longest);
    }

    #[test]
    fn a_first_delay_above_the_longest_is_the_longest() {
        let backoff = Backoff {
            first: Duration::from_secs(60),
            ..BACKOFF
        };
        assert_eq!(backoff.after(1), BACKOFF.longest);
    }
}
