//! The pace of a periodic task with an interval: a grid of ticks, and jitter that never moves it.

use std::time::Duration;

use tokio::time::Instant;

use crate::tasks::PeriodicError;
use crate::tasks::looping::{Due, Grid, Next, Pace, Run, Woken, later};

/// Ticks on a grid, and for each tick a delay.
pub(super) struct Every {
    grid: Grid,
    /// When the run of the current tick is due, with its delay.
    due: Instant,
    jitter: Duration,
    immediately: bool,
}

impl Every {
    pub(super) fn new(
        interval: Duration,
        jitter: Duration,
        immediately: bool,
    ) -> Result<Self, PeriodicError> {
        if interval.is_zero() {
            return Err(PeriodicError::Interval);
        }
        let grid = Grid::new(interval);
        Ok(Self {
            due: grid.tick,
            grid,
            jitter: jitter.min(interval),
            immediately,
        })
    }

    /// Draws the delay of the current tick.
    fn draw(&mut self) {
        self.due = later(self.grid.tick, random_up_to(self.jitter));
    }
}

impl Pace for Every {
    type Hint = ();

    fn first(&mut self, now: Instant) -> Instant {
        (self.grid.tick, self.due) = (now, now);
        if !self.immediately {
            self.grid.next();
            self.draw();
        }
        self.due
    }

    fn woken(&mut self, now: Instant) -> Woken {
        // Late is what comes after the due time, not after the tick.
        let delay = self.due - self.grid.tick;
        Woken::Run {
            missed: self.grid.catch_up(now - delay.min(now - self.grid.tick)),
        }
    }

    fn after(&mut self, started: Instant, ended: Instant, _: Run<()>) -> Next {
        self.grid.next();
        // The latest tick that has come is not missed if its delay takes it past the end of the run.
        let mut missed = self.grid.catch_up(ended);
        self.draw();
        if self.due < ended {
            missed += 1;
            self.grid.next();
            self.draw();
        }
        let outlasted = (ended - started > self.grid.interval).then_some(self.grid.interval);
        Next::Run(Due {
            at: self.due,
            missed,
            outlasted,
        })
    }
}

/// Returns a random time from zero to `max`, both included.
pub(super) fn random_up_to(max: Duration) -> Duration {
    if max.is_zero() {
        return Duration::ZERO;
    }
    Duration::from_nanos(fastrand::u64(
        0..=u64::try_from(max.as_nanos()).unwrap_or(u64::MAX),
    ))
}
