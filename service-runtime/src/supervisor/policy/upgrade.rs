//! An upgrade: the program file is started anew, and takes over when it is ready.

use super::{Action, Busy, LogEvent, Machine, Phase, Time};

impl Machine {
    /// Begins an upgrade, unless something else is under way.
    pub(super) fn begin_upgrade(&mut self, now: Time) {
        if self.is_stopping() {
            return;
        }
        if let Some(busy) = self.upgrade_waits_for() {
            self.log(LogEvent::UpgradeRefused(busy));
            return;
        }
        let limit = self.policy.upgrade;
        self.upgrade = Some(limit.map(|limit| now.saturating_add(limit)));
        self.act(Action::Upgrade);
    }

    /// Returns what an upgrade that is asked for now would have to wait for.
    pub(super) fn upgrade_waits_for(&self) -> Option<Busy> {
        match self.phase {
            _ if self.upgrade.is_some() => Some(Busy::Upgrading),
            _ if self.is_reloading() || self.reload_wanted => Some(Busy::Reloading),
            Phase::Starting => Some(Busy::Starting),
            _ => None,
        }
    }

    /// Hands over to the program that was started anew, or goes on without it.
    pub(super) fn upgraded(&mut self, now: Time, result: Result<(), ()>) {
        if self.upgrade.take().is_none() {
            return;
        }
        if result.is_err() {
            self.log(LogEvent::UpgradeFailed);
            return;
        }
        self.log(LogEvent::Upgraded);
        self.act(Action::HandOver {
            reload: self.reload_wanted,
        });
        self.replaced = true;
        self.stop(now);
    }

    pub(super) fn expire_upgrade(&mut self, now: Time) {
        let deadline = self.upgrade.flatten();
        if deadline.is_some_and(|deadline| deadline <= now) {
            self.upgrade = None;
            self.act(Action::CancelUpgrade);
            self.log(LogEvent::UpgradeTimedOut(
                self.policy.upgrade.unwrap_or_default(),
            ));
        }
    }
}
