//! Connections: what is known of each, its socket, and the list of all that are open.

mod frames;
mod list;
mod refusals;
mod socket;
mod state;

pub(crate) use self::list::Connections;
pub(crate) use self::socket::{Agreed, Socket};
pub use self::state::Client;
pub(crate) use self::state::{Connection, InFlight, Overdue, Purpose};
