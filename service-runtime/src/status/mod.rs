//! The report of SIGUSR1: everything about the program, in one text or one JSON object.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `row`, `write` | what a report is made of, and how that is written |
//! | `program`, `usage`, `sockets` | what is known of the whole, of a process from outside, and what it listens on |
//! | `history` | what happened lately |
//! | `output` | where a report goes |
//!
//! A worker writes its own part, services and tasks, and the supervisor puts it into the whole. It
//! never waits for one that does not answer.

mod history;
mod output;
mod program;
mod row;
mod sockets;
#[cfg(workers)]
mod usage;
mod write;

#[cfg(workers)]
pub(crate) use self::history::Died;
pub(crate) use self::history::History;
pub(crate) use self::output::{emit, into_log};
pub(crate) use self::program::Facts;
pub(crate) use self::row::{Row, Value};
pub(crate) use self::sockets::listeners;
#[cfg(workers)]
pub(crate) use self::usage::usage;
pub(crate) use self::write::{cut, whole};
