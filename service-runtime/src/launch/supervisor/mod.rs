//! The ProcessLauncher's parent process: one thread, no async runtime, none of the author's code.
//!
//! [`machine`] decides, [`driver`] carries out. A forked worker leaves the driver's loop by
//! returning from it, so everything that the supervisor holds is closed on the way out.

mod checking;
mod driver;
mod hang;
mod hear;
pub(crate) mod machine;
mod manager;
mod narrate;
mod orders;
mod pools;
mod process;
mod reloading;
mod report;
mod setup;
mod sleep;
mod sockets;
mod upgrading;
mod worker_exit;

pub(crate) use setup::supervise;
