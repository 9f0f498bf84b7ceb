//! A service framework for programs that run for a long time.
//!
//! Write the hooks of a service; the framework adds a lifecycle, task groups with timers, layered
//! configuration with reload, and worker processes that a supervisor keeps alive.
//!
//! ```no_run
//! use service_runtime::prelude::*;
//!
//! #[service]
//! struct Greeter;
//!
//! #[service]
//! impl Greeter {
//!     #[periodic(every = "1s")]
//!     async fn greet(&self) {
//!         tracing::info!("hello");
//!     }
//! }
//!
//! #[launch]
//! fn main() -> Greeter {
//!     Greeter
//! }
//! ```
//!
//! | look here | for |
//! | --- | --- |
//! | [`macro@service`], [`macro@launch`] | the attributes, their arguments, and the code they stand for |
//! | [`Service`], [`Context`] | what they are sugar on, and what a hook is given |
//! | [`tasks`] | groups, timers, loops, periodic tasks |
#![cfg_attr(
    feature = "config",
    doc = "| [`config`], [`config::Config`](derive@config::Config) | layers, sections, options |"
)]
//! | [`listen`] | sockets that outlive a worker |
//! | [`ServiceLauncher`], [`launch()`], [`LaunchOptions`] | launching without attributes |
//! | [`ProcessLauncher`] | workers and their supervisor |
#![cfg_attr(
    feature = "cluster",
    doc = "| [`mod@cluster`] | records, membership, leases |"
)]
//!
//! The guide, in `docs/guide` of the repository, goes through all of it with whole programs.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `config` | yes | layered configuration from files, environment and `--set`, with reload |
//! | `cli` | yes | a flag for every setting, and the program's own |
//! | `log` | yes | a subscriber for `tracing` when the program installs none |
//! | `retry` | yes | retries of a fallible call |
//! | `control` | yes | a control socket of programs with workers |
//! | `cron` | no | periodic tasks by cron line and time zone |
//! | `metrics` | yes | metrics of all processes of the program, by the macros of the crate `metrics` |
//! | `http` | no | HTTP as a service: routes, limits, a stop that loses no request |
//! | `cluster` | no | records, membership and leases of the services of many programs, in SQLite |
//! | `postgres` | no | that, in PostgreSQL |
//! | `rpc` | no | services that call each other: `#[rpc]` methods, and the clients that come with them |
//!
//! Worker processes need Linux 5.10 or newer; on other Unix systems the services of a program run in one
//! process, with a warning. The crate `archy` has an attribute of the name
//! `#[service]` too; a program that uses both imports one of them by its path.

#![cfg_attr(
    not(workers),
    allow(
        dead_code,
        unused_imports,
        reason = "what only a supervisor and its workers use is read and checked all the same"
    )
)]

// So that what the macros of this workspace write is right in here too.
#[cfg(any(feature = "http", feature = "cluster", feature = "rpc"))]
extern crate self as service_runtime;

#[doc(hidden)]
pub mod __rt;
mod backoff;
#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "config")]
pub mod config;
#[cfg(all(feature = "control", workers))]
mod control;
mod duration;
mod error_chain;
#[cfg(any(feature = "config", feature = "log"))]
mod escape;
mod exit;
#[cfg(feature = "http")]
pub mod http;
#[cfg(workers)]
mod ipc;
mod launch;
pub mod listen;
mod log;
mod metrics;
mod near;
mod notify;
mod os;
pub mod prelude;
mod privileges;
mod quote;
#[cfg(feature = "rpc")]
pub mod rpc;
mod runner;
mod service;
mod settings;
mod size;
mod status;
mod stop_requests;
#[cfg(workers)]
mod supervisor;

pub mod tasks;
pub mod trace;
mod upgrade;
#[cfg(workers)]
mod worker;

pub use launch::{ProcessLauncher, ServiceLauncher, launch};
#[cfg(feature = "log")]
pub use log::log_layer;
pub use log::{LogFormat, LogFormatError};
pub use privileges::ResourceLimit;
pub use runner::main_fn::{AsyncMain, Main};
pub use runner::setup::Setup;
pub use service::{
    ChoiceError, Context, Description, Health, HealthStatus, IntoServices, ListenError, OnError,
    Phase, Registered, RestartMethod, RuntimeKind, Scope, Service, Services,
};
#[cfg(feature = "rpc")]
pub use service_macros::{RpcError, interface, rpc};
pub use service_macros::{
    health, init, launch, periodic, ready, reset, routes, run, service, start, stop, stopped,
};
pub use settings::options::{LaunchOptions, Preloaded};
pub use settings::{Flags, ReportFormat, ReportFormatError};
pub use size::{Size, SizeError};

/// What fuzzers call, and nobody else: it is there under `--cfg fuzzing` alone.
#[cfg(all(fuzzing, feature = "metrics"))]
#[doc(hidden)]
pub mod fuzzing {
    /// Reads the memory in which another process counts, and writes what is in it.
    pub fn arena(words: &[u64]) -> Option<String> {
        crate::metrics::fuzz(words)
    }
}
