//! What a report tells of slots.

use super::{Machine, PoolId, Time, WorkerId};

/// A slot, as it is seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotView {
    /// Whose workers it takes.
    pub(crate) pool: PoolId,
    /// Its number among the slots of the pool.
    pub(crate) number: usize,
    /// The worker that counts.
    pub(crate) holder: Option<WorkerId>,
    /// Whether it stays empty until an operator says otherwise.
    pub(crate) held: bool,
    /// Young deaths in a row.
    pub(crate) early_deaths: u32,
    /// Refused forks in a row.
    pub(crate) refused: u32,
    /// When it gets its next worker, while it waits for one.
    pub(crate) retry_at: Option<Time>,
}

impl Machine {
    /// Goes over the slots that are to have workers, or are held empty.
    pub(crate) fn slots(&self) -> impl Iterator<Item = SlotView> {
        let used = self.slots.iter().filter(|slot| slot.is_used());
        used.map(|slot| SlotView {
            pool: slot.pool,
            number: slot.number,
            holder: slot.holder,
            held: slot.held,
            early_deaths: slot.early_deaths,
            refused: slot.refused,
            retry_at: slot.retry_at.filter(|_| slot.wants_worker()),
        })
    }
}
