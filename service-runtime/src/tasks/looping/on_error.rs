//! What the error of a run does to its loop.

/// Says what the error of a run does to a timer, a loop or a periodic task.
///
/// A panic is not an error: it always ends the loop and is always reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PeriodicOnError {
    /// Log it as a warning and go on.
    #[default]
    Continue,
    /// Log it as a warning and end the loop.
    Stop,
    /// End the loop and report it to the group's
    /// [`on_failure`](crate::tasks::TaskGroup::on_failure) callbacks.
    Fail,
}
