//! How many workers: a number, or as many as there are processors.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// The most workers of a program: a reload runs two of each for a while, and the page that all of them
/// share has places for so many.
pub(crate) const WORKERS_MOST: NonZeroUsize = NonZeroUsize::new(1000).expect("it is more than 0");

#[cfg(workers)]
const _: () = assert!(2 * WORKERS_MOST.get() < crate::os::process::shared_page::CELLS);

/// The setting `workers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workers {
    /// So many.
    Fixed(NonZeroUsize),
    /// One for each processor that this process may use.
    Auto,
}

impl Workers {
    /// Returns the number, of this moment if it is the machine's.
    pub(crate) fn get(self) -> usize {
        match self {
            Self::Fixed(number) => number.get(),
            #[cfg(workers)]
            Self::Auto => crate::os::process::cpus::count().min(WORKERS_MOST.get()),
            #[cfg(not(workers))]
            Self::Auto => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }
}

impl Default for Workers {
    fn default() -> Self {
        Self::Fixed(NonZeroUsize::MIN)
    }
}

/// The text is no number of workers.
#[derive(Debug)]
pub(crate) struct WorkersError;

impl FromStr for Workers {
    type Err = WorkersError;

    fn from_str(text: &str) -> Result<Self, WorkersError> {
        let number = |text| super::read::at_most(WORKERS_MOST, text).map(Self::Fixed);
        match text {
            "auto" => Ok(Self::Auto),
            text => number(text).ok_or(WorkersError),
        }
    }
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(number) => number.fmt(f),
            Self::Auto => f.write_str("\"auto\""),
        }
    }
}
