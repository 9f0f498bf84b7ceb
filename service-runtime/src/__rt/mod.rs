//! What generated code calls, and nothing else does: it may change with any version.

#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "config")]
mod defaults;
mod hook;
mod init;
mod launchable;
#[cfg(feature = "config")]
mod options;
mod outcome;
mod periodic;
mod register;
#[cfg(feature = "http")]
mod routes;
#[cfg(feature = "rpc")]
mod rpc;
#[cfg(feature = "config")]
mod table;

pub use inventory;

#[cfg(feature = "config")]
pub use self::defaults::{Defaults, defaults, has_defaults};

#[cfg(feature = "cluster")]
pub use self::cluster::{Program, membership_table, store_table};
pub use self::hook::{health, hook, run};
pub use self::init::{Init, InitOutcome, init};
#[cfg(feature = "config")]
pub use self::init::{InitSection, init_from, section};
pub use self::launchable::launchable;
#[cfg(feature = "config")]
pub use self::options::{NoOptions, Probe};
pub use self::outcome::{HealthOutcome, HookOutcome};
pub use self::periodic::{PeriodicHook, periodic};
pub use self::register::{Describe, Hooks, Static, description, registration};
#[cfg(feature = "http")]
pub use self::routes::{RoutesOutcome, routes};
#[cfg(feature = "rpc")]
pub use self::rpc::{class, failure, fits, method, rpc, topic, value};
#[cfg(feature = "config")]
pub use self::table::table;
pub use crate::runner::main_fn::AsyncMain;
pub use crate::service::registry::Registration;
/// What a hook's call comes to.
pub type Result = anyhow::Result<()>;

#[doc(inline)]
pub use crate::{__rt_options as options, __rt_register as register};
#[cfg(feature = "config")]
#[doc(inline)]
pub use crate::{__rt_options_of as options_of, __rt_secrets as secrets};
