//! The tasks of a group: who they are, how to abort them, whom to tell at their end.
//!
//! A task costs no allocation here: its entry lives in a slab that is reused. An entry stays until the
//! task has ended and its handle is gone, so that nobody can hold the place of another. Spawning
//! passes through here, so critical sections are a few instructions, spread over [`SHARDS`] locks. No
//! lock is held while foreign code runs: not a callback, not a destructor, not tokio.

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::tasks::looping::LoopState;
use crate::tasks::stamp::Stamp;
use crate::tasks::{TaskEnd, TaskKind};

/// A power of two, so that a place holds its shard in its low bits.
const SHARDS: u32 = 8;

/// A shard that empties gives back the memory of a burst larger than this.
const KEEP: usize = 1024;

/// A callback for the end of a task.
pub(super) type Callback = Box<dyn FnOnce(&TaskEnd) + Send>;

/// Where the entry of a task is: a slot in its high bits, a shard in its low bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u32);

/// What is known of one task.
pub(super) struct Entry {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: TaskKind,
    pub(super) started: Stamp,
    /// Only loops have one.
    pub(super) run: Option<Arc<LoopState>>,
    /// Empty for the moment that it takes to spawn.
    pub(super) abort: Option<AbortHandle>,
    pub(super) callbacks: Vec<Callback>,
    /// Empty while the task lives.
    pub(super) end: Option<TaskEnd>,
    /// Whether the task's handle is still there.
    pub(super) held: bool,
}

/// All tasks of a group.
#[derive(Default)]
pub(super) struct Registry {
    shards: [Shard; SHARDS as usize],
}

/// Own cache line each, so that two threads in two shards do not slow each other down.
#[derive(Default)]
#[repr(align(64))]
struct Shard(Mutex<Slots>);

/// One shard: a slab, and what has been asked of the group.
#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    first_free: Option<u32>,
    /// Entries, ended ones included.
    used: usize,
    /// Tasks that have not ended.
    pub(super) live: usize,
    /// No more tasks are taken.
    pub(super) closed: bool,
    /// Tasks are not waited for but aborted.
    pub(super) aborting: bool,
}

enum Slot {
    Free(Option<u32>),
    Used(Entry),
}

impl Registry {
    /// Locks some shard, for a new task.
    pub(super) fn any(&self) -> (u32, MutexGuard<'_, Slots>) {
        let shard = fastrand::u32(..) % SHARDS;
        (shard, self.lock(shard))
    }

    /// Locks the shard of a task.
    pub(super) fn of(&self, place: Place) -> MutexGuard<'_, Slots> {
        self.lock(place.0 % SHARDS)
    }

    /// Locks one shard after the other.
    pub(super) fn all(&self) -> impl Iterator<Item = MutexGuard<'_, Slots>> {
        (0..SHARDS).map(|shard| self.lock(shard))
    }

    /// Returns how many tasks live.
    pub(super) fn live(&self) -> usize {
        self.all().map(|slots| slots.live).sum()
    }

    /// Collects something from every task that lives.
    pub(super) fn collect<T>(&self, mut of: impl FnMut(&Entry) -> Option<T>) -> Vec<T> {
        let mut collected = Vec::new();
        for slots in self.all() {
            collected.extend(slots.alive().filter_map(&mut of));
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
        self.used += 1;
        self.live += 1;
        let slot = match self.first_free {
            Some(slot) => {
                let taken = mem::replace(&mut self.slots[slot as usize], Slot::Used(entry));
                if let Slot::Free(next) = taken {
                    self.first_free = next;
                }
                slot
            }
            None => {
                self.slots.push(Slot::Used(entry));
                u32::try_from(self.slots.len() - 1).expect("that many tasks fit in no memory")
            }
        };
        Place(slot * SHARDS + shard)
    }

    /// Returns the entry of a task whose future or handle is still there.
    pub(super) fn get(&mut self, place: Place) -> &mut Entry {
        match &mut self.slots[(place.0 / SHARDS) as usize] {
            Slot::Used(entry) => entry,
            Slot::Free(_) => {
                unreachable!("an entry outlives the future and the handle of its task")
            }
        }
    }

    /// Takes out the entry of a task whose future and handle are both gone.
    #[must_use = "what an entry holds may run foreign code when dropped: drop it after the lock"]
    pub(super) fn remove(&mut self, place: Place) -> Option<Entry> {
        let slot = place.0 / SHARDS;
        let taken = mem::replace(&mut self.slots[slot as usize], Slot::Free(self.first_free));
        self.first_free = Some(slot);
        self.used -= 1;
        if self.used == 0 && self.slots.len() > KEEP {
            (self.slots, self.first_free) = (Vec::new(), None);
        }
        match taken {
            Slot::Used(entry) => Some(entry),
            Slot::Free(_) => None,
        }
    }

    fn alive(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Used(entry) if entry.end.is_none() => Some(entry),
            _ => None,
        })
    }
}
