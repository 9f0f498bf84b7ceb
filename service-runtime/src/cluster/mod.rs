//! Records, membership and leases: what the services of many programs know of each other.
//!
//! A program takes part by `service_runtime::cluster!();` beside its `main`. Then each of its services has a
//! [`Record`] on this host and an entry for each worker, written again with each beat, in the store that
//! `[store] url` names: a file of SQLite by default, or PostgreSQL (feature `postgres`). The guide's page
//! `cluster` goes through it.
//!
//! | file or folder | what is in it |
//! | --- | --- |
//! | `store` | the two engines, the tables, addresses |
//! | `liveness.rs`, `lease/tenure.rs` | the pure rules of who is up, and of who holds a lease |
//! | `record.rs`, `member.rs`, `lease/row.rs` | the statements |
//! | `lifecycle.rs` | what is done when a service starts, beats and stops |
//! | `context.rs`, `members.rs`, `records.rs`, `lease` | what authors call |
//!
//! What must stay true:
//!
//! - Every stamp and every comparison of stamps is made by the store's clock. A host's clock decides only how
//!   long its own leases may be relied on, and that by a clock that never goes back.
//! - A drain is in the store before work is refused, and an entry leaves only after all work has ended.
//! - No call of a service waits for the store unless it asks for something of it.

mod clock;
mod config;
mod context;
mod handle;
mod lease;
pub(crate) mod lifecycle;
mod liveness;
mod member;
mod members;
mod process_identity;
mod program;
mod record;
mod records;
#[cfg(test)]
mod simulation;
mod store;

pub(crate) use self::config::sections;
pub use self::handle::ClusterError;
pub(crate) use self::lease::TaskLease;
pub use self::lease::{Lease, LeaseError, LeaseRequest};
pub use self::liveness::MemberState;
pub use self::member::Member;
pub use self::members::{Members, MembersOf};
#[doc(hidden)]
pub use self::program::Program;
pub use self::record::{Record, RecordError};
pub use self::records::Records;
pub use self::store::{Store, StoreError};

/// Returns the lease under which the calling run of a periodic task with `scope = "cluster"` runs.
///
/// Its fencing number goes with whatever the run writes elsewhere.
pub fn current_lease() -> Option<Lease> {
    lease::current()
}

/// The guide's page, whose programs are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/cluster.md")]
struct Guide;
