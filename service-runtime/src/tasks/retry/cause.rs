//! What a retried call may fail with.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// An error that a retried call may return: any `std::error::Error`, [`anyhow::Error`], a boxed error, or a
/// text.
///
/// `Kind` only keeps the sorts of errors apart; it is found by the compiler and never named.
#[diagnostic::on_unimplemented(
    message = "a call that fails with `{Self}` cannot be retried",
    label = "this error cannot be told to whoever waits for the value",
    note = "let the call return a `std::error::Error` that is `Send`, `Sync` and `'static`, an \
            `anyhow::Error`, a `Box<dyn Error>` or a text"
)]
pub trait RetryCause<Kind> {
    /// Turns it into an error that can be handed on, with its causes.
    fn into_error(self) -> anyhow::Error;
}

/// Keeps the sorts of errors apart.
#[derive(Debug)]
pub enum ErrorKind {}

/// Keeps the sorts of errors apart.
#[derive(Debug)]
pub enum AnyhowKind {}

/// Keeps the sorts of errors apart.
#[derive(Debug)]
pub enum BoxKind {}

/// Keeps the sorts of errors apart.
#[derive(Debug)]
pub enum TextKind {}

impl<E: Error + Send + Sync + 'static> RetryCause<ErrorKind> for E {
    fn into_error(self) -> anyhow::Error {
        self.into()
    }
}

impl RetryCause<AnyhowKind> for anyhow::Error {
    fn into_error(self) -> anyhow::Error {
        self
    }
}

impl RetryCause<BoxKind> for Box<dyn Error + Send + Sync> {
    fn into_error(self) -> anyhow::Error {
        anyhow::Error::from_boxed(self)
    }
}

impl RetryCause<BoxKind> for Box<dyn Error + Send> {
    fn into_error(self) -> anyhow::Error {
        texts(&*self)
    }
}

impl RetryCause<BoxKind> for Box<dyn Error> {
    fn into_error(self) -> anyhow::Error {
        texts(&*self)
    }
}

impl RetryCause<TextKind> for String {
    fn into_error(self) -> anyhow::Error {
        anyhow::Error::msg(self)
    }
}

impl RetryCause<TextKind> for &'static str {
    fn into_error(self) -> anyhow::Error {
        anyhow::Error::msg(self)
    }
}

impl RetryCause<TextKind> for Cow<'static, str> {
    fn into_error(self) -> anyhow::Error {
        anyhow::Error::msg(self)
    }
}

/// An error that belongs to one thread, as the texts of it and its causes.
fn texts(error: &dyn Error) -> anyhow::Error {
    Texts::of(error).into()
}

/// What is left of an error that belongs to one thread.
#[derive(Debug)]
struct Texts {
    text: String,
    cause: Option<Box<Texts>>,
}

impl Texts {
    fn of(error: &dyn Error) -> Self {
        Self {
            text: error.to_string(),
            cause: error.source().map(|cause| Box::new(Self::of(cause))),
        }
    }
}

impl fmt::Display for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Texts {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.cause.as_deref();
        cause.map(|cause| cause as &(dyn Error + 'static))
    }
}
