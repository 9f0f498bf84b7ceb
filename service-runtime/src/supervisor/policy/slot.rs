//! Slots and the workers in them.

use std::time::Duration;

use super::{PoolId, Time, WorkerId};

/// How long a worker has, when its time is up, to say what still runs and to end by itself.
const KILL_GRACE: Duration = Duration::from_millis(300);

/// A worker's place; it outlives the worker in it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Whose workers it takes.
    pub(super) pool: PoolId,
    /// Its number among the slots of the pool.
    pub(super) number: usize,
    /// Whether the slot is to have a worker.
    pub(super) active: bool,
    /// Whether it stays empty until an operator says otherwise; it is not active then.
    pub(super) held: bool,
    /// The worker that counts.
    pub(super) holder: Option<WorkerId>,
    /// The one that takes its place as soon as it is ready.
    pub(super) successor: Option<WorkerId>,
    /// Whether only a reload may fill it, for its pool is new.
    pub(super) fresh: bool,
    /// The generation that the slot's next worker belongs to.
    pub(super) generation: u64,
    /// Young deaths in a row.
    pub(super) early_deaths: u32,
    /// Refused forks in a row.
    pub(super) refused: u32,
    /// When the slot gets its next worker.
    pub(super) retry_at: Option<Time>,
    /// Workers in a row that reached a limit of their life as soon as they were ready.
    pub(super) early_recycles: u32,
    /// Failed successors of a worker that is to be replaced for a limit, in a row.
    pub(super) recycle_failed: u32,
    /// When the next successor of such a worker is tried.
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
    pub(super) heartbeat: Time,
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
            held: false,
            holder: None,
            successor: None,
            fresh: false,
            generation,
            early_deaths: 0,
            refused: 0,
            retry_at: None,
            early_recycles: 0,
            recycle_failed: 0,
            recycle_at: None,
        }
    }

    /// Returns whether it has or is to have a worker, or is held empty.
    pub(super) fn is_used(&self) -> bool {
        self.active || self.held
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

/// Returns when a worker is killed that was asked to stop within this limit.
pub(super) fn killed_at(now: Time, limit: Option<Duration>) -> Option<Time> {
    limit.map(|limit| now.saturating_add(limit).saturating_add(KILL_GRACE))
}
