//! Services in forked workers, under a supervisor.

use std::process::ExitCode;

use crate::exit::Exit;
use crate::launch::preparation::{Prepared, prepare};
use crate::runner::main_fn::Main;
use crate::service::IntoServices;
use crate::settings::options::LaunchOptions;

/// Runs services in pre-forked worker processes, and keeps those alive.
///
/// `#[launch(workers = N)]` expands to it, for an N above 1. The process that calls
/// [`run`](Self::run) becomes the supervisor: it must have one thread, and must never have used
/// tokio. `main` is called in each worker, after the fork.
///
/// Worker processes need Linux. On other Unix systems the services run in this one process, and a warning
/// says so.
#[derive(Clone)]
pub struct ProcessLauncher {
    options: LaunchOptions,
}

impl ProcessLauncher {
    /// Makes a launcher; nothing happens before [`run`](Self::run).
    pub fn new(options: LaunchOptions) -> Self {
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

fn run<M, F: Main<M, Output: IntoServices>>(options: LaunchOptions, main: F) -> Exit {
    match prepare::<M, F>(&options, |_| true) {
        Ok(prepared) => launch_workers(prepared, main),
        Err(exit) => exit,
    }
}

/// Launches services in forked workers, where there are any.
#[cfg(workers)]
pub(crate) fn launch_workers<M>(
    prepared: Prepared,
    main: impl Main<M, Output: IntoServices>,
) -> Exit {
    super::supervise::supervise(prepared, main)
}

/// Launches services in this process, with a warning: worker processes need Linux.
#[cfg(not(workers))]
pub(crate) fn launch_workers<M>(
    prepared: Prepared,
    main: impl Main<M, Output: IntoServices>,
) -> Exit {
    {
        let _scoped = prepared.logging.scoped();
        tracing::warn!(
            workers = %prepared.loaded.settings.workers,
            "worker processes need Linux: the services run in this one process, without a supervisor"
        );
    }
    super::service_launcher::serve(prepared, main)
}
