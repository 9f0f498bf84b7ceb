//! Sockets that the service manager keeps over a restart of the program.

use crate::listen::{Address, Held};
use crate::notify::Notifier;

/// Returns whether a socket may be in use when this program has ended: the service manager passed it, or
/// may have kept it.
pub(crate) fn outlives(notifier: &Notifier, held: &Held) -> bool {
    held.name().is_some() || notifier.may_keep_sockets() && name(notifier, held).is_some()
}

/// Gives the service manager a new socket to keep over a restart of the program.
pub(crate) fn store(notifier: &Notifier, held: &Held) {
    if let Some(name) = name(notifier, held) {
        notifier.store(held.fd(), &name);
    }
}

/// Returns the name under which the service manager keeps a socket, if it can.
///
/// The file of a unix socket is removed at the end of a program, unless the manager has said that it
/// keeps sockets; so is a port that was chosen at random of no use to anybody.
pub(crate) fn name(notifier: &Notifier, held: &Held) -> Option<String> {
    let is_kept = match held.address() {
        Address::Tcp(_) | Address::Any(_) => held.address().port() != Some(0),
        Address::Unix(_) => notifier.keeps_sockets(),
        Address::Abstract(_) | Address::Host(..) | Address::Systemd(_) => false,
    };
    // A name of the protocol has no colon in it, and at most 255 characters.
    let name = held.address().to_string().replace(':', "-");
    let is_name = name.len() <= 255 && name.bytes().all(|byte| (b' '..127).contains(&byte));
    (is_kept && is_name && held.slot().is_none() && held.name().is_none()).then_some(name)
}
