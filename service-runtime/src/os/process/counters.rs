//! Numbers that a process counts.

use std::sync::atomic::AtomicU64;
#[cfg(workers)]
use std::sync::atomic::Ordering;

/// How many numbers a process may count besides its requests.
pub(crate) const COUNTERS: usize = 24;

/// The numbers of one process. What they mean is known above.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Counters {
    /// How many requests it has counted.
    pub(crate) requests: AtomicU64,
    /// What it counts of them.
    pub(crate) numbers: [AtomicU64; COUNTERS],
}

impl Counters {
    /// Sets all numbers to zero.
    #[cfg(workers)]
    pub(crate) fn clear(&self) {
        self.requests.store(0, Ordering::Release);
        for number in &self.numbers {
            number.store(0, Ordering::Release);
        }
    }
}
