//! Looking in and steering: the process that answers on the control socket, and the command that asks it.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `process` | the control process from its fork to its end |
//! | `server` | connections of clients, and their bounds |
//! | `peer` | who may ask |
//! | `supervisor_link` | questions to the supervisor, and its answers |
//! | `orders` | what clients order |
//! | `events` | what clients follow |
//! | `routes`, `views`, `body` | what is answered to which path |
//! | `ctl` | the command: it finds an instance, asks, and shows the answer |
//!
//! The control process is forked by the supervisor when a client connects, and ends when nobody has asked for a while.
//! It runs none of the author's code, and neither its end nor a slow client is felt by the supervisor or a worker.

mod body;
pub(crate) mod ctl;
mod events;
mod orders;
mod peer;
mod process;
mod routes;
mod server;
mod supervisor_link;
mod views;

pub(crate) use self::process::{ControlSetup, serve};
