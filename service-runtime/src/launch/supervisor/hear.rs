//! What workers say, and how they end.

use std::ops::ControlFlow;

use super::checking::Check;
use super::driver::{Driver, Flow};
use super::machine::{Event, WorkerId};
use super::narrate::{Death, Worker};
use super::process::Process;
use super::worker_exit::End;
use crate::launch::exit::Exit;
use crate::launch::host::chain;
use crate::launch::protocol::{ToSupervisor, ToWorker};
use crate::listen::ListenOptions;
use crate::process::child::Ended;
use crate::process::reap;

impl Driver {
    /// Takes in what a worker says.
    pub(super) fn listen_to(&mut self, id: WorkerId) -> Flow {
        while let Some(message) = self.processes.get_mut(&id).and_then(Process::receive) {
            match message {
                ToSupervisor::Ready => self.feed(Event::Ready(id))?,
                ToSupervisor::Worn => self.feed(Event::Worn(id))?,
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
                ToSupervisor::Listen {
                    id: question,
                    options,
                } => {
                    self.listen(id, question, &options)?;
                }
                ToSupervisor::Status { service, text } => {
                    self.notifier
                        .status(&format!("{}; {service}: {text}", self.status));
                }
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
                    self.feed(Event::Mutated(id))?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Gives a worker the socket that it asks for.
    fn listen(&mut self, id: WorkerId, question: u32, options: &str) -> Flow {
        let Some(process) = self.processes.get(&id) else {
            return ControlFlow::Continue(());
        };
        let slot = Some(process.slot);
        let bound = ListenOptions::from_wire(options)
            .map_err(|error| chain(&error))
            .and_then(|options| {
                let bound = self.listeners.bind(&options, slot);
                bound.map_err(|error| chain(&error))
            });
        let refused = bound.as_ref().err().cloned();
        let sent = match bound {
            Ok(fd) => process.send(&ToWorker::Listening { id: question }, &[fd]),
            Err(text) => process.send(&ToWorker::Refused { id: question, text }, &[]),
        };
        if let Err(error) = sent {
            tracing::error!(slot, "cannot answer a worker: {error}");
        }
        match refused {
            Some(text) => {
                if let Some(process) = self.processes.get_mut(&id) {
                    process.error = Some(text);
                }
                self.feed(Event::Hopeless(id, Exit::Failed.code().into()))
            }
            None => ControlFlow::Continue(()),
        }
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
            self.tell_of_exit(&process, ended, leaving);
            let worker = Worker::of(&process);
            if leaving {
                let Worker {
                    pid,
                    slot,
                    generation,
                    age,
                } = &worker;
                tracing::info!(slot, pid, generation, age, how = %ended, "worker stopped");
            }
            self.last_death = Some(Death {
                id,
                worker,
                how: ended.to_string(),
                error: process.error,
            });
            let code = match ended {
                Ended::Exited(code) => Some(code),
                Ended::Killed { .. } => None,
            };
            self.feed(Event::Exited(id, code))?;
            self.close_unused();
        }
        self.abandoned.retain(|check| check.ended().is_none());
        if self.is_init {
            let workers: Vec<_> = self.processes.values().map(|p| p.child.pid()).collect();
            let checks: Vec<_> = self
                .check
                .iter()
                .chain(&self.abandoned)
                .map(Check::pid)
                .collect();
            let commands: Vec<_> = self.exit_commands.pids().collect();
            let known = [workers, checks, commands].concat();
            for (pid, ended) in reap::strangers(|pid| known.contains(&pid)) {
                tracing::debug!(pid = pid.as_raw(), %ended, "reaped an orphan");
            }
        }
        ControlFlow::Continue(())
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
            program: &self.program,
            process,
            ended,
            expected,
        };
        self.exit_commands.tell(&setting, give_up, now, &end);
    }

    /// Closes the sockets of slots that are in use no more: nobody accepts from them.
    fn close_unused(&mut self) {
        let (slots, _) = self.machine.counts();
        let used = self
            .processes
            .values()
            .map(|process| process.slot + 1)
            .max()
            .unwrap_or(0);
        self.listeners.close_slots_from(slots.max(used));
    }
}
