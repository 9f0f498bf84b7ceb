//! What a report tells about a task.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::Instant;

use crate::tasks::TaskKind;
use crate::tasks::registry::Entry;
use crate::tasks::stamp::Stamp;

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
        let runs = entry.run.as_ref().map(|run| run.counts());
        let runs = runs.unwrap_or_default();
        Self {
            name: entry.name.clone(),
            kind: entry.kind,
            age: entry.since.get_or_insert_with(Stamp::now).elapsed(),
            runs: runs.runs,
            skipped: runs.skipped,
            gated: runs.gated,
            failures: runs.failures,
            last_run: runs.last_run,
            next_run: runs.next_run,
            running_since: runs.running_since,
        }
    }
}
