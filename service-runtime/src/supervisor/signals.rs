//! Signals, as what an operator asks a supervisor for.

use nix::sys::signal::Signal;

use super::policy::Request;
use crate::os::process::signalfd::Received;

/// What a signal means here.
pub(super) enum Order {
    /// Something for the machine.
    Request(Request),
    /// Log how everybody is.
    Report,
    /// A child has ended; its own descriptor tells which.
    Child,
    /// Nothing yet.
    Unknown,
}

impl Order {
    /// Reads a signal and logs who sent it.
    pub(super) fn of(received: Received) -> Self {
        let Received { signal, sender } = received;
        let (order, what) = match signal {
            Signal::SIGTERM => (Self::Request(Request::Stop), "TERM: stops gracefully"),
            Signal::SIGINT => (Self::Request(Request::Quit), "INT: exits at once"),
            Signal::SIGHUP => (Self::Request(Request::Reload), "HUP: reloads"),
            Signal::SIGTTIN => (Self::Request(Request::More), "TTIN: one worker more"),
            Signal::SIGTTOU => (Self::Request(Request::Fewer), "TTOU: one worker fewer"),
            Signal::SIGUSR2 => (Self::Request(Request::Upgrade), "USR2: upgrades"),
            Signal::SIGUSR1 => (Self::Report, "USR1: reports"),
            Signal::SIGCHLD => return Self::Child,
            _ => {
                tracing::warn!(%sender, %signal, "signal without a meaning here");
                return Self::Unknown;
            }
        };
        tracing::info!(%sender, "{what}");
        order
    }
}
