//! The settings that the supervisor's decisions depend on.

use std::time::Duration;

use crate::ipc::PoolId;

pub(crate) use crate::service::RestartMethod;

/// The supervisor's part of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// What a reload does.
    pub(crate) method: RestartMethod,
    /// How long a stop of all may take; `None` for no limit.
    pub(crate) graceful: Option<Duration>,
    /// How many workers may die within which time before the launch ends; `None` for no limit.
    pub(crate) restart_limit: Option<(usize, Duration)>,
    /// How long a new program file may take to get ready; `None` for no limit.
    pub(crate) upgrade: Option<Duration>,
    /// The workers of all services that have no pool of their own.
    pub(crate) shared: Pool,
    /// The pools of single services, no two with the same id.
    pub(crate) own: Vec<Pool>,
}

/// The workers that run the same services, and how they are kept alive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pool {
    /// Which pool this is.
    pub(crate) id: PoolId,
    /// How many slots, at least 1.
    pub(crate) workers: usize,
    /// How long a replaced worker may take to stop; `None` for no limit.
    pub(crate) drain: Option<Duration>,
    /// How long a worker may take to get ready; `None` for no limit.
    pub(crate) start: Option<Duration>,
    /// The first delay of a slot whose workers die early.
    pub(crate) respawn_delay: Duration,
    /// The longest such delay.
    pub(crate) respawn_delay_max: Duration,
    /// A worker that was ready for less has died early.
    pub(crate) healthy_after: Duration,
    /// How many slots a reload replaces at the same time, at least 1.
    pub(crate) surge: usize,
    /// How long a ready worker's runtime may stand still; `None` for ever.
    pub(crate) heartbeat: Option<Duration>,
}

impl Policy {
    /// Goes through the pools, the shared one first.
    pub(crate) fn pools(&self) -> impl Iterator<Item = &Pool> {
        std::iter::once(&self.shared).chain(&self.own)
    }

    /// Returns a pool, or `None` if there is none of this id.
    pub(crate) fn pool(&self, id: PoolId) -> Option<&Pool> {
        self.pools().find(|pool| pool.id == id)
    }
}
