//! The ProcessLauncher's parent process: one thread, no async runtime, none of the author's code.
//!
//! [`policy`] decides, [`event_loop`] runs, and the components carry out what is decided: each has a state
//! of its own, the descriptors it waits for, its next deadline, and events. A forked worker leaves the loop
//! by returning from it, so everything that the supervisor holds is closed on the way out.
//!
//! | component | what it owns |
//! | --- | --- |
//! | `workers`, `worker_process` | the worker processes |
//! | `configurations`, `config_check` | the configuration of each generation, and the check of the next |
//! | `sockets` | what the program listens on |
//! | `successor` | the new process of an upgrade |
//! | `service_manager` | what systemd is told |
//! | `report`, `report_rows` | the report of SIGUSR1 |
//! | `exit_command` | the commands that run after a worker's end |
//! | `requests` | signals |
//! | `control`, `control_answers`, `control_orders`, `control_events`, `event_history` | the control socket, its process, and what that is answered |
//!
//! `own_metrics` counts what happens to all of them.

mod component;
mod config_check;
mod configurations;
#[cfg(feature = "control")]
mod control;
#[cfg(feature = "control")]
mod control_answers;
#[cfg(feature = "control")]
mod control_events;
#[cfg(feature = "control")]
mod control_orders;
#[cfg(feature = "control")]
mod event_history;
mod event_loop;
mod exit_command;
mod log_events;
mod own_metrics;
mod policy;
mod pools;
mod report;
mod report_rows;
mod requests;
mod service_manager;
mod sockets;
mod start;
mod status_line;
mod successor;
mod system;
mod worker_fork;
mod worker_messages;
mod worker_process;
mod workers;

pub(crate) use start::{Shared, Start, supervise};
pub(crate) use worker_fork::Leave;
