//! A launch whose process becomes the supervisor, and forks.

use std::sync::Arc;

use crate::exit::Exit;
use crate::launch::preparation::Prepared;
use crate::runner::main_fn::Main;
use crate::service::IntoServices;
use crate::settings::logging::{Logging, ProcessRole};
use crate::supervisor::{Leave, Shared, Start, supervise as supervise_workers};
use crate::worker::{WorkerSetup, work};

/// Supervises workers until the launch ends; in a worker, runs the services until they end.
pub(crate) fn supervise<M>(prepared: Prepared, main: impl Main<M, Output: IntoServices>) -> Exit {
    Logging::identify(ProcessRole::Supervisor);
    let scoped = prepared.logging.scoped();
    if let Err(exit) = prepared.run_preload() {
        return exit;
    }
    let Prepared {
        info,
        configuration,
        loaded,
        flags,
        only,
        logging,
        listeners,
        notifier,
        privileges,
        pid_file,
        takeover,
        metrics,
        ..
    } = prepared;
    // Made here, so that every worker has the same key.
    #[cfg(feature = "tls")]
    let _ = crate::http::tickets();
    let program = info.program.clone();
    let supervisor = nix::unistd::getpid().as_raw();
    let start = Start {
        info,
        configuration: Arc::clone(&configuration),
        loaded,
        only: only.clone(),
        logging: logging.clone(),
        listeners,
        notifier,
        privileges: privileges.clone(),
        pid_file,
        takeover,
    };
    let left =
        Shared::new(metrics).and_then(|shared| Ok((supervise_workers(start, &shared)?, shared)));
    let (spawned, shared) = match left {
        Ok((Leave::Worker(spawned), shared)) => (spawned, shared),
        Ok((Leave::Exit(exit), _)) => return exit,
        #[cfg(feature = "control")]
        Ok((Leave::Control(spawned), shared)) => {
            drop((shared, configuration, flags));
            crate::control::serve(crate::control::ControlSetup {
                channel: spawned.channel,
                socket: spawned.socket,
                supervisor,
                privileges,
            })
        }
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
        metrics: shared.metrics,
        arena: spawned.arena,
        listeners: spawned.listeners,
        configuration,
        loaded: spawned.loaded,
        flags,
        only,
        logging,
        privileges,
    };
    work(setup, main)
}
