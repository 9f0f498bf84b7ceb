//! What the service manager is told: systemd's notify protocol.
//!
//! No message is worth a failure or a wait. What cannot be delivered is a debug line in the log;
//! only a message that changes the state of the unit is kept and tried again, if the manager was
//! too busy to take it.

mod target;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
#[cfg(workers)]
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;

use target::Target;

/// The variables of the protocol.
///
/// `FDSTORE` is not removed: it tells children nothing that could mislead them.
///
/// Whoever makes a [`Notifier`] removes these from the environment before it starts a thread or a
/// child, so that no child speaks to the manager in the program's name.
pub(crate) const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// How much time the manager is asked for while a stop goes on.
const MORE_TIME: Duration = Duration::from_secs(15);

/// How often it is asked for: three times in each.
pub(crate) const MORE_TIME_EVERY: Duration = Duration::from_secs(5);

/// How many messages are kept for a busy manager; older ones give way.
const KEPT: usize = 8;

/// Speaks to the service manager, if there is one.
#[derive(Debug)]
pub(crate) struct Notifier {
    target: Option<Target>,
    /// Where the manager's socket is, for a process that is to take over.
    socket: Option<OsString>,
    /// Whether the manager has said that it keeps sockets.
    keeps_sockets: bool,
    /// Another process speaks for the program.
    muted: AtomicBool,
    watchdog: Option<Duration>,
    unsent: Mutex<VecDeque<String>>,
}

/// Whether a message must reach the manager.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// The state of the unit depends on it.
    Kept,
    /// The next one says the same again.
    Passing,
}

impl Notifier {
    /// Reads the manager's socket and watchdog interval from the environment.
    pub(crate) fn from_env() -> Self {
        Self::from_vars(|name| std::env::var_os(name), std::process::id())
    }

    /// Reads the same from any set of variables, for the process `pid`.
    fn from_vars(get: impl Fn(&str) -> Option<OsString>, pid: u32) -> Self {
        let number = |name: &str| get(name)?.to_str()?.parse::<u64>().ok();
        let ours = get("WATCHDOG_PID").is_none() || number("WATCHDOG_PID") == Some(pid.into());
        let watchdog = number("WATCHDOG_USEC").filter(|&interval| ours && interval > 0);
        let target = get("NOTIFY_SOCKET").filter(|path| !path.is_empty()).and_then(|path| {
            let opened = Target::open(&path);
            if let Err(error) = &opened {
                tracing::debug!(%error, socket = %path.display(), "cannot speak to the service manager");
            }
            opened.ok()
        });
        Self {
            target,
            socket: get("NOTIFY_SOCKET"),
            keeps_sockets: number("FDSTORE").is_some_and(|most| most > 0),
            muted: AtomicBool::new(false),
            watchdog: watchdog.map(Duration::from_micros),
            unsent: Mutex::default(),
        }
    }

    /// Returns the interval within which the manager wants to hear [`watchdog`](Self::watchdog).
    ///
    /// To be on the safe side the call comes twice in it.
    pub(crate) fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Says that the program is ready, at its start or after a reload.
    pub(crate) fn ready(&self, status: &str) {
        let status = one_line(status);
        self.send(
            Weight::Kept,
            &[NotifyState::Ready, NotifyState::Status(&status)],
        );
    }

    /// Says that a reload has begun; [`ready`](Self::ready) says that it has ended.
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.send(Weight::Kept, &[NotifyState::Reloading, now]),
            Err(error) => tracing::debug!(%error, "cannot read the monotonic clock"),
        }
    }

    /// Says that the program stops.
    pub(crate) fn stopping(&self) {
        self.send(Weight::Kept, &[NotifyState::Stopping]);
    }

    /// Says how the program is, in one line for `systemctl status`.
    pub(crate) fn status(&self, status: &str) {
        self.send(Weight::Passing, &[NotifyState::Status(&one_line(status))]);
    }

    /// Says that the program is alive.
    pub(crate) fn watchdog(&self) {
        self.send(Weight::Passing, &[NotifyState::Watchdog]);
    }

    /// Asks for more time: the program is not stuck, and says so again [soon](MORE_TIME_EVERY).
    pub(crate) fn extend_timeout(&self) {
        let micros = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
        self.send(Weight::Passing, &[NotifyState::ExtendTimeoutUsec(micros)]);
    }

    /// Says that another process is the program's main one from now on.
    pub(crate) fn main_pid(&self, pid: i32) {
        let pid = pid.unsigned_abs();
        self.send(Weight::Kept, &[NotifyState::MainPid(pid)]);
    }

    /// Gives the manager a socket to keep over a restart, under this name.
    #[cfg(workers)]
    pub(crate) fn store(&self, fd: BorrowedFd<'_>, name: &str) {
        let message = format!("FDSTORE=1\nFDPOLL=0\nFDNAME={name}\n");
        if let Some(target) = self.target.as_ref().filter(|_| !self.is_muted())
            && let Err(error) = target.send_with(message.as_bytes(), fd)
        {
            tracing::debug!(%error, name, "the service manager did not take a socket to keep");
        }
    }

    /// Lets the manager forget the socket that it keeps under this name.
    #[cfg(workers)]
    pub(crate) fn forget(&self, name: &str) {
        self.send_text(Weight::Passing, format!("FDSTOREREMOVE=1\nFDNAME={name}\n"));
    }

    /// Returns whether the manager may keep sockets over a restart: it is there, and has not said otherwise.
    #[cfg(workers)]
    pub(crate) fn may_keep_sockets(&self) -> bool {
        self.target.is_some()
    }

    /// Returns whether the manager has said that it keeps sockets over a restart.
    ///
    /// systemd before 254 keeps them without saying so.
    pub(crate) fn keeps_sockets(&self) -> bool {
        self.keeps_sockets
    }

    /// Returns what the environment of a process holds that is to take over.
    #[cfg(workers)]
    pub(crate) fn variables(&self) -> Vec<(String, OsString)> {
        let socket = self.socket.clone();
        let socket = socket.map(|socket| ("NOTIFY_SOCKET".to_owned(), socket));
        let watchdog = self.watchdog.map(|interval| {
            let micros = interval.as_micros().to_string();
            ("WATCHDOG_USEC".to_owned(), micros.into())
        });
        socket.into_iter().chain(watchdog).collect()
    }

    /// Says nothing any more: another process speaks for the program.
    pub(crate) fn mute(&self) {
        self.muted.store(true, Ordering::Relaxed);
    }

    /// Speaks for the program again.
    pub(crate) fn unmute(&self) {
        self.muted.store(false, Ordering::Relaxed);
    }

    fn is_muted(&self) -> bool {
        self.muted.load(Ordering::Relaxed)
    }

    /// Tries again what the manager was too busy to take; returns whether all is delivered.
    ///
    /// Every other message does this first.
    pub(crate) fn flush(&self) -> bool {
        let mut unsent = self.unsent();
        while let Some(message) = unsent.front() {
            if self.deliver(message) == Delivery::Busy {
                return false;
            }
            unsent.pop_front();
        }
        true
    }

    fn send(&self, weight: Weight, states: &[NotifyState<'_>]) {
        let mut message = String::new();
        for state in states {
            writeln!(message, "{state}").expect("a string takes every text");
        }
        self.send_text(weight, message);
    }

    fn send_text(&self, weight: Weight, message: String) {
        // What was said before, and the manager was too busy to hear, is said again all the same.
        if self.is_muted() {
            return;
        }
        let busy = !self.flush() || self.deliver(&message) == Delivery::Busy;
        if busy && weight == Weight::Kept {
            let mut unsent = self.unsent();
            if unsent.len() == KEPT {
                unsent.pop_front();
            }
            unsent.push_back(message);
        }
    }

    fn deliver(&self, message: &str) -> Delivery {
        let Some(target) = &self.target else {
            return Delivery::Done;
        };
        match target.send(message.as_bytes()) {
            Ok(()) => Delivery::Done,
            Err(error) => {
                let message = message.trim_end();
                tracing::debug!(%error, message, "the service manager did not take a message");
                match error.kind() {
                    io::ErrorKind::WouldBlock => Delivery::Busy,
                    _ => Delivery::Done,
                }
            }
        }
    }

    fn unsent(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// It is delivered, or never will be.
    Done,
    /// The manager's queue is full.
    Busy,
}

/// Keeps a text from being read as further messages.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
