//! The live tasks of a group: who they are, how to abort them, whom to tell at their end.
//!
//! Spawning passes through here, so each task costs two short critical sections, one when it is
//! entered and one when it leaves, spread over [`SHARDS`] locks. No lock is held while foreign code
//! runs: not a callback, not a destructor, not tokio.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::tasks::TaskEnd;
use crate::tasks::record::Record;

/// A power of two, so that the choice of a shard is a mask.
const SHARDS: usize = 8;

/// A shard that empties gives back the memory of a burst larger than this.
const KEEP: usize = 256;

/// A callback for the end of a task.
pub(super) type Callback = Box<dyn FnOnce(&TaskEnd) + Send>;

/// One live task.
pub(super) struct Entry {
    pub(super) record: Arc<Record>,
    pub(super) abort: AbortHandle,
    pub(super) callbacks: Vec<Callback>,
}

/// All live tasks of a group.
#[derive(Default)]
pub(super) struct Registry {
    shards: [Shard; SHARDS],
}

/// Own cache line each, so that two threads in two shards do not slow each other down.
#[derive(Default)]
#[repr(align(64))]
struct Shard(Mutex<Slots>);

/// A slab: slots are used again, so a place in it is a stable key of four bytes.
#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    first_free: Option<u32>,
    len: usize,
}

enum Slot {
    Free(Option<u32>),
    Used(Entry),
}

impl Registry {
    /// Locks the shard that a task was assigned to.
    pub(super) fn shard(&self, shard: usize) -> MutexGuard<'_, Slots> {
        let shard = &self.shards[shard % SHARDS].0;
        // Nothing inside a critical section panics; should it, the slab is whole at each step.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Collects something from every live task, shard by shard.
    pub(super) fn collect<T>(&self, mut of: impl FnMut(&Entry) -> Option<T>) -> Vec<T> {
        let mut all = Vec::new();
        for shard in 0..SHARDS {
            all.extend(self.shard(shard).entries().filter_map(&mut of));
        }
        all
    }
}

impl Slots {
    pub(super) fn insert(&mut self, entry: Entry) -> u32 {
        self.len += 1;
        if let Some(index) = self.first_free {
            let slot = &mut self.slots[index as usize];
            if let Slot::Free(next) = mem::replace(slot, Slot::Used(entry)) {
                self.first_free = next;
            }
            return index;
        }
        let index = u32::try_from(self.slots.len())
            .expect("four thousand million tasks do not fit in memory");
        self.slots.push(Slot::Used(entry));
        index
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Entry> {
        match self.slots.get_mut(index as usize)? {
            Slot::Used(entry) => Some(entry),
            Slot::Free(_) => None,
        }
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<Entry> {
        let slot = self.slots.get_mut(index as usize)?;
        if let Slot::Free(_) = slot {
            return None;
        }
        let Slot::Used(entry) = mem::replace(slot, Slot::Free(self.first_free)) else {
            return None;
        };
        self.first_free = Some(index);
        self.len -= 1;
        if self.len == 0 && self.slots.len() > KEEP {
            *self = Self::default();
        }
        Some(entry)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Used(entry) => Some(entry),
            Slot::Free(_) => None,
        })
    }
}
