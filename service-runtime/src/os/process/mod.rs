//! The operating system: fork, wait, signals sent and blocked, descriptors passed, memory shared.
//!
//! What must stay true:
//! - Nothing outside this module forks. Nothing in it starts a thread but `thread`, for a process that
//!   forks no more.
//! - All unsafe code of the crate that touches processes is here, one operation a block.

#[cfg(feature = "metrics")]
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "only a service of HTTP shows metrics")
)]
pub(crate) mod arena;
#[cfg(workers)]
pub(crate) mod capabilities;
#[cfg(workers)]
pub(crate) mod channel;
#[cfg(workers)]
pub(crate) mod child;
#[cfg(workers)]
pub(crate) mod clock;
#[cfg(workers)]
pub(crate) mod command;
pub(crate) mod counter_memory;
pub(crate) mod counters;
#[cfg(workers)]
pub(crate) mod cpus;
#[cfg(workers)]
pub(crate) mod credentials;
pub(crate) mod environment;
pub(crate) mod exit;
pub(crate) mod file_lock;
#[cfg(workers)]
pub(crate) mod fork;
pub(crate) mod inherited;
pub(crate) mod mask;
#[cfg(workers)]
pub(crate) mod memory;
#[cfg(workers)]
pub(crate) mod process_lock;
#[cfg(workers)]
pub(crate) mod procfs;
#[cfg(workers)]
pub(crate) mod program;
#[cfg(workers)]
pub(crate) mod reap;
#[cfg(workers)]
pub(crate) mod shared_page;
#[cfg(workers)]
pub(crate) mod signalfd;
pub(crate) mod thread;
#[cfg(workers)]
pub(crate) mod threads;
