//! How many slots there are.

use super::slot::Slot;
use super::{Machine, Note, Time};

impl Machine {
    /// Uses one slot more.
    pub(super) fn more(&mut self) {
        if self.is_stopping() {
            return;
        }
        let (active, _) = self.counts();
        self.set_count(active.saturating_add(1));
        self.note(Note::Scaled(active + 1));
    }

    /// Uses one slot fewer, but keeps one.
    pub(super) fn fewer(&mut self, now: Time) {
        let (active, _) = self.counts();
        if self.is_stopping() || active <= 1 {
            return;
        }
        self.drop_slots(now, active - 1);
        self.note(Note::Scaled(active - 1));
    }

    /// Makes at least `count` slots active, the lowest first.
    pub(super) fn set_count(&mut self, count: usize) {
        while self.slots.len() < count {
            self.slots.push(Slot::default());
        }
        let generation = self.generation;
        for (index, slot) in self.slots.iter_mut().enumerate().take(count) {
            if !slot.active {
                *slot = Slot {
                    active: true,
                    generation,
                    ..Slot::default()
                };
                if let Some(roll) = &mut self.roll {
                    roll.add(index);
                }
            }
        }
    }

    /// Drains the newest slots until `count` are left.
    pub(super) fn drop_slots(&mut self, now: Time, count: usize) {
        for index in count..self.slots.len() {
            let slot = &mut self.slots[index];
            slot.active = false;
            slot.retry_at = None;
            let leaving = [slot.holder.take(), slot.successor.take()];
            for id in leaving.into_iter().flatten() {
                self.ask_to_stop(now, id, self.policy.drain);
            }
        }
    }

    /// Follows a changed number in the configuration.
    pub(super) fn scale_to(&mut self, now: Time, count: usize) {
        self.set_count(count);
        self.drop_slots(now, count);
        self.note(Note::Scaled(count));
    }
}
