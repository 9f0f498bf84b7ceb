//! Signals, as what an operator asks a supervisor for.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::Signal;

use super::component::Component;
use super::policy::{Request, Time};
use crate::os::process::signalfd::{Received, SignalQueue};
use crate::status::History;

/// The signals that the supervisor receives.
pub(super) struct SignalRequests {
    signals: SignalQueue,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalRequest {
    /// Something for the policy.
    Policy(Request),
    /// A report.
    Report,
}

impl SignalRequests {
    pub(super) fn new(signals: SignalQueue) -> Self {
        Self { signals }
    }
}

impl Component for SignalRequests {
    type Event = Received;

    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.signals.as_fd()]
    }

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn events(&mut self, _now: Time, _ready: &[bool]) -> Vec<Received> {
        let next = || self.signals.next().ok().flatten();
        std::iter::from_fn(next)
            // The end of a child is told by the child's own descriptor.
            .filter(|received| received.signal != Signal::SIGCHLD)
            .collect()
    }
}

impl SignalRequest {
    /// Reads a signal, logs who sent it, and keeps it for reports.
    pub(super) fn read(received: Received, history: &mut History) -> Option<Self> {
        history.signal(received.signal, received.sender);
        let Received { signal, sender } = received;
        let (request, what) = match signal {
            Signal::SIGTERM => (Self::Policy(Request::Stop), "TERM: stops gracefully"),
            Signal::SIGQUIT => (Self::Policy(Request::Stop), "QUIT: stops gracefully"),
            Signal::SIGINT => (Self::Policy(Request::Quit), "INT: exits at once"),
            Signal::SIGHUP => (Self::Policy(Request::Reload), "HUP: reloads"),
            Signal::SIGTTIN => (Self::Policy(Request::More), "TTIN: one worker more"),
            Signal::SIGTTOU => (Self::Policy(Request::Fewer), "TTOU: one worker fewer"),
            Signal::SIGUSR2 => (Self::Policy(Request::Upgrade), "USR2: upgrades"),
            Signal::SIGUSR1 => (Self::Report, "USR1: reports"),
            _ => {
                tracing::warn!(%sender, %signal, "signal without a meaning here");
                return None;
            }
        };
        tracing::info!(%sender, "{what}");
        Some(request)
    }
}
