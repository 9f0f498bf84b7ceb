//! What runs once in the program: in the worker that leads its pool, under a lock.

use std::sync::atomic::Ordering;

use crate::os::process::process_lock::{ProcessLock, ProcessLocks};
use crate::os::process::shared_page::Page;

/// Who runs what runs once in the program.
pub(crate) struct Leads {
    pub(crate) page: Page,
    /// The number of this worker's pool.
    pub(crate) pool: usize,
    pub(crate) locks: ProcessLocks,
}

impl Leads {
    /// Takes the lock of a task, if this worker leads and no other still runs it.
    pub(crate) fn lock(&self, task: &str) -> Option<ProcessLock> {
        let leader = self.page.header().leaders.get(self.pool)?;
        if leader.load(Ordering::Acquire) != std::process::id() {
            return None;
        }
        self.locks.take(number(task))
    }

    /// Returns whether the whole program stops.
    pub(crate) fn program_ends(&self) -> bool {
        self.page.header().ends.load(Ordering::Acquire)
    }
}

/// Returns the number of a task's lock, the same in every process of the program (FNV-1a).
fn number(task: &str) -> u32 {
    let hash = task.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    // The place of a record lock is a signed number.
    hash & 0x7fff_ffff
}
