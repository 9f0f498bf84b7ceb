//! One value of the tree, the way to it, and the reading that it is part of.

use serde::de::DeserializeSeed;

use super::fault::Fault;
use crate::config::{Entry, Origin, Value, path::Path};

/// What a reading takes note of while its values are read.
pub(crate) trait Notes {
    /// Tells whether the value at a path was refused already, or is not for the author's type.
    fn skips(&self, path: &Path) -> bool;

    /// Refuses the value at a path; tells whether that is new.
    fn refuse(&self, path: &Path, origin: &Origin, message: String) -> bool;

    /// Notes what a text turned out to be.
    fn resolved(&self, path: &Path, value: &Value);
}

/// A value, the way to it, and the reading that it is part of.
pub(crate) struct Node<'a> {
    pub(crate) reading: &'a dyn Notes,
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
