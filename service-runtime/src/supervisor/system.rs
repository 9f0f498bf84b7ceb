//! The supervisor as the system under the policy: carries out what is decided.

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::configurations::Configurations;
#[cfg(feature = "control")]
use super::control::Control;
use super::exit_command::ExitCommands;
use super::log_events::{Death, EventLog};
use super::own_metrics::SupervisorMetrics;
use super::policy::{
    Action, Announcement, Cause, Event, EventQueue, LaunchOutcome, LogEvent, Machine, System, Time,
    WorkerId, WorkerSlot,
};
use super::pools::Pools;
use super::report::ReportCollection;
use super::service_manager::ServiceManager;
use super::sockets::Sockets;
use super::status_line::status_line;
use super::successor::{HandedOver, Upgrade};
use super::worker_fork::{Leave, SpawnedWorker};
use super::workers::Workers;
use crate::error_chain::chain;
use crate::exit::Exit;
use crate::ipc::protocol::ToWorker;
use crate::os::process::{clock, memory};
use crate::privileges::pid_file::PidFile;
use crate::settings::logging::Logging;
use crate::status::{History, ListenerStatus, ProcessPart, ProgramInfo, ProgramStatus};
use crate::upgrade::takeover::Takeover;

/// The components of a supervisor, and what they share.
pub(super) struct Supervisor {
    /// When the supervisor started, on the clock that workers share.
    pub(super) started: Duration,
    pub(super) workers: Workers,
    pub(super) pools: Pools,
    pub(super) configurations: Configurations,
    pub(super) sockets: Sockets,
    pub(super) manager: ServiceManager,
    pub(super) upgrade: Upgrade,
    /// The process that this one is to replace, until it has.
    pub(super) takeover: Takeover,
    /// Removed with this; a worker only closes its copy.
    pub(super) pid_file: Option<PidFile>,
    pub(super) report: ReportCollection,
    #[cfg(feature = "control")]
    pub(super) control: Control,
    pub(super) exit_commands: ExitCommands,
    pub(super) metrics: SupervisorMetrics,
    pub(super) history: History,
    pub(super) info: ProgramInfo,
    pub(super) logging: Logging,
    pub(super) last_death: Option<Death>,
    /// Why the launch was given up.
    pub(super) failure: Option<String>,
    pub(super) is_init: bool,
    /// Whether commands run as whom the supervisor has become.
    pub(super) rights_dropped: bool,
}

impl System for Supervisor {
    type Exit = Leave;

    fn now(&self) -> Time {
        clock::now().saturating_sub(self.started)
    }

    fn heartbeats(&self, now: Time) -> Vec<(WorkerId, Time)> {
        self.workers.heartbeats(now)
    }

    fn carry_out(
        &mut self,
        machine: &Machine,
        action: Action,
        queue: &mut EventQueue,
    ) -> ControlFlow<Leave> {
        match action {
            Action::Fork {
                worker,
                slot,
                generation,
            } => return self.fork(worker, slot, generation, queue),
            Action::Stop(id, limit) => self.workers.stop(id, limit),
            Action::Abort(id) => self.workers.abort(id),
            Action::Kill(id) => self.workers.signal(id, Signal::SIGKILL),
            Action::Load(next) => {
                let begun = self.configurations.begin_check(next, machine.generation());
                if let Err(error) = begun {
                    tracing::error!("the configuration cannot be checked: {error}");
                    queue.push(Event::Loaded(Err(())));
                }
            }
            Action::CancelLoad => self.configurations.abandon_check(),
            Action::Mutate(workers) => self.mutate(machine.generation(), &workers, queue),
            Action::Keep(generation) => {
                if let Some(loaded) = self.configurations.keep(generation) {
                    self.metrics.configuration(loaded);
                    self.logging.set_level(&loaded.settings.log_level);
                }
                self.sockets.review();
            }
            Action::Lead(pool, leader) => {
                // Until this process takes over, the workers of the other one lead.
                if !self.takeover.has_predecessor() {
                    self.workers.lead(pool, leader);
                }
            }
            Action::Upgrade => self.begin_upgrade(queue),
            Action::CancelUpgrade => self.upgrade.cancel(self.now()),
            Action::HandOver { reload } => {
                let pid_file = self.pid_file.as_ref();
                self.upgrade.hand_over(reload, pid_file, &self.manager);
            }
            Action::Announce(announcement) => self.announce(machine, announcement),
            #[cfg(feature = "control")]
            Action::Answer(order, outcome) => self.answer_order(order, outcome),
            #[cfg(not(feature = "control"))]
            Action::Answer(..) => {}
            Action::Log(event) => {
                self.log(&event);
                #[cfg(feature = "control")]
                self.note_event(&event);
                if matches!(event, LogEvent::Mutated(_))
                    && let Some(loaded) = self.configurations.present(machine.generation())
                {
                    self.metrics.configuration(loaded);
                }
            }
            Action::Exit(outcome) => {
                self.clean_up();
                if outcome == LaunchOutcome::Quit {
                    self.exit_commands.shorten_deadlines(self.now());
                }
                return ControlFlow::Break(Leave::Exit(exit_of(outcome)));
            }
        }
        ControlFlow::Continue(())
    }

    fn event_handled(&mut self, machine: &Machine) {
        self.manager.status(status_line(machine, &self.pools));
        self.metrics.workers(machine, &self.workers, &self.pools);
    }
}

impl Supervisor {
    fn fork(
        &mut self,
        worker: WorkerId,
        slot: WorkerSlot,
        generation: u64,
        queue: &mut EventQueue,
    ) -> ControlFlow<Leave> {
        let pool = self.pools.name(slot.pool);
        let Some(loaded) = self.configurations.of(generation).cloned() else {
            tracing::error!(generation, "no configuration of this generation is left");
            queue.push(Event::ForkRefused(worker));
            return ControlFlow::Continue(());
        };
        match self.workers.spawn(worker, slot, pool.clone(), generation) {
            Ok(Some(end)) => {
                return ControlFlow::Break(Leave::Worker(Box::new(SpawnedWorker {
                    slot,
                    pool,
                    generation,
                    loaded,
                    channel: end.channel,
                    cell: end.cell,
                    arena: end.arena,
                    listeners: self.sockets.take(),
                })));
            }
            Ok(None) => {
                self.metrics.forked(slot, pool.as_deref(), generation);
                queue.push(Event::Forked(worker));
            }
            Err(error) => {
                tracing::error!(slot = slot.number, "{}", chain(&error));
                queue.push(Event::ForkRefused(worker));
            }
        }
        ControlFlow::Continue(())
    }

    /// Sends the configuration read last to the workers, and makes it that of the generation.
    fn mutate(&mut self, generation: u64, workers: &[WorkerId], queue: &mut EventQueue) {
        let Some(bytes) = self.configurations.mutate(generation) else {
            return;
        };
        let file = memory::file(c"service-runtime-configuration", &bytes);
        for id in workers {
            let sent = match (&file, self.workers.get_mut(*id)) {
                (Ok(file), Some(process)) => process
                    .send(&ToWorker::Mutate, &[file.as_fd()])
                    .map_err(|error| chain(&error)),
                (Err(error), _) => Err(error.to_string()),
                (_, None) => continue,
            };
            if let Err(error) = sent {
                tracing::error!("cannot send the configuration to a worker: {error}");
                queue.push(Event::Mutated(*id, Err(())));
            }
        }
    }

    fn begin_upgrade(&mut self, queue: &mut EventQueue) {
        let now = self.now();
        let begun = if self.is_init {
            Err("this process is PID 1, whose end would be that of the container".to_owned())
        } else {
            let state = HandedOver {
                listeners: self.sockets.listeners(),
                metrics: self.workers.metrics(),
                pid_file: self.pid_file.as_ref(),
            };
            self.upgrade.begin(now, &state, &self.manager)
        };
        if let Err(error) = begun {
            tracing::error!("the program cannot be started anew: {error}");
            queue.push(Event::Upgraded(Err(())));
        }
    }

    fn announce(&mut self, machine: &Machine, announcement: Announcement) {
        match announcement {
            Announcement::Ready => {
                self.takeover.announce_ready(self.pid_file.as_ref());
                let status = status_line(machine, &self.pools);
                tracing::info!("ready: {status}");
                self.manager.ready(&status);
            }
            Announcement::Reloading => self.manager.reloading(),
            Announcement::Stopping => {
                self.manager.stopping();
                let outlives = |held| self.manager.outlives(held);
                // A queue that outlives the program stays open for whoever comes next.
                if !self.sockets.listeners().iter().any(outlives) {
                    self.workers.announce_end();
                }
                self.sockets.close_all();
            }
        }
    }

    fn log(&mut self, event: &LogEvent) {
        self.metrics.event(event);
        if let Some(outcome) = self.reload_outcome(event) {
            self.history.reload(outcome);
        }
        let log = EventLog {
            workers: &self.workers,
            pools: &self.pools,
            last_death: self.last_death.as_ref(),
        };
        log.write(event);
        if let LogEvent::LaunchFailed(id) = event {
            self.failure = Some(log.launch_error(*id));
        }
    }

    /// Adds what a report tells beside slots and workers.
    pub(super) fn complete(&self, status: ProgramStatus) -> ProgramStatus {
        ProgramStatus {
            lost_lines: self.logging.lost(),
            listeners: ListenerStatus::all(self.sockets.listeners()),
            part: ProcessPart {
                history: self.history.clone(),
                ..ProcessPart::default()
            },
            ..status
        }
    }

    /// Returns what reports tell of a reload.
    fn reload_outcome(&self, event: &LogEvent) -> Option<String> {
        Some(match event {
            LogEvent::Reloading(generation) => format!("generation {generation} is under way"),
            LogEvent::Reloaded(generation) => format!("generation {generation} has taken over"),
            LogEvent::Mutated(0) => "mutated".to_owned(),
            LogEvent::Mutated(refused) => {
                format!("mutated, {refused} workers did not take it over")
            }
            LogEvent::Undone(generation) => {
                format!("undone, generation {generation} serves again")
            }
            LogEvent::ReloadRefused(Cause::CheckTimedOut) => {
                "refused: the check took too long".to_owned()
            }
            LogEvent::ReloadRefused(Cause::Worker(id)) => {
                let death = self.last_death.as_ref().filter(|death| death.id == *id);
                let error = death.and_then(|death| death.error.as_deref());
                let why = error.unwrap_or("it ended before it was ready");
                format!("failed with a new worker: {why}")
            }
            // What is wrong with a configuration is kept where it is read.
            _ => return None,
        })
    }

    /// Cleans up what outlives this process; what another process has, or keeps, is left to it.
    fn clean_up(&self) {
        self.upgrade.kill_dismissed();
        #[cfg(feature = "control")]
        self.control.remove_file();
        if self.takeover.has_predecessor() {
            let why = self.failure.as_deref();
            self.takeover.failed(why.unwrap_or("it was told to stop"));
        } else if !self.upgrade.is_handed_over() && !self.manager.keeps_sockets() {
            self.sockets.remove_files();
        }
    }
}

fn exit_of(outcome: LaunchOutcome) -> Exit {
    match outcome {
        LaunchOutcome::Stopped => {
            tracing::info!("stopped");
            Exit::Done
        }
        LaunchOutcome::Replaced => {
            tracing::info!("stopped, another process of the program serves on");
            Exit::Done
        }
        LaunchOutcome::Unclean => {
            tracing::error!("stopped, not every worker did so without an error");
            Exit::Failed
        }
        LaunchOutcome::OutOfTime => {
            tracing::error!("stopped, not all in time");
            Exit::Failed
        }
        LaunchOutcome::Quit => {
            tracing::warn!("exited at once");
            Exit::Failed
        }
        LaunchOutcome::GaveUp => Exit::Failed,
        LaunchOutcome::LaunchFailed(code) => Exit::of_code(code),
    }
}
