//! How many workers: a number, or as many as there are processors.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

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
            Self::Auto => crate::os::process::cpus::count(),
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

impl FromStr for Workers {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            number => Ok(Self::Fixed(number.parse()?)),
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
