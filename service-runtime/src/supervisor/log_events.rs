//! The log of the supervisor: one line for each thing that an operator wants to know.

use std::collections::BTreeMap;
use std::time::Duration;

use super::policy::{Busy, Cause, Machine, Note, WorkerId};
use super::pools::Pools;
use super::worker_process::Process;
use crate::status::cut;

/// Writes a note of the machine into the log.
pub(super) fn narrate(
    note: &Note,
    processes: &BTreeMap<WorkerId, Process>,
    pools: &Pools,
    last: Option<&Death>,
) {
    let about = |id: &WorkerId| processes.get(id).map(Worker::of);
    match note {
        Note::Ready(id) => {
            if let Some(Worker {
                pid,
                slot,
                of,
                generation,
                age,
            }) = about(id)
            {
                tracing::info!(slot, of, pid, generation, after = age, "worker ready");
            }
        }
        Note::Died { worker, retry_in } => {
            let Some(Death {
                worker:
                    Worker {
                        pid,
                        slot,
                        of,
                        generation,
                        age,
                    },
                how,
                error,
                ..
            }) = last.filter(|death| death.id == *worker)
            else {
                return;
            };
            let error = error.as_deref().unwrap_or("none told");
            let next = if retry_in.is_zero() {
                "at once".to_owned()
            } else {
                format!("in {}", humantime::format_duration(*retry_in))
            };
            tracing::warn!(slot, of, pid, generation, age, %how, error, next, "worker died");
        }
        Note::ForkRefused { slot, retry_in } => {
            let next = humantime::format_duration(*retry_in);
            tracing::error!(slot, "no new worker, tried again in {next}");
        }
        Note::StartTimedOut(id) => {
            if let Some(Worker {
                pid, slot, of, age, ..
            }) = about(id)
            {
                tracing::error!(
                    slot,
                    of,
                    pid,
                    age,
                    "worker is not ready within start_timeout: killed"
                );
            }
        }
        Note::StopTimedOut(id) => {
            if let Some(Worker {
                pid, slot, of, age, ..
            }) = about(id)
            {
                tracing::error!(
                    slot,
                    of,
                    pid,
                    age,
                    "worker did not stop within drain_timeout: killed"
                );
            }
        }
        Note::Hung(id, still) => {
            if let Some(Worker {
                pid, slot, of, age, ..
            }) = about(id)
            {
                let still = self::age(*still);
                tracing::error!(
                    slot,
                    of,
                    pid,
                    age,
                    "worker hangs, its heartbeat stood still for {still}"
                );
            }
        }
        Note::Recycling(id) => {
            if let Some(Worker {
                pid, slot, of, age, ..
            }) = about(id)
            {
                tracing::info!(
                    slot,
                    of,
                    pid,
                    age,
                    "worker has reached a limit of its life: it is replaced"
                );
            }
        }
        Note::TooManyDeaths(deaths, window) => {
            let window = humantime::format_duration(*window);
            tracing::error!(
                "{deaths} workers died within {window}: restart_limit ends the program"
            );
        }
        Note::Reloading(generation) => tracing::info!(generation, "reload begins"),
        Note::Reloaded(generation) => tracing::info!(generation, "reloaded"),
        Note::Mutated(0) => tracing::info!("mutated"),
        Note::Mutated(refused) => tracing::error!(
            "mutated, but {refused} workers did not take the configuration over: a reload with \
             restart_method = \"reload\" replaces them"
        ),
        Note::ReloadRefused(cause) => refused(*cause, last),
        Note::Undone(generation) => tracing::info!(generation, "reload undone"),
        Note::Scaled(pool, workers) => {
            let of = pools.name(*pool).map(|name| name.to_string());
            tracing::info!(workers, of, "number of workers changed");
        }
        Note::Done(id) => {
            if let Some(Worker {
                pid, slot, of, age, ..
            }) = about(id)
            {
                tracing::info!(slot, of, pid, age, "worker has nothing left to do");
            }
        }
        Note::AllDone => tracing::info!("every worker has nothing left to do"),
        Note::UpgradeRefused(busy) => {
            let busy = match busy {
                Busy::Starting => "the workers are being started",
                Busy::Reloading => "a reload is under way",
                Busy::Upgrading => "another upgrade is under way",
            };
            tracing::warn!("upgrade refused, nothing is changed: {busy}");
        }
        Note::UpgradeTimedOut(limit) => {
            let limit = humantime::format_duration(*limit);
            tracing::error!(
                "upgrade failed, this process serves on: the new one was not ready within \
                 upgrade_timeout ({limit})"
            );
        }
        Note::UpgradeFailed => tracing::error!("upgrade failed, this process serves on"),
        Note::Upgraded => tracing::info!("the new process is ready: this one stops"),
        Note::LaunchFailed(id) => failed(*id, processes, last),
        Note::OutOfTime(ids) => {
            for Worker { pid, slot, of, .. } in ids.iter().filter_map(about) {
                tracing::error!(
                    slot,
                    of,
                    pid,
                    "worker did not stop within graceful_shutdown_timeout: killed"
                );
            }
        }
    }
}

fn refused(cause: Cause, last: Option<&Death>) {
    match cause {
        Cause::Configuration => tracing::error!("reload refused, nothing is changed"),
        Cause::CheckTimedOut => {
            tracing::error!(
                "reload refused, nothing is changed: its check took longer than start_timeout"
            );
        }
        Cause::Worker(id) => match last.filter(|death| death.id == id) {
            Some(Death {
                worker:
                    Worker {
                        pid,
                        slot,
                        of,
                        generation,
                        ..
                    },
                how,
                error,
                ..
            }) => {
                let error = error.as_deref().unwrap_or("none told");
                tracing::error!(
                    slot, of, pid, generation, %how, error,
                    "reload failed, it is undone: a new worker ended before it was ready"
                );
            }
            None => tracing::error!("reload failed, it is undone"),
        },
    }
}

fn failed(id: WorkerId, processes: &BTreeMap<WorkerId, Process>, last: Option<&Death>) {
    let error = launch_error(id, processes, last);
    let how = last
        .filter(|death| death.id == id)
        .map_or("it cannot start", |death| death.how.as_str());
    tracing::error!(error, "launch failed, no worker ever got ready: {how}");
}

/// Returns why a launch was given up, in the words of the worker that could not start.
pub(super) fn launch_error(
    id: WorkerId,
    processes: &BTreeMap<WorkerId, Process>,
    last: Option<&Death>,
) -> String {
    let told = processes
        .get(&id)
        .and_then(|process| process.error.as_deref());
    let dead = last.filter(|death| death.id == id);
    let error = told.or_else(|| dead.and_then(|death| death.error.as_deref()));
    error.unwrap_or("none told").to_owned()
}

/// A worker, for a log line.
pub(super) struct Worker {
    pub(super) pid: i32,
    pub(super) slot: usize,
    /// The service that has its pool to itself.
    pub(super) of: Option<String>,
    pub(super) generation: u64,
    pub(super) age: String,
}

/// The end of a worker.
pub(super) struct Death {
    pub(super) id: WorkerId,
    pub(super) worker: Worker,
    pub(super) how: String,
    pub(super) error: Option<String>,
}

impl Worker {
    pub(super) fn of(process: &Process) -> Self {
        Self {
            pid: process.child.pid().as_raw(),
            slot: process.place.number,
            of: process.pool.as_deref().map(str::to_owned),
            generation: process.generation,
            age: age(process.born.elapsed()),
        }
    }
}

/// Cuts an age to what a person wants to read; below a second a worker's start is told in tenths of a
/// millisecond.
fn age(time: Duration) -> String {
    cut(time, Duration::from_micros(100))
}

/// Describes the whole in one line, for the service manager.
pub(super) fn status(machine: &Machine, pools: &Pools) -> String {
    let (workers, ready) = machine.counts();
    let plural = if workers == 1 { "" } else { "s" };
    let mut line = format!("{workers} worker{plural}");
    let own = machine.pools().into_iter();
    let mut own: Vec<_> = own
        .filter_map(|(id, (workers, _))| Some((pools.name(id)?, workers)))
        .collect();
    own.sort();
    let own: Vec<String> = own
        .into_iter()
        .map(|(service, workers)| format!("{workers} of {service}"))
        .collect();
    if !own.is_empty() {
        line.push_str(&format!(" ({})", own.join(", ")));
    }
    line.push_str(&format!(", generation {}", machine.generation()));
    if ready < workers {
        line.push_str(&format!(", {ready} ready"));
    }
    let draining = machine.draining();
    if draining > 0 {
        line.push_str(&format!(", {draining} draining"));
    }
    if machine.is_reloading() {
        line.push_str(", reloading");
    } else if machine.last_reload_failed() {
        line.push_str(", last reload failed");
    }
    line
}
