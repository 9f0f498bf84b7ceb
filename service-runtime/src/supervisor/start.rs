//! What a supervisor sets up before its first fork.

use std::sync::Arc;

use super::configurations::Configurations;
use super::event_loop::EventLoop;
use super::exit_command::ExitCommands;
use super::own_metrics::SupervisorMetrics;
use super::policy::Decisions;
use super::pools::Pools;
use super::report::ReportCollection;
use super::requests::SignalRequests;
use super::service_manager::ServiceManager;
use super::sockets::Sockets;
use super::successor::Upgrade;
use super::system::Supervisor;
use super::worker_fork::Leave;
use super::workers::Workers;
use crate::error_chain::chain;
use crate::listen::Listeners;
use crate::metrics::{InheritedMetrics, ProgramMetrics};
use crate::notify::Notifier;
use crate::os::process::process_lock::ProcessLocks;
use crate::os::process::shared_page::Page;
use crate::os::process::signalfd::SignalQueue;
use crate::os::process::{clock, fork, mask, reap};
use crate::privileges::Privileges;
use crate::privileges::pid_file::PidFile;
use crate::settings::configuration::{Configuration, Loaded};
use crate::settings::logging::Logging;
use crate::status::{History, ProgramInfo};
use crate::upgrade::takeover::Takeover;

/// What a supervisor starts with.
pub(crate) struct Start {
    pub(crate) info: ProgramInfo,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) loaded: Loaded,
    /// The services asked for on the command line, if it names any.
    pub(crate) only: Vec<String>,
    pub(crate) logging: Logging,
    pub(crate) listeners: Listeners,
    pub(crate) notifier: Notifier,
    pub(crate) privileges: Privileges,
    pub(crate) pid_file: Option<PidFile>,
    pub(crate) takeover: Takeover,
}

/// What a supervisor and all its workers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) page: Page,
    pub(crate) locks: ProcessLocks,
    pub(crate) metrics: ProgramMetrics,
}

impl Shared {
    /// Makes it, before the first fork.
    ///
    /// # Errors
    ///
    /// Returns a text for the log if another thread runs, or the system refuses.
    pub(crate) fn new(inherited: Option<InheritedMetrics>) -> Result<Self, String> {
        // Later a stray thread may go again; one that is there at the start has come to stay.
        fork::only_thread().map_err(|error| chain(&error))?;
        Ok(Self {
            page: Page::new().map_err(|error| chain(&error))?,
            locks: ProcessLocks::new().map_err(|error| chain(&error))?,
            metrics: ProgramMetrics::new(inherited),
        })
    }
}

/// Supervises workers until the launch ends; returns in each new worker, too.
///
/// # Errors
///
/// Returns a text for the log if the signals cannot be received.
pub(crate) fn supervise(start: Start, shared: &Shared) -> Result<Leave, String> {
    let signals = signals().map_err(|error| chain(&error))?;
    let mut pools = Pools::new(&start.only);
    let started = clock::now();
    let settings = &start.loaded.settings.metrics;
    let metrics = SupervisorMetrics::new(shared.metrics.of_supervisor(settings), &start.loaded);
    let event_loop = EventLoop {
        decisions: Decisions::new(pools.policy(&start.loaded)),
        signals: SignalRequests::new(signals),
        supervisor: Supervisor {
            started,
            workers: Workers::new(shared.page.clone(), shared.metrics.clone(), started),
            pools,
            rights_dropped: start.privileges.is_dropped(),
            configurations: Configurations::new(
                start.configuration,
                start.loaded,
                start.privileges,
            ),
            // What another process listened on may be in use no more.
            sockets: Sockets::new(start.listeners, start.takeover.has_predecessor()),
            manager: ServiceManager::new(start.notifier),
            upgrade: Upgrade::new(start.takeover.program.clone()),
            takeover: start.takeover,
            pid_file: start.pid_file,
            report: ReportCollection::default(),
            #[cfg(feature = "control")]
            control: super::control::Control::new(),
            exit_commands: ExitCommands::default(),
            metrics,
            history: History::default(),
            info: start.info,
            logging: start.logging,
            last_death: None,
            failure: None,
            is_init: reap::is_init(),
        },
    };
    Ok(event_loop.run())
}

/// Blocks what is handled, whatever mask and dispositions were inherited, and reads it as values.
fn signals() -> nix::Result<SignalQueue> {
    mask::reset_dispositions()?;
    SignalQueue::open(&mask::block_handled()?)
}
