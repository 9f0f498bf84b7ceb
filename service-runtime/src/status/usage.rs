//! What a process uses, as it is seen from outside.

use nix::unistd::Pid;

use super::Row;
use crate::os::process::look;

/// Adds what a process uses to its row.
pub(crate) fn usage(row: Row, pid: Pid) -> Row {
    let memory = look::memory(pid);
    row.with("rss", memory.resident)
        .with("pss", memory.proportional)
        .with("descriptors", look::descriptors(pid))
        .with("threads", look::thread_count(pid))
        .with("traced", look::is_traced(pid))
}
