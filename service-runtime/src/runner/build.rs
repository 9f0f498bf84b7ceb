//! The services of a process, from the author's `main`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::Runtime;

use super::main_fn::Main;
use super::selection;
use super::setup::Setup;
use crate::exit::Exit;
use crate::service::{Definition, IntoServices};

/// Why a process cannot begin to serve.
pub(crate) struct SetupError {
    pub(crate) exit: Exit,
    pub(crate) text: String,
}

/// Runs the author's `main` and picks the services asked for. The configuration was checked before.
pub(crate) fn build_services<M>(
    setup: &Setup,
    runtime: &Runtime,
    only: &[String],
    main: impl Main<M, Output: IntoServices>,
) -> Result<Vec<Definition>, SetupError> {
    let failed = |text| SetupError {
        exit: Exit::Failed,
        text,
    };
    let services = catch_unwind(AssertUnwindSafe(|| {
        main.call(setup, runtime)?.into_services()
    }))
    .map_err(|panic| {
        failed(format!(
            "`main` panicked: {}",
            crate::tasks::panic_message(panic)
        ))
    })?
    .map_err(|error| failed(format!("`main` failed: {error:#}")))?;
    let exit = if only.is_empty() {
        Exit::Failed
    } else {
        Exit::Usage
    };
    selection::pick(services.0, only).map_err(|text| SetupError { exit, text })
}
