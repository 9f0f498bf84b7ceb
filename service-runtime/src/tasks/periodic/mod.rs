//! Periodic tasks: what a service does again and again, as its author and its operator say.

#[cfg(feature = "cron")]
mod clock;
#[cfg(feature = "cron")]
mod cron;
mod error;
mod every;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

pub use self::error::PeriodicError;
use crate::tasks::looping::{Gate, LoopOptions, Pace, PeriodicOnError, Plan};
use crate::tasks::{TaskGroup, TaskHandle, TaskKind};

/// Describes a periodic task: when it runs, and what its errors do.
///
/// It is only a description: the same one may be started many times, and settings from the
/// configuration are builder calls like any other. Wrong settings are reported when it is started.
///
/// Runs never overlap: a tick that falls into a run is skipped and counted. Nothing is made up for:
/// however many ticks a long run, a suspended process or a jump of the clock has passed over, at most one
/// run follows.
#[derive(Debug, Clone)]
#[must_use = "a periodic task runs when `TaskGroup::periodic` starts it"]
pub struct Periodic {
    schedule: Schedule,
    immediately: bool,
    jitter: Duration,
    enabled: bool,
    on_error: PeriodicOnError,
    gate: Option<Gate>,
}

#[derive(Debug, Clone)]
enum Schedule {
    Every(Duration),
    #[cfg(feature = "cron")]
    Cron(cron::Line),
}

impl Periodic {
    /// Describes a task that runs once each `interval`, first when one interval has passed.
    pub fn every(interval: Duration) -> Self {
        Self::new(Schedule::Every(interval))
    }

    /// Describes a task that runs when a cron expression says.
    ///
    /// The expression has five fields, or six with seconds first. Without a time zone the system's is
    /// taken. When clocks go forward, a run at a fixed time that the day does not have comes right
    /// after the gap; when they go back, it comes once. Times are fixed if hours, minutes and seconds are
    /// numbers, lists or ranges of them (`0,30 2-4 * * *`); with a `*` or a step in one of them they
    /// are intervals, and those keep their distance.
    ///
    /// The wall clock says when the next run is due and tokio's time waits for it, looking at the
    /// clock again at least each half minute. A clock that jumps forward over several runs causes one;
    /// one that is set back by up to an hour repeats none.
    #[cfg(feature = "cron")]
    pub fn cron(expression: impl Into<Cow<'static, str>>, time_zone: Option<&str>) -> Self {
        Self::new(Schedule::Cron(cron::Line::new(
            expression.into(),
            time_zone.map(|name| Cow::Owned(name.to_owned())),
        )))
    }

    fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            immediately: false,
            jitter: Duration::ZERO,
            enabled: true,
            on_error: PeriodicOnError::default(),
            gate: None,
        }
    }

    /// Runs once each `interval` instead of whenever was said before.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.schedule = Schedule::Every(interval);
        self
    }

    /// Runs when a cron expression says instead of whenever was said before; without a time zone in the one
    /// that was said before, or in the system's.
    #[cfg(feature = "cron")]
    #[cfg(feature = "config")]
    pub(crate) fn on_cron(mut self, expression: String, time_zone: Option<String>) -> Self {
        let before = match &self.schedule {
            Schedule::Cron(line) => line.time_zone(),
            Schedule::Every(_) => None,
        };
        let time_zone = time_zone.map(Cow::Owned).or(before);
        self.schedule = Schedule::Cron(cron::Line::new(expression.into(), time_zone));
        self
    }

    /// Looks whether a cron expression and its time zone are right.
    #[cfg(all(feature = "cron", feature = "config"))]
    pub(crate) fn check(&self) -> Result<(), PeriodicError> {
        match &self.schedule {
            Schedule::Cron(line) => line.check(),
            Schedule::Every(_) => Ok(()),
        }
    }

    /// Says whether the first run begins at once instead of at the first tick.
    pub fn immediately(mut self, immediately: bool) -> Self {
        self.immediately = immediately;
        self
    }

    /// Delays each run by a random time up to `jitter`, so that many processes do not run together.
    ///
    /// The ticks stay where they are. A delay never reaches the tick after: with an interval, at most
    /// the interval is taken.
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Says whether the task runs at all. One that is not enabled ends as soon as it is started.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Says what the error of a run does; by default the task goes on.
    pub fn on_error(mut self, on_error: PeriodicOnError) -> Self {
        self.on_error = on_error;
        self
    }

    /// Sets the gate that is asked at each tick whether this process may run.
    pub fn gate(mut self, gate: Gate) -> Self {
        self.gate = Some(gate);
        self
    }
}

impl TaskGroup {
    /// Starts a periodic task: `run` is called at each tick, and never while it still runs.
    ///
    /// # Errors
    ///
    /// Returns a [`PeriodicError`] if a setting of `periodic` makes no sense, also if it is not
    /// enabled, or if the group has been told to stop.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// use service_runtime::tasks::{Periodic, TaskGroup};
    /// use std::time::Duration;
    ///
    /// let group = TaskGroup::new("greeter");
    /// let hourly = Periodic::every(Duration::from_secs(3600)).jitter(Duration::from_secs(60));
    /// let (tell, mut told) = tokio::sync::mpsc::channel(1);
    /// group.periodic("clean", hourly, move || {
    ///     let tell = tell.clone();
    ///     async move { Ok(tell.send("cleaned").await?) }
    /// })?;
    /// assert_eq!(told.recv().await, Some("cleaned"));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn periodic<R, Fut>(
        &self,
        name: impl Into<Cow<'static, str>>,
        periodic: Periodic,
        run: R,
    ) -> Result<TaskHandle<()>, PeriodicError>
    where
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let name = name.into();
        match &periodic.schedule {
            Schedule::Every(interval) => {
                let pace = every::Every::new(*interval, periodic.jitter, periodic.immediately)?;
                periodic.start(self, name, pace, run)
            }
            #[cfg(feature = "cron")]
            Schedule::Cron(line) => {
                let pace = line.pace(periodic.jitter, periodic.immediately, clock::System)?;
                periodic.start(self, name, pace, run)
            }
        }
    }
}

impl Periodic {
    fn start<P, R, Fut>(
        &self,
        group: &TaskGroup,
        name: Cow<'static, str>,
        pace: P,
        run: R,
    ) -> Result<TaskHandle<()>, PeriodicError>
    where
        P: Pace<Hint = ()>,
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let (kind, gate) = (TaskKind::Periodic, self.gate.clone());
        if !self.enabled {
            tracing::debug!(
                group = group.name(),
                task = &*name,
                "a periodic task is not enabled"
            );
            return Ok(group.idle(name, kind)?);
        }
        let options = LoopOptions {
            on_error: self.on_error,
            ..LoopOptions::default()
        };
        let plan = Plan {
            gate,
            ..Plan::new(group, name, kind, options)
        };
        Ok(plan.start_quiet(group, pace, run)?)
    }
}
