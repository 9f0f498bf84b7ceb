//! What one more request to stop means: the first begins a graceful stop, a second one by hand ends at once.
//!
//! A service manager signals every process of a service, and then the supervisor signals its workers:
//! those two are one stop. timeout(1) signals its child and then the whole group: that is one stop too.

use std::time::Duration;

/// Two requests within this time are one.
const SAME_MOMENT: Duration = Duration::from_millis(50);

/// Who asks for a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requester {
    /// The supervisor of this process.
    Supervisor,
    /// Anybody else: an operator, a service manager.
    Other,
    /// It cannot be told; the first such request in a supervised process is taken for the supervisor's.
    Unknown,
}

/// What a request to stop means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopRequest {
    /// A graceful stop begins.
    Begins,
    /// It is the stop that is under way, asked for by another or for another reason.
    Repeats,
    /// Somebody asks for the second time: the process ends at once.
    IsUrgent,
}

/// The requests to stop that a process has had.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StopRequests {
    /// Whether a supervisor may be among those who ask.
    is_supervised: bool,
    has_begun: bool,
    /// Whether the supervisor has asked, or somebody who was taken for it.
    by_supervisor: bool,
    /// When somebody else asked for the first time.
    by_others: Option<Duration>,
}

impl StopRequests {
    /// Counts the requests of a process that has a supervisor, or has none.
    pub(crate) fn new(is_supervised: bool) -> Self {
        Self {
            is_supervised,
            ..Self::default()
        }
    }

    /// Takes note that a stop begins for which nobody has asked.
    pub(crate) fn begin(&mut self) {
        self.has_begun = true;
    }

    /// Returns whether a stop has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Counts a request at this time, on a clock that never goes back, and returns what it means.
    pub(crate) fn count(&mut self, now: Duration, requester: Requester) -> StopRequest {
        let begins = !std::mem::replace(&mut self.has_begun, true);
        let is_supervisor = match requester {
            Requester::Supervisor => true,
            Requester::Other => false,
            Requester::Unknown => self.is_supervised && !self.by_supervisor,
        };
        if is_supervisor {
            self.by_supervisor = true;
        } else if let Some(first) = self.by_others {
            if now.saturating_sub(first) >= SAME_MOMENT {
                return StopRequest::IsUrgent;
            }
        } else {
            self.by_others = Some(now);
        }
        if begins {
            StopRequest::Begins
        } else {
            StopRequest::Repeats
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(is_supervised: bool, requests: &[(u64, Requester)]) -> Vec<StopRequest> {
        let mut stops = StopRequests::new(is_supervised);
        let count = |(millis, requester): &(u64, Requester)| {
            stops.count(Duration::from_millis(*millis), *requester)
        };
        requests.iter().map(count).collect()
    }

    #[test]
    fn the_service_manager_and_the_supervisor_are_one_stop() {
        use StopRequest::{Begins, Repeats};
        for requests in [
            [(0, Requester::Other), (500, Requester::Supervisor)],
            [(0, Requester::Supervisor), (500, Requester::Other)],
            [(0, Requester::Unknown), (500, Requester::Unknown)],
        ] {
            assert_eq!(counted(true, &requests), [Begins, Repeats], "{requests:?}");
        }
    }

    #[test]
    fn a_second_request_by_hand_is_urgent() {
        use StopRequest::{Begins, IsUrgent, Repeats};
        let by_hand = [(0, Requester::Other), (500, Requester::Other)];
        assert_eq!(counted(false, &by_hand), [Begins, IsUrgent]);
        let unknown = [(0, Requester::Unknown), (500, Requester::Unknown)];
        assert_eq!(counted(false, &unknown), [Begins, IsUrgent]);
        let (other, supervisor) = (Requester::Other, Requester::Supervisor);
        let requests = [(0, other), (1, supervisor), (2, supervisor), (500, other)];
        assert_eq!(
            counted(true, &requests),
            [Begins, Repeats, Repeats, IsUrgent]
        );
    }

    #[test]
    fn two_requests_at_the_same_moment_are_one() {
        use StopRequest::{Begins, IsUrgent, Repeats};
        let requests = [0, 49, 50].map(|millis| (millis, Requester::Other));
        assert_eq!(counted(false, &requests), [Begins, Repeats, IsUrgent]);
    }

    #[test]
    fn the_first_request_during_a_stop_that_nobody_asked_for_is_not_urgent() {
        let mut stops = StopRequests::new(false);
        stops.begin();
        let mut count = |millis| stops.count(Duration::from_millis(millis), Requester::Other);
        assert_eq!(count(1000), StopRequest::Repeats);
        assert_eq!(count(2000), StopRequest::IsUrgent);
    }
}
