//! Workers whose runtime stands still.

use std::time::Duration;

use super::{Action, Machine, Note, State, Time, Worker, WorkerId};

/// How long an aborted worker has to leave a core before it is killed.
const ABORTED: Duration = Duration::from_secs(5);

impl Machine {
    /// Returns whether some heartbeat looks overdue, so that [`Event::Beats`](super::Event::Beats)
    /// has to come before anything else.
    pub(crate) fn wants_beats(&self, now: Time) -> bool {
        self.next_heart().is_some_and(|at| at <= now)
    }

    pub(super) fn beats(&mut self, beats: Vec<(WorkerId, Time)>) {
        for (id, at) in beats {
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.beat = worker.beat.max(at);
            }
        }
    }

    /// Gives every worker a fresh interval: the machine, or all of the program, was suspended.
    pub(super) fn resumed(&mut self, now: Time) {
        for worker in self.workers.values_mut() {
            worker.beat = now;
        }
    }

    /// Returns when the next heartbeat is overdue.
    pub(super) fn next_heart(&self) -> Option<Time> {
        if self.is_stopping() {
            return None;
        }
        let ready = self.workers.values().filter(|worker| worker.is_ready());
        ready
            .filter_map(|worker| {
                let limit = self.pool_of(worker.slot).heartbeat?;
                Some(worker.beat.saturating_add(limit))
            })
            .min()
    }

    /// Aborts the workers that hang; their slots get others at once.
    pub(super) fn abort_hung(&mut self, now: Time) {
        let is_late = |worker: &&Worker| {
            let limit = self.pool_of(worker.slot).heartbeat;
            limit.is_some_and(|limit| worker.beat.saturating_add(limit) <= now)
        };
        let hung: Vec<WorkerId> = self
            .workers
            .values()
            .filter(|worker| worker.is_ready())
            .filter(is_late)
            .map(|worker| worker.id)
            .collect();
        for id in hung {
            let Some(worker) = self.workers.get_mut(&id) else {
                continue;
            };
            worker.state = State::Aborted {
                deadline: now.saturating_add(ABORTED),
            };
            let still = now.saturating_sub(worker.beat);
            let slot = worker.slot;
            self.note(Note::Hung(id, still));
            self.act(Action::Abort(id));
            let slot = &mut self.slots[slot];
            if slot.holder == Some(id) {
                slot.holder = None;
                slot.retry_at = Some(now);
            }
        }
    }
}
