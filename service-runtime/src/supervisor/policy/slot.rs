//! Slots and the workers in them.

use std::time::Duration;

use super::stop::killed_at;
use super::{Action, Machine, Pool, PoolId, Time, WorkerId, WorkerSlot};

/// A worker's place; it outlives the worker in it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Whose workers it takes.
    pub(super) pool: PoolId,
    /// Its number among the slots of the pool.
    pub(super) number: usize,
    /// Whether the slot is to have a worker.
    pub(super) active: bool,
    /// The worker that counts.
    pub(super) holder: Option<WorkerId>,
    /// The one that takes its place as soon as it is ready.
    pub(super) successor: Option<WorkerId>,
    /// Whether only a reload may fill it, for its pool is new.
    pub(super) fresh: bool,
    /// The generation that the slot's next worker belongs to.
    pub(super) generation: u64,
    /// Young deaths in a row.
    pub(super) young: u32,
    /// Refused forks in a row.
    pub(super) refused: u32,
    /// When the slot gets its next worker.
    pub(super) retry_at: Option<Time>,
    /// Failed successors of a recycle_requested worker in a row.
    pub(super) recycle_failed: u32,
    /// When the next successor of a recycle_requested worker is tried.
    pub(super) recycle_at: Option<Time>,
}

/// A worker whose end has not been reported.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    /// Who it is.
    pub(crate) id: WorkerId,
    /// Its place.
    pub(crate) slot: usize,
    /// The generation it was forked in.
    pub(crate) generation: u64,
    /// What it is doing.
    pub(crate) state: State,
    /// When it was forked.
    pub(crate) since: Time,
    /// When its runtime last turned, as far as is known.
    pub(super) beat: Time,
    /// Since when its heartbeat is missed.
    pub(super) missed: Option<Time>,
    /// Whether it has reached a limit of its life.
    pub(super) recycle_requested: bool,
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The driver was told to fork it.
    Forking,
    /// It starts its services.
    Starting {
        /// When it is killed if it is not ready.
        deadline: Option<Time>,
    },
    /// Its services are started.
    Ready {
        /// Since when.
        since: Time,
    },
    /// It was asked to stop.
    Stopping {
        /// When it is killed if it still runs.
        deadline: Option<Time>,
    },
    /// It hung and was aborted.
    Aborted {
        /// When it is killed if it still lives.
        deadline: Time,
    },
    /// It was killed.
    Killed,
}

impl Slot {
    /// Makes a slot that is not in use.
    pub(super) fn new(pool: PoolId, number: usize, generation: u64) -> Self {
        Self {
            pool,
            number,
            active: false,
            holder: None,
            successor: None,
            fresh: false,
            generation,
            young: 0,
            refused: 0,
            retry_at: None,
            recycle_failed: 0,
            recycle_at: None,
        }
    }

    /// Returns when the slot wants to be looked at.
    pub(super) fn wake_up(&self) -> Option<Time> {
        let retry = self.retry_at.filter(|_| self.wants_worker());
        retry.into_iter().chain(self.recycle_at).min()
    }

    /// Returns whether a holder is missing, with no successor under way.
    pub(super) fn wants_worker(&self) -> bool {
        self.active && !self.fresh && self.holder.is_none() && self.successor.is_none()
    }
}

impl Worker {
    /// Returns when the worker is killed if nothing changes.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Starting { deadline } | State::Stopping { deadline } => deadline,
            State::Aborted { deadline } => Some(deadline),
            State::Forking | State::Ready { .. } | State::Killed => None,
        }
    }

    /// Returns whether its services are started and nobody asked it to stop.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    /// Returns whether it was asked to stop, or killed.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(
            self.state,
            State::Stopping { .. } | State::Aborted { .. } | State::Killed
        )
    }
}

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
                beat: now,
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
    pub(super) fn ask_to_stop(&mut self, now: Time, id: WorkerId, limit: Option<Duration>) {
        self.send_away(id, limit, killed_at(now, limit));
    }

    /// As [`ask_to_stop`](Self::ask_to_stop), and kills it at `deadline`.
    pub(super) fn send_away(
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
