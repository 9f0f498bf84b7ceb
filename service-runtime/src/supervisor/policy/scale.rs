//! How many slots there are.

use super::slot::Slot;
use super::{LogEvent, Machine, PoolId, Time};

impl Machine {
    /// Uses one slot more.
    pub(super) fn more(&mut self) {
        if self.is_stopping() {
            return;
        }
        let pool = self.scaled_by_signals();
        let count = self.active(pool) + 1;
        self.set_count(pool, count);
        self.log(LogEvent::Scaled(pool, count));
    }

    /// Uses one slot fewer, but keeps one.
    pub(super) fn fewer(&mut self, now: Time) {
        let pool = self.scaled_by_signals();
        let count = self.active(pool);
        if self.is_stopping() || count <= 1 {
            return;
        }
        self.drop_slots(now, pool, count - 1);
        self.log(LogEvent::Scaled(pool, count - 1));
    }

    /// Makes at least `count` slots of a pool active, the lowest first.
    pub(super) fn set_count(&mut self, pool: PoolId, count: usize) {
        while self.active(pool) < count {
            let index = self.unused_slot(pool);
            let number = self.slots[index].number;
            self.slots[index] = Slot {
                active: true,
                ..Slot::new(pool, number, self.generation)
            };
            if let Some(rollout) = &mut self.rollout {
                rollout.add(index);
            }
        }
    }

    /// Drains the newest slots of a pool until `count` are left.
    pub(super) fn drop_slots(&mut self, now: Time, pool: PoolId, count: usize) {
        while self.active(pool) > count {
            // One that is held empty goes first: then there is always one left with a worker.
            let used = self
                .slots_of(pool)
                .filter(|index| self.slots[*index].is_used());
            let last = |index: &usize| (self.slots[*index].held, self.slots[*index].number);
            let Some(index) = used.max_by_key(last) else {
                return;
            };
            self.drop_slot(now, index);
        }
    }

    /// Drains a slot.
    pub(super) fn drop_slot(&mut self, now: Time, index: usize) {
        let drain = self.pool_of(index).drain;
        let slot = &mut self.slots[index];
        slot.active = false;
        slot.held = false;
        slot.retry_at = None;
        let leaving = [slot.holder.take(), slot.successor.take()];
        for id in leaving.into_iter().flatten() {
            self.request_stop(now, id, drain);
        }
    }

    /// Follows a changed number in the configuration.
    pub(super) fn scale_to(&mut self, now: Time, pool: PoolId, count: usize) {
        self.set_count(pool, count);
        self.drop_slots(now, pool, count);
        self.log(LogEvent::Scaled(pool, count));
    }

    /// Returns how many slots of a pool are in use, with those that are held empty.
    pub(super) fn active(&self, pool: PoolId) -> usize {
        self.slots_of(pool)
            .filter(|index| self.slots[*index].is_used())
            .count()
    }

    /// Goes through the slots of a pool.
    pub(super) fn slots_of(&self, pool: PoolId) -> impl Iterator<Item = usize> {
        (0..self.slots.len()).filter(move |index| self.slots[*index].pool == pool)
    }

    /// Returns the lowest slot of a pool that is not in use.
    fn unused_slot(&mut self, pool: PoolId) -> usize {
        let unused = self
            .slots_of(pool)
            .filter(|index| !self.slots[*index].is_used());
        if let Some(index) = unused.min_by_key(|index| self.slots[*index].number) {
            return index;
        }
        let number = self.slots_of(pool).count();
        self.slots.push(Slot::new(pool, number, self.generation));
        self.slots.len() - 1
    }

    /// Returns the pool that signals scale: the shared one, or the first if no service shares.
    fn scaled_by_signals(&self) -> PoolId {
        let mut pools = self.policy.pools().map(|pool| pool.id);
        let used = pools.find(|pool| self.active(*pool) > 0);
        used.unwrap_or(PoolId::SHARED)
    }
}
