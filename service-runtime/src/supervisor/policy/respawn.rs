//! What a worker's life and death mean for its slot.

use std::time::Duration;

use super::slot::killed_at;
use super::{LaunchOutcome, LogEvent, Machine, Policy, Pool, State, Time, Worker, WorkerId};
use crate::backoff::Backoff;

/// How often a slot may fail before the launch is given up, when no worker was ever ready.
const FAILED_LAUNCH: u32 = 3;

impl Machine {
    pub(super) fn forked(&mut self, now: Time, id: WorkerId) {
        let Some(slot) = self.workers.get(&id).map(|worker| worker.slot) else {
            return;
        };
        let limit = self.pool_of(slot).start;
        let deadline = limit.map(|limit| now.saturating_add(limit));
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if worker.state == State::Forking {
            worker.state = State::Starting { deadline };
            worker.since = now;
        }
    }

    pub(super) fn fork_refused(&mut self, now: Time, id: WorkerId) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        self.mutated(id, Ok(()));
        if self.is_stopping() {
            return;
        }
        let slot = &mut self.slots[worker.slot];
        slot.refused = slot.refused.saturating_add(1);
        let retry_in = Policy::fork_after(slot.refused);
        if slot.successor == Some(id) {
            slot.successor = None;
            self.retry_rollout(worker.slot, now.saturating_add(retry_in));
        } else if slot.holder == Some(id) {
            slot.holder = None;
            slot.retry_at = Some(now.saturating_add(retry_in));
        } else {
            return;
        }
        self.log(LogEvent::ForkRefused {
            slot: worker.slot,
            retry_in,
        });
    }

    pub(super) fn ready(&mut self, now: Time, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        // A worker that was asked to stop meanwhile stays on its way out.
        if !matches!(worker.state, State::Starting { .. }) {
            return;
        }
        worker.state = State::Ready { since: now };
        worker.heartbeat = now;
        worker.missed = None;
        let (slot, generation) = (worker.slot, worker.generation);
        self.once_ready.insert(self.slots[slot].pool);
        self.slots[slot].refused = 0;
        self.log(LogEvent::Ready(id));
        if self.slots[slot].successor == Some(id) {
            let drain = self.pool_of(slot).drain;
            let slot = &mut self.slots[slot];
            slot.successor = None;
            slot.fresh = false;
            slot.generation = generation;
            slot.early_deaths = 0;
            slot.retry_at = None;
            slot.recycle_failed = 0;
            slot.recycle_at = None;
            if let Some(old) = slot.holder.replace(id) {
                self.request_stop(now, old, drain);
            }
        }
    }

    pub(super) fn exited(&mut self, now: Time, id: WorkerId, code: Option<i32>) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        self.mutated(id, Ok(()));
        if self.is_stopping() {
            if matches!(worker.state, State::Stopping { .. }) && code != Some(0) {
                self.outcome.get_or_insert(LaunchOutcome::Unclean);
            }
            return;
        }
        let slot = &mut self.slots[worker.slot];
        if slot.successor == Some(id) {
            slot.successor = None;
            self.successor_failed(now, &worker);
        } else if slot.holder == Some(id) {
            slot.holder = None;
            self.holder_died(now, &worker, code);
        }
    }

    fn holder_died(&mut self, now: Time, worker: &Worker, code: Option<i32>) {
        let pool = self.pool_of(worker.slot).clone();
        let healthy = match worker.state {
            State::Ready { since } => now.saturating_sub(since) >= pool.healthy_after,
            _ => false,
        };
        if !worker.is_ready() {
            self.fail_orders_for(worker.id, worker.slot);
        }
        let slot = &mut self.slots[worker.slot];
        slot.early_deaths = if healthy {
            0
        } else {
            slot.early_deaths.saturating_add(1)
        };
        let failed = slot.early_deaths;
        if !self.once_ready.contains(&pool.id) && failed >= FAILED_LAUNCH {
            self.log(LogEvent::LaunchFailed(worker.id));
            self.quit(now, LaunchOutcome::LaunchFailed(code));
            return;
        }
        if self.too_many_deaths(now) {
            return;
        }
        let retry_in = pool.respawn_after(failed);
        self.slots[worker.slot].retry_at = Some(now.saturating_add(retry_in));
        if self.slots[worker.slot].active {
            self.log(LogEvent::Died {
                worker: worker.id,
                retry_in,
            });
        }
    }

    /// Ends the launch if workers die more often than is allowed.
    fn too_many_deaths(&mut self, now: Time) -> bool {
        let Some((limit, window)) = self.policy.restart_limit else {
            return false;
        };
        self.deaths.push_back(now);
        let since = now.saturating_sub(window);
        while self.deaths.front().is_some_and(|death| *death < since) {
            self.deaths.pop_front();
        }
        if self.deaths.len() <= limit {
            return false;
        }
        self.log(LogEvent::TooManyDeaths(self.deaths.len(), window));
        self.outcome = Some(LaunchOutcome::GaveUp);
        self.stop(now);
        true
    }

    /// Gives up a launch whose first workers cannot start: the address is taken, say.
    pub(super) fn hopeless(&mut self, now: Time, id: WorkerId, code: i32) {
        let Some(worker) = self.workers.get(&id) else {
            return;
        };
        let slot = &self.slots[worker.slot];
        let first = slot.holder == Some(id) && !self.once_ready.contains(&slot.pool);
        if first && !self.is_stopping() {
            self.log(LogEvent::LaunchFailed(id));
            self.quit(now, LaunchOutcome::LaunchFailed(Some(code)));
        }
    }

    /// Gives up the slot of a worker that has nothing left to do.
    ///
    /// A reload that is about to replace it goes on, and its successor does the work anew.
    pub(super) fn done(&mut self, now: Time, id: WorkerId) {
        let Some(&Worker {
            slot: index,
            generation,
            ..
        }) = self.workers.get(&id).filter(|worker| !worker.is_leaving())
        else {
            return;
        };
        let limit = self.pool_of(index).drain;
        if let Some(worker) = self.workers.get_mut(&id) {
            let deadline = killed_at(now, limit);
            worker.state = State::Stopping { deadline };
        }
        self.log(LogEvent::Done(id));
        self.once_ready.insert(self.slots[index].pool);
        let slot = &mut self.slots[index];
        if slot.holder == Some(id) {
            slot.holder = None;
            slot.active &= slot.successor.is_some();
        } else if slot.successor == Some(id) {
            slot.successor = None;
            let rollout = self.rollout.as_mut();
            if rollout.is_some_and(|rollout| rollout.give_up(index, generation)) {
                // The old worker stays for as long as the reload may still be taken back.
                return;
            }
            let slot = &mut self.slots[index];
            slot.active = false;
            if let Some(old) = slot.holder.take() {
                self.request_stop(now, old, limit);
            }
        }
    }

    /// Ends the launch when every slot has been given up by its own worker.
    pub(super) fn end_if_all_done(&mut self, now: Time) {
        let active = self.slots.iter().any(|slot| slot.active || slot.held);
        if !active && !self.slots.is_empty() && !self.is_reloading() {
            self.log(LogEvent::AllDone);
            self.stop(now);
        }
    }

    /// Forks into every slot that waits for it no longer.
    pub(super) fn fork_due(&mut self, now: Time) {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            if slot.wants_worker() && slot.retry_at.is_none_or(|at| at <= now) {
                let id = self.fork(now, index, slot.generation);
                self.slots[index].holder = Some(id);
            }
        }
    }
}

impl Policy {
    /// Returns how long to wait after the `refused`-th refused fork in a row.
    ///
    /// Never longer than half a second, so that a slot is filled within a second of the end of
    /// whatever refused it.
    pub(crate) fn fork_after(refused: u32) -> Duration {
        let backoff = Backoff::doubling(Duration::from_millis(50), Duration::from_millis(500));
        backoff.after(refused.into())
    }
}

impl Pool {
    /// Returns how long a slot waits after the `early_deaths`-th early death in a row.
    ///
    /// The first costs nothing; the delay doubles from the second on.
    pub(crate) fn respawn_after(&self, early_deaths: u32) -> Duration {
        let backoff = Backoff::doubling(self.respawn_delay, self.respawn_delay_max);
        backoff.after(early_deaths.saturating_sub(1).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::policy::PoolId;
    use crate::supervisor::policy::simulation::pool;

    #[test]
    fn the_first_early_death_is_free_and_the_delay_doubles_to_its_maximum() {
        let pool = pool(PoolId::SHARED, 1);
        let delays: Vec<u64> = (0..14)
            .map(|failures| u64::try_from(pool.respawn_after(failures).as_millis()).unwrap())
            .collect();
        assert_eq!(delays[..6], [0, 0, 100, 200, 400, 800]);
        assert_eq!(delays[13], 30_000);
        assert_eq!(pool.respawn_after(u32::MAX).as_secs(), 30);
    }

    #[test]
    fn a_refused_fork_is_tried_again_within_half_a_second() {
        assert_eq!(Policy::fork_after(1).as_millis(), 50);
        assert_eq!(Policy::fork_after(u32::MAX).as_millis(), 500);
    }
}
