//! A service framework for programs that run for a long time.
//!
//! Rooms, from the bottom up; a room uses only those below it:
//!
//! | room | what is in it |
//! | --- | --- |
//! | `process`, `signal` | the operating system |
//! | `tasks`, `config`, `notify`, `listen`, `log` | siblings that do not know each other |
//! | `service` | the trait, its context, phases and registry |
//! | `launch` | the launchers and the supervisor |
//! | `__rt` | what generated code calls |

#[cfg(feature = "config")]
pub mod config;
mod launch;
pub mod listen;
mod log;
mod notify;
mod process;
pub mod service;
mod signal;
pub mod tasks;

pub use log::{LogFormat, LogFormatError};
