//! The pools of workers, and what the machine decides by.

use std::sync::Arc;
use std::time::Duration;

use super::policy::{Policy, Pool, PoolId};
use crate::settings::Settings;
use crate::settings::configuration::Loaded;

/// The services that have, or had, workers of their own; each keeps its number for ever.
#[derive(Debug)]
pub(super) struct Pools {
    names: Vec<Arc<str>>,
    /// The services asked for on the command line, if it names any.
    only: Vec<String>,
}

impl Pools {
    pub(super) fn new(only: &[String]) -> Self {
        Self {
            names: Vec::new(),
            only: only.to_vec(),
        }
    }

    /// Returns the service that has a pool to itself; `None` for the shared one.
    pub(super) fn name(&self, id: PoolId) -> Option<Arc<str>> {
        self.names.get(id.0.checked_sub(1)?).cloned()
    }

    /// Returns the part of a configuration that the machine decides by.
    pub(super) fn policy(&mut self, loaded: &Loaded) -> Policy {
        let settings = &loaded.settings;
        let mut own = Vec::new();
        for pool in &loaded.pools {
            let is_wanted = self.only.is_empty() || self.only.contains(&pool.service);
            if is_wanted {
                own.push(of(self.id(&pool.service), &pool.settings));
            }
        }
        Policy {
            method: settings.restart_method,
            graceful: settings.graceful_shutdown_timeout,
            restart_limit: settings.restart_limit,
            upgrade: settings.upgrade_timeout,
            shared: of(PoolId::SHARED, settings),
            own,
        }
    }

    fn id(&mut self, service: &str) -> PoolId {
        let known = self.names.iter().position(|name| **name == *service);
        let index = known.unwrap_or_else(|| {
            self.names.push(service.into());
            self.names.len() - 1
        });
        PoolId(index + 1)
    }
}

fn of(id: PoolId, settings: &Settings) -> Pool {
    Pool {
        id,
        workers: settings.workers.get(),
        drain: settings.drain_timeout,
        start: settings.start_timeout,
        respawn_delay: settings.respawn_delay,
        respawn_delay_max: settings.respawn_delay_max.max(Duration::from_millis(1)),
        healthy_after: settings.healthy_after,
        surge: settings.reload_surge.get(),
        heartbeat: settings.heartbeat_timeout,
    }
}
