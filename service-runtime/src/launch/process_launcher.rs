//! Services in forked workers, under a supervisor.

use std::process::ExitCode;
use std::sync::Arc;

use crate::exit::Exit;
use crate::launch::preparation::{Prepared, prepare};
use crate::runner::main_fn::Main;
use crate::service::IntoServices;
use crate::settings::logging::{Logging, Who};
use crate::settings::options::Options;
use crate::supervisor::{Leave, Shared, Start, supervise as supervise_workers};
use crate::worker::{WorkerSetup, work};

/// Runs services in pre-forked worker processes, and keeps those alive.
///
/// `#[launch(workers = N)]` expands to it, for an N above 1. The process that calls
/// [`run`](Self::run) becomes the supervisor: it must have one thread, and must never have used
/// tokio. `main` is called in each worker, after the fork.
#[derive(Clone)]
pub struct ProcessLauncher {
    options: Options,
}

impl ProcessLauncher {
    /// Makes a launcher; nothing happens before [`run`](Self::run).
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// Supervises workers until the program is told to stop; in a worker, runs the services that
    /// `main` builds.
    ///
    /// Returns the code for the process to exit with: 0 stopped as asked, 1 no worker got ready, the
    /// stop ran out of time or was to be quick, 2 wrong command line, 78 wrong configuration. The
    /// log says why.
    pub fn run<M>(self, main: impl Main<M, Output: IntoServices>) -> ExitCode {
        run(self.options, main).into()
    }
}

fn run<M, F: Main<M, Output: IntoServices>>(options: Options, main: F) -> Exit {
    match prepare::<M, F>(&options) {
        Ok(prepared) => supervise(prepared, main),
        Err(exit) => exit,
    }
}

/// Supervises workers until the launch ends; in a worker, runs the services until they end.
pub(crate) fn supervise<M>(prepared: Prepared, main: impl Main<M, Output: IntoServices>) -> Exit {
    let Prepared {
        facts,
        configuration,
        loaded,
        flags,
        only,
        logging,
        preload,
        listeners,
        notifier,
        rights,
        pid_file,
        takeover,
    } = prepared;
    Logging::identify(Who::Supervisor);
    let scoped = logging.scoped();
    if let Some(preload) = preload
        && let Err(error) = preload()
    {
        tracing::error!("the `preload` function failed: {error:#}");
        return Exit::Failed;
    }
    // Made here, so that every worker has the same key.
    #[cfg(feature = "tls")]
    let _ = crate::http::tickets();
    let program = facts.program.clone();
    let supervisor = nix::unistd::getpid().as_raw();
    let start = Start {
        facts,
        configuration: Arc::clone(&configuration),
        loaded,
        only: only.clone(),
        logging: logging.clone(),
        listeners,
        notifier,
        rights: rights.clone(),
        pid_file,
        takeover,
    };
    let left = Shared::new().and_then(|shared| Ok((supervise_workers(start, &shared)?, shared)));
    let (spawned, shared) = match left {
        Ok((Leave::Worker(spawned), shared)) => (spawned, shared),
        Ok((Leave::Exit(exit), _)) => return exit,
        Err(error) => {
            tracing::error!("cannot set the supervisor up: {error}");
            return Exit::Failed;
        }
    };
    // Our log on this thread would hide one that the author installs.
    scoped.end();
    let setup = WorkerSetup {
        program,
        supervisor,
        slot: spawned.slot,
        pool: spawned.pool,
        generation: spawned.generation,
        channel: spawned.channel,
        page: shared.page,
        cell: spawned.cell,
        locks: shared.locks,
        listeners: spawned.listeners,
        configuration,
        loaded: spawned.loaded,
        flags,
        only,
        logging,
        rights,
    };
    work(setup, main)
}
