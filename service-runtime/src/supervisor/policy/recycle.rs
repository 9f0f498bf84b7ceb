//! Workers that have reached a limit of their life: requests, time or memory.
//!
//! The successor is ready before the worker is told to go. One slot of a pool at a time, and never
//! during a reload, which replaces every worker anyway.
//!
//! A limit that every worker reaches at once, such as less memory than the program needs, would replace
//! workers without end: one is replaced when it has been ready for a moment, and in a slot where that
//! happens in a row with a delay that grows as that of a respawn does.

use std::time::Duration;

use super::{LogEvent, Machine, PoolId, RecycleLimit, State, Time, WorkerId};

/// How long a worker has been ready at least when it is replaced for a limit.
const MINIMUM_AGE: Duration = Duration::from_secs(1);

impl Machine {
    /// Takes note that a ready worker has reached a limit, and decides when it may be replaced.
    pub(super) fn recycle_requested(&mut self, now: Time, id: WorkerId, limit: RecycleLimit) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let State::Ready { since } = worker.state else {
            return;
        };
        if std::mem::replace(&mut worker.recycle_requested, true) {
            return;
        }
        let index = worker.slot;
        let old_enough = self.old_enough_at(index, since);
        let pool = self.pool_of(index);
        if now >= old_enough {
            self.slots[index].early_recycles = 0;
            return;
        }
        let early = self.slots[index].early_recycles.saturating_add(1);
        let at = old_enough.saturating_add(pool.respawn_after(early));
        let slot = &mut self.slots[index];
        slot.early_recycles = early;
        slot.recycle_at = slot.recycle_at.max(Some(at));
        if self.low_limits.insert(limit) {
            self.log(LogEvent::LimitTooLow(id, limit));
        }
    }

    /// Has a worker replaced that is ready since a time, when it is old enough.
    pub(super) fn recycle_when_old_enough(
        &mut self,
        now: Time,
        id: WorkerId,
        index: usize,
        since: Time,
    ) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.recycle_requested = true;
        }
        let at = self.old_enough_at(index, since);
        if at > now {
            let slot = &mut self.slots[index];
            slot.recycle_at = slot.recycle_at.max(Some(at));
        }
    }

    /// Returns when a worker that is ready since a time may be replaced for a limit.
    fn old_enough_at(&self, index: usize, since: Time) -> Time {
        since.saturating_add(self.pool_of(index).healthy_after.max(MINIMUM_AGE))
    }

    /// Begins anew to count and to warn: the limits may be others.
    pub(super) fn forget_early_recycles(&mut self) {
        self.low_limits.clear();
        for slot in &mut self.slots {
            slot.early_recycles = 0;
        }
    }

    /// Forks the successor of a worker that is to be replaced in each pool that has none under way.
    pub(super) fn recycle(&mut self, now: Time) {
        for slot in &mut self.slots {
            slot.recycle_at = slot.recycle_at.filter(|at| *at > now);
        }
        if self.is_reloading() {
            return;
        }
        for index in 0..self.slots.len() {
            if self.is_to_be_recycled(index) && self.under_way(self.slots[index].pool) == 0 {
                if let Some(holder) = self.slots[index].holder {
                    self.log(LogEvent::Recycling(holder));
                }
                let id = self.fork(now, index, self.slots[index].generation);
                self.slots[index].successor = Some(id);
            }
        }
    }

    /// Returns how many slots of a pool have a successor under way.
    pub(super) fn under_way(&self, pool: PoolId) -> usize {
        self.slots
            .iter()
            .filter(|slot| slot.pool == pool && slot.successor.is_some())
            .count()
    }

    fn is_to_be_recycled(&self, index: usize) -> bool {
        let slot = &self.slots[index];
        let holder = slot.holder.and_then(|id| self.workers.get(&id));
        slot.active
            && holder.is_some_and(|worker| worker.recycle_requested && worker.is_ready())
            && slot.recycle_at.is_none()
            && !self.is_draining(index)
    }

    /// Tries again later to recycle a slot whose successor did not get ready.
    pub(super) fn retry_recycle(&mut self, now: Time, index: usize) {
        let slot = &mut self.slots[index];
        slot.recycle_failed = slot.recycle_failed.saturating_add(1);
        // One more than the deaths, so that the first failure waits too.
        let failed = slot.recycle_failed.saturating_add(1);
        let delay = self.pool_of(index).respawn_after(failed);
        self.slots[index].recycle_at = Some(now.saturating_add(delay));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::policy::simulation::policy;
    use crate::supervisor::policy::{Action, Event};

    /// Gets the worker ready that is to be forked next, and returns it.
    fn get_ready(machine: &mut Machine, now: Time, actions: &[Action]) -> Option<WorkerId> {
        let id = actions.iter().find_map(|action| match action {
            Action::Fork { worker, .. } => Some(*worker),
            _ => None,
        })?;
        machine.step(now, Event::Forked(id));
        machine.step(now, Event::Ready(id));
        Some(id)
    }

    /// Runs a machine of one worker, each of which reaches a limit so long after it is ready; returns
    /// how long each was ready before its successor was forked, and how often a limit was called too low.
    fn ages(after: Duration, workers: usize) -> (Vec<Duration>, usize) {
        let mut machine = Machine::new(policy(1));
        let (mut now, mut ages, mut warnings) = (Duration::ZERO, Vec::new(), 0);
        let started = machine.step(now, Event::Start);
        let mut worker = get_ready(&mut machine, now, &started).unwrap();
        while ages.len() < workers {
            let ready_at = now;
            now += after;
            let mut actions =
                machine.step(now, Event::RecycleRequested(worker, RecycleLimit::Memory));
            let is_warning = |action: &Action| {
                matches!(
                    action,
                    Action::Log(LogEvent::LimitTooLow(_, RecycleLimit::Memory))
                )
            };
            warnings += actions.iter().filter(|action| is_warning(action)).count();
            let next = loop {
                if let Some(next) = get_ready(&mut machine, now, &actions) {
                    break next;
                }
                now = machine.deadline().unwrap();
                // Its heart beats.
                actions = machine.step(now, Event::Heartbeats(vec![(worker, now)]));
                actions.extend(machine.step(now, Event::Clock));
            };
            ages.push(now - ready_at);
            machine.step(now, Event::Exited(worker, Some(0)));
            worker = next;
        }
        (ages, warnings)
    }

    #[test]
    fn a_limit_that_every_worker_reaches_at_once_replaces_them_ever_less_often_and_warns_once() {
        let (ages, warnings) = ages(Duration::ZERO, 14);
        let millis: Vec<_> = ages.iter().map(Duration::as_millis).collect();
        assert_eq!(millis[..5], [1000, 1100, 1200, 1400, 1800]);
        assert_eq!(millis[13], 31_000);
        assert_eq!(warnings, 1);
    }

    #[test]
    fn a_limit_that_is_reached_later_replaces_at_once() {
        let lifetime = Duration::from_secs(5);
        assert_eq!(ages(lifetime, 3), (vec![lifetime; 3], 0));
    }
}
