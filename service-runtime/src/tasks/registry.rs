//! The live tasks of a group: who they are, how to wake them, whom to tell at their end.
//!
//! A task costs no allocation here: its entry lies in a slab that is used again. Spawning passes
//! through here, so critical sections are a few instructions, spread over [`SHARDS`] locks. No lock is
//! held while foreign code runs: not a callback, not a destructor, not tokio.

use std::borrow::Cow;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::task::Id;

use crate::tasks::run_view::RunView;
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

/// Where the entry of a live task is: a slot in the high bits, a shard in the low bits.
///
/// Only the task itself has it, which takes the entry out when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryKey(u32);

/// Where the entry of a task is, or was; for its handle, which may outlive the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryRef {
    key: EntryKey,
    /// Tells a task from those that have the key before or after it.
    generation: u32,
}

/// What is known of one live task.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: TaskKind,
    /// Only loops have one.
    pub(super) run: Option<Arc<dyn RunView>>,
    /// How to wake the task, and its id in tokio, once it has waited for something.
    pub(super) waits: Option<(Waker, Id)>,
    /// Empty for a task that has not waited for anything, unless somebody has looked at it.
    pub(super) since: Option<Stamp>,
    pub(super) callbacks: Vec<Callback>,
}

/// What may run foreign code when it is dropped, of a task that has left: to be dropped without a lock.
#[must_use = "to be dropped after the lock"]
pub(super) struct Left {
    _name: Cow<'static, str>,
    _run: Option<Arc<dyn RunView>>,
    _waits: Option<(Waker, Id)>,
}

/// All live tasks of a group.
#[derive(Default)]
pub(super) struct Registry {
    shards: [Shard; SHARDS as usize],
    /// Where the next task goes. Two threads may read the same number; it only spreads.
    next: AtomicU32,
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
    /// The group was told to stop: no more loops are taken.
    pub(super) stopping: bool,
    /// No more tasks are taken: the last one has ended.
    pub(super) closed: bool,
    /// Tasks are not waited for but aborted.
    pub(super) aborting: bool,
    /// Where generations start, so that they go on when slots are given back.
    generation: u32,
}

struct Slot {
    generation: u32,
    next_free: u32,
    live: bool,
    /// Emptied and filled in place, because to move it would cost more than all the rest.
    entry: Entry,
}

impl Registry {
    /// Locks some shard, for a new task.
    pub(super) fn any(&self) -> (u32, MutexGuard<'_, Slots>) {
        let next = self.next.load(Ordering::Relaxed);
        self.next.store(next.wrapping_add(1), Ordering::Relaxed);
        (next % SHARDS, self.lock(next))
    }

    /// Locks the shard of a task that lives.
    pub(super) fn of(&self, key: EntryKey) -> MutexGuard<'_, Slots> {
        self.lock(key.0)
    }

    /// Looks at a task, if it lives.
    pub(super) fn find<T>(&self, place: EntryRef, look: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut slots = self.of(place.key);
        let slot = slots.slots.get_mut((place.key.0 / SHARDS) as usize)?;
        (slot.live && slot.generation == place.generation).then(|| look(&mut slot.entry))
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
    pub(super) fn collect<T>(&self, mut of: impl FnMut(&mut Entry) -> Option<T>) -> Vec<T> {
        let mut collected = Vec::new();
        for mut slots in self.all() {
            let live = slots.slots.iter_mut().filter(|slot| slot.live);
            collected.extend(live.filter_map(|slot| of(&mut slot.entry)));
        }
        collected
    }

    fn lock(&self, shard: u32) -> MutexGuard<'_, Slots> {
        let shard = &self.shards[(shard % SHARDS) as usize].0;
        // Nothing in a critical section panics; should it, the slab is whole at each step.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EntryRef {
    pub(super) fn key(self) -> EntryKey {
        self.key
    }
}

impl Slots {
    /// Enters a task into this shard, the one of this number.
    pub(super) fn insert(
        &mut self,
        shard: u32,
        name: Cow<'static, str>,
        kind: TaskKind,
        run: Option<Arc<dyn RunView>>,
    ) -> EntryRef {
        self.live += 1;
        if self.first_free == NONE {
            self.grow();
        }
        let index = self.first_free;
        let slot = &mut self.slots[index as usize];
        self.first_free = slot.next_free;
        slot.live = true;
        slot.entry.name = name;
        slot.entry.kind = kind;
        slot.entry.run = run;
        slot.entry.since = None;
        let key = EntryKey(index * SHARDS + shard);
        EntryRef {
            key,
            generation: slot.generation,
        }
    }

    /// Returns the entry of a task that lives.
    pub(super) fn get(&mut self, key: EntryKey) -> &mut Entry {
        &mut self.slots[(key.0 / SHARDS) as usize].entry
    }

    /// Takes out a task that lives and has no callbacks.
    pub(super) fn remove(&mut self, key: EntryKey) -> Left {
        let index = key.0 / SHARDS;
        let slot = &mut self.slots[index as usize];
        slot.live = false;
        slot.generation = slot.generation.wrapping_add(1);
        slot.next_free = self.first_free;
        self.first_free = index;
        self.live -= 1;
        let left = Left {
            _name: mem::replace(&mut slot.entry.name, Cow::Borrowed("")),
            _run: slot.entry.run.take(),
            _waits: slot.entry.waits.take(),
        };
        if self.live == 0 && self.slots.len() > KEEP {
            self.give_back();
        }
        left
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
            live: false,
            entry: Entry::default(),
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
            stopping: false,
            closed: false,
            aborting: false,
            generation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(registry: &Registry, name: &'static str) -> EntryRef {
        registry
            .lock(3)
            .insert(3, name.into(), TaskKind::Task, None)
    }

    #[test]
    fn a_seat_is_used_again_but_no_place_mistaken() {
        let registry = Registry::default();
        let first = enter(&registry, "first");
        drop(registry.of(first.key).remove(first.key));
        assert_eq!(registry.find(first, |_| ()), None);
        let second = enter(&registry, "second");
        assert_eq!(first.key, second.key);
        assert_eq!(registry.find(first, |_| ()), None);
        assert_eq!(
            registry.find(second, |entry| entry.name.clone()).unwrap(),
            "second"
        );
        assert_eq!(registry.live(), 1);
    }

    #[test]
    fn a_burst_gives_its_memory_back_and_its_places_stay_void() {
        let registry = Registry::default();
        let places: Vec<_> = (0..=KEEP).map(|_| enter(&registry, "burst")).collect();
        for place in &places {
            drop(registry.of(place.key).remove(place.key));
        }
        assert_eq!(registry.live(), 0);
        assert_eq!(registry.lock(3).slots.capacity(), 0);
        let next = enter(&registry, "next");
        assert!(
            places
                .iter()
                .all(|place| registry.find(*place, |_| ()).is_none())
        );
        assert!(registry.find(next, |_| ()).is_some());
    }
}
