//! Methods that a service offers, as values.

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use serde_json::value::{RawValue, to_raw_value};

use super::arguments::{ArgumentError, Arguments};
use super::call::Call;
use super::error::{Failed, MethodOutcome};
use super::message::Failure;
use super::version::Version;

/// How a handler ended.
pub(super) enum Handled {
    Value(Box<RawValue>),
    /// The caller gets this error.
    Expected(Box<Failure>),
    /// The log gets this error.
    Unexpected(anyhow::Error),
}

type Handler =
    dyn Fn(Call, Arguments) -> Result<BoxFuture<'static, Handled>, ArgumentError> + Send + Sync;

/// A method that can be called: its name, the version that it came with, and its handler.
///
/// `#[rpc]` makes one of each marked method; by hand it is as short.
///
/// # Examples
///
/// ```
/// use service_runtime::rpc::{Method, Version};
///
/// let double = Method::new(
///     "double",
///     |args| args.take::<u32>("number"),
///     |_call, number| async move { anyhow::Ok(number * 2) },
/// )
/// .since(Version::new(1, 1));
/// assert_eq!(double.name(), "double");
/// ```
#[derive(Clone)]
pub struct Method {
    name: &'static str,
    namespace: Option<&'static str>,
    since: Version,
    cast: bool,
    handler: Arc<Handler>,
}

impl Method {
    /// Makes a method of version 1.0, of what reads its arguments and what handles a call.
    pub fn new<A, F, R>(
        name: &'static str,
        read: impl Fn(&mut Arguments) -> Result<A, ArgumentError> + Send + Sync + 'static,
        handle: impl Fn(Call, A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: MethodOutcome,
    {
        let handler = move |call, mut args: Arguments| -> Result<BoxFuture<'static, Handled>, _> {
            let work = handle(call, read(&mut args)?);
            Ok(Box::pin(async move { handled(work.await) }))
        };
        Self {
            name,
            namespace: None,
            since: Version::default(),
            cast: false,
            handler: Arc::new(handler),
        }
    }

    /// Sets the version of the interface in which the method came.
    #[must_use]
    pub fn since(mut self, version: Version) -> Self {
        self.since = version;
        self
    }

    /// Puts the method into a namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// Says that nobody waits for a value of the method.
    #[must_use]
    pub fn cast(mut self) -> Self {
        self.cast = true;
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn place(&self) -> (Option<&'static str>, Version) {
        (self.namespace, self.since)
    }

    pub(super) fn handle(
        &self,
        call: Call,
        args: Arguments,
    ) -> Result<BoxFuture<'static, Handled>, ArgumentError> {
        (self.handler)(call, args)
    }
}

fn handled<R: MethodOutcome>(outcome: R) -> Handled {
    match outcome.outcome() {
        Ok(value) => match to_raw_value(&value) {
            Ok(value) => Handled::Value(value),
            Err(error) => {
                let error =
                    anyhow::Error::new(error).context("the value cannot be written as JSON");
                Handled::Unexpected(error)
            }
        },
        Err(Failed::Expected(failure)) => Handled::Expected(failure),
        Err(Failed::Unexpected(error)) => Handled::Unexpected(error),
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("name", &self.name)
            .field("namespace", &self.namespace)
            .field("since", &self.since)
            .field("cast", &self.cast)
            .finish_non_exhaustive()
    }
}
