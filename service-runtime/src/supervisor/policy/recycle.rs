//! Workers that have reached a limit of their life: requests, time or memory.
//!
//! The successor is ready before the worker is told to go. One slot of a pool at a time, and never
//! during a reload, which replaces every worker anyway.

use super::{LogEvent, Machine, PoolId, Time, WorkerId};

impl Machine {
    pub(super) fn recycle_requested(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.recycle_requested = true;
        }
    }

    /// Forks the successor of a recycle_requested worker in each pool that has none under way.
    pub(super) fn recycle(&mut self, now: Time) {
        for slot in &mut self.slots {
            slot.recycle_at = slot.recycle_at.filter(|at| *at > now);
        }
        if self.is_reloading() {
            return;
        }
        for index in 0..self.slots.len() {
            if self.is_to_be_recycled(index) && self.under_way(self.slots[index].pool) == 0 {
                if let Some(recycle_requested) = self.slots[index].holder {
                    self.note(LogEvent::Recycling(recycle_requested));
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
