//! The live tasks of a group: who they are, how to wake them, whom to tell at their end.
//!
//! A task costs no allocation here: its entry lies in a slab that is used again. Spawning passes
//! through here, so critical sections are a few instructions, spread over [`SHARDS`] locks. No lock is
//! held while foreign code runs: not a callback, not a destructor, not tokio.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::task::Id;

use crate::tasks::looping::LoopState;
use crate::tasks::stamp::Stamp;
use crate::tasks::{TaskEnd, TaskKind};

/// A power of two, so that a place holds its shard in its low bits.
const SHARDS: u32 = 8;

/// A shard that empties gives back the memory of a burst larger than this.
const KEEP: usize = 1024;

/// No free slot.
const NONE: u32 = u32::MAX;

/// A callback for the end of a task.
pub(super) type Callback = Box<dyn FnOnce(&TaskEnd) + Send>;

/// Where the entry of a task is, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// A slot in its high bits, a shard in its low bits.
    index: u32,
    /// Tells a task from those that had the slot before.
    generation: u32,
}

/// What is known of one live task.
pub(super) struct Entry {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: TaskKind,
    pub(super) started: Stamp,
    /// Only loops have one.
    pub(super) run: Option<Arc<LoopState>>,
    /// How to wake the task, and its id in tokio, once it has waited for something.
    pub(super) waits: Option<(Waker, Id)>,
    pub(super) callbacks: Vec<Callback>,
}

/// All live tasks of a group.
#[derive(Default)]
pub(super) struct Registry {
    shards: [Shard; SHARDS as usize],
}

/// Own cache line each, so that two threads in two shards do not slow each other down.
#[derive(Default)]
#[repr(align(64))]
struct Shard(Mutex<Slots>);

/// One shard: a slab, and what has been asked of the group.
pub(super) struct Slots {
    slots: Vec<Slot>,
    first_free: u32,
    /// How many tasks live.
    pub(super) live: usize,
    /// No more tasks are taken.
    pub(super) closed: bool,
    /// Tasks are not waited for but aborted.
    pub(super) aborting: bool,
    /// Where generations start, so that they go on when slots are given back.
    generation: u32,
}

struct Slot {
    generation: u32,
    next_free: u32,
    entry: Option<Entry>,
}

impl Registry {
    /// Locks some shard, for a new task.
    pub(super) fn any(&self) -> (u32, MutexGuard<'_, Slots>) {
        let shard = fastrand::u32(..) % SHARDS;
        (shard, self.lock(shard))
    }

    /// Locks the shard of a task.
    pub(super) fn of(&self, place: Place) -> MutexGuard<'_, Slots> {
        self.lock(place.index % SHARDS)
    }

    /// Locks one shard after the other.
    pub(super) fn all(&self) -> impl Iterator<Item = MutexGuard<'_, Slots>> {
        (0..SHARDS).map(|shard| self.lock(shard))
    }

    /// Returns how many tasks live.
    pub(super) fn live(&self) -> usize {
        self.all().map(|slots| slots.live).sum()
    }

    /// Collects something from every live task.
    pub(super) fn collect<T>(&self, mut of: impl FnMut(&Entry) -> Option<T>) -> Vec<T> {
        let mut collected = Vec::new();
        for slots in self.all() {
            let entries = slots.slots.iter().filter_map(|slot| slot.entry.as_ref());
            collected.extend(entries.filter_map(&mut of));
        }
        collected
    }

    fn lock(&self, shard: u32) -> MutexGuard<'_, Slots> {
        let shard = &self.shards[(shard % SHARDS) as usize].0;
        // Nothing in a critical section panics; should it, the slab is whole at each step.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// Enters a task into this shard, the one of this number.
    pub(super) fn insert(&mut self, shard: u32, entry: Entry) -> Place {
        self.live += 1;
        if self.first_free == NONE {
            self.grow();
        }
        let index = self.first_free;
        let slot = &mut self.slots[index as usize];
        self.first_free = slot.next_free;
        slot.entry = Some(entry);
        Place {
            index: index * SHARDS + shard,
            generation: slot.generation,
        }
    }

    /// Returns the entry of a task, if it lives.
    pub(super) fn get(&mut self, place: Place) -> Option<&mut Entry> {
        let slot = self.slots.get_mut((place.index / SHARDS) as usize)?;
        if slot.generation == place.generation {
            slot.entry.as_mut()
        } else {
            None
        }
    }

    /// Takes out a task that lives.
    #[must_use = "what an entry holds may run foreign code when dropped: drop it after the lock"]
    pub(super) fn remove(&mut self, place: Place) -> Option<Entry> {
        let index = place.index / SHARDS;
        let slot = self.slots.get_mut(index as usize)?;
        if slot.generation != place.generation {
            return None;
        }
        let entry = slot.entry.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.next_free = self.first_free;
        self.first_free = index;
        self.live -= 1;
        if self.live == 0 && self.slots.len() > KEEP {
            self.give_back();
        }
        Some(entry)
    }

    #[cold]
    fn grow(&mut self) {
        let index = u32::try_from(self.slots.len())
            .ok()
            .filter(|index| *index < NONE / SHARDS);
        self.first_free = index.expect("that many tasks fit in no memory");
        self.slots.push(Slot {
            generation: self.generation,
            next_free: NONE,
            entry: None,
        });
    }

    #[cold]
    fn give_back(&mut self) {
        let latest = self
            .slots
            .iter()
            .map(|slot| slot.generation.wrapping_sub(self.generation))
            .max();
        self.generation = self.generation.wrapping_add(latest.unwrap_or(0));
        (self.slots, self.first_free) = (Vec::new(), NONE);
    }
}

impl Default for Slots {
    fn default() -> Self {
        let (slots, first_free, live, generation) = (Vec::new(), NONE, 0, 0);
        Self {
            slots,
            first_free,
            live,
            closed: false,
            aborting: false,
            generation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &'static str) -> Entry {
        let (kind, started) = (TaskKind::Task, Stamp::now());
        Entry {
            name: name.into(),
            kind,
            started,
            run: None,
            waits: None,
            callbacks: Vec::new(),
        }
    }

    #[test]
    fn a_place_is_used_again_but_not_mistaken() {
        let mut slots = Slots::default();
        let first = slots.insert(3, entry("first"));
        assert!(slots.remove(first).is_some());
        let second = slots.insert(3, entry("second"));
        assert_eq!(first.index, second.index);
        assert!(slots.get(first).is_none());
        assert!(slots.remove(first).is_none());
        assert_eq!(slots.get(second).unwrap().name, "second");
        assert_eq!(slots.live, 1);
    }

    #[test]
    fn a_burst_gives_its_memory_back_and_its_places_stay_void() {
        let mut slots = Slots::default();
        let places: Vec<_> = (0..=KEEP)
            .map(|_| slots.insert(0, entry("burst")))
            .collect();
        for place in &places {
            assert!(slots.remove(*place).is_some());
        }
        assert_eq!((slots.slots.capacity(), slots.live), (0, 0));
        let next = slots.insert(0, entry("next"));
        assert!(places.iter().all(|place| slots.get(*place).is_none()));
        assert!(slots.get(next).is_some());
    }
}
