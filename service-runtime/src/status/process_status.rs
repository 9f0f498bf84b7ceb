//! A process that belongs to the program, and what it uses.

use super::request_status::RequestStatus;
use super::row::Row;

/// The process that speaks for the program: the supervisor, or the only one.
#[derive(Debug, Clone)]
pub(crate) struct ProcessStatus {
    /// Whether it has workers.
    pub(crate) is_supervisor: bool,
    pub(crate) pid: u32,
    pub(crate) usage: ProcessUsage,
    /// What it has served, if it serves.
    pub(crate) requests: Option<RequestStatus>,
}

/// What a process uses, as it is seen from outside; nothing where the system does not tell.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProcessUsage {
    /// The memory that is resident, in bytes.
    pub(crate) rss: Option<u64>,
    /// That, with each shared page divided among those that share it.
    pub(crate) pss: Option<u64>,
    pub(crate) descriptors: Option<usize>,
    pub(crate) threads: Option<usize>,
    /// Whether a debugger holds it.
    pub(crate) is_traced: Option<bool>,
}

impl ProcessUsage {
    /// Asks the system about a process.
    #[cfg(workers)]
    pub(crate) fn of(pid: nix::unistd::Pid) -> Self {
        use crate::os::process::procfs;
        let memory = procfs::memory(pid);
        Self {
            rss: memory.resident,
            pss: memory.proportional,
            descriptors: procfs::descriptors(pid),
            threads: procfs::thread_count(pid),
            is_traced: Some(procfs::is_traced(pid)),
        }
    }

    /// Asks the system about this process.
    pub(crate) fn of_this_process() -> Self {
        #[cfg(workers)]
        return Self::of(nix::unistd::getpid());
        #[cfg(not(workers))]
        Self::default()
    }

    /// Adds what is used to the row of the process.
    pub(super) fn add_to(self, row: Row) -> Row {
        row.with("rss", self.rss)
            .with("pss", self.pss)
            .with("descriptors", self.descriptors)
            .with("threads", self.threads)
            .with("traced", self.is_traced)
    }
}

impl ProcessStatus {
    pub(super) fn row(&self) -> Row {
        let label = if self.is_supervisor {
            "supervisor"
        } else {
            "process"
        };
        let row = self
            .usage
            .add_to(Row::one(label).with("pid", u64::from(self.pid)));
        match &self.requests {
            Some(requests) => requests.add_to(row),
            None => row,
        }
    }
}
