//! The author's `main`, as a launcher calls it: in the process that runs the services.

use crate::service::{IntoServices, Services};

/// A `main` that builds what is to run: a function without an argument, or with one that derives
/// `clap::Args`.
///
/// `Marker` only keeps the two kinds apart; it is never named.
#[diagnostic::on_unimplemented(
    message = "this `main` cannot be launched",
    note = "`main` returns what is to run, or nothing to run every registered service that has an \
            `#[init]`; it takes no argument, or one that derives `clap::Args`"
)]
pub trait Main<Marker>: Send + 'static {
    /// Adds the program's own flags to the launcher's.
    #[cfg(feature = "cli")]
    fn flags(command: clap::Command) -> clap::Command;

    /// Builds the services.
    ///
    /// # Errors
    ///
    /// Returns the error that `main` returned.
    fn services(self, flags: &Flags) -> anyhow::Result<Services>;
}

/// The parsed command line.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    #[cfg(feature = "cli")]
    pub(crate) matches: clap::ArgMatches,
}

impl<F, S> Main<()> for F
where
    F: FnOnce() -> S + Send + 'static,
    S: IntoServices,
{
    #[cfg(feature = "cli")]
    fn flags(command: clap::Command) -> clap::Command {
        command
    }

    fn services(self, _flags: &Flags) -> anyhow::Result<Services> {
        self().into_services()
    }
}

#[cfg(feature = "cli")]
impl<F, A, S> Main<(A,)> for F
where
    F: FnOnce(A) -> S + Send + 'static,
    A: clap::Args,
    S: IntoServices,
{
    fn flags(command: clap::Command) -> clap::Command {
        A::augment_args(command)
    }

    fn services(self, flags: &Flags) -> anyhow::Result<Services> {
        self(A::from_arg_matches(&flags.matches)?).into_services()
    }
}
