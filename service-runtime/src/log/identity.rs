//! Who writes a line: the process's role, set once after its fork, and its pid.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The role of a process, as its log lines tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The one process of a program.
    Alone,
    /// The process that holds the workers.
    Supervisor,
    /// The worker in this slot.
    Worker(usize),
}

/// The role of this process: [`ALONE`], [`SUPERVISOR`], or [`FIRST_SLOT`] plus the slot.
static ROLE: AtomicUsize = AtomicUsize::new(ALONE);
const ALONE: usize = 0;
const SUPERVISOR: usize = 1;
const FIRST_SLOT: usize = 2;

/// Sets what the lines of this process say from now on.
pub(crate) fn identify(identity: Identity) {
    let role = match identity {
        Identity::Alone => ALONE,
        Identity::Supervisor => SUPERVISOR,
        Identity::Worker(slot) => slot.saturating_add(FIRST_SLOT),
    };
    ROLE.store(role, Ordering::Relaxed);
}

/// Returns what [`identify`] set in this process, or in the one that it was forked from.
pub(super) fn current() -> Identity {
    match ROLE.load(Ordering::Relaxed) {
        ALONE => Identity::Alone,
        SUPERVISOR => Identity::Supervisor,
        role => Identity::Worker(role - FIRST_SLOT),
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Asked anew for every line: it differs after a fork.
        let pid = std::process::id();
        match self {
            Self::Alone => write!(f, "pid={pid}"),
            Self::Supervisor => write!(f, "supervisor pid={pid}"),
            Self::Worker(slot) => write!(f, "slot={slot} pid={pid}"),
        }
    }
}
