//! The launchers: services in this process, or in forked workers under a supervisor.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `preparation` | what every launch does first |
//! | `once` | one launch a process |
//! | `service_launcher` | services in this process |
//! | `process_launcher`, `supervise` | services in forked workers |

mod once;
pub(crate) mod preparation;
mod process_launcher;
mod service_launcher;
#[cfg(workers)]
mod supervise;

use std::process::ExitCode;

pub use process_launcher::ProcessLauncher;
pub use service_launcher::ServiceLauncher;

use self::preparation::prepare;
use crate::runner::main_fn::Main;
use crate::service::IntoServices;
use crate::settings;
use crate::settings::configuration::Loaded;
use crate::settings::options::LaunchOptions;

/// Runs the services that `main` builds: in this process for one worker, else in forked ones.
///
/// The number comes from `options`, a configuration file, the environment or a flag, as every
/// setting does. `#[launch]` without a literal number of workers expands to it. For the exit code see
/// [`ServiceLauncher::run`].
pub fn launch<M, F: Main<M, Output: IntoServices>>(options: LaunchOptions, main: F) -> ExitCode {
    let prepared = match prepare::<M, F>(&options, supervises) {
        Ok(prepared) => prepared,
        Err(exit) => return exit.into(),
    };
    if supervises(&prepared.loaded) {
        process_launcher::launch_workers(prepared, main).into()
    } else {
        service_launcher::serve(prepared, main).into()
    }
}

/// Tells whether there are workers.
fn supervises(loaded: &Loaded) -> bool {
    // As many as there are processors may become more at a reload, even from one.
    loaded.settings.workers != settings::Workers::default() || !loaded.pools.is_empty()
}
