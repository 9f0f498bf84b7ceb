//! What a program that launches services needs, in one line.
//!
//! ```
//! use service_runtime::prelude::*;
//! ```

pub use anyhow::{self, Result};

#[cfg(feature = "config")]
pub use crate::config::{Config, Live, Size};
pub use crate::listen::{Listener, Peer, Stream};
#[cfg(feature = "rpc")]
pub use crate::rpc::{Call, CallError};
pub use crate::{
    Context, Description, Health, HealthStatus, LaunchOptions, OnError, Phase, Service, Setup,
    health, init, launch, periodic, ready, reset, routes, run, service, start, stop, stopped,
};
#[cfg(feature = "rpc")]
pub use crate::{RpcError, interface, rpc};
