//! The state of a program at one moment, as one typed value, and its writers: text and JSON.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `program_status` | the whole: [`ProgramStatus`] |
//! | `program_info`, `process_status`, `worker_status`, `request_status`, `service_status`, `listener_status`, `history` | its parts |
//! | `row` | what every part is written as: named values, with rows below them |
//! | `text`, `json` | the writers |
//! | `output` | where the report of SIGUSR1 goes |
//!
//! A worker writes its own part, services and tasks, and the supervisor puts it into the whole. It
//! never waits for one that does not answer.

#[cfg(feature = "rpc")]
mod call_status;
mod history;
#[cfg(feature = "config")]
mod json;
mod listener_status;
mod output;
mod process_status;
mod program_info;
mod program_status;
mod request_status;
mod row;
mod service_status;
mod text;
#[cfg(workers)]
mod worker_status;

pub(crate) use self::history::History;
#[cfg(workers)]
pub(crate) use self::history::WorkerDeath;
pub(crate) use self::listener_status::ListenerStatus;
#[cfg(workers)]
pub(crate) use self::output::log_part;
pub(crate) use self::output::write_report;
pub(crate) use self::process_status::{ProcessStatus, ProcessUsage};
pub(crate) use self::program_info::ProgramInfo;
pub(crate) use self::program_status::ProgramStatus;
pub(crate) use self::request_status::{HttpStatus, RequestStatus};
pub(crate) use self::service_status::{ProcessPart, ServiceStatus, TaskStatus};
#[cfg(workers)]
pub(crate) use self::text::rounded_down;
pub(crate) use self::text::whole_seconds;
#[cfg(workers)]
pub(crate) use self::worker_status::{SlotStatus, WorkerAnswer, WorkerStatus};
