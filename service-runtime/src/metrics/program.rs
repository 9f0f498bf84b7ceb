//! What a launch does with metrics: which processes count where, and who reads all of it.
//!
//! Without the feature there is nothing behind it.

#[cfg(all(feature = "http", workers))]
use std::sync::OnceLock;

#[cfg(all(feature = "metrics", workers))]
use super::cells::Arenas;
#[cfg(feature = "metrics")]
use super::recorder::{self, OnThisThread};

/// The metrics of a program with workers. Every clone is the same memory.
#[cfg(workers)]
#[derive(Debug, Clone)]
pub(crate) struct ProgramMetrics {
    /// `None` if there is no memory for them.
    #[cfg(feature = "metrics")]
    arenas: Option<Arenas>,
}

/// Lets what `main` does count, which runs on this thread, until all threads do.
pub(crate) struct Counting {
    #[cfg(feature = "metrics")]
    _on_this_thread: OnThisThread,
}

#[cfg(all(feature = "http", workers))]
static PROGRAM: OnceLock<Arenas> = OnceLock::new();

#[cfg(workers)]
impl ProgramMetrics {
    /// Makes the memory, before the first fork; a program that gets none goes on without.
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            arenas: Arenas::new()
                .inspect_err(|error| tracing::error!("no metrics are counted: {error}"))
                .ok(),
        }
    }

    /// Makes room for a worker that is to be forked.
    pub(crate) fn prepare(&self, cell: usize) {
        #[cfg(feature = "metrics")]
        if let Some(arenas) = &self.arenas
            && let Err(error) = arenas.prepare(cell)
        {
            tracing::debug!(cell, "no room for the metrics of a worker: {error}");
        }
        #[cfg(not(feature = "metrics"))]
        let _ = cell;
    }

    /// Notes that a worker has ended.
    pub(crate) fn release(&self, cell: usize) {
        #[cfg(feature = "metrics")]
        if let Some(arenas) = &self.arenas {
            arenas.release(cell);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = cell;
    }

    /// Lets a worker count, in the arena of its cell.
    pub(crate) fn start(self, cell: usize) -> Counting {
        #[cfg(feature = "http")]
        if let Some(arenas) = &self.arenas {
            // A worker has one program.
            let _ = PROGRAM.set(arenas.clone());
        }
        #[cfg(not(feature = "metrics"))]
        let _ = cell;
        Counting {
            #[cfg(feature = "metrics")]
            _on_this_thread: recorder::start(|| {
                let opened = self.arenas.map(|arenas| arenas.open(cell)).transpose();
                opened.unwrap_or_else(|error| {
                    tracing::error!("nobody else sees the metrics of this worker: {error}");
                    None
                })
            }),
        }
    }
}

impl Counting {
    /// Lets a process count that has no workers.
    pub(crate) fn start_alone() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            _on_this_thread: recorder::start(|| None),
        }
    }

    /// Lets all threads count from here on, unless `main` has installed a recorder of its own.
    pub(crate) fn install(self) {
        #[cfg(feature = "metrics")]
        recorder::install();
    }
}

/// Writes the metrics of all processes of the program.
#[cfg(feature = "http")]
pub(crate) fn exposition(format: super::text::Format) -> String {
    super::text::write(&super::families::merge(&arenas()), format)
}

/// Reads the numbers of all processes of the program.
#[cfg(feature = "http")]
fn arenas() -> Vec<super::reader::Arena> {
    #[cfg(workers)]
    if let Some(program) = PROGRAM.get() {
        return Arenas::read(program);
    }
    let own = recorder::own().map(|own| super::reader::read(&own.load()));
    own.and_then(Result::ok).into_iter().collect()
}
