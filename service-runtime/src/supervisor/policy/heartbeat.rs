//! Workers whose runtime stands still.

use std::time::Duration;

use super::{Action, LogEvent, Machine, State, Time, Worker, WorkerId};

/// How long an aborted worker has to leave a core before it is killed.
const ABORTED: Duration = Duration::from_secs(5);

/// How long after a missed heartbeat it is looked for again; hearts beat at least as often.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// Returns when a worker's heartbeat is missed first: so early that the second look is in time.
fn doubtful(worker: &Worker, limit: Duration) -> Time {
    worker
        .heartbeat
        .saturating_add(limit.saturating_sub(SECOND_LOOK))
}

impl Machine {
    /// Returns whether some heartbeat looks overdue, so that [`Event::Heartbeats`](super::Event::Heartbeats)
    /// has to come before anything else.
    pub(crate) fn wants_heartbeats(&self, now: Time) -> bool {
        self.next_heartbeat_check().is_some_and(|at| at <= now)
    }

    pub(super) fn heartbeats(&mut self, heartbeats: Vec<(WorkerId, Time)>) {
        for (id, at) in heartbeats {
            if let Some(worker) = self
                .workers
                .get_mut(&id)
                .filter(|worker| worker.heartbeat < at)
            {
                worker.heartbeat = at;
                worker.missed = None;
            }
        }
    }

    /// Gives every worker a fresh interval: the machine, or all of the program, was suspended.
    pub(super) fn resumed(&mut self, now: Time) {
        for worker in self.workers.values_mut() {
            worker.heartbeat = now;
            worker.missed = None;
        }
    }

    /// Returns when to look at the hearts again.
    pub(super) fn next_heartbeat_check(&self) -> Option<Time> {
        if self.is_stopping() {
            return None;
        }
        let ready = self.workers.values().filter(|worker| worker.is_ready());
        ready
            .filter_map(|worker| {
                let limit = self.pool_of(worker.slot).heartbeat?;
                Some(match worker.missed {
                    None => doubtful(worker, limit),
                    Some(missed) => missed.saturating_add(SECOND_LOOK),
                })
            })
            .min()
    }

    /// Aborts the workers that hang; their slots get others at once.
    ///
    /// A heartbeat is missed twice, with as much time between as the slowest heart needs: a program
    /// that was suspended and has just come back looks as if all of it hung.
    pub(super) fn abort_hung(&mut self, now: Time) {
        let mut hung = Vec::new();
        let limits: Vec<(WorkerId, Option<Duration>)> = self
            .workers
            .values()
            .filter(|worker| worker.is_ready())
            .map(|worker| (worker.id, self.pool_of(worker.slot).heartbeat))
            .collect();
        for (id, limit) in limits {
            let Some((worker, limit)) = self.workers.get_mut(&id).zip(limit) else {
                continue;
            };
            match worker.missed {
                _ if doubtful(worker, limit) > now => worker.missed = None,
                None => worker.missed = Some(now),
                Some(missed) if missed.saturating_add(SECOND_LOOK) <= now => hung.push(id),
                Some(_) => {}
            }
        }
        for id in hung {
            let Some(worker) = self.workers.get_mut(&id) else {
                continue;
            };
            worker.state = State::Aborted {
                deadline: now.saturating_add(ABORTED),
            };
            let still = now.saturating_sub(worker.heartbeat);
            let slot = worker.slot;
            self.log(LogEvent::Hung(id, still));
            self.act(Action::Abort(id));
            let slot = &mut self.slots[slot];
            if slot.holder == Some(id) {
                slot.holder = None;
                slot.retry_at = Some(now);
            }
        }
    }
}
