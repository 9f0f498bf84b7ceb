//! Where a worker belongs.

/// Which workers run the same services. A number is never used for other services.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PoolId(pub(crate) usize);

impl PoolId {
    /// The pool of all services that have none of their own.
    pub(crate) const SHARED: Self = Self(0);
}

/// The slot that a worker fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WorkerSlot {
    /// Its index among all slots of the supervisor.
    pub(crate) index: usize,
    /// Its pool.
    pub(crate) pool: PoolId,
    /// Its number among the slots of the pool.
    pub(crate) number: usize,
}
