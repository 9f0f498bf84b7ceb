//! The supervisor's loop: sleeps, asks its components what has happened, and has it dealt with.

use std::ops::ControlFlow;
use std::time::Duration;

use super::component::{Component, Waiting};
use super::configurations::Checked;
#[cfg(feature = "control")]
use super::control::ControlEvent;
use super::policy::{Decisions, Event, Request, System};
use super::report::Parts;
use super::report_rows::View;
use super::requests::{SignalRequest, SignalRequests};
use super::service_manager::ServiceManager;
use super::status_line::status_line;
use super::successor::UpgradeEvent;
use super::system::Supervisor;
use super::worker_fork::Leave;
use super::workers::{OVERSLEPT, WorkerEvent};
use crate::os::process::reap;
use crate::os::process::signalfd::Received;
use crate::settings::Report;
use crate::status::write_report;
use crate::upgrade::takeover::ProgramState;

/// The loop, with everything that it drives.
pub(super) struct EventLoop {
    pub(super) decisions: Decisions,
    pub(super) signals: SignalRequests,
    pub(super) supervisor: Supervisor,
}

/// How long an exit waits for commands at the most, whatever their time limit says.
const LONGEST_FINISH: Duration = Duration::from_secs(60);

/// How long commands that were killed are waited for.
const KILLED: Duration = Duration::from_secs(1);

/// Whether the loop goes on.
pub(super) type Flow = ControlFlow<Leave>;

/// What all components told after one sleep.
struct Happened {
    overslept: bool,
    signals: Vec<Received>,
    workers: Vec<WorkerEvent>,
    checked: Vec<Checked>,
    upgrade: Vec<UpgradeEvent>,
    #[cfg(feature = "control")]
    control: Vec<ControlEvent>,
}

impl EventLoop {
    /// Runs until the launch ends, or until this process is a worker.
    pub(super) fn run(mut self) -> Leave {
        #[cfg(feature = "control")]
        if !self.supervisor.takeover.has_predecessor() {
            self.open_control(false);
        }
        let mut flow = self.handle(Event::Start);
        loop {
            if let ControlFlow::Break(leave) = flow {
                if let Leave::Exit(_exit) = &leave {
                    self.finish_exit_commands();
                    #[cfg(feature = "control")]
                    self.supervisor.control.end(_exit.code());
                }
                return leave;
            }
            flow = self.turn();
        }
    }

    fn turn(&mut self) -> Flow {
        let happened = self.wait();
        if happened.overslept {
            self.handle(Event::Resumed)?;
        }
        for received in happened.signals {
            self.signal(received)?;
        }
        for event in happened.workers {
            let machine = self.decisions.machine();
            if let Some(event) = self.supervisor.worker_event(machine, event) {
                self.handle(event)?;
            }
        }
        self.reap_strangers();
        self.write_reports();
        for checked in happened.checked {
            self.checked(checked)?;
        }
        for event in happened.upgrade {
            self.handle(Event::Upgraded(match event {
                UpgradeEvent::Ready => Ok(()),
                UpgradeEvent::Ended => Err(()),
            }))?;
        }
        self.complete_takeover()?;
        #[cfg(feature = "control")]
        self.control(happened.control)?;
        let supervisor = &mut self.supervisor;
        let is_taking_over = supervisor.takeover.has_predecessor();
        supervisor.sockets.close_unused(
            self.decisions.machine(),
            &supervisor.workers,
            &supervisor.manager,
            is_taking_over,
        );
        self.handle(Event::Clock)
    }

    /// Has the policy decide about an event, and all that comes of it carried out.
    pub(super) fn handle(&mut self, event: Event) -> Flow {
        self.decisions.handle(event, &mut self.supervisor)
    }

    /// Sleeps until something happens or is due.
    fn wait(&mut self) -> Happened {
        let Self {
            decisions,
            signals,
            supervisor,
        } = self;
        let machine = decisions.machine();
        let now = supervisor.now();
        let workers = &supervisor.workers;
        let are_alive = || workers.are_alive(now, machine);
        let manager: &mut ServiceManager = &mut supervisor.manager;
        manager.tell(now, machine.is_stopping(), are_alive);
        let due = machine.deadline();
        // An answer of the process before is worth nothing before this one is ready.
        let takeover = supervisor.takeover.fd().filter(|_| machine.is_serving());
        let waiting = Waiting::default()
            .add(signals)
            .add(&supervisor.workers)
            .add(&supervisor.configurations)
            .add(&supervisor.upgrade)
            .add(&supervisor.report)
            .add(&supervisor.exit_commands);
        #[cfg(feature = "control")]
        let waiting = waiting
            .add(&supervisor.control)
            .until(supervisor.control.report.deadline());
        let mut ready = waiting
            .also(takeover)
            .until(due)
            .until(supervisor.manager.deadline())
            .sleep(now);
        let now = supervisor.now();
        let happened = Happened {
            overslept: due.is_some_and(|due| due + OVERSLEPT < now),
            signals: signals.events(now, ready.next()),
            workers: supervisor.workers.events(now, ready.next()),
            checked: supervisor.configurations.events(now, ready.next()),
            upgrade: supervisor.upgrade.events(now, ready.next()),
            #[cfg(feature = "control")]
            control: {
                // Of the report and of the commands nothing is to be known here.
                ready.next();
                ready.next();
                supervisor.control.events(now, ready.next())
            },
        };
        supervisor.exit_commands.events(now, &[]);
        happened
    }

    /// Waits for the commands that the ends of the last workers have started, each within its time.
    ///
    /// Nobody would end them later. A signal that asks for a stop leaves them little time.
    fn finish_exit_commands(&mut self) {
        let until = self.supervisor.now() + LONGEST_FINISH;
        self.supervisor.exit_commands.limit_deadlines(until);
        // Those that are killed then need a moment.
        let until = until + KILLED;
        while self.supervisor.exit_commands.are_bounded() {
            let now = self.supervisor.now();
            if now >= until {
                return;
            }
            self.supervisor.manager.tell(now, true, || true);
            let supervisor = &self.supervisor;
            let mut ready = Waiting::default()
                .add(&self.signals)
                .add(&supervisor.exit_commands)
                .until(supervisor.manager.deadline())
                .until(Some(until))
                .sleep(now);
            let now = self.supervisor.now();
            for received in self.signals.events(now, ready.next()) {
                let request = SignalRequest::read(received, &mut self.supervisor.history);
                let stop = SignalRequest::Policy(Request::Stop);
                let quit = SignalRequest::Policy(Request::Quit);
                if request == Some(stop) || request == Some(quit) {
                    self.supervisor.exit_commands.shorten_deadlines(now);
                }
            }
            self.supervisor.exit_commands.events(now, ready.next());
        }
    }

    fn signal(&mut self, received: Received) -> Flow {
        match SignalRequest::read(received, &mut self.supervisor.history) {
            Some(SignalRequest::Policy(request)) => return self.handle(Event::Asked(request)),
            Some(SignalRequest::Report) => self.begin_report(),
            None => {}
        }
        ControlFlow::Continue(())
    }

    fn checked(&mut self, checked: Checked) -> Flow {
        let present = self.decisions.machine().generation();
        let supervisor = &mut self.supervisor;
        let policy = match checked.result {
            Ok(loaded) => Ok(supervisor.configurations.accept(
                checked.generation,
                loaded,
                present,
                &mut supervisor.pools,
            )),
            Err(error) => {
                for line in error.lines() {
                    tracing::error!("the configuration is wrong: {line}");
                }
                let refused = format!("refused, the configuration is wrong: {error}");
                supervisor.history.reload(refused);
                Err(())
            }
        };
        self.handle(Event::Loaded(policy))
    }

    /// Speaks for the program as soon as the process before leaves it to this one.
    fn complete_takeover(&mut self) -> Flow {
        let machine = self.decisions.machine();
        let supervisor = &mut self.supervisor;
        if !supervisor.takeover.has_predecessor() || !machine.is_serving() {
            return ControlFlow::Continue(());
        }
        let state = ProgramState {
            notifier: supervisor.manager.notifier(),
            listeners: supervisor.sockets.listeners(),
            forgotten: supervisor.sockets.to_forget(),
            pid_file: supervisor.pid_file.as_ref(),
        };
        let Some(granted) = supervisor.takeover.complete_if_granted(&state) else {
            return ControlFlow::Continue(());
        };
        for (pool, leader) in machine.leaders() {
            supervisor.workers.lead(pool, Some(leader));
        }
        let status = status_line(machine, &supervisor.pools);
        supervisor.manager.ready(&status);
        #[cfg(feature = "control")]
        self.open_control(true);
        if granted.reload {
            return self.handle(Event::Asked(Request::Reload));
        }
        ControlFlow::Continue(())
    }

    /// As process 1, reaps what others have left behind.
    fn reap_strangers(&self) {
        let supervisor = &self.supervisor;
        if !supervisor.is_init {
            return;
        }
        let own = supervisor
            .workers
            .pids()
            .chain(supervisor.configurations.pids())
            .chain(supervisor.upgrade.pids())
            .chain(supervisor.exit_commands.pids());
        #[cfg(feature = "control")]
        let own = own.chain(supervisor.control.pids());
        let own: Vec<_> = own.collect();
        for (pid, ended) in reap::strangers(|pid| own.contains(&pid)) {
            tracing::debug!(pid = pid.as_raw(), %ended, "reaped an orphan");
        }
    }

    fn begin_report(&mut self) {
        let generation = self.decisions.machine().generation();
        let supervisor = &mut self.supervisor;
        let present = supervisor.configurations.present(generation);
        let format = present.map(|loaded| loaded.settings.report.format);
        let now = supervisor.now();
        let format = format.unwrap_or_default();
        supervisor.report.begin(&supervisor.workers, format, now);
    }

    fn write_reports(&mut self) {
        let now = self.supervisor.now();
        for parts in self.supervisor.report.events(now, &[]) {
            self.write_report(&parts);
            if parts.again {
                self.begin_report();
            }
        }
    }

    fn write_report(&self, parts: &Parts) {
        let supervisor = &self.supervisor;
        let machine = self.decisions.machine();
        let loaded = supervisor.configurations.present(machine.generation());
        let view = View {
            machine,
            pools: &supervisor.pools,
            workers: &supervisor.workers,
            parts: &parts.of,
            now: supervisor.now(),
            looks: true,
        };
        let status = supervisor.complete(view.status(&supervisor.info, loaded));
        let settings = Report {
            format: parts.format,
            dir: loaded.and_then(|loaded| loaded.settings.report.dir.clone()),
        };
        write_report(&status, &settings);
    }
}
