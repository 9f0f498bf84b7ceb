//! What the program listens on.

use super::Row;
use crate::listen::Listeners;

/// Returns a row for each socket that is held.
pub(crate) fn listeners(held: &Listeners) -> Vec<Row> {
    let row = |held: &crate::listen::Held| {
        let at = held
            .local_address()
            .unwrap_or_else(|_| held.address().clone());
        Row::of_many("listener", "listeners")
            .with("address", at.to_string())
            .with("asked_for", held.address().to_string())
            .with("name", held.name().map(str::to_owned))
            .with("of_slot", held.slot())
    };
    held.iter().map(row).collect()
}
