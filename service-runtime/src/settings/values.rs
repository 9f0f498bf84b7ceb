//! The effective settings of a launch, as typed values.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::admin::Admin;
use super::report::Report;
use super::workers::Workers;
use crate::listen::Address;
use crate::log::LogFormat;
use crate::metrics::MetricSettings;
use crate::privileges::PrivilegeSettings;
use crate::service::{RestartMethod, RuntimeKind};

/// The effective settings of a launch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub(crate) workers: Workers,
    pub(crate) restart_method: RestartMethod,
    pub(crate) graceful_shutdown_timeout: Option<Duration>,
    pub(crate) drain_timeout: Option<Duration>,
    pub(crate) start_timeout: Option<Duration>,
    /// `None` until asked for: a worker's is current-thread, a ServiceLauncher's multi-thread.
    pub(crate) runtime: Option<RuntimeKind>,
    /// 0 for one a CPU.
    pub(crate) threads: usize,
    pub(crate) respawn_delay: Duration,
    pub(crate) respawn_delay_max: Duration,
    pub(crate) healthy_after: Duration,
    pub(crate) reload_surge: NonZeroUsize,
    pub(crate) heartbeat_timeout: Option<Duration>,
    /// How many deaths within which time.
    pub(crate) restart_limit: Option<(usize, Duration)>,
    pub(crate) recycling: RecycleLimits,
    pub(crate) service_restart_limit: u64,
    pub(crate) log_level: String,
    pub(crate) log_format: LogFormat,
    pub(crate) log_options: bool,
    /// Whether a TCP listener that says nothing has a socket a slot.
    pub(crate) reuse_port: bool,
    pub(crate) cpu_affinity: bool,
    pub(crate) upgrade_timeout: Option<Duration>,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) admin: Admin,
    pub(crate) report: Report,
    pub(crate) on_worker_exit: ExitCommand,
    pub(crate) privileges: PrivilegeSettings,
    pub(crate) metrics: MetricSettings,
    /// Where a listener answers with metrics and nothing else.
    pub(crate) metrics_bind: Option<Address>,
}

/// When a worker is worn out and replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RecycleLimits {
    /// After this many requests; 0 for no limit.
    pub(crate) requests: u64,
    pub(crate) requests_jitter: u64,
    /// After this time.
    pub(crate) lifetime: Option<Duration>,
    pub(crate) lifetime_jitter: Duration,
    /// Above this resident memory, in bytes; 0 for no limit.
    pub(crate) memory: u64,
}

/// What is run after each worker's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExitCommand {
    /// The program and its arguments; empty for none.
    pub(crate) command: Vec<String>,
    /// How long it may take.
    pub(crate) timeout: Option<Duration>,
}

impl Settings {
    /// Keeps what only a start can change as it was, and logs what would have changed.
    pub(crate) fn keep_fixed(&mut self, launched: &Self) {
        let changed = self.privileges != launched.privileges
            || self.pid_file != launched.pid_file
            || self.admin != launched.admin;
        if changed {
            tracing::warn!(
                "admin, pid_file, user, group, no_new_privileges, umask, chdir and limit_… are read at \
                 start alone: those that changed stay as they were"
            );
            self.privileges = launched.privileges.clone();
            self.pid_file = launched.pid_file.clone();
            self.admin = launched.admin.clone();
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: Workers::default(),
            restart_method: RestartMethod::default(),
            graceful_shutdown_timeout: Some(Duration::from_secs(60)),
            drain_timeout: Some(Duration::from_secs(60)),
            start_timeout: Some(Duration::from_secs(30)),
            runtime: None,
            threads: 0,
            respawn_delay: Duration::from_millis(100),
            respawn_delay_max: Duration::from_secs(30),
            healthy_after: Duration::from_secs(1),
            reload_surge: NonZeroUsize::MIN,
            heartbeat_timeout: Some(Duration::from_secs(30)),
            restart_limit: None,
            recycling: RecycleLimits::default(),
            service_restart_limit: 10,
            log_level: "info".to_owned(),
            log_format: LogFormat::default(),
            log_options: true,
            reuse_port: false,
            cpu_affinity: false,
            upgrade_timeout: Some(Duration::from_secs(60)),
            pid_file: None,
            admin: Admin::default(),
            report: Report::default(),
            on_worker_exit: ExitCommand {
                command: Vec::new(),
                timeout: Some(Duration::from_secs(10)),
            },
            privileges: PrivilegeSettings::default(),
            metrics: MetricSettings::default(),
            metrics_bind: None,
        }
    }
}
