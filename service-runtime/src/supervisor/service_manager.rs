//! What the service manager is told, and when.

use std::ffi::OsString;
use std::time::Duration;

use super::policy::Time;
use crate::listen::Held;
use crate::notify::{MORE_TIME_EVERY, Notifier};
use crate::upgrade::kept_sockets;

/// How soon a message is sent again to a service manager that was too busy for it.
const RETRY: Duration = Duration::from_millis(200);

/// The service manager, as the supervisor speaks to it.
pub(super) struct ServiceManager {
    notifier: Notifier,
    /// The last status, without what a worker added.
    status: String,
    /// When the watchdog was last told that the workers are alive.
    watchdog_told: Time,
    /// When more time is asked for again, during a stop.
    extend_at: Time,
    /// When there is something to tell again.
    deadline: Option<Time>,
}

impl ServiceManager {
    pub(super) fn new(notifier: Notifier) -> Self {
        Self {
            notifier,
            status: String::new(),
            watchdog_told: Time::ZERO,
            extend_at: Time::ZERO,
            deadline: Some(Time::ZERO),
        }
    }

    /// Returns when [`tell`](Self::tell) has something to tell.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Sends what was held back, feeds the watchdog if the workers are alive, and asks for more time
    /// during a stop.
    pub(super) fn tell(&mut self, now: Time, is_stopping: bool, are_alive: impl Fn() -> bool) {
        let delivered = self.notifier.flush();
        let retry = (!delivered).then(|| now + RETRY);
        let interval = self.notifier.watchdog_interval();
        let half = interval.map(|interval| interval / 2);
        if half.is_some_and(|half| now >= self.watchdog_told + half) {
            self.watchdog_told = now;
            if is_stopping || are_alive() {
                self.notifier.watchdog();
            }
        }
        if is_stopping && now >= self.extend_at {
            self.notifier.extend_timeout();
            self.extend_at = now + MORE_TIME_EVERY;
        }
        self.deadline = retry
            .into_iter()
            .chain(half.map(|half| self.watchdog_told + half))
            .chain(is_stopping.then_some(self.extend_at))
            .min();
    }

    pub(super) fn ready(&self, status: &str) {
        self.notifier.ready(status);
    }

    pub(super) fn reloading(&self) {
        self.notifier.reloading();
    }

    pub(super) fn stopping(&self) {
        self.notifier.stopping();
    }

    /// Tells the status of the whole, if it has changed.
    pub(super) fn status(&mut self, status: String) {
        if status != self.status {
            self.notifier.status(&status);
            self.status = status;
        }
    }

    /// Tells what a service says of itself, behind the status of the whole.
    pub(super) fn service_status(&self, service: &str, text: &str) {
        let status = &self.status;
        self.notifier
            .status(&format!("{status}; {service}: {text}"));
    }

    /// Tells that another process speaks for the program from now on, and says no more.
    pub(super) fn leave_to(&self, pid: i32) {
        self.notifier.main_pid(pid);
        self.notifier.mute();
    }

    /// Gives the service manager a socket to keep over a restart.
    pub(super) fn store(&self, held: &Held) {
        kept_sockets::store(&self.notifier, held);
    }

    /// Returns whether a socket may be in use when this program has ended.
    pub(super) fn outlives(&self, held: &Held) -> bool {
        kept_sockets::outlives(&self.notifier, held)
    }

    /// Returns whether it has said that it keeps sockets.
    pub(super) fn keeps_sockets(&self) -> bool {
        self.notifier.keeps_sockets()
    }

    pub(super) fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Returns the variables by which a new process of the program finds the service manager.
    pub(super) fn variables(&self) -> Vec<(String, OsString)> {
        self.notifier.variables()
    }
}
