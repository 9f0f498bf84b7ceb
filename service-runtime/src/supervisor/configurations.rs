//! The configuration of each generation, and the check of the next one.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use nix::unistd::Pid;

use super::component::Component;
use super::config_check::Check;
use super::policy::{Policy, RestartMethod, Time};
use super::pools::Pools;
use crate::privileges::Privileges;
use crate::settings::configuration::{Configuration, Loaded};

/// What is configured, and what is to be.
pub(super) struct Configurations {
    configuration: Arc<Configuration>,
    /// The configuration of each generation that a worker may be forked in.
    loaded: BTreeMap<u64, Loaded>,
    check: Option<Check>,
    /// Checks that were given up, to be reaped.
    abandoned: Vec<Check>,
    privileges: Privileges,
}

/// A check has ended: what was read for which generation, or what is wrong with it.
pub(super) struct Checked {
    pub(super) generation: u64,
    pub(super) result: Result<Loaded, String>,
}

impl Configurations {
    pub(super) fn new(
        configuration: Arc<Configuration>,
        loaded: Loaded,
        privileges: Privileges,
    ) -> Self {
        Self {
            configuration,
            loaded: BTreeMap::from([(1, loaded)]),
            check: None,
            abandoned: Vec::new(),
            privileges,
        }
    }

    /// Returns the configuration of a generation.
    pub(super) fn of(&self, generation: u64) -> Option<&Loaded> {
        self.loaded.get(&generation)
    }

    /// Returns the configuration of the present generation.
    pub(super) fn present(&self, generation: u64) -> Option<&Loaded> {
        // While a generation begins there is but the one before.
        self.of(generation).or_else(|| self.loaded.values().next())
    }

    /// Begins to read and check the files, to become the configuration of generation `next`.
    pub(super) fn begin_check(&mut self, next: u64, present: u64) -> Result<(), String> {
        let current = self.loaded.get(&present);
        self.check = Some(Check::begin(
            next,
            &self.configuration,
            current,
            &self.privileges,
        )?);
        Ok(())
    }

    /// Gives the check up that is under way.
    pub(super) fn abandon_check(&mut self) {
        if let Some(check) = self.check.take() {
            check.kill();
            self.abandoned.push(check);
        }
    }

    /// Keeps a configuration that was checked; returns what is decided by once it counts.
    pub(super) fn accept(
        &mut self,
        generation: u64,
        mut loaded: Loaded,
        present: u64,
        pools: &mut Pools,
    ) -> Policy {
        let current = self.loaded.get(&present);
        if let Some(current) = current {
            loaded.settings.keep_fixed(&current.settings);
        }
        let mutates = loaded.settings.restart_method == RestartMethod::Mutate;
        let policy = match current.filter(|_| mutates) {
            Some(current) => {
                let mut mutated = current.clone();
                mutated.mutate(&loaded);
                pools.policy(&mutated)
            }
            None => pools.policy(&loaded),
        };
        self.loaded.insert(generation, loaded);
        policy
    }

    /// Drops the configurations of all generations but this one, and returns it.
    pub(super) fn keep(&mut self, generation: u64) -> Option<&Loaded> {
        self.loaded.retain(|number, _| *number == generation);
        self.loaded.get(&generation)
    }

    /// Makes the configuration read last that of the present generation; returns it as workers take it
    /// over.
    pub(super) fn mutate(&mut self, present: u64) -> Option<Vec<u8>> {
        let newest = self.loaded.pop_last();
        let (_, newer) = newest.filter(|(number, _)| *number != present)?;
        let bytes = newer.to_bytes();
        if let Some(loaded) = self.loaded.get_mut(&present) {
            let (_, changes) = loaded.mutate(&newer);
            changes.log();
        }
        Some(bytes)
    }

    /// Returns the processes that check.
    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> {
        self.checks().map(Check::pid)
    }

    fn checks(&self) -> impl Iterator<Item = &Check> {
        self.check.iter().chain(&self.abandoned)
    }
}

impl Component for Configurations {
    type Event = Checked;

    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.checks().map(Check::fd).collect()
    }

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn events(&mut self, _now: Time, _ready: &[bool]) -> Vec<Checked> {
        self.abandoned.retain(|check| check.ended().is_none());
        let Some(ended) = self.check.as_ref().and_then(Check::ended) else {
            return Vec::new();
        };
        let check = self.check.take().zip(self.loaded.values().next());
        check
            .map(|(check, like)| Checked {
                generation: check.generation(),
                result: check.result(ended, &self.configuration, like),
            })
            .into_iter()
            .collect()
    }
}
