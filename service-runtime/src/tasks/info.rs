//! What a report tells about a task.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::tasks::registry::Entry;
use crate::tasks::stamp::Stamp;

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
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TaskKind::Task => "task",
            TaskKind::Timer => "timer",
            TaskKind::SelfPaced => "self-paced timer",
            TaskKind::Backoff => "back-off loop",
            TaskKind::Periodic => "periodic task",
        })
    }
}

/// Tells how a live task is doing, for reports.
///
/// The counters and instants of runs stay 0 and `None` for a plain task.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskInfo {
    /// The name it was started under.
    pub name: Cow<'static, str>,
    /// What sort of task it is.
    pub kind: TaskKind,
    /// How long it has lived, in real time and to a few milliseconds: since it waited for something
    /// for the first time. A task that has not, because it has not begun or blocks its thread, counts
    /// from the first look at it: a report, or the stop of its group.
    pub age: Duration,
    /// How many runs have begun.
    pub runs: u64,
    /// How many ticks were missed, because a run lasted into them or the process could not wake.
    pub skipped: u64,
    /// How many ticks the gate did not let through.
    pub gated: u64,
    /// How many runs returned an error.
    pub failures: u64,
    /// When the latest run began.
    pub last_run: Option<Instant>,
    /// When the next run is due, while the task waits for it.
    pub next_run: Option<Instant>,
    /// When the run in progress began.
    pub running_since: Option<Instant>,
}

impl TaskInfo {
    pub(super) fn of(entry: &mut Entry) -> Self {
        let mut info = Self {
            name: entry.name.clone(),
            kind: entry.kind,
            age: entry.since.get_or_insert_with(Stamp::now).elapsed(),
            runs: 0,
            skipped: 0,
            gated: 0,
            failures: 0,
            last_run: None,
            next_run: None,
            running_since: None,
        };
        if let Some(run) = &entry.run {
            run.describe(&mut info);
        }
        info
    }
}
