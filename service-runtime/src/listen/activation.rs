//! Sockets that systemd, or whoever speaks its protocol, passed to this process.
#![expect(
    unsafe_code,
    reason = "the protocol passes descriptors as numbers in the environment"
)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The variables of the protocol.
///
/// Whoever takes the sockets removes these from the environment before it starts a thread or
/// a child; to a child they would promise sockets that it does not have.
pub(crate) const VARIABLES: [&str; 4] = [
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
];

/// Why the sockets that were passed cannot be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot take the sockets that LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID promise")]
pub(crate) struct ActivationError(#[source] io::Error);

/// Set by the first call of [`take`].
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes every descriptor that was passed to this process, with its name, closed on exec.
///
/// Only the first call can return any. Variables that name another process are ignored.
pub(super) fn take() -> Result<Vec<(String, OwnedFd)>, ActivationError> {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let passed = sd_notify::listen_fds_with_names().map_err(ActivationError)?;
    let own = |(number, name)| {
        // SAFETY: the number must be an open descriptor with no other owner.
        // It is open: `listen_fds_with_names` has just set a flag on it and would have failed.
        // It has no owner: LISTEN_PID is this process, so the number was in use before `main`
        // and cannot have been given to anything that this program opened; and `TAKEN` lets
        // only one call of this function get here.
        (name, unsafe { OwnedFd::from_raw_fd(number) })
    };
    Ok(passed.map(own).collect())
}
