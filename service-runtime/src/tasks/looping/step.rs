//! What a run of a loop may return.

use std::ops::ControlFlow;
use std::time::Duration;

/// What a run of a loop may return: nothing, a `Result`, or whether to go on.
///
/// `C` is what the loop wants to know to go on: nothing for a [`Timer`](crate::tasks::Timer) and a
/// [`Backoff`](crate::tasks::Backoff) loop, the next interval for a
/// [`SelfPaced`](crate::tasks::SelfPaced) timer.
///
/// | returned | meaning |
/// | --- | --- |
/// | `()`, a `Duration` | go on |
/// | `Ok(())`, `Ok(duration)` | go on |
/// | `ControlFlow::Continue(c)`, `Ok(ControlFlow::Continue(c))` | go on |
/// | `ControlFlow::Break(value)`, `Ok(ControlFlow::Break(value))` | end early, with this value |
/// | `Err(error)` | the run has failed |
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell a loop how to go on",
    label = "returned by a run of this loop",
    note = "return `()`, `Result<(), E>`, `ControlFlow<T, {C}>` or `Result<ControlFlow<T, {C}>, E>`; \
            a self-paced timer also takes `Duration` and `Result<Duration, E>`"
)]
pub trait Step<C> {
    /// What an early end carries.
    type Value;

    /// Turns what was returned into the one form that loops understand.
    ///
    /// # Errors
    ///
    /// Returns the error of a run that has failed.
    fn into_step(self) -> anyhow::Result<ControlFlow<Self::Value, C>>;
}

impl Step<()> for () {
    type Value = ();

    fn into_step(self) -> anyhow::Result<ControlFlow<(), ()>> {
        Ok(ControlFlow::Continue(()))
    }
}

impl Step<Duration> for Duration {
    type Value = ();

    fn into_step(self) -> anyhow::Result<ControlFlow<(), Duration>> {
        Ok(ControlFlow::Continue(self))
    }
}

impl<T, C> Step<C> for ControlFlow<T, C> {
    type Value = T;

    fn into_step(self) -> anyhow::Result<ControlFlow<T, C>> {
        Ok(self)
    }
}

impl<E: Into<anyhow::Error>> Step<()> for Result<(), E> {
    type Value = ();

    fn into_step(self) -> anyhow::Result<ControlFlow<(), ()>> {
        self.map(ControlFlow::Continue).map_err(Into::into)
    }
}

impl<E: Into<anyhow::Error>> Step<Duration> for Result<Duration, E> {
    type Value = ();

    fn into_step(self) -> anyhow::Result<ControlFlow<(), Duration>> {
        self.map(ControlFlow::Continue).map_err(Into::into)
    }
}

impl<T, C, E: Into<anyhow::Error>> Step<C> for Result<ControlFlow<T, C>, E> {
    type Value = T;

    fn into_step(self) -> anyhow::Result<ControlFlow<T, C>> {
        self.map_err(Into::into)
    }
}
