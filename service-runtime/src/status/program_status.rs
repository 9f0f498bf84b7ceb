//! The whole program at one moment.

use std::time::Duration;

use super::listener_status::ListenerStatus;
use super::process_status::ProcessStatus;
use super::program_info::ProgramInfo;
use super::row::{Row, Value};
use super::service_status::ProcessPart;
#[cfg(workers)]
use super::worker_status::{SlotStatus, WorkerStatus};
use crate::settings::ReportFormat;
use crate::settings::configuration::Loaded;

/// The state of a program at one moment.
#[derive(Debug, Clone)]
pub(crate) struct ProgramStatus {
    /// All of it in a few words.
    pub(crate) state: String,
    pub(crate) info: ProgramInfo,
    pub(crate) uptime: Duration,
    /// How many lines of the log nobody took.
    pub(crate) lost_lines: u64,
    /// How the program was started, with the values of secrets masked.
    pub(crate) command_line: Option<String>,
    /// The effective configuration, with the values of secrets masked.
    pub(crate) options: Vec<OptionStatus>,
    pub(crate) process: ProcessStatus,
    pub(crate) listeners: Vec<ListenerStatus>,
    #[cfg(workers)]
    pub(crate) slots: Vec<SlotStatus>,
    #[cfg(workers)]
    pub(crate) workers: Vec<WorkerStatus>,
    /// What runs in the process itself, and what has happened to it.
    pub(crate) part: ProcessPart,
}

/// An option with its value and where that comes from.
#[derive(Debug, Clone)]
pub(crate) struct OptionStatus {
    pub(crate) name: String,
    /// As a configuration file has it.
    pub(crate) value: String,
    pub(crate) origin: String,
}

impl ProgramStatus {
    /// Describes a program of one process, or the supervisor of one; slots and workers are still to be added.
    pub(crate) fn new(
        state: String,
        info: &ProgramInfo,
        loaded: Option<&Loaded>,
        process: ProcessStatus,
    ) -> Self {
        let option = |(name, value, origin)| OptionStatus {
            name,
            value,
            origin,
        };
        let options = loaded.map(Loaded::options).unwrap_or_default();
        Self {
            state,
            uptime: info.uptime(),
            info: info.clone(),
            lost_lines: 0,
            command_line: loaded.map(super::program_info::command_line),
            options: options.into_iter().map(option).collect(),
            process,
            listeners: Vec::new(),
            #[cfg(workers)]
            slots: Vec::new(),
            #[cfg(workers)]
            workers: Vec::new(),
            part: ProcessPart::default(),
        }
    }

    /// Writes it for people, or for programs.
    pub(crate) fn write(&self, format: ReportFormat) -> String {
        self.row().write(format)
    }

    pub(super) fn row(&self) -> Row {
        let row = Row::one(self.state.as_str())
            .with("uptime", self.uptime)
            .with("lost_lines", self.lost_lines)
            .rows([self.info.row(), self.command()])
            .rows(self.options.iter().map(OptionStatus::row))
            .rows([self.process.row()])
            .rows(self.listeners.iter().map(ListenerStatus::row));
        #[cfg(workers)]
        let row = row
            .rows(self.slots.iter().map(SlotStatus::row))
            .rows(self.workers.iter().map(WorkerStatus::row));
        row.rows(self.part.rows())
    }

    fn command(&self) -> Row {
        let file = std::env::current_exe().ok();
        Row::one("command")
            .with("file", file.map(|file| file.display().to_string()))
            .with("line", self.command_line.clone())
    }
}

impl OptionStatus {
    fn row(&self) -> Row {
        Row::of_many("option", "options")
            .with("name", self.name.as_str())
            .with("value", Value::Toml(self.value.clone()))
            .with("origin", self.origin.as_str())
    }
}
