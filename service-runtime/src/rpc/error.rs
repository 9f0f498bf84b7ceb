//! What can become of a call that is not answered by a value.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::message::Failure;

/// A typed error of a method: expected, and the same on both sides.
///
/// `#[derive(RpcError)]` writes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error that crosses to a caller in another process",
    label = "the error of a method with `#[rpc]`",
    note = "write `#[derive(RpcError)]` on it, or return `anyhow::Error`, which callers do not see"
)]
pub trait RpcError: Error + Send + Sync + Sized + 'static {
    /// Turns the error into what crosses the wire.
    fn to_failure(&self) -> Failure;

    /// Recognizes the error; `None` if it is another one.
    fn from_failure(failure: &Failure) -> Option<Self>;
}

/// The error of a method that has no typed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoError(pub(super) Infallible);

impl fmt::Display for NoError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl Error for NoError {}

impl RpcError for NoError {
    fn to_failure(&self) -> Failure {
        match self.0 {}
    }

    fn from_failure(_: &Failure) -> Option<Self> {
        None
    }
}

/// Why a call has no value.
///
/// Only [`Undeliverable`](Self::Undeliverable), [`Unsupported`](Self::Unsupported) and
/// [`NotSent`](Self::NotSent) say that the call has not begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E: RpcError = NoError> {
    /// The method answered with its own error.
    #[error(transparent)]
    Expected(E),
    /// The method failed in a way that its caller does not know.
    #[error(transparent)]
    Remote(RemoteError),
    /// No answer came in time; the call may still run.
    #[error("no answer of {target} to `{method}` within {}", humantime::format_duration(*after))]
    Timeout {
        /// The method.
        method: String,
        /// Where it was called.
        target: String,
        /// How long the caller waited.
        after: Duration,
    },
    /// The server died while it had the call.
    #[error("the server of {target} died while it had `{method}`")]
    PeerLost {
        /// The method.
        method: String,
        /// Where it was called.
        target: String,
    },
    /// Nobody serves there.
    #[error("nobody serves {target}, so `{method}` was not called")]
    Undeliverable {
        /// The method.
        method: String,
        /// Where it was called.
        target: String,
    },
    /// The server knows no such method, or not in this version.
    #[error("{target} cannot serve `{method}`: {message}")]
    Unsupported {
        /// The method.
        method: String,
        /// Where it was called.
        target: String,
        /// What the server says.
        message: String,
    },
    /// The call was not sent.
    #[error("cannot call `{method}`")]
    NotSent {
        /// The method.
        method: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The call was sent, and its answer can never be known.
    #[error("the answer to `{method}` cannot be known")]
    Unknown {
        /// The method.
        method: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// An error of a server that has no type here.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteError(pub(super) Box<Failure>);

impl RemoteError {
    /// Returns the error as it came.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.0
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { class, message, .. } = &*self.0;
        write!(f, "{class}: {message}")
    }
}

impl Error for RemoteError {}

/// What a caller gets for what a method returns.
pub type Answer<R> = Result<<R as MethodOutcome>::Value, CallError<<R as MethodOutcome>::Error>>;

/// What a method may return.
#[diagnostic::on_unimplemented(
    message = "an `#[rpc]` method cannot return `{Self}`",
    label = "cannot cross to another process",
    note = "return a value that is `serde::Serialize` and `serde::de::DeserializeOwned`, or a `Result` of \
            it whose error is `anyhow::Error` or has `#[derive(RpcError)]`"
)]
pub trait MethodOutcome {
    /// What a caller gets.
    type Value: Serialize + DeserializeOwned + Send + 'static;
    /// The typed error that a caller gets.
    type Error: RpcError;

    /// Tells the value from the error.
    fn outcome(self) -> Result<Self::Value, Failed>;
}

impl<T, E> MethodOutcome for Result<T, E>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    E: Fails,
{
    type Value = T;
    type Error = E::Expected;

    fn outcome(self) -> Result<T, Failed> {
        self.map_err(Fails::failed)
    }
}

/// What an `#[rpc]` method may fail with: a typed error, or `anyhow::Error`.
#[diagnostic::on_unimplemented(
    message = "an `#[rpc]` method cannot fail with `{Self}`",
    label = "neither `anyhow::Error` nor a type with `#[derive(RpcError)]`",
    note = "write `#[derive(Debug, thiserror::Error, RpcError)]` on it, so that callers get it as it is, or \
            return `Result<T>` of the prelude, and callers get a text without internals"
)]
pub trait Fails: Send + 'static {
    /// What of it callers expect.
    type Expected: RpcError;

    /// Turns it into what happened.
    fn failed(self) -> Failed;
}

impl<E: RpcError> Fails for E {
    type Expected = E;

    fn failed(self) -> Failed {
        Failed::Expected(Box::new(self.to_failure()))
    }
}

impl Fails for anyhow::Error {
    type Expected = NoError;

    fn failed(self) -> Failed {
        Failed::Unexpected(self)
    }
}

/// How a method failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failed {
    /// By an error that its callers know.
    Expected(Box<Failure>),
    /// By one that is for the log of the server alone.
    Unexpected(anyhow::Error),
}
