//! Memory that a supervisor and all its workers see: a header and one cell a worker.
//!
//! A worker writes its own cell, the supervisor the header and, before it asks for a stop, the limit in a
//! worker's cell. Every field is an atomic, so a torn or
//! half-written value cannot be read, whoever dies when.
#![expect(
    unsafe_code,
    reason = "memory shared between processes comes as a raw pointer"
)]

use std::fmt;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::counters::Counters;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// The most workers that can live at one time.
pub(crate) const CELLS: usize = 2048;

/// The most pools of workers.
pub(crate) const POOLS: usize = 64;

/// Memory shared with every process forked after it was made.
#[derive(Clone)]
pub(crate) struct Page(Arc<Mapping>);

/// What the supervisor tells all workers.
#[repr(C, align(64))]
pub(crate) struct Header {
    /// For each pool, the pid of the worker that runs the tasks of scope `program`; 0 for none.
    pub(crate) leaders: [AtomicU32; POOLS],
    /// Whether the whole program stops, and its sockets with it.
    pub(crate) ends: AtomicBool,
}

/// What one worker and its supervisor tell each other.
#[repr(C, align(128))]
pub(crate) struct Cell {
    /// When the worker's runtime last turned, in milliseconds of the shared clock.
    pub(crate) heartbeat: AtomicU64,
    /// How long it may take to stop, in milliseconds: told before it is asked to. 0 until then.
    pub(crate) stop_within: AtomicU64,
    /// What it counts.
    pub(crate) counters: Counters,
}

impl Cell {
    /// Forgets the worker that had the cell before.
    pub(crate) fn clear(&self) {
        self.heartbeat.store(0, Ordering::Release);
        self.stop_within.store(0, Ordering::Release);
        self.counters.clear();
    }

    /// Tells the worker how long it may take to stop, `None` for no limit.
    pub(crate) fn tell_limit(&self, limit: Option<Duration>) {
        let millis = limit.map_or(u64::MAX, |limit| {
            u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1)
        });
        self.stop_within.store(millis, Ordering::Release);
    }

    /// Returns how long this worker may take to stop, if it was told: `Some(None)` is no limit.
    pub(crate) fn limit(&self) -> Option<Option<Duration>> {
        match self.stop_within.load(Ordering::Acquire) {
            0 => None,
            u64::MAX => Some(None),
            millis => Some(Some(Duration::from_millis(millis))),
        }
    }
}

/// One worker's cell, kept mapped for as long as it is held.
#[derive(Clone)]
pub(crate) struct CellRef {
    page: Page,
    index: usize,
}

#[repr(C)]
struct Layout {
    header: Header,
    cells: [Cell; CELLS],
}

struct Mapping(NonNull<Layout>);

impl Page {
    /// Maps a new page, all zero. Memory is used only for the cells that are touched.
    pub(crate) fn new() -> nix::Result<Self> {
        let length = NonZeroUsize::new(size_of::<Layout>()).expect("a layout of cells has a size");
        let prot = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: no address is asked for, so no mapping of anybody else can be replaced.
        let base = unsafe { mmap_anonymous(None, length, prot, MapFlags::MAP_SHARED) }?;
        Ok(Self(Arc::new(Mapping(base.cast()))))
    }

    /// Returns what the supervisor tells all workers.
    pub(crate) fn header(&self) -> &Header {
        &self.0.layout().header
    }

    /// Returns cell number `index`.
    ///
    /// # Panics
    ///
    /// Panics if `index` is not below [`CELLS`].
    pub(crate) fn cell(&self, index: usize) -> CellRef {
        assert!(
            index < CELLS,
            "the page has {CELLS} cells, cell {index} is none of them"
        );
        CellRef {
            page: self.clone(),
            index,
        }
    }
}

impl std::ops::Deref for CellRef {
    type Target = Cell;

    fn deref(&self) -> &Cell {
        &self.page.0.layout().cells[self.index]
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}

impl fmt::Debug for CellRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CellRef")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Mapping {
    fn layout(&self) -> &Layout {
        // SAFETY: the mapping is as long as a `Layout`, aligned to a memory page, zero at first,
        // which is a valid value of every atomic, and unmapped only when `self` is dropped.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: every reference into the mapping borrows from an `Arc` of `self`, and this is
        // the last of them.
        let _ = unsafe { munmap(self.0.cast(), size_of::<Layout>()) };
    }
}

// SAFETY: the memory behind the pointer is plain and belongs to no thread.
unsafe impl Send for Mapping {}

// SAFETY: all access is by shared reference to atomics.
unsafe impl Sync for Mapping {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_keeps_what_was_written_and_others_do_not_see_it() {
        let page = Page::new().unwrap();
        page.cell(3).heartbeat.store(7, Ordering::Relaxed);
        assert_eq!(page.cell(3).heartbeat.load(Ordering::Relaxed), 7);
        assert_eq!(page.cell(4).heartbeat.load(Ordering::Relaxed), 0);
    }
}
