//! One value of the tree, the way to it, and the reading that it is part of.

use serde::de::DeserializeSeed;

use super::{Reading, fault::Fault};
use crate::config::{Entry, Value, path::Path};

/// A value, the way to it, and the reading that it is part of.
pub(crate) struct Node<'a> {
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) entry: &'a Entry,
    pub(crate) path: Path,
}

impl<'a> Node<'a> {
    /// Gives a fault this place unless it has one.
    pub(crate) fn locate(&self, fault: Fault) -> Fault {
        fault.or_at(&self.path, self.entry)
    }

    /// Reads this value with a seed; a fault of the seed's own has its place here.
    pub(crate) fn feed<'de, T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        let (path, entry) = (self.path.clone(), self.entry);
        seed.deserialize(self)
            .map_err(|fault| fault.or_at(&path, entry))
    }

    /// Puts what the text turned out to be in its place, for this read and for the snapshot.
    pub(super) fn resolve(&self, value: Value) -> Entry {
        self.reading.resolved(&self.path, &value);
        let mut entry = Entry::new(value, self.entry.origin.clone());
        entry.adopt(self.entry);
        entry
    }
}
