//! What a worker tells of the requests of HTTP that it serves: counters in memory that its supervisor
//! sees too.
//!
//! Every counter is an atomic of its own. A reader may see a request that has ended in one of them
//! and not yet in another, and no request is ever missing for good.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::os::process::counters::COUNTERS;

/// The times that requests are sorted by, in milliseconds; the last place is for longer ones.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

/// Where the counters stand, one behind the other.
const IN_FLIGHT: usize = 0;
/// By the first digit of the status; the first for those whose client got no answer.
const CLASSES: usize = IN_FLIGHT + 1;
const CLASS_COUNT: usize = 6;
/// The time of all that have ended, in microseconds.
const TIME: usize = CLASSES + CLASS_COUNT;
/// How many have ended within each of the bounds, and not within the one before.
const WITHIN: usize = TIME + 1;
const WITHIN_COUNT: usize = BOUNDS.len() + 1;

const _: () = assert!(WITHIN + WITHIN_COUNT <= COUNTERS);

/// The counters of one worker.
#[derive(Clone, Copy)]
pub(crate) struct Exchanges<'a>(&'a [AtomicU64; COUNTERS]);

/// What the counters said at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figures {
    in_flight: u64,
    classes: [u64; CLASS_COUNT],
    time: Duration,
    within: [u64; WITHIN_COUNT],
}

impl<'a> Exchanges<'a> {
    /// Takes numbers in memory for counters of requests.
    pub(crate) fn of(counters: &'a [AtomicU64; COUNTERS]) -> Self {
        Self(counters)
    }

    /// Counts a request that has begun.
    pub(crate) fn begin(self) {
        self.0[IN_FLIGHT].fetch_add(1, Relaxed);
    }

    /// Counts a request that has ended: with the status of its answer, or with none.
    pub(crate) fn end(self, status: Option<u16>, took: Duration) {
        self.0[IN_FLIGHT].fetch_sub(1, Relaxed);
        let class = usize::from(status.unwrap_or(0) / 100).min(CLASS_COUNT - 1);
        self.0[CLASSES + class].fetch_add(1, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0[TIME].fetch_add(micros, Relaxed);
        let place = BOUNDS.partition_point(|bound| *bound * 1000 < micros);
        self.0[WITHIN + place].fetch_add(1, Relaxed);
    }

    /// Reads the counters; nothing if no request has come yet.
    pub(crate) fn figures(self) -> Option<Figures> {
        let read = |index: usize| self.0[index].load(Relaxed);
        let figures = Figures {
            in_flight: read(IN_FLIGHT),
            classes: std::array::from_fn(|class| read(CLASSES + class)),
            time: Duration::from_micros(read(TIME)),
            within: std::array::from_fn(|place| read(WITHIN + place)),
        };
        (figures.in_flight > 0 || figures.ended() > 0).then_some(figures)
    }
}

impl Figures {
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    pub(crate) fn ended(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// Returns how many clients went before their answer.
    pub(crate) fn without_answer(&self) -> u64 {
        self.classes[0]
    }

    /// Returns how many answers there were of each class, from 1xx to 5xx.
    pub(crate) fn classes(&self) -> [u64; CLASS_COUNT - 1] {
        std::array::from_fn(|class| self.classes[class + 1])
    }

    /// Returns what a request that has ended took on average; `None` as long as none has.
    pub(crate) fn mean(&self) -> Option<Duration> {
        let ended = u32::try_from(self.ended()).unwrap_or(u32::MAX);
        let mean = self.time.checked_div(ended)?.as_micros();
        Some(Duration::from_micros(
            u64::try_from(mean).unwrap_or(u64::MAX),
        ))
    }

    /// Returns the bound within which so many of a hundred requests have ended; `None` above the last.
    pub(crate) fn percentile(&self, percent: u64) -> Option<Duration> {
        let all: u64 = self.within.iter().sum();
        let mut left = (all * percent).div_ceil(100);
        for (bound, count) in BOUNDS.iter().zip(self.within) {
            if count >= left {
                return Some(Duration::from_millis(*bound));
            }
            left -= count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_class_and_time() {
        let counters = std::array::from_fn(|_| AtomicU64::new(0));
        let exchanges = Exchanges::of(&counters);
        assert_eq!(exchanges.figures(), None);
        for (status, millis) in [(200, 1), (204, 1), (404, 2), (500, 20_000)] {
            exchanges.begin();
            exchanges.end(Some(status), Duration::from_millis(millis));
        }
        for _ in 0..3 {
            exchanges.begin();
        }
        exchanges.end(None, Duration::from_micros(1001));
        let figures = exchanges.figures().unwrap();
        assert_eq!((figures.in_flight(), figures.ended()), (2, 5));
        assert_eq!(figures.without_answer(), 1);
        assert_eq!(figures.classes(), [0, 2, 0, 1, 1]);
        assert_eq!(figures.mean(), Some(Duration::from_micros(4_001_000)));
        assert_eq!(figures.percentile(50), Some(Duration::from_millis(2)));
        assert_eq!(figures.percentile(99), None);
    }

    #[test]
    fn a_request_that_has_just_begun_is_shown() {
        let counters = std::array::from_fn(|_| AtomicU64::new(0));
        let exchanges = Exchanges::of(&counters);
        exchanges.begin();
        let figures = exchanges.figures().unwrap();
        assert_eq!((figures.in_flight(), figures.ended()), (1, 0));
        assert_eq!(figures.mean(), None);
    }
}
