//! Services in forked workers, under a supervisor.

use std::process::ExitCode;

use crate::exit::Exit;
use crate::launch::main_fn::Main;
use crate::launch::preparation::prepare;
use crate::service::IntoServices;
use crate::settings::options::Options;
use crate::supervisor::supervise;

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
