//! How a launch ends.

use std::time::Duration;

use super::slot::killed_at;
use super::{Action, Announcement, LaunchOutcome, LogEvent, Machine, Phase, State, Time, WorkerId};
use crate::stop_requests::{Requester, StopRequest};

/// How long killed workers are waited for.
const KILLED: Duration = Duration::from_millis(700);

impl Machine {
    /// Takes in a request to stop: begins a graceful stop, or ends at once if it is asked for again.
    pub(super) fn stop_requested(&mut self, now: Time) {
        match self.stop_requests.count(now, Requester::Other) {
            StopRequest::Begins => self.stop(now),
            StopRequest::Repeats => {}
            StopRequest::IsUrgent => self.quit(now, LaunchOutcome::Quit),
        }
    }

    /// Begins a graceful stop, if none has begun.
    pub(super) fn stop(&mut self, now: Time) {
        if self.is_stopping() {
            return;
        }
        self.stop_requests.begin();
        self.begin_end();
        let limit = self.policy.graceful;
        let deadline = killed_at(now, limit);
        self.phase = Phase::Stopping { deadline };
        for id in self.live() {
            if matches!(self.workers[&id].state, State::Aborted { .. }) {
                self.kill(id);
            }
            self.request_stop_by(id, limit, None);
        }
    }

    /// Kills every worker.
    pub(super) fn quit(&mut self, now: Time, outcome: LaunchOutcome) {
        if matches!(self.phase, Phase::Killing { .. } | Phase::Ended) {
            return;
        }
        self.begin_end();
        self.phase = Phase::Killing {
            deadline: now.saturating_add(KILLED),
            outcome,
        };
        for id in self.live() {
            self.kill(id);
        }
    }

    /// Ends when nobody is left, or when those left have had their time.
    pub(super) fn end_if_done(&mut self, now: Time) {
        match self.phase {
            Phase::Stopping { .. } if self.workers.is_empty() => {
                let clean = if self.replaced {
                    LaunchOutcome::Replaced
                } else {
                    LaunchOutcome::Stopped
                };
                self.end(self.outcome.unwrap_or(clean));
            }
            Phase::Stopping {
                deadline: Some(deadline),
            } if deadline <= now => {
                self.log(LogEvent::OutOfTime(self.live()));
                self.quit(now, LaunchOutcome::OutOfTime);
            }
            Phase::Killing { deadline, outcome } if self.workers.is_empty() || deadline <= now => {
                self.end(outcome);
            }
            _ => {}
        }
    }

    fn begin_end(&mut self) {
        if self.loading.take().is_some() {
            self.act(Action::CancelLoad);
        }
        self.rollout = None;
        self.mutation = None;
        self.reload_wanted = false;
        for slot in &mut self.slots {
            slot.retry_at = None;
            slot.recycle_at = None;
        }
        if self.upgrade.take().is_some() {
            self.act(Action::CancelUpgrade);
        }
        self.abandon_orders();
        // Whoever took over speaks for the program now.
        if !self.replaced {
            self.announce(Announcement::Stopping);
        }
    }

    fn end(&mut self, outcome: LaunchOutcome) {
        self.phase = Phase::Ended;
        self.act(Action::Exit(outcome));
    }

    fn live(&self) -> Vec<WorkerId> {
        self.workers.keys().copied().collect()
    }
}
