//! What the processes of one program say to each other, and the words they have in common.

pub(crate) mod protocol;
#[cfg(workers)]
pub(crate) mod queued_channel;
mod worker_slot;

pub(crate) use worker_slot::{PoolId, WorkerSlot};
