//! Delays that grow: how long to wait before something that failed is tried again.

use std::time::Duration;

/// A first delay that grows with each failure in a row, up to a longest one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Backoff {
    /// The delay after the first failure.
    pub(crate) first: Duration,
    /// What a delay is multiplied by for the next one; at least 1.
    pub(crate) factor: f64,
    /// The delay that is never exceeded.
    pub(crate) longest: Duration,
}

impl Backoff {
    /// Returns a delay that doubles.
    pub(crate) const fn doubling(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            factor: 2.0,
            longest,
        }
    }

    /// Returns the delay after this many failures in a row; none after no failure.
    pub(crate) fn after(&self, failures: u64) -> Duration {
        let Some(steps) = failures.checked_sub(1) else {
            return Duration::ZERO;
        };
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        self.grown(self.first, self.factor.powi(steps))
    }

    /// Returns the delay that follows a delay.
    pub(crate) fn next(&self, delay: Duration) -> Duration {
        self.grown(delay, self.factor)
    }

    /// Returns the delays one after the other.
    pub(crate) fn delays(self) -> Delays {
        Delays {
            backoff: self,
            next: self.first,
        }
    }

    fn grown(&self, delay: Duration, factor: f64) -> Duration {
        if delay.is_zero() {
            return delay;
        }
        let grown = Duration::try_from_secs_f64(delay.as_secs_f64() * factor);
        grown.unwrap_or(self.longest).min(self.longest)
    }
}

/// The delays of somebody who tries again and again, from the first on.
#[derive(Debug, Clone)]
pub(crate) struct Delays {
    backoff: Backoff,
    next: Duration,
}

impl Delays {
    /// Returns how long to wait before the next try.
    pub(crate) fn take(&mut self) -> Duration {
        let delay = self.next;
        self.next = self.backoff.next(delay);
        delay
    }

    /// As [`take`](Self::take), by up to a half more or less, so that many do not try at the same moment.
    #[cfg(any(feature = "rpc", test))]
    pub(crate) fn take_spread(&mut self) -> Duration {
        self.take().mul_f64(0.5 + fastrand::f64())
    }

    /// Returns whether no delay was taken yet.
    #[cfg(any(feature = "rpc", test))]
    pub(crate) fn is_new(&self) -> bool {
        self.next == self.backoff.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(100), Duration::from_secs(30));

    #[test]
    fn the_delay_doubles_from_the_first_to_the_longest() {
        let delays = (0..6).map(|failures| BACKOFF.after(failures).as_micros());
        let delays: Vec<_> = delays.collect();
        assert_eq!(delays, [0, 100_000, 200_000, 400_000, 800_000, 1_600_000]);
        for failures in [10, 2000, u64::MAX] {
            assert_eq!(BACKOFF.after(failures), BACKOFF.longest);
        }
    }

    #[test]
    fn each_delay_follows_the_one_before() {
        for failures in 1..20 {
            let next = BACKOFF.next(BACKOFF.after(failures));
            assert_eq!(next, BACKOFF.after(failures + 1));
        }
    }

    #[test]
    fn delays_are_taken_from_the_first_on_and_spread_by_a_half() {
        let mut delays = BACKOFF.delays();
        assert!(delays.is_new());
        assert_eq!(delays.take(), BACKOFF.first);
        assert!(!delays.is_new());
        assert_eq!(delays.take(), 2 * BACKOFF.first);
        let spread = delays.take_spread();
        assert!(2 * BACKOFF.first <= spread && spread < 6 * BACKOFF.first);
    }

    #[test]
    fn a_first_delay_above_the_longest_is_the_longest_and_none_stays_none() {
        let longest = BACKOFF.longest;
        let backoff = Backoff::doubling(Duration::from_secs(60), longest);
        assert_eq!(backoff.after(1), longest);
        let none = Backoff::doubling(Duration::ZERO, longest);
        assert_eq!(none.after(5000), Duration::ZERO);
    }
}
