//! Back-off loops: later and later while runs fail, as before once one succeeds.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::tasks::looping::pace::{Next, Pace, Run, later};
use crate::tasks::looping::{Loop, LoopHandle, Plan, Step};
use crate::tasks::{PeriodicError, TaskGroup, TaskKind};

/// Describes a loop that backs off while its runs fail.
///
/// After a run that succeeds it waits the starting interval. The first failure in a row is followed by
/// the starting interval too, each further one by `factor` times the interval before it. Jitter
/// spreads what is waited, not what it grows from, and everything that is waited lies between the
/// minimum and the maximum.
///
/// By default the interval doubles, by a tenth more or less, up to five minutes, for ever.
pub type Backoff = Loop<GrowingInterval>;

/// The pace of a [`Backoff`] loop.
#[derive(Debug, Clone)]
pub struct GrowingInterval {
    curve: Curve,
    max_error_time: Option<Duration>,
}

/// How intervals grow.
#[derive(Debug, Clone)]
struct Curve {
    growth: crate::backoff::Backoff,
    jitter: f64,
    min: Duration,
}

impl Backoff {
    /// Describes a loop that runs now and then at intervals that start with `start`.
    pub fn starting_at(start: Duration) -> Self {
        let longest = Duration::from_secs(300).max(start);
        Self::of(GrowingInterval {
            curve: Curve {
                growth: crate::backoff::Backoff::doubling(start, longest),
                jitter: 0.1,
                min: Duration::ZERO,
            },
            max_error_time: None,
        })
    }

    /// Sets by how much the interval grows from failure to failure; at least 1.
    pub fn factor(mut self, factor: f64) -> Self {
        self.pace.curve.growth.factor = factor;
        self
    }

    /// Sets by which part of itself an interval may turn out longer or shorter, from 0 to 1.
    pub fn jitter(mut self, jitter: f64) -> Self {
        self.pace.curve.jitter = jitter;
        self
    }

    /// Sets the shortest interval.
    pub fn min(mut self, min: Duration) -> Self {
        self.pace.curve.min = min;
        self
    }

    /// Sets the longest interval.
    pub fn max(mut self, max: Duration) -> Self {
        self.pace.curve.growth.longest = max;
        self
    }

    /// Ends the loop with [`LoopError::TimedOut`](crate::tasks::LoopError::TimedOut) and the last error
    /// once runs have failed for that long without a success.
    ///
    /// The time counts from the first failure in a row. The loop ends as soon as the next run would
    /// lie beyond it.
    pub fn max_error_time(mut self, time: Duration) -> Self {
        self.pace.max_error_time = Some(time);
        self
    }
}

impl TaskGroup {
    /// Starts a back-off loop: `run` is called again later and later while it returns errors.
    ///
    /// # Errors
    ///
    /// Returns [`PeriodicError::Interval`] if the starting interval is zero, [`PeriodicError::Setting`]
    /// if another setting makes no sense, and [`PeriodicError::Spawn`] if the group has been told to
    /// stop.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// use service_runtime::tasks::{Backoff, LoopEnd, TaskGroup};
    /// use std::ops::ControlFlow;
    /// use std::time::Duration;
    ///
    /// let group = TaskGroup::new("db");
    /// let mut tries = 0;
    /// let connect = group.backoff("connect", Backoff::starting_at(Duration::from_secs(1)), move || {
    ///     tries += 1;
    ///     async move {
    ///         anyhow::ensure!(tries >= 3, "refused");
    ///         Ok(ControlFlow::<_, ()>::Break(tries))
    ///     }
    /// })?;
    /// assert_eq!(connect.wait().await??, LoopEnd::Value(3));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn backoff<R, Fut, T>(
        &self,
        name: impl Into<Cow<'static, str>>,
        backoff: Backoff,
        run: R,
    ) -> Result<LoopHandle<T>, PeriodicError>
    where
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<(), Value = T>> + Send + 'static,
        T: Send + 'static,
    {
        let Backoff { pace, options } = backoff;
        pace.curve.check()?;
        let pace = Backing {
            step: pace.curve.growth.first,
            curve: pace.curve,
            max_error_time: pace.max_error_time,
            since: None,
        };
        let plan = Plan::new(self, name.into(), TaskKind::Backoff, options);
        Ok(plan.start(self, pace, run)?)
    }
}

impl Curve {
    fn check(&self) -> Result<(), PeriodicError> {
        if self.growth.first.is_zero() {
            return Err(PeriodicError::Interval);
        }
        if !(1.0..=1e6).contains(&self.growth.factor) {
            return Err(PeriodicError::Setting(
                "the factor of a back-off must be at least 1",
            ));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(PeriodicError::Setting(
                "the jitter of a back-off must be from 0 to 1",
            ));
        }
        if self.min > self.growth.longest || self.growth.longest.is_zero() {
            return Err(PeriodicError::Setting(
                "the maximum of a back-off must not be zero nor less than its minimum",
            ));
        }
        Ok(())
    }

    /// Returns `step` with jitter, where `chance` is from 0 to 1.
    fn spread(&self, step: Duration, chance: f64) -> Duration {
        let part = 1.0 + self.jitter * (2.0 * chance - 1.0);
        let spread = Duration::try_from_secs_f64(step.as_secs_f64() * part);
        let longest = self.growth.longest;
        spread.unwrap_or(longest).clamp(self.min, longest)
    }
}

/// The pace of a back-off loop.
struct Backing {
    curve: Curve,
    /// What the next failure waits, before jitter.
    step: Duration,
    max_error_time: Option<Duration>,
    /// The first failure in a row.
    since: Option<Instant>,
}

impl Pace for Backing {
    type Hint = ();

    fn first(&mut self, now: Instant) -> Instant {
        now
    }

    fn after(&mut self, _started: Instant, ended: Instant, run: Run<()>) -> Next {
        let Run::Failed = run else {
            (self.step, self.since) = (self.curve.growth.first, None);
            return Next::at(later(
                ended,
                self.curve
                    .growth
                    .first
                    .clamp(self.curve.min, self.curve.growth.longest),
            ));
        };
        let since = *self.since.get_or_insert(ended);
        let next = later(ended, self.curve.spread(self.step, fastrand::f64()));
        self.step = self.curve.growth.next(self.step);
        match self.max_error_time {
            Some(limit) if next - since > limit => Next::TimedOut(limit),
            _ => Next::at(next),
        }
    }
}
