//! The metrics of the supervisor: workers by state, how they end, and what becomes of reloads and upgrades.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::SystemTime;

use super::policy::{Cause, LogEvent, Machine, PoolId, WorkerId, WorkerSlot};
use super::pools::Pools;
use super::workers::Workers;
use crate::metrics::OwnMetrics;
use crate::os::process::child::Ended;
use crate::settings::configuration::Loaded;

/// Starting, ready, stopping.
type States = [u64; STATES.len()];

const STATES: [&str; 3] = ["starting", "ready", "stopping"];
const CAUSES: [&str; 5] = ["exit", "signal", "hang", "start_timeout", "stop_timeout"];
const RELOADS: [&str; 4] = ["done", "mutated", "refused", "undone"];
const UPGRADES: [&str; 3] = ["done", "failed", "refused"];

/// What the supervisor counts.
pub(super) struct SupervisorMetrics {
    own: OwnMetrics,
    /// Why workers are killed that have not ended yet.
    causes: BTreeMap<WorkerId, &'static str>,
    /// The generation of the last worker of each slot.
    forked: BTreeMap<(PoolId, usize), u64>,
    /// What was told of the workers of each pool, by its name.
    told: BTreeMap<Option<String>, States>,
    generation: u64,
}

impl SupervisorMetrics {
    pub(super) fn new(own: OwnMetrics, loaded: &Loaded) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let since = since.unwrap_or_default().as_secs_f64();
        own.set("service_start_time_seconds", &[], since);
        own.set("service_config_last_reload_successful", &[], 1.0);
        // What has not happened yet is 0, and not missing.
        for cause in CAUSES {
            own.count("service_worker_deaths_total", &[("cause", cause)], 0);
        }
        own.count("service_worker_respawns_total", &[], 0);
        for outcome in RELOADS {
            own.count("service_reloads_total", &[("outcome", outcome)], 0);
        }
        for outcome in UPGRADES {
            own.count("service_upgrades_total", &[("outcome", outcome)], 0);
        }
        let metrics = Self {
            own,
            causes: BTreeMap::new(),
            forked: BTreeMap::new(),
            told: BTreeMap::new(),
            generation: 0,
        };
        metrics.configuration(loaded);
        metrics
    }

    /// Tells of the configuration that is in use.
    pub(super) fn configuration(&self, loaded: &Loaded) {
        let mut hasher = DefaultHasher::new();
        for (key, value, _) in loaded.options() {
            (key, value).hash(&mut hasher);
        }
        // As many bits as a number has in the text.
        let hash = hasher.finish() >> 16;
        self.own.set("service_config_hash", &[], hash as f64);
    }

    /// Counts a worker that was forked.
    pub(super) fn forked(&mut self, slot: WorkerSlot, pool: Option<&str>, generation: u64) {
        let before = self.forked.insert((slot.pool, slot.number), generation);
        if before == Some(generation) {
            let labels: Vec<_> = pool.map(|pool| ("pool", pool)).into_iter().collect();
            self.own.count("service_worker_respawns_total", &labels, 1);
        }
    }

    /// Counts a worker that has ended.
    pub(super) fn ended(&mut self, id: WorkerId, pool: Option<&str>, how: Ended, expected: bool) {
        let cause = self.causes.remove(&id).or(match how {
            Ended::Exited(0) if expected => None,
            Ended::Exited(_) => Some("exit"),
            Ended::Killed { .. } => Some("signal"),
        });
        if let Some(cause) = cause {
            let labels = [("cause", cause)].into_iter();
            let labels: Vec<_> = labels.chain(pool.map(|pool| ("pool", pool))).collect();
            self.own.count("service_worker_deaths_total", &labels, 1);
        }
    }

    /// Counts what the policy has decided.
    pub(super) fn event(&mut self, event: &LogEvent) {
        let reload = |outcome| {
            self.own
                .count("service_reloads_total", &[("outcome", outcome)], 1)
        };
        let upgrade = |outcome| {
            self.own
                .count("service_upgrades_total", &[("outcome", outcome)], 1)
        };
        let worked = match event {
            LogEvent::Reloaded(_) => {
                reload("done");
                true
            }
            LogEvent::Mutated(_) => {
                reload("mutated");
                true
            }
            // That it has been undone is told once more at the end.
            LogEvent::ReloadRefused(Cause::Worker(_)) => {
                reload("undone");
                false
            }
            LogEvent::ReloadRefused(_) => {
                reload("refused");
                false
            }
            LogEvent::Upgraded => return upgrade("done"),
            LogEvent::UpgradeFailed | LogEvent::UpgradeTimedOut(_) => return upgrade("failed"),
            LogEvent::UpgradeRefused(_) => return upgrade("refused"),
            LogEvent::Hung(id, _) => return self.is_to_be_killed(*id, "hang"),
            LogEvent::StartTimedOut(id) => return self.is_to_be_killed(*id, "start_timeout"),
            LogEvent::StopTimedOut(id) => return self.is_to_be_killed(*id, "stop_timeout"),
            LogEvent::OutOfTime(ids) => {
                for id in ids {
                    self.is_to_be_killed(*id, "stop_timeout");
                }
                return;
            }
            _ => return,
        };
        let worked = if worked { 1.0 } else { 0.0 };
        self.own
            .set("service_config_last_reload_successful", &[], worked);
    }

    fn is_to_be_killed(&mut self, id: WorkerId, cause: &'static str) {
        self.causes.entry(id).or_insert(cause);
    }

    /// Tells how many workers there are in which state.
    pub(super) fn workers(&mut self, machine: &Machine, workers: &Workers, pools: &Pools) {
        if self.generation != machine.generation() {
            self.generation = machine.generation();
            self.own
                .set("service_generation", &[], self.generation as f64);
        }
        let name = |pool: PoolId| pools.name(pool).map(|name| name.to_string());
        let mut states: BTreeMap<Option<String>, States> = BTreeMap::new();
        // A pool that has no worker any more is told of as well.
        states.extend(
            self.told
                .keys()
                .map(|pool| (pool.clone(), States::default())),
        );
        for worker in machine.workers() {
            let Some(process) = workers.get(worker.id) else {
                continue;
            };
            let state = match (worker.is_leaving(), worker.is_ready()) {
                (true, _) => 2,
                (_, true) => 1,
                _ => 0,
            };
            states.entry(name(process.slot().pool)).or_default()[state] += 1;
        }
        for (pool, counts) in &states {
            if self.told.get(pool) == Some(counts) {
                continue;
            }
            for (state, workers) in STATES.iter().zip(counts) {
                let pool = pool.as_deref().map(|pool| ("pool", pool));
                let labels: Vec<_> = [("state", *state)].into_iter().chain(pool).collect();
                self.own.set("service_workers", &labels, *workers as f64);
            }
        }
        self.told = states;
    }
}
