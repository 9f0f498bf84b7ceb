//! When a cron expression comes true in a time zone.

use croner::errors::CronError;
use croner::{Cron, CronPattern};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

/// Missed runs are counted one by one, and no further than this at a time.
const COUNTED: u64 = 1000;

/// How many days are passed over one by one when a search fails.
const DAYS_TRIED: i64 = 3;

/// The finest step of the wall clock.
const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// A cron expression in a time zone.
pub(super) struct Calendar {
    cron: Cron,
    zone: TimeZone,
    /// Whether the expression lists times of day, and is no interval.
    fixed: bool,
}

impl Calendar {
    pub(super) fn new(cron: Cron, zone: TimeZone) -> Self {
        let fixed = lists_times(&cron.pattern);
        Self { cron, zone, fixed }
    }

    /// Returns the first time from `at` on.
    pub(super) fn at_or_after(&self, at: Timestamp) -> Result<Timestamp, CronError> {
        // Strictly after a moment that is no whole second: croner looks at whole seconds only.
        let before = at
            .checked_sub(NANOSECOND)
            .map_err(|_| CronError::InvalidTime)?;
        let before = before.to_zoned(self.zone.clone());
        if self.fixed {
            return self.fixed_after(&before, at);
        }
        Ok(self.cron.find_next_occurrence(&before, false)?.timestamp())
    }

    /// Looks for a listed time of day on a calendar without changes of clocks, and then for the moment
    /// at which the zone's clocks show it.
    ///
    /// So each listed time comes once a day: croner alone does this for a single time, and takes a
    /// list or a range for an interval.
    fn fixed_after(&self, before: &Zoned, at: Timestamp) -> Result<Timestamp, CronError> {
        let invalid = |_| CronError::InvalidTime;
        let mut civil = before.datetime().to_zoned(TimeZone::UTC).map_err(invalid)?;
        loop {
            civil = self.cron.find_next_occurrence(&civil, false)?;
            let ambiguous = self.zone.to_ambiguous_timestamp(civil.datetime());
            let moment = match ambiguous.offset() {
                // Read with the offset of afterwards, a time in the gap lies before the change.
                AmbiguousOffset::Gap { after, .. } => {
                    let early = after.to_timestamp(civil.datetime()).map_err(invalid)?;
                    let change = self.zone.following(early).next();
                    change.ok_or(CronError::InvalidTime)?.timestamp()
                }
                _ => ambiguous.earlier().map_err(invalid)?,
            };
            // Not so for the times that a clock that was put back shows again.
            if moment >= at {
                return Ok(moment);
            }
        }
    }

    /// The same, for ever if the expression never comes true again.
    ///
    /// A search that fails, such as on a date that the zone has skipped, goes on with the day after.
    pub(super) fn next(&self, at: Timestamp) -> Timestamp {
        for day in 0..=DAYS_TRIED {
            let Ok(from) = at.checked_add(SignedDuration::from_hours(24 * day)) else {
                break;
            };
            match self.at_or_after(from) {
                Ok(next) => return next,
                Err(error) => tracing::warn!(
                    expression = self.cron.pattern.as_str(),
                    zone = self.zone.iana_name(),
                    %from,
                    %error,
                    "the next time of a cron expression was not found"
                ),
            }
        }
        Timestamp::MAX
    }

    /// Counts from `from`, which is included, to `to`, which is not.
    pub(super) fn count(&self, mut from: Timestamp, to: Timestamp) -> u64 {
        let mut count = 0;
        while count < COUNTED {
            let next = self.next(from);
            if next >= to {
                break;
            }
            count += 1;
            from = after(next);
        }
        count
    }
}

/// Returns whether the fields of the time of day are numbers, lists or ranges of them.
///
/// With a `*` or a step in one of them it is an interval, which keeps its distance.
fn lists_times(pattern: &CronPattern) -> bool {
    [&pattern.seconds, &pattern.minutes, &pattern.hours]
        .iter()
        .all(|field| !field.from_wildcard && field.step == 1)
}

/// The moment after `at`.
pub(super) fn after(at: Timestamp) -> Timestamp {
    at.saturating_add(NANOSECOND).unwrap_or(Timestamp::MAX)
}
