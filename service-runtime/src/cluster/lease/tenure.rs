//! What a holder knows of its lease by its own clock: a pure state machine.
//!
//! The holder counts from the moment before it asked, and gives up a tenth early: whatever the answer's
//! way took, it stops before the store lets another one in, unless the store's own clock jumps. For that
//! case there is the fencing number: the store takes nothing from a holder that was replaced.

/// A lease as its holder sees it. Times are milliseconds of the holder's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tenure {
    fence: i64,
    ttl: u64,
    /// The moment from which on it counts as lost.
    until: u64,
    /// When it is renewed next.
    due: u64,
    lost: bool,
}

impl Tenure {
    /// Begins with a lease that was asked for at `asked` and granted for `ttl`.
    pub(crate) fn new(fence: i64, ttl: u64, asked: u64) -> Self {
        let mut tenure = Self {
            fence,
            ttl,
            until: 0,
            due: 0,
            lost: false,
        };
        tenure.extend(asked);
        tenure
    }

    /// Returns the fencing number.
    pub(crate) fn fence(&self) -> i64 {
        self.fence
    }

    /// Returns whether the lease may be relied on at `now`.
    pub(crate) fn holds(&self, now: u64) -> bool {
        !self.lost && now < self.until
    }

    /// Returns when it is to be renewed.
    pub(crate) fn due(&self) -> u64 {
        self.due
    }

    /// Returns the moment from which on it counts as lost.
    pub(crate) fn until(&self) -> u64 {
        self.until
    }

    /// Takes note that the store has renewed what was asked for at `asked`.
    ///
    /// An answer that came too late revives nothing: the work under the lease has been cancelled.
    pub(crate) fn renewed(&mut self, asked: u64, now: u64) {
        if self.holds(now) {
            self.extend(asked);
        } else {
            self.lost = true;
        }
    }

    /// Takes note that the store knows another holder.
    pub(crate) fn refused(&mut self) {
        self.lost = true;
    }

    /// Takes note that the store did not answer: it is asked again soon.
    pub(crate) fn unanswered(&mut self, now: u64) {
        self.due = now + (self.ttl / 10).max(1);
    }

    fn extend(&mut self, asked: u64) {
        self.until = asked + self.ttl - self.ttl / 10;
        self.due = asked + self.ttl / 3;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_renewed_at_a_third_and_given_up_a_tenth_early() {
        let mut tenure = Tenure::new(7, 30_000, 1000);
        assert_eq!((tenure.fence(), tenure.due()), (7, 11_000));
        assert!(tenure.holds(27_999));
        assert!(!tenure.holds(28_000));
        tenure.renewed(11_000, 12_000);
        assert_eq!((tenure.due(), tenure.until()), (21_000, 38_000));
    }

    #[test]
    fn an_answer_that_comes_too_late_revives_nothing() {
        let mut tenure = Tenure::new(1, 30_000, 0);
        tenure.renewed(10_000, 27_000);
        assert!(!tenure.holds(27_000));
        assert!(!tenure.holds(10_001));
    }

    #[test]
    fn a_lease_that_another_has_is_lost_at_once() {
        let mut tenure = Tenure::new(1, 30_000, 0);
        tenure.unanswered(10_000);
        assert_eq!(tenure.due(), 13_000);
        assert!(tenure.holds(10_000));
        tenure.refused();
        assert!(!tenure.holds(0));
    }
}
