//! What a worker's life and death mean for its slot.

use super::{Machine, Note, Outcome, Policy, State, Time, WorkerId};

/// How often a slot may fail before the launch is given up, when no worker was ever ready.
const FAILED_LAUNCH: u32 = 3;

impl Machine {
    pub(super) fn forked(&mut self, now: Time, id: WorkerId) {
        let deadline = self.policy.start.map(|limit| now.saturating_add(limit));
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if worker.state == State::Forking {
            worker.state = State::Starting { deadline };
            worker.since = now;
        }
        let slot = worker.slot;
        self.slots[slot].refused = 0;
    }

    pub(super) fn fork_refused(&mut self, now: Time, id: WorkerId) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        let slot = &mut self.slots[worker.slot];
        slot.refused = slot.refused.saturating_add(1);
        let retry_in = Policy::fork_after(slot.refused);
        if slot.successor == Some(id) {
            slot.successor = None;
            self.retry_roll(worker.slot, now.saturating_add(retry_in));
        } else if slot.holder == Some(id) {
            slot.holder = None;
            slot.retry_at = Some(now.saturating_add(retry_in));
        }
        self.note(Note::ForkRefused {
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
        worker.beat = now;
        let (slot, generation) = (worker.slot, worker.generation);
        self.ever_ready = true;
        self.note(Note::Ready(id));
        if self.slots[slot].successor == Some(id) {
            let slot = &mut self.slots[slot];
            slot.successor = None;
            slot.generation = generation;
            slot.young = 0;
            slot.retry_at = None;
            slot.recycle_failed = 0;
            slot.recycle_at = None;
            if let Some(old) = slot.holder.replace(id) {
                self.ask_to_stop(now, old, self.policy.drain);
            }
        }
    }

    pub(super) fn exited(&mut self, now: Time, id: WorkerId, code: Option<i32>) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        self.mutated(id);
        if self.is_stopping() {
            if matches!(worker.state, State::Stopping { .. }) && code != Some(0) {
                self.verdict.get_or_insert(Outcome::Unclean);
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

    fn holder_died(&mut self, now: Time, worker: &super::Worker, code: Option<i32>) {
        let healthy = match worker.state {
            State::Ready { since } => now.saturating_sub(since) >= self.policy.healthy_after,
            _ => false,
        };
        let slot = &mut self.slots[worker.slot];
        slot.young = if healthy {
            0
        } else {
            slot.young.saturating_add(1)
        };
        let failed = slot.young;
        if !self.ever_ready && failed >= FAILED_LAUNCH {
            self.note(Note::LaunchFailed(worker.id));
            self.quit(now, Outcome::LaunchFailed(code));
            return;
        }
        if self.too_many_deaths(now) {
            return;
        }
        let retry_in = self.policy.respawn_after(failed);
        self.slots[worker.slot].retry_at = Some(now.saturating_add(retry_in));
        if self.slots[worker.slot].active {
            self.note(Note::Died {
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
        self.note(Note::TooManyDeaths(self.deaths.len(), window));
        self.verdict = Some(Outcome::GaveUp);
        self.stop(now);
        true
    }

    /// Gives up a launch whose first workers cannot start: the address is taken, say.
    pub(super) fn hopeless(&mut self, now: Time, id: WorkerId, code: i32) {
        if !self.ever_ready && !self.is_stopping() {
            self.note(Note::LaunchFailed(id));
            self.quit(now, Outcome::LaunchFailed(Some(code)));
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
