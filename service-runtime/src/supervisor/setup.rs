//! What a supervisor sets up before its first fork.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::event_loop::{EventLoop, Leave};
use super::exit_command::ExitCommands;
use super::policy::Machine;
use super::pools::Pools;
use super::report::Inquiry;
use super::successor::Upgrade;
use crate::error_chain::chain;
use crate::exit::Exit;
use crate::launch::main_fn::Main;
use crate::launch::preparation::Prepared;
use crate::os::process::page::Page;
use crate::os::process::signalfd::Signals;
use crate::os::process::turn::Turns;
use crate::os::process::{clock, fork, mask, reap};
use crate::service::IntoServices;
use crate::settings::logging::{Logging, Who};
use crate::status::History;
use crate::upgrade::takeover::Takeover;
use crate::worker::{WorkerSetup, work};

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
    let Takeover {
        program: file,
        predecessor,
    } = takeover;
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
    // Later a stray thread may go again; one that is there at the start has come to stay.
    if let Err(error) = fork::only_thread() {
        return refused(&error);
    }
    let (page, turns) = match (Page::new(), Turns::new()) {
        (Ok(page), Ok(turns)) => (page, turns),
        (Err(error), _) => return refused(&error),
        (_, Err(error)) => return refused(&error),
    };
    let signals = match signals() {
        Ok(signals) => signals,
        Err(error) => return refused(&error),
    };
    let supervisor = nix::unistd::getpid().as_raw();
    let mut pools = Pools::new(&only);
    let driver = EventLoop {
        machine: Machine::new(pools.policy(&loaded)),
        pools,
        started: clock::now(),
        signals,
        processes: BTreeMap::new(),
        configuration: Arc::clone(&configuration),
        loaded: BTreeMap::from([(1, loaded)]),
        check: None,
        abandoned: Vec::new(),
        listeners,
        notifier,
        page: page.clone(),
        status: String::new(),
        last_death: None,
        failure: None,
        is_init: reap::is_init(),
        logging: logging.clone(),
        fed: Duration::ZERO,
        forgotten: Vec::new(),
        given_up: predecessor.is_some(),
        upgrade: Upgrade::new(file),
        predecessor,
        extend_at: Duration::ZERO,
        speak_at: Some(Duration::ZERO),
        rights: rights.clone(),
        facts: facts.clone(),
        history: History::default(),
        restarts: BTreeMap::new(),
        inquiry: Inquiry::default(),
        exit_commands: ExitCommands::default(),
        pid_file,
    };
    match driver.drive() {
        Leave::Exit(exit) => exit,
        Leave::Worker(spawned) => {
            // Our log on this thread would hide one that the author installs.
            drop(scoped);
            let seed = WorkerSetup {
                program: facts.program,
                supervisor,
                place: spawned.place,
                pool: spawned.pool,
                generation: spawned.generation,
                channel: spawned.channel,
                page,
                cell: spawned.cell,
                turns,
                listeners: spawned.listeners,
                configuration,
                loaded: spawned.loaded,
                flags,
                only,
                logging,
                rights,
            };
            work(seed, main)
        }
    }
}

/// Blocks what is handled, whatever mask and dispositions were inherited, and reads it as values.
fn signals() -> nix::Result<Signals> {
    mask::reset_dispositions()?;
    Signals::open(&mask::block_handled()?)
}

fn refused(error: &dyn std::error::Error) -> Exit {
    tracing::error!("cannot set the supervisor up: {}", chain(error));
    Exit::Failed
}
