//! What the processes of one program say to each other, and the words they have in common.

#[cfg(feature = "control")]
pub(crate) mod control;
pub(crate) mod protocol;
#[cfg(workers)]
pub(crate) mod queued_channel;
mod recycle_limit;
mod worker_slot;

pub(crate) use recycle_limit::RecycleLimit;
pub(crate) use worker_slot::{PoolId, WorkerSlot};
