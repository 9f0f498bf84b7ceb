//! The operating system: processes, descriptors, shared memory, signals. The only room with unsafe code.

pub(crate) mod process;
pub(crate) mod signal;
