//! `#[rpc]` methods, their clients, and their typed errors.

use std::fmt;
use std::sync::Arc;

use super::register::Describe;
use crate::rpc::{
    ArgumentError, Arguments, Call, Difference, Failure, Interface, Method, MethodOutcome,
    MethodShape, NoError, same, serve,
};
use crate::service::Context;

/// Serves methods of a service under a topic.
pub async fn rpc<const N: usize>(
    cx: &Context,
    topic: &str,
    methods: [Method; N],
) -> anyhow::Result<()> {
    serve(cx, topic, methods.into()).await
}

/// Returns the topic of a service whose methods belong to no interface: its name.
pub const fn topic<S: Describe>() -> &'static str {
    S::DESCRIPTION.name()
}

/// Refuses a method, while it is compiled, that is another one on the wire than in its interface.
#[track_caller]
pub const fn fits(interface: &Interface, method: &MethodShape) {
    let mut place = 0;
    let methods = interface.methods();
    while place < methods.len() {
        let wanted = &methods[place];
        if same(wanted.name(), method.name()) {
            match wanted.difference(method) {
                None => {}
                Some(Difference::Since) => panic!("`since` is another one in the interface"),
                Some(Difference::Namespace) => {
                    panic!("`namespace` is another one in the interface")
                }
                Some(Difference::Cast) => panic!("one of the method and its interface is a `cast`"),
                Some(Difference::Idempotent) => {
                    panic!("one of the method and its interface is `idempotent`")
                }
                Some(Difference::Arguments) => panic!(
                    "the arguments have other names in the interface, or other words of serde"
                ),
            }
        }
        place += 1;
    }
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

/// Begins the failure of a typed error.
pub fn failure(class: &str, module: &str, error: &impl fmt::Display) -> Failure {
    Failure::new(class, module, error.to_string())
}

/// Returns the class of a failure of this module.
pub fn class<'a>(failure: &'a Failure, module: &str) -> Option<&'a str> {
    (failure.module == module).then_some(failure.class.as_str())
}
