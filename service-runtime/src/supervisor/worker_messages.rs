//! What workers say, and how they end.

use std::os::fd::OwnedFd;

use super::exit_command::EndedWorker;
use super::log_events::{Death, WorkerFields};
use super::policy::{Event, Machine, System, WorkerId};
use super::system::Supervisor;
use super::worker_process::WorkerProcess;
use super::workers::WorkerEvent;
use crate::exit::Exit;
use crate::ipc::protocol::{ToSupervisor, ToWorker};
use crate::os::process::child::Ended;
use crate::status::WorkerDeath;

impl Supervisor {
    /// Takes in what a worker did; returns what the policy has to know of it.
    pub(super) fn worker_event(&mut self, machine: &Machine, event: WorkerEvent) -> Option<Event> {
        match event {
            WorkerEvent::Message(id, message, file) => self.message(machine, id, message, file),
            WorkerEvent::Ended(id, ended) => self.ended(machine, id, ended),
        }
    }

    fn message(
        &mut self,
        machine: &Machine,
        id: WorkerId,
        message: ToSupervisor,
        file: Option<OwnedFd>,
    ) -> Option<Event> {
        match message {
            ToSupervisor::Ready => return Some(Event::Ready(id)),
            ToSupervisor::RecycleRequested(limit) => {
                return Some(Event::RecycleRequested(id, limit));
            }
            ToSupervisor::Done => return Some(Event::Done(id)),
            ToSupervisor::Failed {
                code,
                hopeless,
                text,
            } => {
                if let Some(process) = self.workers.get_mut(id) {
                    process.set_error(text);
                }
                if hopeless {
                    return Some(Event::Hopeless(id, code.into()));
                }
            }
            ToSupervisor::SetupFailed(text) => {
                if let Some(process) = self.workers.get_mut(id) {
                    let WorkerFields { pid, slot, .. } = WorkerFields::of(process);
                    tracing::error!(slot, pid, "cannot set a worker up: {text}");
                    process.set_setup_failed();
                }
            }
            ToSupervisor::Listen {
                id: question,
                options,
            } => return self.listen(machine, id, question, &options),
            ToSupervisor::Uses(options) => {
                let workers = &mut self.workers;
                self.sockets.note_use(workers, id, &options);
            }
            ToSupervisor::Status { service, text } => {
                self.manager.service_status(&service, &text);
            }
            ToSupervisor::Reported { id: question } => {
                #[cfg(feature = "control")]
                if self.control.report.has_asked(question) {
                    self.control.report.answered(id, question, file);
                    return None;
                }
                self.report.answered(id, question, file);
            }
            ToSupervisor::Mutated(error) => {
                if error.is_empty() {
                    return Some(Event::Mutated(id, Ok(())));
                }
                if let Some(process) = self.workers.get(id) {
                    let WorkerFields { pid, slot, .. } = WorkerFields::of(process);
                    tracing::error!(
                        slot,
                        pid,
                        "worker did not take the configuration over: {error}"
                    );
                }
                return Some(Event::Mutated(id, Err(())));
            }
        }
        None
    }

    /// Gives a worker the socket that it asks for.
    fn listen(
        &mut self,
        machine: &Machine,
        id: WorkerId,
        question: u32,
        options: &str,
    ) -> Option<Event> {
        if machine.is_stopping() {
            if let Some(process) = self.workers.get_mut(id) {
                // Its sockets are closed here already, and no new one is bound for a moment.
                let _ = process.send(&ToWorker::Stopping { id: question }, &[]);
            }
            return None;
        }
        let (workers, manager) = (&mut self.workers, &self.manager);
        let given = self.sockets.give(workers, id, question, options, manager);
        match given {
            Ok(()) => None,
            Err(_) => Some(Event::Hopeless(id, Exit::Failed.code().into())),
        }
    }

    fn ended(&mut self, machine: &Machine, id: WorkerId, ended: Ended) -> Option<Event> {
        let is_expected = machine.is_leaving(id);
        let process = self.workers.remove(id)?;
        self.report.ended(id);
        #[cfg(feature = "control")]
        self.control.report.ended(id);
        self.metrics.ended(id, process.pool(), ended, is_expected);
        self.run_exit_command(machine.generation(), &process, ended, is_expected);
        let worker = WorkerFields::of(&process);
        let error = process.error().map(str::to_owned);
        self.history.death(WorkerDeath {
            pid: worker.pid,
            slot: worker.slot,
            pool: worker.of.clone(),
            generation: worker.generation,
            age: process.age(),
            how: ended.to_string(),
            expected: is_expected,
            error: error.clone(),
        });
        if is_expected {
            let WorkerFields {
                pid,
                slot,
                of,
                generation,
                age,
            } = &worker;
            tracing::info!(slot, of, pid, generation, age, how = %ended, "worker stopped");
        }
        self.last_death = Some(Death {
            id,
            worker,
            how: ended.to_string(),
            error,
        });
        if process.setup_failed() {
            // As good as never forked: the next try waits for the machine, not for the program.
            return Some(Event::ForkRefused(id));
        }
        let code = match ended {
            Ended::Exited(code) => Some(code),
            Ended::Killed { .. } => None,
        };
        Some(Event::Exited(id, code))
    }

    /// Runs the operator's command for the end of a worker.
    fn run_exit_command(
        &mut self,
        generation: u64,
        process: &WorkerProcess,
        ended: Ended,
        expected: bool,
    ) {
        let Some(loaded) = self.configurations.present(generation) else {
            return;
        };
        let end = EndedWorker {
            program: &self.info.program,
            process,
            ended,
            expected,
        };
        let (now, dropped) = (self.now(), self.rights_dropped);
        let setting = &loaded.settings.on_worker_exit;
        self.exit_commands.run(setting, dropped, now, &end);
    }
}
