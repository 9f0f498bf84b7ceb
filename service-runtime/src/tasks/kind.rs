//! The sorts of tasks.

use std::fmt;

/// Says what sort of task a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TaskKind {
    /// A future that runs once, from `spawn`.
    #[default]
    Task,
    /// A fixed timer.
    Timer,
    /// A timer that chooses its next interval.
    SelfPaced,
    /// A loop that backs off while it fails.
    Backoff,
    /// A periodic task.
    Periodic,
    /// What others are driven by, and no stop waits for: from `background`.
    Background,
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TaskKind::Task => "task",
            TaskKind::Timer => "timer",
            TaskKind::SelfPaced => "self-paced timer",
            TaskKind::Backoff => "back-off loop",
            TaskKind::Periodic => "periodic task",
            TaskKind::Background => "background task",
        })
    }
}
