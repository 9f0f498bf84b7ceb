//! Carries out what the machine decides, and tells it what happens.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::config_check::Check;
use super::exit_command::ExitCommands;
use super::log_events::{Death, launch_error, narrate, status};
use super::policy::{Action, Event, Machine, Note, Outcome, Place, PoolId, WorkerId};
use super::poll::Woken;
use super::pools::Pools;
use super::report::Inquiry;
use super::signals::Order;
use super::successor::Upgrade;
use super::worker_process::{ForkSide, Process, spawn_worker};
use crate::exit::Exit;
use crate::listen::Listeners;
use crate::notify::Notifier;
use crate::os::process::channel::Channel;
use crate::os::process::clock;
use crate::os::process::page::{CellRef, Page};
use crate::os::process::signalfd::Signals;
use crate::privileges::Rights;
use crate::privileges::pid_file::PidFile;
use crate::settings::Settings;
use crate::settings::configuration::{Configuration, Loaded};
use crate::settings::logging::Logging;
use crate::status::{Facts, History};
use crate::upgrade::Predecessor;

/// How the loop is left.
pub(crate) enum Leave {
    /// This process is the supervisor still, and the launch has ended.
    Exit(Exit),
    /// This process is a new worker.
    Worker(Box<SpawnedWorker>),
}

/// A process that has just been forked.
pub(crate) struct SpawnedWorker {
    pub(crate) place: Place,
    /// The service that it is to run, if it is for one alone.
    pub(crate) pool: Option<Arc<str>>,
    pub(crate) generation: u64,
    pub(crate) loaded: Loaded,
    pub(crate) channel: Channel,
    pub(crate) cell: CellRef,
    pub(crate) listeners: Listeners,
}

/// The supervisor's hands.
pub(super) struct EventLoop {
    pub(super) machine: Machine,
    /// When the supervisor started, on the clock that workers share.
    pub(super) started: Duration,
    pub(super) signals: Signals,
    pub(super) processes: BTreeMap<WorkerId, Process>,
    pub(super) pools: Pools,
    pub(super) configuration: Arc<Configuration>,
    /// The configuration of each generation that a worker may be forked in.
    pub(super) loaded: BTreeMap<u64, Loaded>,
    pub(super) check: Option<Check>,
    /// Checks that were given up, to be reaped.
    pub(super) abandoned: Vec<Check>,
    pub(super) listeners: Listeners,
    pub(super) notifier: Notifier,
    pub(super) page: Page,
    pub(super) status: String,
    pub(super) last_death: Option<Death>,
    /// Why the launch was given up.
    pub(super) failure: Option<String>,
    pub(super) is_init: bool,
    pub(super) upgrade: Upgrade,
    /// The process that this one is to replace, until it has.
    pub(super) predecessor: Option<Predecessor>,
    pub(super) logging: Logging,
    /// When the watchdog of the service manager was last fed.
    pub(super) fed: Duration,
    /// When the service manager is asked for more time again.
    pub(super) extend_at: Duration,
    /// The sockets that the service manager is to forget when this process has taken over.
    pub(super) forgotten: Vec<String>,
    /// Whether some sockets may be in use no more.
    pub(super) given_up: bool,
    /// When there is something to tell the service manager again.
    pub(super) speak_at: Option<Duration>,
    pub(super) rights: Rights,
    pub(super) facts: Facts,
    pub(super) history: History,
    /// How many workers of each slot have ended.
    pub(super) restarts: BTreeMap<(PoolId, usize), u64>,
    pub(super) inquiry: Inquiry,
    pub(super) exit_commands: ExitCommands,
    /// Removed with this; a worker only closes its copy.
    pub(super) pid_file: Option<PidFile>,
}

/// Whether the loop goes on.
pub(super) type Flow = ControlFlow<Leave>;

impl EventLoop {
    /// Runs until the launch ends, or until this process is a worker.
    pub(super) fn drive(mut self) -> Leave {
        if let ControlFlow::Break(leave) = self.feed(Event::Start) {
            return leave;
        }
        loop {
            if let ControlFlow::Break(leave) = self.turn() {
                return leave;
            }
        }
    }

    fn turn(&mut self) -> Flow {
        self.speak();
        let Woken { overslept, workers } = self.wait();
        if overslept {
            let now = self.now();
            for action in self.machine.step(now, Event::Resumed) {
                self.act(action)?;
            }
        }
        while let Ok(Some(received)) = self.signals.next() {
            if received.signal != Signal::SIGCHLD {
                self.history.signal(received.signal, received.sender);
            }
            match Order::of(received) {
                Order::Request(request) => self.feed(Event::Asked(request))?,
                Order::Report => self.report(),
                Order::Child | Order::Unknown => {}
            }
        }
        for id in &workers {
            self.listen_to(*id)?;
        }
        self.reap(&workers)?;
        self.exit_commands.tend(self.now());
        self.finish_report();
        self.finish_check()?;
        self.follow_upgrade()?;
        self.complete_takeover()?;
        self.close_unused();
        self.feed(Event::Clock)
    }

    /// Returns the configuration of the present generation.
    pub(super) fn present(&self) -> Option<&Loaded> {
        let loaded = self.loaded.get(&self.machine.generation());
        // While a generation begins there is but the one before.
        loaded.or_else(|| self.loaded.values().next())
    }

    /// Returns its settings.
    pub(super) fn settings(&self) -> Option<&Settings> {
        self.present().map(|loaded| &loaded.settings)
    }

    /// Returns the time since the supervisor started.
    pub(super) fn now(&self) -> Duration {
        clock::now().saturating_sub(self.started)
    }

    /// Tells the machine what happened and does what it says.
    pub(super) fn feed(&mut self, event: Event) -> Flow {
        let now = self.now();
        if self.machine.wants_beats(now) {
            let beats = Event::Beats(self.beats(now));
            for action in self.machine.step(now, beats) {
                self.act(action)?;
            }
        }
        for action in self.machine.step(now, event) {
            self.act(action)?;
        }
        let status = status(&self.machine, &self.pools);
        if status != self.status {
            self.notifier.status(&status);
            self.status = status;
        }
        ControlFlow::Continue(())
    }

    fn act(&mut self, action: Action) -> Flow {
        match action {
            Action::Fork {
                worker,
                place,
                generation,
            } => return self.fork(worker, place, generation),
            Action::Stop(id, limit) => self.ask_to_stop(id, limit),
            Action::Abort(id) => self.abort(id),
            Action::Kill(id) => self.signal(id, Signal::SIGKILL),
            Action::Load(number) => return self.begin_check(number),
            Action::CancelLoad => self.abandon_check(),
            Action::Mutate(workers) => return self.mutate(&workers),
            Action::Keep(generation) => {
                self.loaded.retain(|number, _| *number == generation);
                if let Some(loaded) = self.loaded.get(&generation) {
                    self.logging.set_level(&loaded.settings.log_level);
                }
                self.given_up = true;
            }
            Action::Lead(pool, leader) => {
                // Until this process takes over, the workers of the other one lead.
                if self.predecessor.is_none() {
                    self.lead(pool, leader);
                }
            }
            Action::Upgrade => return self.begin_upgrade(),
            Action::CancelUpgrade => self.cancel_upgrade(),
            Action::HandOver { reload } => self.hand_over(reload),
            Action::Announce(announcement) => self.announce(announcement),
            Action::Log(note) => {
                self.remember(&note);
                if let Note::LaunchFailed(id) = note {
                    let last = self.last_death.as_ref();
                    self.failure = Some(launch_error(id, &self.processes, last));
                }
                narrate(
                    &note,
                    &self.processes,
                    &self.pools,
                    self.last_death.as_ref(),
                );
            }
            Action::Exit(outcome) => {
                self.leave();
                return ControlFlow::Break(Leave::Exit(ended(outcome)));
            }
        }
        ControlFlow::Continue(())
    }

    fn fork(&mut self, worker: WorkerId, place: Place, generation: u64) -> Flow {
        let pool = self.pools.name(place.pool);
        let Some(loaded) = self.loaded.get(&generation).cloned() else {
            tracing::error!(generation, "no configuration of this generation is left");
            return self.feed(Event::ForkRefused(worker));
        };
        let taken = |cell| self.processes.values().any(|process| process.cell == cell);
        match spawn_worker(place, pool.clone(), generation, &self.page, taken) {
            Ok(ForkSide::Worker(channel, cell)) => {
                ControlFlow::Break(Leave::Worker(Box::new(SpawnedWorker {
                    place,
                    pool,
                    generation,
                    loaded,
                    channel,
                    cell,
                    listeners: std::mem::take(&mut self.listeners),
                })))
            }
            Ok(ForkSide::Parent(process)) => {
                self.processes.insert(worker, *process);
                self.feed(Event::Forked(worker))
            }
            Err(error) => {
                let error = crate::error_chain::chain(&error);
                tracing::error!(slot = place.number, "{error}");
                self.feed(Event::ForkRefused(worker))
            }
        }
    }

    /// Lets a worker run what runs once in the program.
    pub(super) fn lead(&self, pool: PoolId, leader: Option<WorkerId>) {
        let process = leader.and_then(|id| self.processes.get(&id));
        let pid = process.map_or(0, |process| process.child.pid().as_raw().unsigned_abs());
        if let Some(place) = self.page.header().leaders.get(pool.0) {
            place.store(pid, Ordering::Release);
        }
    }

    /// Asks a worker to stop, which it is told first how long it may take to.
    fn ask_to_stop(&self, id: WorkerId, limit: Option<Duration>) {
        if let Some(process) = self.processes.get(&id) {
            self.page.cell(process.cell).tell_limit(limit);
        }
        self.signal(id, Signal::SIGTERM);
    }

    pub(super) fn signal(&self, id: WorkerId, signal: Signal) {
        if let Some(process) = self.processes.get(&id)
            && let Err(error) = process.child.signal(signal)
        {
            let pid = process.child.pid().as_raw();
            tracing::error!(pid, %signal, "cannot signal a worker: {error}");
        }
    }
}

fn ended(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Stopped => {
            tracing::info!("stopped");
            Exit::Done
        }
        Outcome::Replaced => {
            tracing::info!("stopped, another process of the program serves on");
            Exit::Done
        }
        Outcome::Unclean => {
            tracing::error!("stopped, not every worker did so without an error");
            Exit::Failed
        }
        Outcome::OutOfTime => {
            tracing::error!("stopped, not all in time");
            Exit::Failed
        }
        Outcome::Quit => {
            tracing::warn!("exited at once");
            Exit::Failed
        }
        Outcome::GaveUp => Exit::Failed,
        Outcome::LaunchFailed(code) => Exit::of_code(code),
    }
}
