//! The ProcessLauncher's parent process: one thread, no async runtime, none of the author's code.
//!
//! [`policy`] decides, [`event_loop`] carries out. A forked worker leaves the driver's loop by
//! returning from it, so everything that the supervisor holds is closed on the way out.

mod config_check;
mod event_loop;
mod exit_command;
mod hang;
mod log_events;
pub(crate) mod policy;
mod poll;
mod pools;
mod reload;
mod report;
mod service_manager;
mod setup;
mod signals;
mod sockets;
mod successor;
mod worker_events;
mod worker_process;

pub(crate) use setup::supervise;
