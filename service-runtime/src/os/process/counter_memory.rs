//! Where a process counts: in memory of its own, or in memory that its supervisor reads.

use std::ops::Deref;
use std::sync::atomic::AtomicU64;

use super::counters::Counters;
#[cfg(workers)]
use super::shared_page::CellRef;

/// Where the numbers are.
pub(crate) enum CounterMemory {
    /// In memory of this process alone.
    Own(Box<Counters>),
    /// In a worker's cell of the shared page.
    #[cfg(workers)]
    Cell(CellRef),
}

impl CounterMemory {
    /// Makes numbers of this process alone.
    pub(crate) fn own() -> Self {
        Self::Own(Box::new(Counters {
            requests: AtomicU64::new(0),
            numbers: std::array::from_fn(|_| AtomicU64::new(0)),
        }))
    }
}

impl Deref for CounterMemory {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        match self {
            Self::Own(counters) => counters,
            #[cfg(workers)]
            Self::Cell(cell) => &cell.counters,
        }
    }
}
