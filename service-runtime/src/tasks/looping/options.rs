//! What every loop can be told, whatever its pace.

use std::time::Duration;

use super::PeriodicOnError;

/// Describes a loop: its pace, and what every loop can be told.
///
/// | its name | made by | started by |
/// | --- | --- | --- |
/// | [`Timer`](crate::tasks::Timer) | `Timer::every` | [`TaskGroup::timer`](crate::tasks::TaskGroup::timer) |
/// | [`SelfPaced`](crate::tasks::SelfPaced) | `SelfPaced::at_most` | [`TaskGroup::self_paced`](crate::tasks::TaskGroup::self_paced) |
/// | [`Backoff`](crate::tasks::Backoff) | `Backoff::starting_at` | [`TaskGroup::backoff`](crate::tasks::TaskGroup::backoff) |
///
/// It is only a description: the same one may be started many times, and wrong settings are reported
/// when it is started. By default the first run is at once, there is no time limit, and errors do not end
/// the loop. A run ends it early with a value by `ControlFlow::Break`: see [`Step`](crate::tasks::Step).
///
/// # Examples
///
/// ```
/// use service_runtime::tasks::{Backoff, Loop, PeriodicOnError, SelfPaced, Timer};
/// use std::time::Duration;
///
/// const SECOND: Duration = Duration::from_secs(1);
///
/// /// The same for loops of every pace.
/// fn patient<P>(a_loop: Loop<P>) -> Loop<P> {
///     a_loop.initial_delay(SECOND).timeout(60 * SECOND).on_error(PeriodicOnError::Fail)
/// }
/// let timer: Timer = patient(Timer::every(SECOND));
/// let paced: SelfPaced = patient(SelfPaced::at_most(SECOND));
/// let backoff: Backoff = patient(Backoff::starting_at(SECOND).factor(3.0));
/// ```
#[derive(Debug, Clone)]
#[must_use = "a loop runs when a method of `TaskGroup` starts it"]
pub struct Loop<P> {
    pub(super) pace: P,
    pub(super) options: LoopOptions,
}

/// What every loop can be told.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::tasks) struct LoopOptions {
    pub(in crate::tasks) initial_delay: Duration,
    pub(in crate::tasks) timeout: Option<Duration>,
    pub(in crate::tasks) on_error: PeriodicOnError,
}

impl<P> Loop<P> {
    /// Describes a loop of which nothing is said but its pace.
    pub(super) fn of(pace: P) -> Self {
        Self {
            pace,
            options: LoopOptions::default(),
        }
    }

    /// Delays the first run.
    pub fn initial_delay(mut self, delay: Duration) -> Self {
        self.options.initial_delay = delay;
        self
    }

    /// Ends the loop with [`LoopError::TimedOut`](crate::tasks::LoopError::TimedOut) that long after its
    /// start. A run in progress is dropped at its await.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Says what the error of a run does; by default it is logged and the loop goes on.
    ///
    /// With [`Fail`](PeriodicOnError::Fail) or [`Stop`](PeriodicOnError::Stop) the first error ends the
    /// loop.
    pub fn on_error(mut self, on_error: PeriodicOnError) -> Self {
        self.options.on_error = on_error;
        self
    }
}
