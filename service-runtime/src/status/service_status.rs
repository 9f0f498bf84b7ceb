//! The services of a process and their tasks.

use std::time::Duration;

use super::history::History;
use super::row::Row;
use crate::service::Phase;
use crate::settings::ReportFormat;
use crate::tasks::TaskKind;

/// What a process tells of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcessPart {
    pub(crate) services: Vec<ServiceStatus>,
    pub(crate) tasks: Vec<TaskStatus>,
    #[cfg(feature = "rpc")]
    pub(crate) calls: super::call_status::CallStatus,
    pub(crate) history: History,
}

/// A service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceStatus {
    pub(crate) name: String,
    pub(crate) phase: Phase,
    /// What it has last said of itself.
    pub(crate) status: Option<String>,
    /// What its health check answers, if it was asked.
    pub(crate) health: Option<String>,
    /// The hook that runs, and for how long.
    pub(crate) hook: Option<(&'static str, Duration)>,
}

/// A task or timer of a service.
#[derive(Debug, Clone)]
pub(crate) struct TaskStatus {
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) kind: TaskKind,
    pub(crate) age: Duration,
    pub(crate) runs: u64,
    /// How many ticks were missed.
    pub(crate) skipped: u64,
    /// How many ticks the gate did not let through.
    pub(crate) gated: u64,
    pub(crate) failures: u64,
    pub(crate) last_run_ago: Option<Duration>,
    pub(crate) next_run_in: Option<Duration>,
    pub(crate) running_for: Option<Duration>,
}

impl ProcessPart {
    /// Writes it as the report of a process that was asked itself.
    pub(crate) fn write(&self, format: ReportFormat) -> String {
        Row::one("process").rows(self.rows()).write(format)
    }

    /// Writes it to be put below the row of the process.
    pub(crate) fn write_below(&self, format: ReportFormat) -> String {
        Row::default().rows(self.rows()).write_below(format)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        let services = self.services.iter().map(ServiceStatus::row);
        let tasks = self.tasks.iter().map(TaskStatus::row);
        let rows = services.chain(tasks);
        #[cfg(feature = "rpc")]
        let rows = rows.chain(self.calls.rows());
        rows.chain(self.history.rows())
    }
}

impl ServiceStatus {
    fn row(&self) -> Row {
        Row::of_many("service", "services")
            .with("name", self.name.as_str())
            .with("phase", self.phase.to_string())
            .with("status", self.status.clone())
            .with("health", self.health.clone())
            .with("hook", self.hook.map(|(hook, _)| hook.to_owned()))
            .with("hook_for", self.hook.map(|(_, time)| time))
    }
}

impl TaskStatus {
    fn row(&self) -> Row {
        Row::of_many("task", "tasks")
            .with("name", self.name.as_str())
            .with("service", self.service.as_str())
            .with("kind", self.kind.to_string())
            .with("age", self.age)
            .with("runs", self.runs)
            .with("skipped", self.skipped)
            .with("gated", self.gated)
            .with("failures", self.failures)
            .with("last_run_ago", self.last_run_ago)
            .with("next_run_in", self.next_run_in)
            .with("running_for", self.running_for)
    }
}
