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
        if now < later(self.due, self.grid.interval) {
            return Woken::Run { missed: 0 };
        }
        Woken::Run {
            missed: self.grid.catch_up(now - (self.due - self.grid.tick)),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_run_belongs_to_a_tick_of_its_own_and_none_is_lost_uncounted(
            interval in 1_u64..10_000,
            jitter in 0_u64..20_000,
            takes in prop::collection::vec((0_u64..3, 0_u64..40_000), 1..100),
        ) {
            let ms = Duration::from_millis;
            let (start, tick) = (Instant::now(), ms(interval));
            let mut pace = Every::new(tick, ms(jitter), false).unwrap();
            let mut due = pace.first(start);
            // The first tick is number 1; every later one is run or counted as missed.
            let mut accounted = 1_u64;
            for (late, took) in takes {
                prop_assert!(due >= pace.grid.tick);
                prop_assert!(due <= pace.grid.tick + ms(jitter.min(interval)));
                let begun = due + ms(late);
                match pace.woken(begun) {
                    Woken::Run { missed } => accounted += missed,
                    #[cfg(feature = "cron")]
                    Woken::Wait(_) => panic!("only cron looks again"),
                }
                prop_assert_eq!(pace.grid.tick, start + tick * u32::try_from(accounted).unwrap(), "off the grid");
                let ended = begun + ms(took);
                let Next::Run(next) = pace.after(begun, ended, Run::Went(())) else {
                    panic!("an interval has no end");
                };
                prop_assert!(next.at >= ended);
                prop_assert_eq!(next.outlasted.is_some(), took > interval);
                due = next.at;
                accounted += 1 + next.missed;
            }
        }
    }
}
