//! The author's `main`, as a launcher calls it: in the process that runs the services.

use crate::settings::Flags;

/// A `main` that builds what is to run: a function without an argument, or with one that derives
/// `clap::Args`.
///
/// `Marker` only keeps the two kinds apart; it is never named. What the function returns is asked
/// for by those that call it: were it asked for here, a wrong return type would be reported as a
/// wrong function.
#[diagnostic::on_unimplemented(
    message = "this `main` cannot be launched",
    label = "not a function of no argument, or of one that derives `clap::Args`",
    note = "let `main` take no argument, or put the program's own flags into one struct with \
            `#[derive(clap::Args)]`"
)]
pub trait Main<Marker>: Send + 'static {
    /// What it returns.
    type Output;

    /// Adds the program's own flags to the launcher's.
    #[cfg(feature = "cli")]
    fn flags(command: clap::Command) -> clap::Command;

    /// Calls it.
    ///
    /// # Errors
    ///
    /// Returns an error if the flags are not those that [`flags`](Self::flags) added.
    fn call(self, flags: &Flags) -> anyhow::Result<Self::Output>;
}

impl<F, S> Main<()> for F
where
    F: FnOnce() -> S + Send + 'static,
{
    type Output = S;

    #[cfg(feature = "cli")]
    fn flags(command: clap::Command) -> clap::Command {
        command
    }

    fn call(self, _flags: &Flags) -> anyhow::Result<S> {
        Ok(self())
    }
}

#[cfg(feature = "cli")]
impl<F, A, S> Main<(A,)> for F
where
    F: FnOnce(A) -> S + Send + 'static,
    A: clap::Args,
{
    type Output = S;

    fn flags(command: clap::Command) -> clap::Command {
        A::augment_args(command)
    }

    fn call(self, flags: &Flags) -> anyhow::Result<S> {
        Ok(self(A::from_arg_matches(&flags.matches)?))
    }
}
