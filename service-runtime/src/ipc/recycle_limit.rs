//! The limits of a worker's life.

use std::fmt;

/// A limit that a worker has reached, and is to be replaced for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RecycleLimit {
    /// It has served as many requests as it may.
    Requests,
    /// It has been ready for as long as it may.
    Lifetime,
    /// It has more memory than it may.
    Memory,
}

impl RecycleLimit {
    const ALL: [Self; 3] = [Self::Requests, Self::Lifetime, Self::Memory];

    /// Returns the setting that says what the limit is.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Requests => "max_requests",
            Self::Lifetime => "max_lifetime",
            Self::Memory => "max_memory",
        }
    }

    /// Returns the limit of a setting.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.key() == key)
    }
}

impl fmt::Display for RecycleLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}
