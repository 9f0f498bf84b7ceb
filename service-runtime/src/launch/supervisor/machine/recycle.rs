//! Workers that have reached a limit of their life: requests, time or memory.
//!
//! The successor is ready before the worker is told to go. One slot at a time, and never during a
//! reload, which replaces every worker anyway.

use super::{Machine, Note, Time, WorkerId};

impl Machine {
    pub(super) fn worn(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.worn = true;
        }
    }

    /// Forks the successor of a worn worker, if none is under way.
    pub(super) fn recycle(&mut self, now: Time) {
        for slot in &mut self.slots {
            slot.recycle_at = slot.recycle_at.filter(|at| *at > now);
        }
        let under_way = self.slots.iter().any(|slot| slot.successor.is_some());
        if under_way || self.is_reloading() {
            return;
        }
        let next = (0..self.slots.len()).find(|index| {
            let slot = &self.slots[*index];
            let holder = slot.holder.and_then(|id| self.workers.get(&id));
            slot.active
                && holder.is_some_and(|worker| worker.worn && worker.is_ready())
                && slot.recycle_at.is_none()
                && !self.is_draining(*index)
        });
        if let Some(index) = next {
            if let Some(worn) = self.slots[index].holder {
                self.note(Note::Recycling(worn));
            }
            let id = self.fork(now, index, self.slots[index].generation);
            self.slots[index].successor = Some(id);
        }
    }

    /// Tries again later to recycle a slot whose successor did not get ready.
    pub(super) fn retry_recycle(&mut self, now: Time, slot: usize) {
        let slot = &mut self.slots[slot];
        slot.recycle_failed = slot.recycle_failed.saturating_add(1);
        // One more than the deaths, so that the first failure waits too.
        let delay = self
            .policy
            .respawn_after(slot.recycle_failed.saturating_add(1));
        slot.recycle_at = Some(now.saturating_add(delay));
    }
}
