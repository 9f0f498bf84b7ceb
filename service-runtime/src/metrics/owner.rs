//! Who writes an arena: one word in its header, which tells a process from any other that had its number.

use std::num::NonZeroU64;
#[cfg(workers)]
use std::sync::atomic::{AtomicU64, Ordering};

/// Set by a supervisor that keeps an arena for a worker which it is about to fork.
const CLAIMED: u64 = 1 << 63;

/// How many of the bits of the time at which a process was started are kept, in the kernel's ticks.
const TICKS: u64 = (1 << 31) - 1;

/// The word of a process that writes an arena, or of one that keeps it for a process to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(NonZeroU64);

impl Owner {
    /// Returns what a header holds; `None` if nobody has the arena.
    pub(super) fn of(word: u64) -> Option<Self> {
        NonZeroU64::new(word).map(Self)
    }

    /// Returns this process, as a writer.
    pub(super) fn own() -> Self {
        let pid = std::process::id();
        let word = u64::from(pid) | (started(pid).unwrap_or(0) & TICKS) << 32;
        // No process is number 0.
        Self(NonZeroU64::new(word).unwrap_or(NonZeroU64::MAX))
    }

    /// Returns this process, as one that keeps an arena for another.
    #[cfg(workers)]
    pub(super) fn claim() -> Self {
        /// The word of the last process that asked: every fork begins with that of its parent.
        static KNOWN: AtomicU64 = AtomicU64::new(0);

        match Self::of(KNOWN.load(Ordering::Relaxed)) {
            Some(known) if known.pid() == std::process::id() => known,
            _ => {
                let claim = Self(Self::own().0 | CLAIMED);
                KNOWN.store(claim.word(), Ordering::Relaxed);
                claim
            }
        }
    }

    /// Returns the word for a header.
    pub(super) fn word(self) -> u64 {
        self.0.get()
    }

    /// Returns the number of the process.
    #[cfg(any(workers, test))]
    pub(crate) fn pid(self) -> u32 {
        (self.0.get() & u64::from(u32::MAX)) as u32
    }

    /// Returns whether the process only keeps the arena for another.
    pub(super) fn is_claim(self) -> bool {
        self.0.get() & CLAIMED != 0
    }

    /// Returns whether the process lives; one that is dead and not yet reaped does not.
    #[cfg(workers)]
    pub(super) fn is_alive(self) -> bool {
        let ticks = self.0.get() >> 32 & TICKS;
        match started(self.pid()) {
            Some(started) => ticks == 0 || started & TICKS == ticks,
            // Without /proc the number alone has to do.
            None => ticks == 0 && exists(self.pid()),
        }
    }
}

#[cfg(workers)]
fn started(pid: u32) -> Option<u64> {
    crate::os::process::procfs::started(pid)
}

#[cfg(not(workers))]
fn started(_pid: u32) -> Option<u64> {
    None
}

#[cfg(workers)]
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).map(nix::unistd::Pid::from_raw);
    pid.is_ok_and(|pid| nix::sys::signal::kill(pid, None) != Err(nix::errno::Errno::ESRCH))
}

#[cfg(all(test, workers))]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_that_had_its_number_before_does_not() {
        let own = Owner::own();
        assert!(own.is_alive());
        assert_eq!(own.pid(), std::process::id());
        let before = Owner::of(own.word() ^ 1 << 32).unwrap();
        assert_eq!(before.pid(), own.pid());
        assert!(!before.is_alive());
    }

    #[test]
    fn a_claim_is_of_the_same_process() {
        let claim = Owner::claim();
        assert!(claim.is_claim() && !Owner::own().is_claim());
        assert!(claim.is_alive());
    }
}
