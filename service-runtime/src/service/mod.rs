//! Services: the trait, what a service is given, and how services are found and ordered.
//!
//! Nothing here starts a process or reads a signal: a launcher, a module above, drives services and
//! stands behind their [`Context`] as its [`Host`](host::Host).

mod context;
mod description;
mod erased;
#[cfg(any(feature = "cluster", feature = "rpc"))]
mod extensions;
mod future;
mod health;
pub(crate) mod host;
mod into_services;
mod order;
pub(crate) mod phase;
pub(crate) mod registry;
mod settings;
mod work;

pub use context::{Context, ListenError};
pub use description::{Description, OnError};
pub(crate) use erased::{AnyService, Build, Definition, InitFn};
pub(crate) use future::BoxFuture;
pub use health::{Health, HealthStatus};
pub use into_services::{IntoServices, Registered, Services};
pub(crate) use order::levels;
pub use phase::Phase;
pub use settings::{ChoiceError, RestartMethod, RuntimeKind, Scope};
pub use work::Service;
