//! What workers say, and how they end.

use std::ops::ControlFlow;

use super::config_check::Check;
use super::event_loop::{EventLoop, Flow};
use super::exit_command::End;
use super::log_events::{Death, Worker};
use super::policy::{Event, WorkerId};
use super::worker_process::Process;
use crate::ipc::protocol::ToSupervisor;
use crate::os::process::child::Ended;
use crate::os::process::reap;
use crate::status::Died;

impl EventLoop {
    /// Takes in what a worker says.
    pub(super) fn listen_to(&mut self, id: WorkerId) -> Flow {
        while let Some(message) = self.processes.get_mut(&id).and_then(Process::receive) {
            match message {
                ToSupervisor::Ready => self.feed(Event::Ready(id))?,
                ToSupervisor::RecycleRequested => self.feed(Event::RecycleRequested(id))?,
                ToSupervisor::Done => self.feed(Event::Done(id))?,
                ToSupervisor::Failed {
                    code,
                    hopeless,
                    text,
                } => {
                    if let Some(process) = self.processes.get_mut(&id) {
                        process.error = Some(text);
                    }
                    if hopeless {
                        self.feed(Event::Hopeless(id, code.into()))?;
                    }
                }
                ToSupervisor::SetupFailed(text) => {
                    if let Some(process) = self.processes.get_mut(&id) {
                        let Worker { pid, slot, .. } = Worker::of(process);
                        tracing::error!(slot, pid, "cannot set a worker up: {text}");
                        process.lacks = true;
                    }
                }
                ToSupervisor::Listen {
                    id: question,
                    options,
                } => {
                    self.listen(id, question, &options)?;
                }
                ToSupervisor::Uses(options) => self.note_use(id, &options),
                ToSupervisor::Status { service, text } => {
                    self.notifier
                        .status(&format!("{}; {service}: {text}", self.status));
                }
                ToSupervisor::Reported { id: question } => self.reported(id, question),
                ToSupervisor::Mutated(error) => {
                    if !error.is_empty()
                        && let Some(process) = self.processes.get(&id)
                    {
                        let Worker { pid, slot, .. } = Worker::of(process);
                        tracing::error!(
                            slot,
                            pid,
                            "worker did not take the configuration over: {error}"
                        );
                    }
                    let answer = if error.is_empty() { Ok(()) } else { Err(()) };
                    self.feed(Event::Mutated(id, answer))?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Reaps those of the workers `woken` that have ended.
    pub(super) fn reap(&mut self, woken: &[WorkerId]) -> Flow {
        for id in woken.iter().copied() {
            let child = self.processes.get(&id).map(|process| &process.child);
            let Some(ended) = child.and_then(|child| child.reap().ok().flatten()) else {
                continue;
            };
            // What it said last counts before its end.
            self.listen_to(id)?;
            let Some(process) = self.processes.remove(&id) else {
                continue;
            };
            let leaving = self.machine.is_leaving(id);
            self.remember_exit(&process, ended, leaving);
            self.tell_of_exit(&process, ended, leaving);
            let worker = Worker::of(&process);
            if leaving {
                let Worker {
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
                error: process.error,
            });
            if process.lacks {
                // As good as never forked: the next try waits for the machine, not for the program.
                self.feed(Event::ForkRefused(id))?;
                continue;
            }
            let code = match ended {
                Ended::Exited(code) => Some(code),
                Ended::Killed { .. } => None,
            };
            self.feed(Event::Exited(id, code))?;
        }
        self.abandoned.retain(|check| check.ended().is_none());
        if self.is_init {
            let workers: Vec<_> = self.processes.values().map(|p| p.child.pid()).collect();
            let checks = self.check.iter().chain(&self.abandoned).map(Check::pid);
            let others = checks.chain(self.upgrade.pids());
            let others: Vec<_> = others.chain(self.exit_commands.pids()).collect();
            for (pid, ended) in
                reap::strangers(|pid| workers.contains(&pid) || others.contains(&pid))
            {
                tracing::debug!(pid = pid.as_raw(), %ended, "reaped an orphan");
            }
        }
        ControlFlow::Continue(())
    }

    /// Keeps the end of a worker for reports.
    fn remember_exit(&mut self, process: &Process, ended: Ended, expected: bool) {
        let place = process.place;
        *self.restarts.entry((place.pool, place.number)).or_default() += 1;
        self.history.death(Died {
            pid: process.child.pid().as_raw(),
            slot: place.number,
            of: process.pool.as_deref().map(str::to_owned),
            generation: process.generation,
            age: process.born.elapsed(),
            how: ended.to_string(),
            expected,
            error: process.error.clone(),
        });
    }

    /// Runs the operator's command for the end of a worker.
    fn tell_of_exit(&mut self, process: &Process, ended: Ended, expected: bool) {
        let Some(setting) = self
            .settings()
            .map(|settings| settings.on_worker_exit.clone())
        else {
            return;
        };
        let (now, give_up) = (self.now(), self.rights.is_dropped());
        let end = End {
            program: &self.facts.program,
            process,
            ended,
            expected,
        };
        self.exit_commands.tell(&setting, give_up, now, &end);
    }
}
