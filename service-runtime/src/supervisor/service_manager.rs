//! What the service manager is told, and whoever else has to know that this process speaks for the
//! program, or does so no more.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::event_loop::{EventLoop, Flow};
use super::log_events::status;
use super::policy::{Announcement, Event, Request};
use crate::notify::MORE_TIME_EVERY;
use crate::upgrade::Predecessor;
use crate::upgrade::kept_sockets;

/// How soon a service manager that was too busy is told again.
const UNHEARD: Duration = Duration::from_millis(200);

impl EventLoop {
    /// Tells the service manager what it was too busy to hear, and that the workers are alive.
    pub(super) fn speak(&mut self) {
        let now = self.now();
        let delivered = self.notifier.flush();
        let again = (!delivered).then(|| now + UNHEARD);
        let half = self
            .notifier
            .watchdog_interval()
            .map(|interval| interval / 2);
        if half.is_some_and(|half| now >= self.fed + half) {
            self.fed = now;
            if self.machine.is_stopping() || self.is_alive(now) {
                self.notifier.watchdog();
            }
        }
        let extend = self.machine.is_stopping().then(|| {
            if now >= self.extend_at {
                self.notifier.extend_timeout();
                self.extend_at = now + MORE_TIME_EVERY;
            }
            self.extend_at
        });
        self.speak_at = again
            .into_iter()
            .chain(half.map(|half| self.fed + half))
            .chain(extend)
            .min();
    }

    /// Cleans up what outlives this process; what another process has, or keeps, is left to it.
    pub(super) fn leave(&self) {
        self.kill_dismissed();
        if let Some(predecessor) = &self.predecessor {
            let why = self.failure.as_deref();
            predecessor.failed(why.unwrap_or("it was told to stop"));
        } else if !self.upgrade.handed_over && !self.notifier.keeps_sockets() {
            self.listeners.remove_socket_files();
        }
    }

    /// Speaks for the program as soon as the process before leaves it the field.
    pub(super) fn complete_takeover(&mut self) -> Flow {
        let is_ready = self.machine.is_serving();
        let granted = self.predecessor.as_ref().filter(|_| is_ready);
        let Some(granted) = granted.and_then(Predecessor::granted) else {
            return ControlFlow::Continue(());
        };
        self.predecessor = None;
        tracing::info!("this process has taken over");
        self.notifier.unmute();
        // What was bound and closed meanwhile.
        for held in self.listeners.iter() {
            kept_sockets::store(&self.notifier, held);
        }
        for name in std::mem::take(&mut self.forgotten) {
            self.notifier.forget(&name);
        }
        if let Some(file) = &self.pid_file
            && let Err(error) = file.rewrite(std::process::id())
        {
            tracing::error!("the pid file is not this process's: {error}");
        }
        for (pool, leader) in self.machine.leaders() {
            self.lead(pool, Some(leader));
        }
        self.notifier.ready(&status(&self.machine, &self.pools));
        if granted.reload {
            return self.feed(Event::Asked(Request::Reload));
        }
        ControlFlow::Continue(())
    }

    pub(super) fn announce(&mut self, announcement: Announcement) {
        match announcement {
            Announcement::Ready => {
                if let Some(predecessor) = &self.predecessor {
                    predecessor.ready();
                }
                tracing::info!("ready: {}", status(&self.machine, &self.pools));
                self.notifier.ready(&status(&self.machine, &self.pools));
            }
            Announcement::Reloading => self.notifier.reloading(),
            Announcement::Stopping => {
                self.notifier.stopping();
                let outlives = |held| kept_sockets::outlives(&self.notifier, held);
                // A queue that outlives the program stays open for whoever comes next.
                if !self.listeners.iter().any(outlives) {
                    self.page.header().ends.store(true, Ordering::Release);
                }
                // From now on the last worker that accepts decides when clients are refused.
                self.listeners.close_all();
            }
        }
    }
}
