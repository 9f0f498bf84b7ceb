//! The operating system: fork, wait, signals sent and blocked, descriptors passed, memory shared.
//!
//! What must stay true:
//! - Nothing outside this room forks. Nothing in it starts a thread but `thread`, for a process that
//!   forks no more.
//! - All unsafe code of the crate that touches processes is here, one operation a block.

#[cfg(target_os = "linux")]
pub(crate) mod channel;
#[cfg(target_os = "linux")]
pub(crate) mod child;
#[cfg(target_os = "linux")]
pub(crate) mod clock;
#[cfg(target_os = "linux")]
pub(crate) mod command;
pub(crate) mod counter_memory;
pub(crate) mod counters;
#[cfg(target_os = "linux")]
pub(crate) mod cpus;
#[cfg(target_os = "linux")]
pub(crate) mod credentials;
pub(crate) mod environment;
pub(crate) mod exit;
#[cfg(target_os = "linux")]
pub(crate) mod fork;
pub(crate) mod inherited;
#[cfg(target_os = "linux")]
pub(crate) mod look;
pub(crate) mod mask;
#[cfg(target_os = "linux")]
pub(crate) mod memory;
#[cfg(target_os = "linux")]
pub(crate) mod page;
#[cfg(target_os = "linux")]
pub(crate) mod process_lock;
#[cfg(target_os = "linux")]
pub(crate) mod program;
#[cfg(target_os = "linux")]
pub(crate) mod reap;
#[cfg(target_os = "linux")]
pub(crate) mod signalfd;
pub(crate) mod thread;
#[cfg(target_os = "linux")]
pub(crate) mod threads;
