//! The control process, from its fork to its end.

use std::os::fd::OwnedFd;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::server::serve_clients;
use super::supervisor_link::SupervisorLink;
use crate::exit::Exit;
use crate::os::process::channel::Channel;
use crate::os::process::exit;
use crate::privileges::Privileges;
use crate::settings::logging::{Logging, ProcessRole};

/// How much address space it may have beside that of the supervisor that it was forked from, in bytes.
const MEMORY: u64 = 256 << 20;

/// How many descriptors it may have open: its connections, and what it reads of processes.
const DESCRIPTORS: u64 = 128;

/// What the control process starts with.
pub(crate) struct ControlSetup {
    pub(crate) channel: Channel,
    /// On which clients wait.
    pub(crate) socket: OwnedFd,
    /// The pid of the supervisor.
    pub(crate) supervisor: i32,
    pub(crate) privileges: Privileges,
}

/// Answers clients until nobody has asked for a while or the program ends, and ends this process.
///
/// It never returns to its caller, behind which there is code of the author's. The signals stay blocked as
/// they were across the fork: the end of the supervisor is the end of this process, and no signal is.
pub(crate) fn serve(setup: ControlSetup) -> ! {
    Logging::identify(ProcessRole::Control);
    let exit = match run(setup) {
        Ok(()) => Exit::Done,
        Err(error) => {
            tracing::error!("the control process cannot be set up: {error}");
            Exit::Failed
        }
    };
    exit::now(exit.code().into())
}

fn run(setup: ControlSetup) -> Result<(), String> {
    let supervisor = Pid::from_raw(setup.supervisor);
    // It ends by itself with the supervisor; should it be stopped or stuck then, it is ended.
    setup
        .privileges
        .apply_in_worker(Signal::SIGKILL, supervisor)?;
    limit();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let link = SupervisorLink::open(setup.channel).map_err(|error| error.to_string())?;
        let served = serve_clients(setup.socket, link).await;
        served.map_err(|error| error.to_string())
    })
}

/// Bounds what this process may use, and lets the system end it before a worker when memory is short.
///
/// Where that is not allowed it does without.
fn limit() {
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let size = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = size.split(' ').next().and_then(|pages| pages.parse().ok());
    if let Some(pages) = pages {
        let size = u64::saturating_mul(pages, 4096).saturating_add(MEMORY);
        let _ = setrlimit(Resource::RLIMIT_AS, size, size);
    }
    let _ = setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}
