//! What the program listens on.

use super::row::Row;
use crate::listen::{Held, Listeners};

/// A socket that the program holds.
#[derive(Debug, Clone)]
pub(crate) struct ListenerStatus {
    /// Where it listens.
    pub(crate) address: String,
    /// The address that was asked for: with port 0 another one.
    pub(crate) asked_for: String,
    /// The name under which the service manager passed it.
    pub(crate) name: Option<String>,
    /// The slot whose own it is.
    pub(crate) slot: Option<usize>,
}

impl ListenerStatus {
    /// Describes every socket that is held.
    pub(crate) fn all(listeners: &Listeners) -> Vec<Self> {
        let status = |held: &Held| {
            let bound = held.local_address();
            Self {
                address: bound.unwrap_or_else(|_| held.address().clone()).to_string(),
                asked_for: held.address().to_string(),
                name: held.name().map(str::to_owned),
                slot: held.slot(),
            }
        };
        listeners.iter().map(status).collect()
    }

    pub(super) fn row(&self) -> Row {
        Row::of_many("listener", "listeners")
            .with("address", self.address.as_str())
            .with("asked_for", self.asked_for.as_str())
            .with("name", self.name.clone())
            .with("of_slot", self.slot)
    }
}
