//! Leases: something that one worker of the cluster has at a time, with a number that grows.
//!
//! [`tenure`] is what a holder knows by its own clock, [`row`] what the store does; both are pure, and the
//! simulation runs them against each other. What a holder writes under its lease carries the fencing number,
//! and the store takes nothing under an old one ([`Lease::save`]); other systems can check it in the same way.

mod granted;
mod hold;
pub(super) mod row;
mod task_lease;
pub(super) mod tenure;
#[cfg(test)]
mod tests;

pub use self::granted::{Lease, LeaseError, LeaseRequest};
pub(crate) use self::hold::release_all;
pub(crate) use self::task_lease::{TaskLease, current};
