//! What a program says of its processes: their user, limits, pid file and reports.

use crate::privileges::ResourceLimit;
use std::time::Duration;

use super::LaunchOptions;
use crate::settings::{ReportFormat, write_strings};

impl LaunchOptions {
    /// Gives each slot a socket of its own of every TCP listener that does not say it by itself.
    #[must_use]
    pub fn reuse_port(self, yes: bool) -> Self {
        self.give("reuse_port", yes)
    }

    /// Pins each slot to one processor, round the allowed ones.
    #[must_use]
    pub fn cpu_affinity(self, yes: bool) -> Self {
        self.give("cpu_affinity", yes)
    }

    /// Sets how long a new program file may take to get ready at an upgrade; `None` or zero for no limit.
    #[must_use]
    pub fn upgrade_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        self.give_limit("upgrade_timeout", limit)
    }

    /// Names the file that holds the pid and keeps a second instance out.
    #[must_use]
    pub fn pid_file(self, path: &str) -> Self {
        self.give("pid_file", path)
    }

    /// Sets where the control socket is: `auto`, `off` or a path.
    #[must_use]
    pub fn admin(self, place: &str) -> Self {
        self.give("admin", place)
    }

    /// Sets how the report of SIGUSR1 looks.
    #[must_use]
    pub fn report_format(self, format: ReportFormat) -> Self {
        self.give("report_format", format)
    }

    /// Names the directory in which each report becomes a file.
    #[must_use]
    pub fn report_dir(self, path: &str) -> Self {
        self.give("report_dir", path)
    }

    /// Sets a program and its arguments that are run after each worker's end.
    #[must_use]
    pub fn on_worker_exit(self, command: &[&str]) -> Self {
        self.give("on_worker_exit", write_strings(command))
    }

    /// Sets how long that may take; `None` or zero for no limit.
    #[must_use]
    pub fn on_worker_exit_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        self.give_limit("on_worker_exit_timeout", limit)
    }

    /// Names the address of a listener that answers with metrics and nothing else.
    #[must_use]
    pub fn metrics_bind(self, address: &str) -> Self {
        self.give("metrics_bind", address)
    }

    /// Sets how gauges of several workers are shown: `queue_depth=max` and its like.
    #[must_use]
    pub fn metrics_gauges(self, gauges: &[&str]) -> Self {
        self.give("metrics_gauges", write_strings(gauges))
    }

    /// Sets the bounds of histograms: `payload_bytes=100,1000` and its like.
    #[must_use]
    pub fn metrics_buckets(self, buckets: &[&str]) -> Self {
        self.give("metrics_buckets", write_strings(buckets))
    }

    /// Sets how many series a metric may have in each worker.
    #[must_use]
    pub fn metrics_series(self, series: usize) -> Self {
        self.give("metrics_series", series)
    }

    /// Sets who the program is once it has started as root: a name, or a number as text.
    #[must_use]
    pub fn user(self, user: &str) -> Self {
        self.give("user", user)
    }

    /// Sets its group: a name, or a number as text.
    #[must_use]
    pub fn group(self, group: &str) -> Self {
        self.give("group", group)
    }

    /// Lets nothing that the program executes give it more rights.
    #[must_use]
    pub fn no_new_privileges(self, yes: bool) -> Self {
        self.give("no_new_privileges", yes)
    }

    /// Sets the permissions that new files never have: `0o027`. More than `0o777` is refused at the start.
    #[must_use]
    pub fn umask(self, mask: u32) -> Self {
        self.give("umask", format!("{mask:03o}"))
    }

    /// Sets the directory that the services run in.
    #[must_use]
    pub fn chdir(self, path: &str) -> Self {
        self.give("chdir", path)
    }

    /// Limits how many descriptors each process may have open.
    #[must_use]
    pub fn limit_nofile(self, limit: impl Into<ResourceLimit>) -> Self {
        self.give("limit_nofile", limit.into())
    }

    /// Limits how many processes and threads the user may have.
    #[must_use]
    pub fn limit_nproc(self, limit: impl Into<ResourceLimit>) -> Self {
        self.give("limit_nproc", limit.into())
    }

    /// Limits how large a core file may be.
    #[must_use]
    pub fn limit_core(self, limit: impl Into<ResourceLimit>) -> Self {
        self.give("limit_core", limit.into())
    }

    /// Limits how much memory each process may lock.
    #[must_use]
    pub fn limit_memlock(self, limit: impl Into<ResourceLimit>) -> Self {
        self.give("limit_memlock", limit.into())
    }

    /// Limits how large the stack of a process may grow.
    #[must_use]
    pub fn limit_stack(self, limit: impl Into<ResourceLimit>) -> Self {
        self.give("limit_stack", limit.into())
    }

    /// Limits how much address space each process may have.
    #[must_use]
    pub fn limit_as(self, limit: impl Into<ResourceLimit>) -> Self {
        self.give("limit_as", limit.into())
    }

    /// Limits how large a file may be that a process writes.
    #[must_use]
    pub fn limit_fsize(self, limit: impl Into<ResourceLimit>) -> Self {
        self.give("limit_fsize", limit.into())
    }
}
