//! The operating system: processes, descriptors, shared memory, signals. The only module with unsafe code.

pub(crate) mod process;
pub(crate) mod signal;
#[cfg(all(feature = "control", workers))]
pub(crate) mod terminal;
pub(crate) mod unix_queue;
