//! The stream of signals of a process with a runtime, as what they ask for.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use nix::sys::signal::Signal;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::Origin;
use signal_hook_tokio::SignalsInfo;

use crate::os::process::mask;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignalAction {
    /// TERM or QUIT: stop gracefully; a second time, at once.
    Stop,
    /// INT: stop at once.
    Quit,
    /// HUP: take the configuration of the moment.
    Reload,
    /// USR1: report.
    Report,
}

/// What a signal asks for, and who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// What is to be done.
    pub(crate) action: SignalAction,
    /// The name of the signal.
    pub(crate) signal: &'static str,
    /// The process that sent the signal; `None` for the kernel.
    pub(crate) pid: Option<i32>,
    /// Who sent the signal, in words.
    pub(crate) sender: String,
}

/// The signals that reach this process.
///
/// Every signal that any launcher acts on is caught, so that one that was meant for a supervisor
/// (`pkill -TTIN`) neither stops nor ends its workers.
pub(crate) struct Signals {
    stream: SignalsInfo<WithOrigin>,
}

impl Signals {
    /// Catches the signals, then unblocks them in this thread.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system, no descriptors above all.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub(crate) fn open() -> io::Result<Self> {
        mask::reset_dispositions()?;
        let stream = SignalsInfo::new(mask::HANDLED.map(|signal| signal as i32))?;
        mask::handlers_stand()?;
        Ok(Self { stream })
    }

    /// Waits for the next signal that asks for something.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a signal is taken only by the call that returns it.
    pub(crate) async fn next(&mut self) -> Received {
        use futures_core::Stream;
        loop {
            let origin = poll_fn(|cx| Pin::new(&mut self.stream).poll_next(cx)).await;
            let Some(origin) = origin else {
                // The stream ends only when it is closed, which nobody does.
                std::future::pending::<()>().await;
                continue;
            };
            if let Some(received) = Received::of(&origin) {
                return received;
            }
        }
    }
}

impl Received {
    fn of(origin: &Origin) -> Option<Self> {
        let signal = Signal::try_from(origin.signal).ok()?;
        let action = match signal {
            Signal::SIGTERM | Signal::SIGQUIT => SignalAction::Stop,
            Signal::SIGINT => SignalAction::Quit,
            Signal::SIGHUP => SignalAction::Reload,
            Signal::SIGUSR1 => SignalAction::Report,
            _ => return None,
        };
        let sender = match &origin.process {
            Some(process) => format!("pid {}, uid {}", process.pid, process.uid),
            None => "the kernel".to_owned(),
        };
        let pid = origin.process.map(|process| process.pid);
        Some(Self {
            action,
            signal: signal.as_str(),
            pid,
            sender,
        })
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").finish_non_exhaustive()
    }
}
