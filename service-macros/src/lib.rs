//! The attributes of `service-runtime`.
#![forbid(unsafe_code)]

mod args;
#[cfg(test)]
mod expansions;
mod launch;
mod markers;
mod problem;
mod service;
mod service_impl;
mod service_struct;

use proc_macro::TokenStream;

use self::markers::{Kind, astray};

#[doc = include_str!("../doc/service.md")]
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(args.into(), item.into()).into()
}

#[doc = include_str!("../doc/launch.md")]
#[proc_macro_attribute]
pub fn launch(args: TokenStream, item: TokenStream) -> TokenStream {
    launch::expand(args.into(), item.into()).into()
}

macro_rules! markers {
    ($($(#[doc = $doc:expr])* $name:ident: $kind:ident;)*) => {$(
        $(#[doc = $doc])*
        #[proc_macro_attribute]
        pub fn $name(_args: TokenStream, item: TokenStream) -> TokenStream {
            astray(Kind::$kind, &item.into()).into()
        }
    )*};
}

markers! {
    /// Marks the function that builds the service, in an impl block with [`macro@service`].
    init: Init;
    /// Marks the hook that runs before the service counts as ready, in an impl block with [`macro@service`].
    start: Start;
    /// Marks the hook that runs once after start, as a task, in an impl block with [`macro@service`].
    run: Run;
    /// Marks a hook that runs again and again, in an impl block with [`macro@service`].
    periodic: Periodic;
    /// Marks the hook that runs on SIGHUP, in an impl block with [`macro@service`].
    reset: Reset;
    /// Marks the hook that runs when a stop begins, in an impl block with [`macro@service`].
    stop: Stop;
    /// Marks the hook that tells how the service does, in an impl block with [`macro@service`].
    health: Health;
}
