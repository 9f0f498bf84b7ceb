//! The pace of a periodic task with a cron expression.
//!
//! The wall clock says what is due, tokio's time waits for it. The wall clock may jump, so it is read
//! again at least each [`GLANCE`], and what has come due meanwhile is never run more than once.

mod calendar;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

use croner::Cron;
use croner::errors::CronError;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use self::calendar::{Calendar, after};
use super::clock::Clock;
use super::every::random_up_to;
use crate::tasks::PeriodicError;
use crate::tasks::looping::{Due, Next, Pace, Run, Woken, later};

/// The longest sleep before another look at the wall clock.
const GLANCE: Duration = Duration::from_secs(30);

/// A clock set back by more than this is believed; by less, it repeats no run.
const BELIEVED: SignedDuration = SignedDuration::from_hours(1);

/// A cron expression and a time zone, as they were written.
#[derive(Debug, Clone)]
pub(super) struct Line {
    expression: Cow<'static, str>,
    time_zone: Option<Cow<'static, str>>,
}

impl Line {
    pub(super) fn new(expression: Cow<'static, str>, time_zone: Option<Cow<'static, str>>) -> Self {
        Self {
            expression,
            time_zone,
        }
    }

    #[cfg(feature = "config")]
    pub(super) fn time_zone(&self) -> Option<Cow<'static, str>> {
        self.time_zone.clone()
    }

    /// Looks whether there would be a pace.
    #[cfg(feature = "config")]
    pub(super) fn check(&self) -> Result<(), PeriodicError> {
        self.calendar(Timestamp::now()).map(drop)
    }

    /// Parses both, and sees to it that the expression comes true at all; returns when first.
    fn calendar(&self, now: Timestamp) -> Result<(Calendar, Timestamp), PeriodicError> {
        let wrong = |error: CronError| PeriodicError::Cron {
            expression: self.expression.clone().into_owned(),
            source: error.into(),
        };
        let cron: Cron = self.expression.parse().map_err(wrong)?;
        let zone = match &self.time_zone {
            None => TimeZone::system(),
            Some(name) => TimeZone::get(name).map_err(|error| PeriodicError::TimeZone {
                name: name.clone().into_owned(),
                source: error.into(),
            })?,
        };
        let calendar = Calendar::new(cron, zone);
        let due = calendar.at_or_after(now).map_err(wrong)?;
        Ok((calendar, due))
    }

    /// Returns the pace of both.
    pub(super) fn pace<C: Clock>(
        &self,
        jitter: Duration,
        immediately: bool,
        clock: C,
    ) -> Result<Scheduled<C>, PeriodicError> {
        let from = clock.now();
        let (calendar, due) = self.calendar(from)?;
        let delay = Duration::ZERO;
        Ok(Scheduled {
            calendar,
            clock,
            jitter,
            immediately,
            from,
            due,
            delay,
        })
    }
}

/// A pace that follows a calendar.
pub(super) struct Scheduled<C> {
    calendar: Calendar,
    clock: C,
    jitter: Duration,
    /// The first run has yet to come, and is not in the calendar.
    immediately: bool,
    /// All that lies before this is done with.
    from: Timestamp,
    /// The next time in the calendar.
    due: Timestamp,
    /// How long after it the run is to begin.
    delay: Duration,
}

impl<C: Clock> Scheduled<C> {
    /// Makes the first time in the calendar from `from` on the one that is due.
    fn schedule(&mut self, from: Timestamp) {
        self.from = from;
        self.due = self.calendar.next(from);
        let following = || self.calendar.next(after(self.due));
        // Without jitter, which is the rule, one search will do.
        let gap = if self.jitter.is_zero() {
            self.jitter
        } else {
            span(self.due, following())
        };
        self.delay = random_up_to(self.jitter.min(gap));
    }

    /// Returns until when to sleep.
    fn sleep(&self, now: Instant, wall: Timestamp) -> Instant {
        let begin = self
            .due
            .saturating_add(self.delay)
            .unwrap_or(Timestamp::MAX);
        later(now, span(wall, begin).min(GLANCE))
    }

    /// Follows a clock that was set back by so much that it must have been wrong before.
    fn believe(&mut self, wall: Timestamp) -> bool {
        let back = self.from.duration_since(wall) > BELIEVED;
        if back {
            self.schedule(wall);
        }
        back
    }
}

impl<C: Clock> Pace for Scheduled<C> {
    type Hint = ();

    fn first(&mut self, now: Instant) -> Instant {
        let wall = self.clock.now();
        self.schedule(wall);
        if self.immediately {
            now
        } else {
            self.sleep(now, wall)
        }
    }

    fn woken(&mut self, now: Instant) -> Woken {
        if std::mem::take(&mut self.immediately) {
            return Woken::Run { missed: 0 };
        }
        let wall = self.clock.now();
        self.believe(wall);
        // What the calendar said by then; the delay comes on top.
        let by = wall.saturating_sub(self.delay).unwrap_or(Timestamp::MIN);
        if by < self.due {
            return Woken::Wait(self.sleep(now, wall));
        }
        self.from = after(by);
        Woken::Run {
            missed: self.calendar.count(after(self.due), self.from),
        }
    }

    fn after(&mut self, _started: Instant, ended: Instant, _: Run<()>) -> Next {
        let wall = self.clock.now();
        let (mut missed, mut outlasted) = (0, None);
        if !self.believe(wall) {
            let from = self.from;
            self.schedule(from.max(wall));
            missed = self.calendar.count(from, self.due);
            if missed > 0 {
                outlasted = Some(span(from, self.calendar.next(from)));
            }
        }
        Next::Run(Due {
            at: self.sleep(ended, wall),
            missed,
            outlasted,
        })
    }
}

/// How long it is from `from` to `to`; nothing if that is in the past.
fn span(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or(Duration::ZERO)
}
