//! The attributes of `service-runtime`, which exports them; nobody needs this crate beside it.
//!
//! | attribute | stands on |
//! | --- | --- |
//! | [`macro@service`] | a struct, and its impl block |
//! | [`macro@init`], [`macro@start`], [`macro@routes`], [`macro@rpc`], [`macro@ready`], [`macro@run`], [`macro@periodic`], [`macro@reset`], [`macro@stop`], [`macro@stopped`], [`macro@health`] | the methods of that block that the lifecycle calls |
//! | [`macro@launch`] | `main` |
//! | [`macro@interface`] | a trait of methods that other crates call and serve |
//!
//! Each works in three steps: *parse* keeps what was written, *model* checks every rule and holds only
//! valid values, *expand* cannot fail. What is wrong with one item is reported in one run, and all that
//! is right is generated all the same. The macros work on tokens alone and depend on no runtime: what
//! they write calls `service_runtime::__rt`, under the name that the author's manifest has for the crate,
//! and does not decide anything itself.
#![forbid(unsafe_code)]

mod args;
mod body;
mod config;
#[cfg(test)]
mod expansions;
mod launch;
mod markers;
mod place;
mod problem;
mod rpc;
mod runtime_path;
mod service;
mod service_impl;
mod service_struct;
mod source;

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

#[doc = include_str!("../doc/interface.md")]
#[proc_macro_attribute]
pub fn interface(args: TokenStream, item: TokenStream) -> TokenStream {
    rpc::interface(args.into(), item.into()).into()
}

#[doc = include_str!("../doc/config.md")]
#[proc_macro_derive(Config, attributes(config, serde))]
pub fn config(item: TokenStream) -> TokenStream {
    config::expand(item.into()).into()
}

/// Lets a typed error of an `#[rpc]` method cross to its caller, and be the same there.
///
/// It stands on an enum or a struct that is a `std::error::Error`, whose fields are
/// `serde::Serialize` and `serde::de::DeserializeOwned`. A variant is a class of its own on the wire, with
/// its text and its fields. Needs the feature `rpc`. Where the crate of the framework is to be named,
/// `#[rpc_error(crate = facade::runtime)]` names it.
#[proc_macro_derive(RpcError, attributes(rpc_error))]
pub fn rpc_error(item: TokenStream) -> TokenStream {
    rpc::error(item.into()).into()
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

// The impl block's attribute takes markers away. These are for a marker where there is none, and
// for the help that an editor shows.
markers! {
    /// Marks the function that builds the service, in an impl block with [`macro@service`].
    ///
    /// Its arguments are the service's configuration by value and `&Context`: either, both or none.
    /// It returns `Self` or a `Result` of it. Without it the value of the service comes from `main`.
    init: Init;
    /// Marks the hook that runs before the service counts as ready, in an impl block with
    /// [`macro@service`].
    ///
    /// If it returns an error the service does not start, and what has started is stopped.
    start: Start;
    /// Marks the method that gives the routes to serve over HTTP, in an impl block with
    /// [`macro@service`].
    ///
    /// It takes `self: Arc<Self>` or `&self` and returns an `axum::Router` or a `Result` of it. They
    /// are served from the end of `#[start]` on, on the listeners of the service's own table. Needs
    /// the feature `http`.
    routes: Routes;
    /// Marks a method that other services can call, in an impl block with [`macro@service`].
    ///
    /// It takes `&self`, arguments by value, each `Serialize` and `DeserializeOwned`, and, if it wants them,
    /// `call: &Call` and `cx: &Context`. It returns a value, or a `Result` of one whose error is
    /// `anyhow::Error` or has `#[derive(RpcError)]`. It is served from the end of `#[start]` on. Needs the
    /// feature `rpc`.
    ///
    /// | argument | meaning |
    /// | --- | --- |
    /// | `since = "1.2"` | the version of the interface in which the method came; by default 1.0 |
    /// | `cast` | nobody waits for a value |
    /// | `namespace = "admin"` | the namespace of the method |
    /// | `idempotent` | a client sends it again when its answer cannot be known: it may run twice |
    /// | `interface = ComputeApi` | which of several interfaces of the block the method belongs to |
    rpc: Rpc;
    /// Marks the hook that runs once all of the service serves, in an impl block with [`macro@service`].
    ///
    /// If it returns an error the service does not start, as with [`macro@start`].
    ready: Ready;
    /// Marks the hook that runs once after start, as a task, in an impl block with
    /// [`macro@service`].
    ///
    /// Its end is the service's end.
    run: Run;
    #[doc = include_str!("../doc/periodic.md")]
    periodic: Periodic;
    /// Marks the hook that runs on SIGHUP, when the new configuration is in place, in an impl block
    /// with [`macro@service`].
    reset: Reset;
    /// Marks the hook that runs when a stop begins, in an impl block with [`macro@service`].
    ///
    /// It refuses new work. What is in progress finishes after it, and may still spawn tasks.
    stop: Stop;
    /// Marks the hook that runs when all work of the service has ended, in an impl block with
    /// [`macro@service`].
    ///
    /// Background tasks still run, and are dropped after it.
    stopped: Stopped;
    /// Marks the hook that tells how the service does, in an impl block with [`macro@service`].
    health: Health;
}
