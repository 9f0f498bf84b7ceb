//! The operating system: processes, descriptors, shared memory, signals. The only module with unsafe code.

pub(crate) mod process;
pub(crate) mod signal;
