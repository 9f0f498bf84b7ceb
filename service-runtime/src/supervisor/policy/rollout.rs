//! A reload: read, check, then replace slot by slot, or take all of it back.

use std::collections::VecDeque;
use std::time::Duration;

use super::operations::Rollout;
use super::slot::Slot;
use super::{
    Action, Announcement, Cause, LogEvent, Machine, Policy, PoolId, RestartMethod, Time, Worker,
};

/// How long no reload may have been asked for before another one follows while requests keep coming.
const CALM: Duration = Duration::from_millis(250);

/// How long a burst of requests may put a reload off.
const LONGEST_STORM: Duration = Duration::from_secs(2);

impl Machine {
    /// Takes note that a reload is asked for.
    ///
    /// One that comes while another is under way may be the first of many: what they ask for is one
    /// more reload, after the last of them.
    pub(super) fn want_reload(&mut self, now: Time) {
        if self.is_stopping() {
            return;
        }
        if self.is_reloading() || self.reload_burst.is_some() {
            let (since, _) = self.reload_burst.unwrap_or((now, now));
            let calm = now.saturating_add(CALM).min(since + LONGEST_STORM);
            self.reload_burst = Some((since, calm));
        }
        self.reload_wanted = true;
    }

    /// Returns when the reload begins that waits for the end of a burst of requests.
    pub(super) fn next_reload(&self) -> Option<Time> {
        let waits = self.reload_wanted && !self.is_reloading() && self.upgrade.is_none();
        let (_, calm) = self.reload_burst.filter(|_| waits)?;
        Some(calm)
    }

    /// Begins to read the configuration if somebody asked for it and nothing stands in the way.
    pub(super) fn start_loading(&mut self, now: Time) {
        if !self.reload_wanted || self.is_reloading() || self.upgrade.is_some() {
            return;
        }
        if self.reload_burst.is_some_and(|(_, calm)| calm > now) {
            return;
        }
        self.reload_burst = None;
        self.reload_wanted = false;
        self.reload_begins();
        self.loading = Some(
            self.policy
                .shared
                .start
                .map(|limit| now.saturating_add(limit)),
        );
        if self.announced.is_some() {
            self.announce(Announcement::Reloading);
        }
        self.act(Action::Load(self.latest + 1));
    }

    pub(super) fn expire_loading(&mut self, now: Time) {
        if self
            .loading
            .flatten()
            .is_some_and(|deadline| deadline <= now)
        {
            self.loading = None;
            self.act(Action::CancelLoad);
            self.log(LogEvent::ReloadRefused(Cause::CheckTimedOut));
        }
    }

    pub(super) fn loaded(&mut self, now: Time, loaded: Result<Policy, ()>) {
        if self.loading.take().is_none() {
            return;
        }
        match loaded {
            Err(()) => self.log(LogEvent::ReloadRefused(Cause::Configuration)),
            Ok(policy) if policy.method == RestartMethod::Mutate => self.mutate(now, policy),
            Ok(policy) => self.begin_rollout(policy),
        }
    }

    fn begin_rollout(&mut self, policy: Policy) {
        self.latest += 1;
        // The shared workers may have been given up because every service had workers of its own.
        let mut before = self.policy.own.iter();
        let regained = before.any(|pool| policy.pool(pool.id).is_none());
        // What no old worker does comes first, so that it is done before the old ones go.
        for pool in policy.pools() {
            let is_regained = pool.id == PoolId::SHARED && regained && self.active(pool.id) == 0;
            if is_regained || self.policy.pool(pool.id).is_none() {
                self.set_count(pool.id, pool.workers);
                for slot in self.slots.iter_mut().filter(|slot| slot.pool == pool.id) {
                    slot.fresh |= slot.active;
                }
            }
        }
        // The slots of pools that go stay as they are until the end.
        let mut todo: Vec<usize> = (0..self.slots.len())
            .filter(|index| self.slots[*index].active)
            .filter(|index| policy.pool(self.slots[*index].pool).is_some())
            .collect();
        todo.sort_by_key(|index| !self.slots[*index].fresh);
        let (to, from) = (self.latest, self.generation);
        let (undoing, not_before, failed) = (false, None, 0);
        let is_fresh = |index: &usize| self.slots[*index].fresh;
        let added = todo.iter().copied().filter(is_fresh).collect();
        self.rollout = Some(Rollout {
            to,
            from,
            policy,
            todo: todo.into(),
            undoing,
            not_before,
            failed,
            added,
            given_up: Vec::new(),
        });
        self.log(LogEvent::Reloading(to));
    }

    /// Forks successors, as many as may be under way, and ends the rollout when all are in place.
    pub(super) fn advance_rollout(&mut self, now: Time) {
        let Some(mut rollout) = self.rollout.take() else {
            return;
        };
        if rollout.not_before.is_none_or(|at| at <= now) {
            rollout.not_before = None;
            self.fork_successors(now, &mut rollout);
        }
        let under_way = self.slots.iter().any(|slot| slot.successor.is_some());
        if rollout.todo.is_empty() && !under_way {
            self.end_rollout(now, rollout);
        } else {
            self.rollout = Some(rollout);
        }
    }

    fn fork_successors(&mut self, now: Time, rollout: &mut Rollout) {
        let mut waiting = VecDeque::new();
        while let Some(index) = rollout.todo.pop_front() {
            let slot = &self.slots[index];
            let holder = slot.holder.and_then(|id| self.workers.get(&id));
            if !slot.active || holder.is_some_and(|w| w.generation == rollout.to) {
                continue;
            }
            // A slot's last worker but one has to be gone first, so that reloads in quick
            // succession do not pile up draining workers.
            let busy = self.is_draining(index) || slot.successor.is_some();
            if busy
                || self.under_way(slot.pool) >= self.limit(slot.pool, rollout)
                || !self.may_begin(rollout)
            {
                waiting.push_back(index);
                continue;
            }
            let id = self.fork(now, index, rollout.to);
            self.slots[index].successor = Some(id);
        }
        rollout.todo = waiting;
    }

    /// Returns whether the reload may go on beyond its very first successor.
    fn may_begin(&self, rollout: &Rollout) -> bool {
        let shown = self.slots.iter().any(|slot| slot.generation == rollout.to);
        rollout.undoing || shown || self.slots.iter().all(|slot| slot.successor.is_none())
    }

    /// Returns how many slots of a pool may have a successor under way.
    fn limit(&self, pool: PoolId, rollout: &Rollout) -> usize {
        // The first of a pool goes alone: it shows whether the others may follow.
        let has_shown = |slot: &Slot| slot.pool == pool && slot.generation == rollout.to;
        if rollout.undoing || self.slots.iter().any(has_shown) {
            rollout
                .policy
                .pool(pool)
                .map_or(1, |pool| pool.surge.max(1))
        } else {
            1
        }
    }

    fn end_rollout(&mut self, now: Time, rollout: Rollout) {
        self.generation = rollout.to;
        for slot in &mut self.slots {
            slot.generation = rollout.to;
        }
        self.act(Action::Keep(rollout.to));
        for index in rollout.given_up {
            self.drop_slot(now, index);
        }
        if rollout.undoing {
            self.log(LogEvent::Undone(rollout.to));
        } else {
            self.log(LogEvent::Reloaded(rollout.to));
            self.take_over(now, rollout.policy);
        }
        // Another reload may have been asked for meanwhile.
        self.start_loading(now);
    }

    pub(super) fn take_over(&mut self, now: Time, policy: Policy) {
        let before = std::mem::replace(&mut self.policy, policy);
        self.forget_early_recycles();
        let counts: Vec<_> = self.policy.pools().map(|p| (p.id, p.workers)).collect();
        for (id, workers) in counts {
            if before.pool(id).is_some_and(|old| old.workers != workers) {
                self.scale_to(now, id, workers);
            }
        }
        for gone in before.own {
            if self.policy.pool(gone.id).is_none() {
                self.drop_slots(now, gone.id, 0);
                self.log(LogEvent::Scaled(gone.id, 0));
            }
        }
    }

    /// Tries a successor again whose fork was refused.
    pub(super) fn retry_rollout(&mut self, slot: usize, at: Time) {
        match &mut self.rollout {
            Some(rollout) => {
                rollout.todo.push_front(slot);
                rollout.not_before = Some(at);
            }
            None => self.slots[slot].recycle_at = Some(at),
        }
    }

    /// Takes the reload back whose successor did not get ready.
    pub(super) fn successor_failed(&mut self, now: Time, worker: &Worker) {
        let (id, slot) = (worker.id, worker.slot);
        // One of another generation was to take the place of a recycle_requested worker.
        let Some(mut rollout) = self
            .rollout
            .take_if(|rollout| rollout.to == worker.generation)
        else {
            self.fail_orders_for(id, slot);
            self.retry_recycle(now, slot);
            return;
        };
        if rollout.undoing {
            rollout.failed = rollout.failed.saturating_add(1);
            let retry_in = self.policy.shared.respawn_after(rollout.failed);
            rollout.todo.push_front(slot);
            rollout.not_before = Some(now.saturating_add(retry_in));
            self.rollout = Some(rollout);
            return;
        }
        self.log(LogEvent::ReloadRefused(Cause::Worker(id)));
        std::mem::swap(&mut rollout.to, &mut rollout.from);
        rollout.undoing = true;
        rollout.not_before = None;
        rollout.given_up.clear();
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            let is_new = rollout.added.contains(&index) || self.policy.pool(slot.pool).is_none();
            if is_new {
                self.drop_slot(now, index);
            }
            let drain = self.pool_of(index).drain;
            let slot = &mut self.slots[index];
            slot.generation = rollout.to;
            if let Some(other) = slot.successor.take() {
                self.request_stop(now, other, drain);
            }
        }
        rollout.todo = (0..self.slots.len())
            .filter(|index| self.slots[*index].active)
            .collect();
        self.rollout = Some(rollout);
    }
}
