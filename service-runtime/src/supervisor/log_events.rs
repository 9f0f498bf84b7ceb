//! The log of the supervisor: one line for each thing that an operator wants to know.

use std::time::Duration;

use super::policy::{Busy, Cause, LogEvent, WorkerId};
use super::pools::Pools;
use super::worker_process::WorkerProcess;
use super::workers::Workers;
use crate::status::rounded_down;

/// A worker, for a log line.
pub(super) struct WorkerFields {
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
    pub(super) worker: WorkerFields,
    pub(super) how: String,
    pub(super) error: Option<String>,
}

/// What a line may tell of.
pub(super) struct EventLog<'a> {
    pub(super) workers: &'a Workers,
    pub(super) pools: &'a Pools,
    /// The end that was last, whose worker is in `workers` no more.
    pub(super) last_death: Option<&'a Death>,
}

impl WorkerFields {
    pub(super) fn of(process: &WorkerProcess) -> Self {
        Self {
            pid: process.pid().as_raw(),
            slot: process.slot().number,
            of: process.pool().map(str::to_owned),
            generation: process.generation(),
            // Below a second a worker's start is told in tenths of a millisecond.
            age: rounded_down(process.age(), Duration::from_micros(100)),
        }
    }
}

impl EventLog<'_> {
    /// Writes a line for what the machine decided.
    pub(super) fn write(&self, event: &LogEvent) {
        match event {
            LogEvent::Ready(id)
            | LogEvent::StartTimedOut(id)
            | LogEvent::StopTimedOut(id)
            | LogEvent::Hung(id, _)
            | LogEvent::Recycling(id)
            | LogEvent::LimitTooLow(id, _)
            | LogEvent::Done(id) => {
                if let Some(process) = self.workers.get(*id) {
                    worker_line(event, &WorkerFields::of(process));
                }
            }
            LogEvent::OutOfTime(ids) => {
                for process in ids.iter().filter_map(|id| self.workers.get(*id)) {
                    worker_line(event, &WorkerFields::of(process));
                }
            }
            LogEvent::Died { worker, retry_in } => self.died(*worker, *retry_in),
            LogEvent::ReloadRefused(cause) => self.reload_refused(*cause),
            LogEvent::LaunchFailed(id) => self.launch_failed(*id),
            LogEvent::Scaled(pool, workers) => {
                let of = self.pools.name(*pool).map(|name| name.to_string());
                tracing::info!(workers, of, "number of workers changed");
            }
            LogEvent::UpgradeRefused(_)
            | LogEvent::UpgradeTimedOut(_)
            | LogEvent::UpgradeFailed
            | LogEvent::Upgraded => upgrade_line(event),
            LogEvent::ForkRefused { .. }
            | LogEvent::TooManyDeaths(..)
            | LogEvent::Reloading(_)
            | LogEvent::Reloaded(_)
            | LogEvent::Mutated(_)
            | LogEvent::Undone(_)
            | LogEvent::AllDone => program_line(event),
        }
    }

    /// Returns why a launch was given up, in the words of the worker that could not start.
    pub(super) fn launch_error(&self, id: WorkerId) -> String {
        let living = self.workers.get(id).and_then(WorkerProcess::error);
        let dead = self.death_of(id);
        let error = living.or_else(|| dead.and_then(|death| death.error.as_deref()));
        error.unwrap_or("none given").to_owned()
    }

    fn death_of(&self, id: WorkerId) -> Option<&Death> {
        self.last_death.filter(|death| death.id == id)
    }

    fn died(&self, id: WorkerId, retry_in: Duration) {
        let Some(Death {
            worker:
                WorkerFields {
                    pid,
                    slot,
                    of,
                    generation,
                    age,
                },
            how,
            error,
            ..
        }) = self.death_of(id)
        else {
            return;
        };
        let error = error.as_deref().unwrap_or("none given");
        let next = if retry_in.is_zero() {
            "at once".to_owned()
        } else {
            format!("in {}", humantime::format_duration(retry_in))
        };
        tracing::warn!(slot, of, pid, generation, age, %how, error, next, "worker died");
    }

    fn reload_refused(&self, cause: Cause) {
        let death = match cause {
            Cause::Configuration => {
                tracing::error!("reload refused, nothing is changed");
                return;
            }
            Cause::CheckTimedOut => {
                tracing::error!(
                    "reload refused, nothing is changed: its check took longer than start_timeout"
                );
                return;
            }
            Cause::Worker(id) => self.death_of(id),
        };
        let Some(Death {
            worker, how, error, ..
        }) = death
        else {
            tracing::error!("reload failed, it is undone");
            return;
        };
        let WorkerFields {
            pid,
            slot,
            of,
            generation,
            ..
        } = worker;
        let error = error.as_deref().unwrap_or("none given");
        tracing::error!(
            slot, of, pid, generation, %how, error,
            "reload failed, it is undone: a new worker ended before it was ready"
        );
    }

    fn launch_failed(&self, id: WorkerId) {
        let error = self.launch_error(id);
        let death = self.death_of(id);
        let how = death.map_or("it cannot start", |death| death.how.as_str());
        tracing::error!(error, "launch failed, no worker ever got ready: {how}");
    }
}

/// Writes a line about one living worker.
fn worker_line(event: &LogEvent, worker: &WorkerFields) {
    let WorkerFields {
        pid,
        slot,
        of,
        generation,
        age,
    } = worker;
    match event {
        LogEvent::Ready(_) => {
            tracing::info!(slot, of, pid, generation, after = age, "worker ready");
        }
        LogEvent::StartTimedOut(_) => tracing::error!(
            slot,
            of,
            pid,
            age,
            "worker is not ready within start_timeout: killed"
        ),
        LogEvent::StopTimedOut(_) => tracing::error!(
            slot,
            of,
            pid,
            age,
            "worker did not stop within drain_timeout: killed"
        ),
        LogEvent::Hung(_, silent) => {
            let silent = rounded_down(*silent, Duration::from_micros(100));
            tracing::error!(
                slot,
                of,
                pid,
                age,
                "worker hangs, its heartbeat stood still for {silent}"
            );
        }
        LogEvent::Recycling(_) => tracing::info!(
            slot,
            of,
            pid,
            age,
            "worker has reached a limit of its life: it is replaced"
        ),
        LogEvent::LimitTooLow(_, limit) => tracing::warn!(
            slot,
            of,
            pid,
            age,
            "{limit} is reached as soon as a worker is ready: raise it; until then workers are replaced \
             with a delay that grows to respawn_delay_max"
        ),
        LogEvent::Done(_) => {
            tracing::info!(slot, of, pid, age, "worker has nothing left to do");
        }
        LogEvent::OutOfTime(_) => tracing::error!(
            slot,
            of,
            pid,
            "worker did not stop within graceful_shutdown_timeout: killed"
        ),
        _ => {}
    }
}

/// Writes a line about an upgrade.
fn upgrade_line(event: &LogEvent) {
    match event {
        LogEvent::UpgradeRefused(busy) => {
            let busy = match busy {
                Busy::Starting => "the workers are being started",
                Busy::Reloading => "a reload is under way",
                Busy::Upgrading => "another upgrade is under way",
            };
            tracing::warn!("upgrade refused, nothing is changed: {busy}");
        }
        LogEvent::UpgradeTimedOut(limit) => {
            let limit = humantime::format_duration(*limit);
            tracing::error!(
                "upgrade failed, this process serves on: the new one was not ready within \
                 upgrade_timeout ({limit})"
            );
        }
        LogEvent::UpgradeFailed => tracing::error!("upgrade failed, this process serves on"),
        LogEvent::Upgraded => tracing::info!("the new process is ready: this one stops"),
        _ => {}
    }
}

/// Writes a line about the program as a whole.
fn program_line(event: &LogEvent) {
    match event {
        LogEvent::ForkRefused { slot, retry_in } => {
            let next = humantime::format_duration(*retry_in);
            tracing::error!(slot, "no new worker, tried again in {next}");
        }
        LogEvent::TooManyDeaths(deaths, window) => {
            let window = humantime::format_duration(*window);
            tracing::error!(
                "{deaths} workers died within {window}: restart_limit ends the program"
            );
        }
        LogEvent::Reloading(generation) => tracing::info!(generation, "reload begins"),
        LogEvent::Reloaded(generation) => tracing::info!(generation, "reloaded"),
        LogEvent::Mutated(0) => tracing::info!("mutated"),
        LogEvent::Mutated(refused) => tracing::error!(
            "mutated, but {refused} workers did not take the configuration over: a reload with \
             restart_method = \"reload\" replaces them"
        ),
        LogEvent::Undone(generation) => tracing::info!(generation, "reload undone"),
        LogEvent::AllDone => tracing::info!("every worker has nothing left to do"),
        _ => {}
    }
}
