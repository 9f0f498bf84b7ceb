//! The author's `main`, as a launcher calls it: in the process that runs the services.

use tokio::runtime::Runtime;

use super::setup::Setup;

/// A `main` that builds what is to run: a function of no argument, of `&Setup`, of one that derives
/// `clap::Args`, or of both in this order.
///
/// `Marker` only keeps the kinds apart; it is never named. What the function returns is asked
/// for by those that call it: were it asked for here, a wrong return type would be reported as a
/// wrong function.
#[diagnostic::on_unimplemented(
    message = "this `main` cannot be launched",
    label = "not a function of no argument, of `&Setup`, or of one that derives `clap::Args`",
    note = "let `main` take no argument, or `setup: &Setup`, or put the program's own flags into one \
            struct with `#[derive(clap::Args)]`; the flags come last"
)]
pub trait Main<Marker>: Send + 'static {
    /// What it returns.
    type Output;

    /// Adds the program's own flags to the launcher's.
    #[cfg(feature = "cli")]
    fn flags(command: clap::Command) -> clap::Command {
        command
    }

    /// Calls it, inside the runtime of the services.
    ///
    /// # Errors
    ///
    /// Returns an error if the flags are not those that [`flags`](Self::flags) added.
    fn call(self, setup: &Setup, runtime: &Runtime) -> anyhow::Result<Self::Output>;
}

/// An async function as a [`Main`]: it is run to its end by the runtime of the services.
#[derive(Debug, Clone, Copy)]
pub struct AsyncMain<F>(pub F);

/// Stands for `&Setup` in a marker.
#[derive(Debug)]
pub struct BySetup(());

impl<F, S> Main<()> for F
where
    F: FnOnce() -> S + Send + 'static,
{
    type Output = S;

    fn call(self, _setup: &Setup, _runtime: &Runtime) -> anyhow::Result<S> {
        Ok(self())
    }
}

impl<F, S> Main<(BySetup,)> for F
where
    F: FnOnce(&Setup) -> S + Send + 'static,
{
    type Output = S;

    fn call(self, setup: &Setup, _runtime: &Runtime) -> anyhow::Result<S> {
        Ok(self(setup))
    }
}

#[diagnostic::do_not_recommend]
impl<F, S> Main<()> for AsyncMain<F>
where
    F: AsyncFnOnce() -> S + Send + 'static,
{
    type Output = S;

    fn call(self, _setup: &Setup, runtime: &Runtime) -> anyhow::Result<S> {
        Ok(runtime.block_on((self.0)()))
    }
}

#[diagnostic::do_not_recommend]
impl<F, S> Main<(BySetup,)> for AsyncMain<F>
where
    F: AsyncFnOnce(&Setup) -> S + Send + 'static,
{
    type Output = S;

    fn call(self, setup: &Setup, runtime: &Runtime) -> anyhow::Result<S> {
        Ok(runtime.block_on((self.0)(setup)))
    }
}

#[cfg(feature = "cli")]
mod with_flags {
    use super::{AsyncMain, BySetup, Main, Runtime, Setup};

    fn read<A: clap::Args>(setup: &Setup) -> anyhow::Result<A> {
        Ok(A::from_arg_matches(&setup.flags().matches)?)
    }

    impl<F, A, S> Main<(A,)> for F
    where
        F: FnOnce(A) -> S + Send + 'static,
        A: clap::Args,
    {
        type Output = S;

        fn flags(command: clap::Command) -> clap::Command {
            A::augment_args(command)
        }

        fn call(self, setup: &Setup, _runtime: &Runtime) -> anyhow::Result<S> {
            Ok(self(read(setup)?))
        }
    }

    impl<F, A, S> Main<(BySetup, A)> for F
    where
        F: FnOnce(&Setup, A) -> S + Send + 'static,
        A: clap::Args,
    {
        type Output = S;

        fn flags(command: clap::Command) -> clap::Command {
            A::augment_args(command)
        }

        fn call(self, setup: &Setup, _runtime: &Runtime) -> anyhow::Result<S> {
            Ok(self(setup, read(setup)?))
        }
    }

    #[diagnostic::do_not_recommend]
    impl<F, A, S> Main<(A,)> for AsyncMain<F>
    where
        F: AsyncFnOnce(A) -> S + Send + 'static,
        A: clap::Args,
    {
        type Output = S;

        fn flags(command: clap::Command) -> clap::Command {
            A::augment_args(command)
        }

        fn call(self, setup: &Setup, runtime: &Runtime) -> anyhow::Result<S> {
            Ok(runtime.block_on((self.0)(read(setup)?)))
        }
    }

    #[diagnostic::do_not_recommend]
    impl<F, A, S> Main<(BySetup, A)> for AsyncMain<F>
    where
        F: AsyncFnOnce(&Setup, A) -> S + Send + 'static,
        A: clap::Args,
    {
        type Output = S;

        fn flags(command: clap::Command) -> clap::Command {
            A::augment_args(command)
        }

        fn call(self, setup: &Setup, runtime: &Runtime) -> anyhow::Result<S> {
            Ok(runtime.block_on((self.0)(setup, read(setup)?)))
        }
    }
}
