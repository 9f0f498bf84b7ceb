//! What is done with the workers of slots: forked, asked to stop, killed.

use std::time::Duration;

use super::slot::{State, Worker, killed_at};
use super::{Action, Machine, Pool, Time, WorkerId, WorkerSlot};

impl Machine {
    /// Asks for a worker of this generation in this slot.
    pub(super) fn fork(&mut self, now: Time, slot: usize, generation: u64) -> WorkerId {
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        let state = State::Forking;
        let (pool, number) = (self.slots[slot].pool, self.slots[slot].number);
        self.workers.insert(
            id,
            Worker {
                id,
                slot,
                generation,
                state,
                since: now,
                heartbeat: now,
                missed: None,
                recycle_requested: false,
            },
        );
        self.slots[slot].retry_at = None;
        self.act(Action::Fork {
            worker: id,
            slot: WorkerSlot {
                index: slot,
                pool,
                number,
            },
            generation,
        });
        id
    }

    /// Asks a worker to stop within `limit`; one that is on its way out already is left alone.
    pub(super) fn request_stop(&mut self, now: Time, id: WorkerId, limit: Option<Duration>) {
        self.request_stop_by(id, limit, killed_at(now, limit));
    }

    /// As [`request_stop`](Self::request_stop), and kills it at `deadline`.
    pub(super) fn request_stop_by(
        &mut self,
        id: WorkerId,
        limit: Option<Duration>,
        deadline: Option<Time>,
    ) {
        let Some(worker) = self
            .workers
            .get_mut(&id)
            .filter(|worker| !worker.is_leaving())
        else {
            return;
        };
        worker.state = State::Stopping { deadline };
        self.act(Action::Stop(id, limit));
    }

    /// Kills a worker, once.
    pub(super) fn kill(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if worker.state != State::Killed {
            worker.state = State::Killed;
            self.act(Action::Kill(id));
        }
    }

    /// Returns whether a worker of this slot is still on its way out.
    pub(super) fn is_draining(&self, slot: usize) -> bool {
        self.workers
            .values()
            .any(|worker| worker.slot == slot && worker.is_leaving())
    }

    /// Returns how the workers of this slot are kept alive.
    pub(super) fn pool_of(&self, slot: usize) -> &Pool {
        let id = self.slots[slot].pool;
        let coming = self
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.policy().pool(id));
        self.policy
            .pool(id)
            .or(coming)
            .unwrap_or(&self.policy.shared)
    }
}
