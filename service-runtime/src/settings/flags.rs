//! The program's own flags, as they were parsed beside the launcher's.

/// The parsed command line.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    #[cfg(feature = "cli")]
    pub(crate) matches: clap::ArgMatches,
}

#[cfg(feature = "cli")]
impl Flags {
    pub(crate) fn of(matches: clap::ArgMatches) -> Self {
        Self { matches }
    }
}
