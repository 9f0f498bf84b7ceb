//! Fixed timers: on a grid of ticks that never drifts.

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::pace::{Due, Next, Pace, Run, Woken, later};
use super::{Loop, LoopHandle, Plan, Step};
use crate::tasks::{PeriodicError, TaskGroup, TaskKind};

/// Describes a timer that runs at fixed times.
///
/// Ticks lie on a grid: the first after the initial delay, at once without one, and then one each
/// interval. However long runs take, the grid stays where it is. A tick that falls into a run is
/// missed: it is skipped and counted, and if the run took longer than the interval a warning says so. If the
/// process cannot wake in time for several ticks, the latest of them runs and the others are
/// missed.
pub type Timer = Loop<FixedInterval>;

/// The pace of a [`Timer`].
#[derive(Debug, Clone)]
pub struct FixedInterval(Duration);

impl Timer {
    /// Describes a timer that runs now and then once each `interval`.
    pub fn every(interval: Duration) -> Self {
        Self::of(FixedInterval(interval))
    }
}

impl TaskGroup {
    /// Starts a fixed timer: `run` is called at each tick, and never while it still runs.
    ///
    /// # Errors
    ///
    /// Returns [`PeriodicError::Interval`] if the interval is zero and [`PeriodicError::Spawn`] if the
    /// group has been told to stop.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// use service_runtime::tasks::{LoopEnd, TaskGroup, Timer};
    /// use std::ops::ControlFlow;
    /// use std::time::Duration;
    ///
    /// let group = TaskGroup::new("countdown");
    /// let mut left = 3;
    /// let timer = group.timer("count", Timer::every(Duration::from_secs(1)), move || {
    ///     left -= 1;
    ///     async move { if left == 0 { ControlFlow::Break("lift-off") } else { ControlFlow::Continue(()) } }
    /// })?;
    /// assert_eq!(timer.wait().await??, LoopEnd::Value("lift-off"));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn timer<R, Fut, T>(
        &self,
        name: impl Into<Cow<'static, str>>,
        timer: Timer,
        run: R,
    ) -> Result<LoopHandle<T>, PeriodicError>
    where
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<(), Value = T>> + Send + 'static,
        T: Send + 'static,
    {
        let Timer {
            pace: FixedInterval(interval),
            options,
        } = timer;
        if interval.is_zero() {
            return Err(PeriodicError::Interval);
        }
        let pace = Fixed {
            grid: Grid::new(interval),
        };
        let plan = Plan::new(self, name.into(), TaskKind::Timer, options);
        Ok(plan.start(self, pace, run)?)
    }
}

/// The pace of a fixed timer.
struct Fixed {
    grid: Grid,
}

impl Pace for Fixed {
    type Hint = ();

    fn first(&mut self, now: Instant) -> Instant {
        self.grid.tick = now;
        now
    }

    fn woken(&mut self, now: Instant) -> Woken {
        Woken::Run {
            missed: self.grid.catch_up(now),
        }
    }

    fn after(&mut self, started: Instant, ended: Instant, _: Run<()>) -> Next {
        self.grid.next();
        if self.grid.tick >= ended {
            return Next::at(self.grid.tick);
        }
        let mut missed = self.grid.catch_up(ended);
        // The latest tick lies inside the run as well, unless it is right now.
        if self.grid.tick < ended {
            self.grid.next();
            missed += 1;
        }
        let outlasted = (ended - started > self.grid.interval).then_some(self.grid.interval);
        Next::Run(Due {
            at: self.grid.tick,
            missed,
            outlasted,
        })
    }
}

/// Ticks at fixed distances, and the one that is due.
#[derive(Debug)]
pub(in crate::tasks) struct Grid {
    pub(in crate::tasks) interval: Duration,
    pub(in crate::tasks) tick: Instant,
}

impl Grid {
    pub(in crate::tasks) fn new(interval: Duration) -> Self {
        Self {
            interval,
            tick: Instant::now(),
        }
    }

    /// Moves to the next tick.
    pub(in crate::tasks) fn next(&mut self) {
        self.tick = later(self.tick, self.interval);
    }

    /// Moves to the latest tick that is not in the future and returns how many that passes over.
    pub(in crate::tasks) fn catch_up(&mut self, now: Instant) -> u64 {
        // The rule, and cheaper than to find out how late it is.
        if now < later(self.tick, self.interval) {
            return 0;
        }
        let late = now.saturating_duration_since(self.tick);
        let (late, interval) = (late.as_nanos(), self.interval.as_nanos());
        let beyond =
            u64::try_from(late % interval).expect("less than the lateness, which is real time");
        self.tick = now - Duration::from_nanos(beyond);
        u64::try_from(late / interval).unwrap_or(u64::MAX)
    }
}
