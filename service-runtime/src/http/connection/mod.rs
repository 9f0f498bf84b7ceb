//! One connection: what is known of it, its socket, and how it is driven to its end.

mod drive;
mod socket;
mod state;

pub(crate) use self::drive::{StreamTasks, drive};
pub use self::state::Client;
pub(crate) use self::state::{Connection, InFlight, Purpose};
