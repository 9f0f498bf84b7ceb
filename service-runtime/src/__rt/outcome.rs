//! What a hook may return.

use crate::service::Health;

/// The return type of a hook: nothing, or a `Result` whose error anyhow takes.
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "neither nothing nor a `Result<(), E>` with an error",
    note = "return nothing, or `Result<()>` of the prelude, which takes any `std::error::Error`; \
            a text becomes an error by `anyhow::anyhow!(…)`"
)]
pub trait HookOutcome {
    /// Turns what the hook returned into a result.
    fn outcome(self) -> anyhow::Result<()>;
}

impl HookOutcome for () {
    fn outcome(self) -> anyhow::Result<()> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<anyhow::Error>> HookOutcome for Result<(), E> {
    fn outcome(self) -> anyhow::Result<()> {
        self.map_err(Into::into)
    }
}

/// The return type of a health hook.
#[diagnostic::on_unimplemented(
    message = "a `#[health]` hook cannot return `{Self}`",
    label = "neither `Health` nor a `Result`",
    note = "return `Health`, or a `Result` of `Health` or nothing, whose error means that the \
            service cannot do its work"
)]
pub trait HealthOutcome {
    /// Turns what the hook returned into a health.
    fn outcome(self) -> Health;
}

impl HealthOutcome for Health {
    fn outcome(self) -> Health {
        self
    }
}

impl HealthOutcome for () {
    fn outcome(self) -> Health {
        Health::pass()
    }
}

#[diagnostic::do_not_recommend]
impl<T: HealthOutcome, E: Into<anyhow::Error>> HealthOutcome for Result<T, E> {
    fn outcome(self) -> Health {
        match self {
            Ok(health) => health.outcome(),
            Err(error) => Health::fail(format!("{:#}", error.into())),
        }
    }
}
