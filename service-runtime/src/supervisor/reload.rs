//! A configuration on its way: checked in a child, kept for new workers, sent to those that stay.

use std::ops::ControlFlow;
use std::os::fd::AsFd;

use super::config_check::Check;
use super::event_loop::{EventLoop, Flow};
use super::policy::{Event, Policy, RestartMethod, WorkerId};
use crate::ipc::protocol::ToWorker;
use crate::os::process::memory;
use crate::settings::configuration::Loaded;

impl EventLoop {
    pub(super) fn begin_check(&mut self, number: u64) -> Flow {
        let current = self.loaded.get(&self.machine.generation());
        match Check::begin(number, &self.configuration, current, &self.rights) {
            Ok(check) => {
                self.check = Some(check);
                ControlFlow::Continue(())
            }
            Err(error) => {
                tracing::error!("the configuration cannot be checked: {error}");
                self.feed(Event::Loaded(Err(())))
            }
        }
    }

    pub(super) fn abandon_check(&mut self) {
        if let Some(check) = self.check.take() {
            check.kill();
            self.abandoned.push(check);
        }
    }

    pub(super) fn finish_check(&mut self) -> Flow {
        let Some(ended) = self.check.as_ref().and_then(Check::ended) else {
            return ControlFlow::Continue(());
        };
        let Some(check) = self.check.take() else {
            return ControlFlow::Continue(());
        };
        let number = check.number;
        match check.result(ended, &self.configuration) {
            Ok(mut loaded) => {
                if let Some(current) = self.loaded.get(&self.machine.generation()) {
                    loaded.settings.keep_fixed(&current.settings);
                }
                let policy = self.policy_after(&loaded);
                self.loaded.insert(number, loaded);
                self.feed(Event::Loaded(Ok(policy)))
            }
            Err(error) => {
                tracing::error!("the configuration is wrong:\n{error}");
                self.history
                    .reload(format!("refused, the configuration is wrong: {error}"));
                self.feed(Event::Loaded(Err(())))
            }
        }
    }

    /// Returns what the machine decides by once this configuration counts.
    fn policy_after(&mut self, newer: &Loaded) -> Policy {
        let current = self.loaded.get(&self.machine.generation());
        match current.filter(|_| newer.settings.restart_method == RestartMethod::Mutate) {
            Some(current) => {
                let mut mutated = current.clone();
                mutated.mutate(newer);
                self.pools.policy(&mutated)
            }
            None => self.pools.policy(newer),
        }
    }

    /// Makes the configuration read last that of the generation, and sends it to the workers.
    pub(super) fn mutate(&mut self, workers: &[WorkerId]) -> Flow {
        let generation = self.machine.generation();
        let newest = self
            .loaded
            .pop_last()
            .filter(|(number, _)| *number != generation);
        let Some((_, newer)) = newest else {
            return ControlFlow::Continue(());
        };
        let bytes = newer.to_bytes();
        if let Some(loaded) = self.loaded.get_mut(&generation) {
            let (_, changes) = loaded.mutate(&newer);
            changes.log();
        }
        let file = memory::file(c"service-runtime-configuration", &bytes);
        for id in workers {
            let sent = match (&file, self.processes.get(id)) {
                (Ok(file), Some(process)) => process
                    .send(&ToWorker::Mutate, &[file.as_fd()])
                    .map_err(|error| error.to_string()),
                (Err(error), _) => Err(error.to_string()),
                (_, None) => continue,
            };
            if let Err(error) = sent {
                tracing::error!("cannot send the configuration to a worker: {error}");
                self.feed(Event::Mutated(*id, Err(())))?;
            }
        }
        ControlFlow::Continue(())
    }
}
