//! Which signals are blocked, and what happens to those that are not.
#![expect(
    unsafe_code,
    reason = "changing what a signal does is unsafe: a handler may run anywhere"
)]

use std::sync::{Condvar, Mutex, PoisonError};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// Every signal that a launcher acts on.
pub(crate) const HANDLED: [Signal; 8] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];

/// Blocks every signal that a launcher acts on, and SIGCHLD, in this thread.
///
/// Whatever mask was inherited is replaced, so that a program started with signals blocked behaves
/// as always.
pub(crate) fn block_handled() -> nix::Result<SigSet> {
    let set = handled();
    set.thread_set_mask()?;
    Ok(set)
}

/// Whether this process's handlers stand, so that its threads may take signals.
static HANDLERS_STAND: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Says that the handlers stand, and unblocks every signal in this thread.
pub(crate) fn handlers_stand() -> nix::Result<()> {
    *HANDLERS_STAND
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = true;
    HANDLERS_STAND.1.notify_all();
    unblock_all()
}

/// Waits until the handlers stand, and unblocks every signal in this thread.
///
/// For the threads of a runtime, which are there before the handlers: a mask that stayed with them
/// would be that of every program that an author's task starts.
pub(crate) fn unblock_when_handled() {
    let stand = HANDLERS_STAND
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let stand = HANDLERS_STAND.1.wait_while(stand, |stand| !*stand);
    drop(stand);
    // A thread that keeps its mask still works.
    let _ = unblock_all();
}

/// Unblocks every signal in this thread; threads that it starts later inherit that.
pub(crate) fn unblock_all() -> nix::Result<()> {
    SigSet::empty().thread_set_mask()
}

/// Sets every signal that may have been inherited as ignored back to its default, but SIGPIPE,
/// which is ignored: a closed log must not end a program.
pub(crate) fn reset_dispositions() -> nix::Result<()> {
    for signal in HANDLED.into_iter().chain([Signal::SIGCHLD]) {
        set(signal, SigHandler::SigDfl)?;
    }
    set(Signal::SIGPIPE, SigHandler::SigIgn)
}

fn handled() -> SigSet {
    HANDLED.into_iter().chain([Signal::SIGCHLD]).collect()
}

fn set(signal: Signal, handler: SigHandler) -> nix::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler is the default action or none at all, so no code of ours runs in it.
    unsafe { sigaction(signal, &action) }.map(drop)
}
