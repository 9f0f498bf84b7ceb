//! The slots of a supervisor, and the workers in them.

use std::time::Duration;

use super::process_status::ProcessUsage;
use super::request_status::RequestStatus;
use super::row::Row;

/// A place for a worker, which outlives the worker in it.
#[derive(Debug, Clone)]
pub(crate) struct SlotStatus {
    pub(crate) number: usize,
    /// The service whose workers it is for; `None` for those that the others share.
    pub(crate) pool: Option<String>,
    /// The pid of the worker in it.
    pub(crate) worker: Option<i32>,
    /// Whether an operator keeps it empty.
    pub(crate) held: bool,
    pub(crate) restarts: u64,
    /// How many workers in a row have died early.
    pub(crate) early_deaths: u32,
    /// How many forks in a row the system has refused.
    pub(crate) refused_forks: u32,
    /// When the next worker is forked, while the slot waits.
    pub(crate) next_worker_in: Option<Duration>,
}

/// A worker process.
#[derive(Debug, Clone)]
pub(crate) struct WorkerStatus {
    pub(crate) slot: usize,
    /// The service whose worker it is; `None` for one that several services share.
    pub(crate) pool: Option<String>,
    pub(crate) pid: i32,
    pub(crate) generation: u64,
    pub(crate) age: Duration,
    pub(crate) requests: RequestStatus,
    pub(crate) heartbeat_ago: Option<Duration>,
    /// Why it fails, if it has said so.
    pub(crate) error: Option<String>,
    pub(crate) state: &'static str,
    pub(crate) usage: ProcessUsage,
    pub(crate) answer: WorkerAnswer,
}

/// What a worker has answered when it was asked for its part.
#[derive(Debug, Clone)]
pub(crate) enum WorkerAnswer {
    /// Its services and tasks, as [`ProcessPart::write_below`](super::ProcessPart::write_below) writes them.
    Written(String),
    /// Nothing in time; this is what its threads do.
    None { threads: Vec<String> },
    /// Nothing that is known here: it was not asked, or has not answered.
    NotSeen,
}

impl SlotStatus {
    pub(super) fn row(&self) -> Row {
        Row::of_many("slot", "slots")
            .with("number", self.number)
            .with("of", self.pool.clone())
            .with("worker", self.worker)
            .with("held", self.held)
            .with("restarts", self.restarts)
            .with("early_deaths", u64::from(self.early_deaths))
            .with("refused_forks", u64::from(self.refused_forks))
            .with("next_worker_in", self.next_worker_in)
    }
}

impl WorkerStatus {
    pub(super) fn row(&self) -> Row {
        let row = Row::of_many("worker", "workers")
            .with("slot", self.slot)
            .with("of", self.pool.clone())
            .with("pid", self.pid)
            .with("generation", self.generation)
            .with("age", self.age);
        let row = self
            .requests
            .add_to(row)
            .with("heartbeat_ago", self.heartbeat_ago)
            .with("error", self.error.clone())
            .with("state", self.state);
        let row = self.usage.add_to(row);
        match &self.answer {
            WorkerAnswer::Written(part) => row.written(part.clone()),
            WorkerAnswer::NotSeen => row,
            WorkerAnswer::None { threads } => {
                let thread = |doing: &String| {
                    Row::of_many("thread", "thread_states").with("doing", doing.as_str())
                };
                row.with("answer", "none").rows(threads.iter().map(thread))
            }
        }
    }
}
