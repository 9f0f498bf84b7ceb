//! Who writes a line: the process's role, set once after its fork, and its pid.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::quote::Quoted;

/// The role of a process, as its log lines tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The one process of a program.
    Alone,
    /// The process that holds the workers.
    Supervisor,
    /// The worker in this slot.
    Worker(usize),
    /// The process that answers on the control socket.
    #[cfg(feature = "control")]
    Control,
}

/// The role of this process: [`ALONE`], [`SUPERVISOR`], [`CONTROL`], or [`FIRST_SLOT`] plus the slot.
static ROLE: AtomicUsize = AtomicUsize::new(ALONE);
const ALONE: usize = 0;
const SUPERVISOR: usize = 1;
#[cfg_attr(
    not(feature = "control"),
    expect(dead_code, reason = "nobody is told it")
)]
const CONTROL: usize = 2;
const FIRST_SLOT: usize = 3;

/// Sets what the lines of this process say from now on.
pub(crate) fn identify(identity: Identity) {
    let role = match identity {
        Identity::Alone => ALONE,
        Identity::Supervisor => SUPERVISOR,
        Identity::Worker(slot) => slot.saturating_add(FIRST_SLOT),
        #[cfg(feature = "control")]
        Identity::Control => CONTROL,
    };
    ROLE.store(role, Ordering::Relaxed);
}

/// The service whose worker this process is, if it is not shared by several.
static POOL: OnceLock<String> = OnceLock::new();

/// Names the service whose worker this process is, in every line from now on.
#[cfg(workers)]
pub(crate) fn identify_pool(service: &str) {
    // A worker belongs to one pool for its whole life.
    let _ = POOL.set(service.to_owned());
}

/// Returns what [`identify_pool`] set in this process.
pub(super) fn pool() -> Option<&'static str> {
    POOL.get().map(String::as_str)
}

/// Returns what [`identify`] set in this process, or in the one that it was forked from.
pub(super) fn current() -> Identity {
    match ROLE.load(Ordering::Relaxed) {
        ALONE => Identity::Alone,
        SUPERVISOR => Identity::Supervisor,
        #[cfg(feature = "control")]
        CONTROL => Identity::Control,
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
            #[cfg(feature = "control")]
            Self::Control => write!(f, "control pid={pid}"),
            Self::Worker(slot) => match pool() {
                Some(pool) => write!(f, "slot={slot} of={} pid={pid}", Quoted(pool)),
                None => write!(f, "slot={slot} pid={pid}"),
            },
        }
    }
}
