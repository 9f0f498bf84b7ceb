//! A service framework for programs that run for a long time.
//!
//! Rooms, from the bottom up; a room uses only those below it:
//!
//! | room | what is in it |
//! | --- | --- |
//! | `process`, `signal` | the operating system |
//! | `tasks`, `config`, `notify`, `listen`, `log` | siblings that do not know each other |
//! | `service` | the trait, its context, phases and registry |
//! | `http` | HTTP as a service |
//! | `launch` | the launchers and the supervisor |
//! | `__rt` | what generated code calls |

// So that what the macros of this workspace write is right in here too.
#[cfg(feature = "http")]
extern crate self as service_runtime;

#[doc(hidden)]
pub mod __rt;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "http")]
pub mod http;
mod launch;
pub mod listen;
mod log;
mod near;
mod notify;
pub mod prelude;
mod process;
mod service;
mod signal;
pub mod tasks;

#[cfg(target_os = "linux")]
pub use launch::ProcessLauncher;
pub use launch::{Flags, Main, Options, Preloaded, ServiceLauncher, launch};
pub use log::{LogFormat, LogFormatError};
pub use service::{
    Context, Description, Health, HealthStatus, IntoServices, ListenError, OnError, Phase,
    Registered, RestartMethod, RuntimeKind, Scope, Service, Services,
};
pub use service_macros::{
    health, init, launch, periodic, reset, routes, run, service, start, stop,
};
