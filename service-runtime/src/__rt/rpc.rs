//! `#[rpc]` methods, their clients, and their typed errors.

use std::fmt;
use std::sync::Arc;

use super::register::Describe;
use crate::rpc::{
    ArgumentError, Arguments, Call, Client, Failure, Method, MethodOutcome, NoError, serve,
};
use crate::service::Context;

/// Serves the methods of a service under its name.
pub async fn rpc<const N: usize>(cx: &Context, methods: [Method; N]) -> anyhow::Result<()> {
    serve(cx, cx.name(), methods.into()).await
}

/// Makes a method of one of a service.
pub fn method<S, A, F, R>(
    cx: &Context,
    this: &Arc<S>,
    name: &'static str,
    read: fn(&mut Arguments) -> Result<A, ArgumentError>,
    handle: impl Fn(Arc<S>, Context, Call, A) -> F + Send + Sync + 'static,
) -> Method
where
    S: Send + Sync + 'static,
    A: 'static,
    F: Future<Output = R> + Send + 'static,
    R: MethodOutcome,
{
    let (cx, this) = (cx.clone(), Arc::clone(this));
    Method::new(name, read, move |call, args| {
        handle(Arc::clone(&this), cx.clone(), call, args)
    })
}

/// Makes the outcome of a method that cannot fail.
pub fn value<T>(value: T) -> Result<T, NoError> {
    Ok(value)
}

/// Makes a client of a service with `#[service]`.
pub fn client<S: Describe>(cx: &Context) -> Client {
    Client::new(cx, S::DESCRIPTION.name())
}

/// Begins the failure of a typed error.
pub fn failure(class: &str, module: &str, error: &impl fmt::Display) -> Failure {
    Failure::new(class, module, error.to_string())
}

/// Returns the class of a failure of this module.
pub fn class<'a>(failure: &'a Failure, module: &str) -> Option<&'a str> {
    (failure.module == module).then_some(failure.class.as_str())
}
